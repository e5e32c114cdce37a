"""Where Prometheus reads the metrics: plain HTTP on a port of its own, answered by threads of its own, so
that a scrape takes nothing from the event loop but a few milliseconds of the interpreter.
"""

from __future__ import annotations

from basicaer.service.telemetry._metrics import Metrics
from prometheus_client import start_http_server

__all__ = ["MetricsServer"]


class MetricsServer:
    """Answers GET /metrics until it is closed."""

    def __init__(self, listen: str, metrics: Metrics) -> None:
        """Listen on HOST:PORT; port 0 takes any free one, and `address` tells which.

        Raises:
            OSError: The address can't be bound.
        """
        host, _, port = listen.rpartition(":")
        try:
            self._server, self._thread = start_http_server(int(port), host.strip("[]"), metrics.registry)
        except OSError as error:
            raise OSError(
                f"can't serve metrics on {listen}: {error.strerror or error}; "
                "set --metrics-listen to another address"
            ) from None
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """Take no more scrapes. Idempotent."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
