"""Limits of a connection: how old, how many calls, how many pings; and that our client lives with them."""

from __future__ import annotations

import threading

import grpc
import pytest
from basicaer.client import BasicAerProvider, JobStatus
from basicaer.service.config import Config
from basicaer.service.doors.grpc._server import server_options
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc

from tests.conftest import CHANNEL_OPTIONS, ServerProcess, StartServer, open_channel
from tests.integration.conftest import Wire


@pytest.fixture
def impatient(start_server: StartServer) -> ServerProcess:
    """A server whose connections live for a second."""
    return start_server("--max-connection-age", "1s", "--max-connection-age-grace", "500ms")


def test_a_watch_outlives_its_connections(impatient: ServerProcess, wire: Wire) -> None:
    with impatient.stub() as stub:
        job = wire.submit(stub, wire.endless())
        # A plain stream is cut at that age.
        with wire.fails() as failure:
            list(stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)))
        assert failure.code is grpc.StatusCode.UNAVAILABLE
    with BasicAerProvider(impatient.address) as provider:
        watched = provider.retrieve_job(job.job_id)
        seen: list[str] = []

        def watch() -> None:
            seen.extend(event.status.name for event in watched.events(0) if event.status is not None)

        thread = threading.Thread(target=watch)
        thread.start()
        # Two connections' lives and more.
        thread.join(4.0)
        assert thread.is_alive()
        with BasicAerProvider(impatient.address) as another:
            another.retrieve_job(job.job_id).cancel()
        thread.join(30.0)
        assert seen == ["QUEUED", "RUNNING", "CANCELLED"]
        assert watched.status() is JobStatus.CANCELLED


def test_further_calls_of_a_connection_wait(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--max-concurrent-streams", "2")
    with server.stub() as stub:
        job = wire.submit(stub, wire.endless())
        watches = [stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)) for _ in range(2)]
        for watch in watches:
            next(watch)
        with wire.fails() as failure:
            stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=0.5)
        assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
        # Another connection has its own.
        with server.stub() as other:
            assert other.GetServerInfo(pb.GetServerInfoRequest()).version
        watches[0].cancel()
        assert stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=30).version
        stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id), timeout=30)


def test_who_pings_too_often_is_disconnected(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--min-ping-interval", "1h")
    options = [
        *CHANNEL_OPTIONS,
        ("grpc.keepalive_time_ms", 200),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_time_between_pings_ms", 200),
    ]
    with open_channel(server.address, options=options) as channel, server.stub() as patient:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        job = wire.submit(patient, wire.endless())
        with wire.fails() as failure:
            list(stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)))
        assert failure.code is grpc.StatusCode.UNAVAILABLE
        patient.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


def test_settings_reach_grpc(config: Config) -> None:
    options = dict(server_options(config))
    assert options["grpc.max_concurrent_streams"] == config.max_concurrent_streams
    assert options["grpc.max_connection_age_ms"] == 86_400_000
    assert options["grpc.keepalive_time_ms"] == 60_000
    assert options["grpc.keepalive_timeout_ms"] == 20_000
    assert options["grpc.http2.min_ping_interval_without_data_ms"] == 10_000
