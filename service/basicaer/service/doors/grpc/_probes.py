"""What a process has in a server's place that takes no calls: health, for probes, and nothing else."""

from __future__ import annotations

import grpc
import grpc.aio
from basicaer.service.config import Config
from basicaer.service.doors.grpc._server import HEALTH_NAMES, bind_port, health_options
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

__all__ = ["ProbeServer"]


class ProbeServer:
    """Answers at `health_listen`, if that is set. It is used as `GrpcServer` is."""

    def __init__(self, config: Config) -> None:
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        if config.health_listen:
            self._server = grpc.aio.server(options=health_options(config))
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def bind(self, listen: str, credentials: grpc.ServerCredentials | None) -> str:
        """Return "": there is no address."""
        return ""

    def bind_health(self, listen: str) -> str:
        """Take the address, and return the HOST:PORT it got; `health_listen` must be set.

        Raises:
            OSError: It can't be taken.
        """
        assert self._server is not None
        return bind_port(self._server, listen, None)

    async def start(self) -> None:
        """Begin to answer."""
        await self.set_serving(False)
        if self._server is not None:
            await self._server.start()

    async def set_serving(self, serving: bool) -> None:
        """Tell probes whether jobs are run."""
        kind = health_pb2.HealthCheckResponse.ServingStatus
        for name in HEALTH_NAMES:
            await self._health.set(name, kind.SERVING if serving else kind.NOT_SERVING)

    async def stop(self, grace: float | None) -> None:
        """End, after `grace` seconds at most."""
        await self._health.enter_graceful_shutdown()
        if self._server is not None:
            await self._server.stop(grace)
