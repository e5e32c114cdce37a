"""A server, and a worker that drives a Ray cluster for it, on one database."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

from tests.cluster.processes import Part, launch, parts
from tests.cluster.ray import RayCluster
from tests.conftest import open_channel

__all__ = ["Service", "read", "serving", "working"]


class Service(NamedTuple):
    nodes: RayCluster
    server: Part
    worker: Part
    stub: job_service_pb2_grpc.JobServiceStub

    def submit(self, spec: job_pb2.JobSpec) -> str:
        request = job_service_pb2.SubmitJobRequest(spec=spec)
        return self.stub.SubmitJob(request, timeout=60).job.job_id

    def watch(self, job_id: str) -> Iterator[job_pb2.Event]:
        request = job_service_pb2.WatchJobRequest(job_id=job_id, after_sequence=0)
        for message in self.stub.WatchJob(request, timeout=300):
            yield message.event

    def there(self) -> list[job_service_pb2.Node]:
        """The nodes that the worker tells of."""
        info = self.stub.GetServerInfo(job_service_pb2.GetServerInfoRequest(), timeout=60)
        return [node for member in info.members for node in member.nodes]

    def cancel(self, job_id: str) -> None:
        self.stub.CancelJob(job_service_pb2.CancelJobRequest(job_id=job_id), timeout=60)


def working(folder: Path, database: str, nodes: RayCluster, *options: str) -> Part:
    """A worker on the cluster, not started yet."""
    command = ("work", "--database", database, "--executor", nodes.url, "--workers", "2", *options)
    return Part(folder, "worker", *command, launch=partial(launch, environment=nodes.environment))


def serving(
    nodes: RayCluster,
    database: str,
    folder: Path,
    of_server: Sequence[str] = (),
    of_worker: Sequence[str] = (),
) -> Iterator[Service]:
    """Both, for as long as the generator isn't closed, with these options."""
    (server,), _ = parts(folder, lambda _: database, 1, 0, of_server)
    worker = working(folder, database, nodes, "--max-attempts", "1000", *of_worker)
    try:
        for part in (server, worker):
            part.begin()
        for part in (server, worker):
            part.ready()
        with open_channel(server.address) as channel:
            yield Service(nodes, server, worker, job_service_pb2_grpc.JobServiceStub(channel))
    finally:
        for part in (worker, server):
            with contextlib.suppress(Exception):
                part.kill()


def read(stub: job_service_pb2_grpc.JobServiceStub, job_id: str, part: str = "") -> bytes:
    request = job_service_pb2.ReadResultRequest(job_id=job_id, part=part)
    return b"".join(answer.chunk.data for answer in stub.ReadResult(request, timeout=60))
