"""Where Prometheus reads the metrics: plain HTTP on a port of its own, answered by threads of its own, so
that a scrape takes nothing from the event loop but a few milliseconds of the interpreter.
"""

from __future__ import annotations

import socket
import threading
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from basicaer.service.descriptors import MOST_SCRAPES
from basicaer.service.telemetry._metrics import Metrics
from prometheus_client import make_wsgi_app

__all__ = ["MetricsServer"]

# How long a connection may say nothing (seconds).
_SILENCE = 10.0


class _Handler(WSGIRequestHandler):
    timeout = _SILENCE

    def log_message(self, *arguments: object) -> None:
        """Scrapes aren't worth a line."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a connection; those beyond `MOST_SCRAPES` are closed at once."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._room = threading.BoundedSemaphore(MOST_SCRAPES)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever goes away, or is silent, amid a request is nobody's concern."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class MetricsServer:
    """Answers GET /metrics until it is closed."""

    def __init__(self, listen: str, metrics: Metrics) -> None:
        """Listen on HOST:PORT; port 0 takes any free one, and `address` tells which.

        Raises:
            OSError: The address can't be bound.
        """
        host, _, port = listen.rpartition(":")
        try:
            found = socket.getaddrinfo(
                host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            family, *_, address = found[0]
            kind = _Server6 if family == socket.AF_INET6 else _Server
            self._server = make_server(
                str(address[0]), int(port), make_wsgi_app(metrics.registry), kind, _Handler
            )
        except OSError as error:
            raise OSError(
                f"can't serve metrics on {listen}: {error.strerror or error}; "
                "set --metrics-listen to another address"
            ) from None
        # For whoever looks after threads.
        self.thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self.thread.start()
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """Take no more scrapes. Idempotent."""
        self._server.shutdown()
        self._server.server_close()
        self.thread.join()
