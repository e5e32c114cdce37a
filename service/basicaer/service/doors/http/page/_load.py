"""What an operator sees of a server beside the contract's GetServerInfo."""

from __future__ import annotations

import json
from http import HTTPStatus

from basicaer.service.access import Callers
from basicaer.service.doors.http._documents import JSON
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._who import caller_of
from basicaer.service.doors.service import JobService
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons

__all__ = ["Load"]


class Load:
    """`/page/load`: numbers by their names, for admins."""

    def __init__(self, service: JobService, callers: Callers) -> None:
        self._service = service
        self._callers = callers

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request.

        Raises:
            ServiceError: UNAUTHENTICATED; PERMISSION_DENIED: it isn't an admin's.
        """
        if not caller_of(exchange, self._callers).admin:
            raise ServiceError(
                reasons.ERROR_REASON_PERMISSION_DENIED,
                "The load of the whole server is for admins.",
                metadata={"cause": "role"},
            )
        await exchange.answer(HTTPStatus.OK, JSON, json.dumps(self._service.load).encode())
