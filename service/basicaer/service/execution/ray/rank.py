"""What runs on each of the nodes over which a job's state is spread: the same job, with a part of the state.

All ranks draw the same random numbers and come to the same result, which the first of them tells.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence

from basicaer.service.execution._interface import PreparedJob
from basicaer.service.execution.ray.actor import Packed, Simulator, pack
from basicaer.simulator import distributed
from basicaer.v1 import job_pb2

__all__ = ["Rank", "tls_of_ray"]


def tls_of_ray(environment: Mapping[str, str]) -> distributed.TlsContexts | None:
    """Return what a node's Ray encrypts with, by the variables that it was started with; None if it doesn't
    do so.
    """
    if environment.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return None
    names = ("RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT")
    return distributed.TlsContexts.of(*(environment[name] for name in names))


class Rank(Simulator):
    """The actor. It runs one job, and is ended then."""

    def __init__(self, max_inline_result_bytes: int) -> None:
        """Load the kernels, as `Simulator` does."""
        super().__init__(max_inline_result_bytes)
        self._listener: socket.socket | None = None

    def listen(self, host: str) -> tuple[str, int]:
        """Return where the other ranks reach this one, which is on the node of that address."""
        self._listener, port = distributed.listen(host)
        return host, port

    def run_with(
        self,
        number: int,
        rank: int,
        addresses: Sequence[tuple[str, int]],
        secret: bytes,
        prepared: PreparedJob,
        job_id: str,
    ) -> Packed | None:
        """Run a job as this rank of those that listen at these addresses; None when another tells of it.

        Raises:
            ExecutionLostError: Another rank is gone.
        """
        if self._listener is None:
            raise AssertionError("a rank runs before it listens")
        mesh = distributed.Mesh.connect(rank, addresses, self._listener, secret, tls=tls_of_ray(os.environ))
        try:
            outcome = self.execute(number, prepared, job_id, mesh)
        finally:
            # Whoever waits for this one then doesn't any more.
            mesh.close()
        # One that has failed alone has no result.
        failed = outcome.status == job_pb2.JOB_STATUS_ERROR and outcome.result is None
        return pack(outcome) if rank == 0 or failed else None
