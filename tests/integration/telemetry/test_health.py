"""Health, for the server as a whole and for its service, as load balancers ask for it."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator

import pytest
from basicaer.v1 import job_service_pb2 as pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ("", "basicaer.v1.JobService")


def _watch(server: ServerProcess, service: str) -> Iterator[Iterator[int]]:
    with server.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        call = stub.Watch(health_pb2.HealthCheckRequest(service=service))
        yield (answer.status for answer in call)
        call.cancel()


@pytest.mark.parametrize("service", SERVICES)
def test_not_serving_while_draining(start_server: StartServer, wire: Wire, service: str) -> None:
    server = start_server("--drain-grace", "60s")
    with server.stub() as stub:
        job = wire.submit(stub, wire.endless())
        wire.wait_running(stub, job.job_id)
        for told in _watch(server, service):
            assert next(told) == SERVING
            server.signal(signal.SIGTERM)
            assert next(told) == NOT_SERVING
            # It still answers; the job is the only thing that it waits for.
            stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    assert server.wait() == 0


@pytest.mark.parametrize("service", SERVICES)
def test_not_serving_while_the_store_cant_commit(start_server: StartServer, wire: Wire, service: str) -> None:
    server = start_server()
    other = sqlite3.connect(server.data_dir / "jobs.sqlite3", isolation_level=None)
    with server.stub() as stub:
        for told in _watch(server, service):
            assert next(told) == SERVING
            # Another program holds the lock for longer than the server waits for it.
            other.execute("BEGIN IMMEDIATE")
            with wire.fails() as failure:
                wire.submit(stub, wire.bell())
            assert failure.reason == "STORE_BUSY"
            assert next(told) == NOT_SERVING
            other.execute("ROLLBACK")
            assert next(told) == SERVING
        wire.submit(stub, wire.bell())
    other.close()
