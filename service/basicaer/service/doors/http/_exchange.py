"""A request and its response, over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from basicaer.service.doors.http._problems import PROBLEM, problem, refusal_headers, status_of, untyped
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

__all__ = ["Exchange", "HeaderList"]

HeaderList = Sequence[tuple[str, str]]

# How long a body may take: so long, and longer by what has come at the slowest line that we wait for.
_BODY_SECONDS, _BODY_BYTES_PER_SECOND = 20.0, 16 * 1024


class Exchange:
    """One request. `started` is whether the response's status is on its way."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.headers = Headers(scope=scope)
        self.method: str = scope["method"]
        self.started = False
        # What an error in the middle of a response looks like.
        self.streams_events = False
        self._ended = False
        self._receive = receive
        self._send = send

    @property
    def path_fields(self) -> Mapping[str, str]:
        """What the path holds for the fields in it."""
        found: Mapping[str, str] = self.scope["path_params"]
        return found

    @property
    def peer_host(self) -> str:
        """The machine that the call came from: callers without a name share its limits."""
        client = self.scope.get("client")
        return f"http:{client[0]}" if client else "http:"

    def peer(self) -> str:
        """Return the connection that the call came by, for the log."""
        client = self.scope.get("client")
        return f"http:{client[0]}:{client[1]}" if client else "http:"

    def metadata(self) -> list[tuple[str, str | bytes]]:
        """Return the headers as gRPC has them."""
        return list(self.headers.items())

    def certificate(self) -> Mapping[str, list[bytes]]:
        """Return the caller's certificate as gRPC tells it: its common names, and whether there is one."""
        found = self.scope["state"]["connection"].certificate()
        if not found:
            return {}
        names = [value for part in found.get("subject", ()) for key, value in part if key == "commonName"]
        return {"x509_pem_cert": [b"there"], "x509_common_name": [name.encode() for name in names]}

    async def body(self, most: int) -> bytes:
        """Return the body.

        Raises:
            ServiceError: PROGRAM_TOO_LARGE: it is longer than `most` bytes; OPTION_INVALID: it comes too
                slowly.
        """
        given = self.headers.get("content-length", "")
        if given.isdigit() and int(given) > most:
            raise _too_long(most)
        parts, size = [], 0
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(began + _BODY_SECONDS) as scope:
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise asyncio.CancelledError
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise _too_long(most)
                    if not message.get("more_body", False):
                        return b"".join(parts)
                    scope.reschedule(began + _BODY_SECONDS + size / _BODY_BYTES_PER_SECOND)
        except TimeoutError:
            raise ServiceError(
                reasons.ERROR_REASON_OPTION_INVALID, "The request's body comes too slowly, or has no end."
            ) from None

    async def gone(self) -> None:
        """Wait until the caller has gone. Call it when the body was read, or there is none."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def start(self, status: int, headers: HeaderList) -> None:
        """Begin the response."""
        self.started = True
        raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Send a piece of the body; waits while the caller is slow."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """End the response. Idempotent."""
        if self._ended:
            return
        self._ended = True
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def answer(
        self, status: int, kind: str, body: bytes, headers: HeaderList = (), *, kept: str = "no-store"
    ) -> None:
        """Send a whole response; `kept` is what caches may do with it."""
        own = [("content-type", kind), ("content-length", str(len(body))), ("cache-control", kept)]
        await self.start(status, [*own, *headers])
        await self.finish(body)

    async def fail(self, error: ServiceError, status: HTTPStatus | None = None) -> None:
        """Send the problem that tells of an error."""
        told = status or status_of(error)
        await self.answer(told, PROBLEM, problem(error, told), refusal_headers(error))

    async def fail_untyped(self, status: HTTPStatus, detail: str, headers: HeaderList = ()) -> None:
        """Send a problem that is HTTP's own."""
        await self.answer(status, PROBLEM, untyped(status, detail), headers)

    async def cut(self) -> None:
        """End the connection in the middle of a response, so that it can't be taken for a whole one."""
        connection: Any = self.scope["state"]["connection"]
        connection.transport.abort()
        # Until uvicorn has learned of it, so that it doesn't take it for a defect.
        await self.gone()


def _too_long(most: int) -> ServiceError:
    return ServiceError(
        reasons.ERROR_REASON_PROGRAM_TOO_LARGE,
        f"The request's body has more than {most:,} bytes, the most that is taken of this kind. Split "
        "the job, or send it as application/protobuf, of which it takes Limits.max_message_bytes.",
        metadata={"limit": "max_message_bytes", "max": str(most)},
    )
