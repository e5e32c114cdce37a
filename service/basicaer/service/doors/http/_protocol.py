"""Connections: uvicorn's, which speaks HTTP by h11, with an end to those that only wait.

uvicorn waits for ever for the rest of a request's head once a byte of it has come, and for a client to take
what is sent. Each such connection holds a descriptor and some memory, so `look` ends both after a while.
"""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from typing import Any, cast

import h11
from basicaer.service.doors.http._problems import PROBLEM, untyped
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["MOST_HEAD", "Connection"]

MOST_HEAD = 16 * 1024
"""Bytes of a request's line and headers."""
# How long a request's head may take from the connection's begin, or from the response before (seconds); and
# the rest of a body that isn't wanted, once it was answered.
_HEAD_SECONDS, _REST_SECONDS = 20.0, 2.0
# How long a client may take nothing of what is sent.
_STUCK_SECONDS = 120.0


class Connection(H11Protocol):
    """A connection. `look` at it now and then."""

    def __init__(
        self, config: Config, state: ServerState, loop: asyncio.AbstractEventLoop, most: int | None
    ) -> None:
        """`most` is how many there may be of them."""
        super().__init__(config, state, {"connection": self}, loop)
        self._most = most
        self._deadline = 0.0
        self._stuck_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._deadline = self.loop.time() + _HEAD_SECONDS
        super().connection_made(cast(asyncio.Transport, transport))
        if self._most is not None and len(self.connections) > self._most:
            self.transport.abort()

    def on_response_complete(self) -> None:
        rest = self.conn.their_state is h11.SEND_BODY
        self._deadline = self.loop.time() + (_REST_SECONDS if rest else _HEAD_SECONDS)
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what isn't HTTP, or has too long a head."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # In the middle of a response nothing can be told.
            self.transport.abort()
            return
        body = untyped(
            HTTPStatus.BAD_REQUEST,
            f"The request isn't HTTP/1.1, or its head has more than {MOST_HEAD:,} bytes.",
        )
        headers = [
            ("content-type", PROBLEM),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        response = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def look(self, now: float) -> None:
        """End the connection if it has waited for too long; `now` is by the loop's clock."""
        idle = self.cycle is None or self.cycle.response_complete
        if (idle and now > self._deadline) or (
            self._stuck_since is not None and now > self._stuck_since + _STUCK_SECONDS
        ):
            self.transport.abort()

    def certificate(self) -> dict[str, Any]:
        """Return what Python tells of the client's certificate; empty without one."""
        secured: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        return (secured.getpeercert() or {}) if secured is not None else {}
