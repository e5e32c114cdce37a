"""Which path is what of the page."""

from __future__ import annotations

import re
from http import HTTPStatus

from basicaer.service.access import Callers
from basicaer.service.doors.call import unexpected
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http.page._drawings import Drawings
from basicaer.service.doors.http.page._files import FILES, PageFiles
from basicaer.service.doors.http.page._load import Load
from basicaer.service.doors.http.page._sessions import Sessions
from basicaer.service.doors.service import JobService
from basicaer.service.errors import ServiceError

__all__ = ["Page"]

# The page's own addresses, all of which are one document that looks at its address.
_VIEWS = re.compile(r"/|/(write|server)/?|/jobs/[^/]{1,64}")


class Page:
    """Answers what isn't the contract's."""

    def __init__(self, service: JobService, callers: Callers, grpc_port: int) -> None:
        self._files = PageFiles()
        self._answers = {
            f"{FILES}session": Sessions(callers, grpc_port).answer,
            f"{FILES}load": Load(service, callers).answer,
            f"{FILES}drawing": Drawings(callers).answer,
        }

    @staticmethod
    def has(path: str) -> bool:
        """Return whether a path is the page's to answer."""
        return path.startswith(FILES) or _VIEWS.fullmatch(path) is not None

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request for one of its paths, whatever it is."""
        path: str = exchange.scope["path"]
        answer = self._answers.get(path)
        try:
            if answer is not None:
                await answer(exchange)
            elif exchange.method not in ("GET", "HEAD"):
                await exchange.fail_untyped(
                    HTTPStatus.METHOD_NOT_ALLOWED, "Here is GET alone.", [("allow", "GET, HEAD")]
                )
            elif path.startswith(FILES):
                await self._files.send(exchange, path.removeprefix(FILES))
            else:
                await self._files.send_document(exchange)
        except ServiceError as error:
            await exchange.fail(error)
        except Exception as error:
            if exchange.started:
                raise
            await exchange.fail(unexpected(path, error))
