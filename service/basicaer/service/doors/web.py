"""HTTP's port, which is taken when the server starts, and what answers there, which is loaded when somebody
comes: it takes longer to import than all the rest of a start, and many servers never have such a caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import socket
from typing import TYPE_CHECKING

from basicaer.service.access import Callers, server_context
from basicaer.service.config import DEFAULT_HTTP, Config
from basicaer.service.descriptors import BACKLOG
from basicaer.service.doors.service import JobService
from basicaer.service.vital import Vital

if TYPE_CHECKING:
    from basicaer.service.doors.http import HttpServer

__all__ = ["WebDoor"]

_log = logging.getLogger(__name__)

# When a silent client's machine is asked whether it is still there (seconds).
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class WebDoor:
    """HTTP on a port. `server` is what answers there, once it was needed."""

    def __init__(self, service: JobService, callers: Callers, config: Config, vital: Vital) -> None:
        """Read the certificates.

        Raises:
            CredentialsFileError: They can't be used.
        """
        self._service = service
        self._callers = callers
        self._config = config
        self._vital = vital
        self._credentials = server_context(config)
        self._serving = False
        self._grpc_port = 0
        self._socket: socket.socket | None = None
        self._waits = False
        self._loading: asyncio.Task[None] | None = None
        self.server: HttpServer | None = None

    def bind(self) -> str:
        """Take the port; return its URL. Where the default is taken it is a free one.

        Raises:
            OSError: It can't be taken, for instance because another server has it.
        """
        listen = self._config.http_listen
        if listen:
            self._socket = _bound(listen)
        else:
            listen = DEFAULT_HTTP
            try:
                self._socket = _bound(listen)
            except OSError:
                self._socket = _bound(f"{listen.rpartition(':')[0]}:0")
        scheme = "http" if self._credentials is None else "https"
        return f"{scheme}://{listen.rpartition(':')[0]}:{self._socket.getsockname()[1]}"

    async def start(self, grpc_port: int) -> None:
        """Begin to answer; the page tells of `grpc_port`."""
        self._grpc_port = grpc_port
        assert self._socket is not None
        asyncio.get_running_loop().add_reader(self._socket, self._on_first)
        self._waits = True

    async def set_serving(self, serving: bool) -> None:
        """Tell probes whether calls are welcome."""
        self._serving = serving
        if self.server is not None:
            self.server.set_serving(serving)

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, give those in flight `grace` seconds (None: none), cancel the rest."""
        self._wait_no_more()
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loading
        if self._socket is not None:
            self._socket.close()
        if self.server is not None:
            await self.server.stop(grace)

    def _wait_no_more(self) -> None:
        if self._waits and self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._waits = False

    def _on_first(self) -> None:
        self._wait_no_more()
        self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        try:
            # Away from the loop's thread, which serves meanwhile.
            await asyncio.to_thread(importlib.import_module, "basicaer.service.doors.http")
            from basicaer.service.doors.http import HttpServer

            assert self._socket is not None
            server = HttpServer(
                self._service,
                self._callers,
                self._config,
                self._vital,
                self._socket,
                self._credentials,
                self._grpc_port,
            )
            server.set_serving(self._serving)
            await server.start()
            self.server = server
        except Exception:
            _log.exception("HTTP can't be answered")
            # gRPC can; and who waits for HTTP should learn of it.
            if self._socket is not None:
                self._socket.close()


def _bound(listen: str) -> socket.socket:
    """Return a socket on an address (HOST:PORT; port 0 is any free one).

    Raises:
        OSError: It can't be taken.
    """
    host, _, port = listen.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
    except OSError:
        raise OSError(f"can't listen on {listen}: is it this machine's?") from None
    try:
        # As every server does: connections of one that has just ended don't count.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in _KEEPALIVE:
            made.setsockopt(socket.IPPROTO_TCP, option, seconds)
        made.bind(address)
        # At once: until one of them listens, several may have the same port.
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise OSError(
            f"can't listen on {listen}: is it this machine's, and is no other server on it?"
        ) from None
    return made
