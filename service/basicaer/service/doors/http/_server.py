"""The HTTP server around the service: its port, its routes, health, and its end. It lives on the loop of the
rest, and uvicorn's own server, which wants the process for itself, has no part in it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from basicaer.service.access import Callers, Reloaded
from basicaer.service.config import Config
from basicaer.service.descriptors import BACKLOG, connections
from basicaer.service.doors.http._calls import Operation, Operations
from basicaer.service.doors.http._contract import Contract
from basicaer.service.doors.http._documents import JSON
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._guard import Guard
from basicaer.service.doors.http._protocol import MOST_HEAD, Connection
from basicaer.service.doors.http.page import Page
from basicaer.service.doors.service import JobService
from basicaer.service.errors import ServiceError
from basicaer.service.vital import Vital
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send
from uvicorn.config import Config as UvicornConfig
from uvicorn.server import ServerState

__all__ = ["HttpServer"]

_LOOK_SECONDS = 1.0
_HANDSHAKE_SECONDS = 20.0
_TEXT = "text/plain; charset=utf-8"


class _Resource:
    """What a path stands for: an operation for each verb."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations
        self._allowed = ", ".join(
            sorted({*operations, "OPTIONS", *(["HEAD"] if "GET" in operations else [])})
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        verb = "GET" if exchange.method == "HEAD" else exchange.method
        operation = self._operations.get(verb)
        if operation is not None:
            await operation(exchange)
            return
        await exchange.fail_untyped(
            HTTPStatus.METHOD_NOT_ALLOWED, f"Here are {self._allowed} alone.", [("allow", self._allowed)]
        )


class HttpServer:
    """A listening server. `/readyz` says no until `set_serving`."""

    def __init__(
        self,
        service: JobService,
        callers: Callers,
        config: Config,
        vital: Vital,
        bound: socket.socket,
        credentials: Reloaded[ssl.SSLContext] | None,
        grpc_port: int,
    ) -> None:
        """`bound` is where it listens; `credentials` secure the connections there, if there are any. The page
        tells of `grpc_port`.
        """
        self._vital = vital
        self._tells_contract = config.reflection
        self._contract = Contract()
        self._guard = Guard(config)
        self._operations = Operations(service, callers)
        self._serving = False
        self._credentials = credentials
        self._page = Page(service, callers, grpc_port)
        self._most = connections(config.validation_workers, config.workers, doors=2)
        self._state = ServerState()
        self._uvicorn = UvicornConfig(
            self._app,
            interface="asgi3",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=MOST_HEAD,
        )
        self._router = self._routes()
        self._socket = bound
        self._listener: asyncio.Server | None = None
        self._look: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to answer."""
        self._look = self._vital.task("http connections", self._look_after())
        await self._listen()

    def set_serving(self, serving: bool) -> None:
        """Tell probes whether calls are welcome."""
        self._serving = serving

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, give those in flight `grace` seconds (None: none), cancel the rest."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = set(self._state.tasks)
        if tasks and grace:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._look is not None:
            await self._vital.cancel(self._look)
        self._operations.close()

    async def _listen(self) -> None:
        context = None if self._credentials is None else self._credentials.get()[0]
        loop = asyncio.get_running_loop()
        before = self._listener
        # Of the same socket, so that nobody is turned away in between.
        self._listener = await loop.create_server(
            lambda: Connection(self._uvicorn, self._state, loop, self._most),
            sock=self._socket.dup(),
            ssl=context,
            backlog=BACKLOG,
            ssl_handshake_timeout=None if context is None else _HANDSHAKE_SECONDS,
        )
        if before is not None:
            before.close()

    async def _look_after(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._state.default_headers = [
                (b"date", formatdate(time.time(), usegmt=True).encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
            for connection in list(self._state.connections):
                if isinstance(connection, Connection):
                    connection.look(loop.time())
            if self._credentials is not None and self._credentials.get()[1]:
                await self._listen()
            await asyncio.sleep(_LOOK_SECONDS)

    def _routes(self) -> Router:
        paths: dict[str, dict[str, Operation]] = {}
        for rule in self._contract.rules:
            paths.setdefault(rule.path, {})[rule.verb] = self._operations.operation(rule)
        routes = [Route(path, _Resource(operations)) for path, operations in paths.items()]
        return Router(routes, redirect_slashes=False, default=_nowhere)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: the guard first, then health, which asks nobody who they are."""
        exchange = Exchange(scope, receive, send)
        try:
            shared = self._guard.check(exchange.headers)
        except ServiceError as error:
            await exchange.fail(error)
            return
        if shared:
            send = _with_headers(send, shared)
            exchange = Exchange(scope, receive, send)
        path: str = scope["path"]
        if exchange.method == "OPTIONS":
            await exchange.start(HTTPStatus.NO_CONTENT, self._guard.preflight() if shared else [])
            await exchange.finish()
        elif path == "/healthz":
            await exchange.answer(HTTPStatus.OK, _TEXT, b"ok\n")
        elif path == "/readyz":
            ready = self._serving
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            await exchange.answer(status, _TEXT, b"ready\n" if ready else b"not ready\n")
        elif path == "/v1/openapi.json" and self._tells_contract:
            await exchange.answer(HTTPStatus.OK, JSON, self._contract.openapi)
        elif self._page.has(path):
            await self._page.answer(exchange)
        else:
            await self._router(scope, receive, send)


def _with_headers(send: Send, headers: list[tuple[str, str]]) -> Send:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *raw]
        await send(message)

    return sending


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    exchange = Exchange(scope, receive, send)
    await exchange.fail_untyped(
        HTTPStatus.NOT_FOUND, "There is nothing at this path; /v1/openapi.json tells which there are."
    )
