"""How many streams that follow a job a caller holds open, and how often they beat."""

from __future__ import annotations

import contextlib
import math
import time

import grpc
import pytest
from basicaer.service.doors.watches import Watches
from basicaer.service.errors import ServiceError
from basicaer.service.jobs import DEFAULT_HEARTBEAT
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import StartServer
from tests.integration.conftest import Wire


def test_a_caller_has_so_many_places_and_others_their_own() -> None:
    watches = Watches(2)
    with watches.one("a"), watches.one("a"), watches.one("b"):
        for _ in range(2):
            with pytest.raises(ServiceError) as caught, watches.one("a"):
                pass
            assert caught.value.reason == reasons.ERROR_REASON_QUEUE_FULL
            assert caught.value.metadata == {"max_watches_per_caller": "2"}
            assert caught.value.retry_after is not None
    with pytest.raises(RuntimeError), watches.one("a"):
        raise RuntimeError
    with watches.one("a"), watches.one("a"):
        pass
    assert not watches._open


def test_streams_of_a_caller_beat_so_often_together() -> None:
    watches = Watches(20_000)
    with contextlib.ExitStack() as held:
        for _ in range(99):
            held.enter_context(watches.one("a", 0.1))
        # What is no interval isn't counted; it is refused elsewhere.
        for interval in (0.0, -1.0, math.nan, math.inf, 0.1):
            with watches.one("a", interval):
                pass
        with pytest.raises(ServiceError) as caught, watches.one("a", 0.04):
            pass
        assert caught.value.reason == reasons.ERROR_REASON_QUEUE_FULL
        assert caught.value.metadata == {"max_heartbeats_per_second": "1000"}
        assert caught.value.retry_after is not None
        with watches.one("b", 0.1):
            pass
    assert not watches._open
    assert not watches._beats
    # A single one may always be.
    with watches.one("a", 1e-9):
        pass
    # As many as there may be beat at their own interval.
    with contextlib.ExitStack() as held:
        for _ in range(20_000):
            held.enter_context(watches.one("a", DEFAULT_HEARTBEAT))


def test_streams_of_a_connection_are_bounded(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--max-watches-per-caller", "2", "--workers", "1")
    with server.stub() as stub:
        job = stub.SubmitJob(pb.SubmitJobRequest(spec=wire.endless())).job.job_id
        watched = [stub.WatchJob(pb.WatchJobRequest(job_id=job)) for _ in range(2)]
        for watch in watched:
            assert next(watch).HasField("job")
        for refused in (
            lambda: list(stub.WatchJob(pb.WatchJobRequest(job_id=job))),
            lambda: list(stub.RunJob(pb.RunJobRequest(spec=wire.bell()))),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                refused()
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "max_watches_per_caller" in str(caught.value.trailing_metadata())
        # Other calls go on, and so does another connection.
        stub.GetJob(pb.GetJobRequest(job_id=job))
        assert len(stub.ListJobs(pb.ListJobsRequest()).jobs) == 1
        watched.pop().cancel()
        deadline = time.monotonic() + 10
        while True:
            again = stub.WatchJob(pb.WatchJobRequest(job_id=job))
            try:
                assert next(again).HasField("job")
                break
            except grpc.RpcError:
                assert time.monotonic() < deadline
        stub.CancelJob(pb.CancelJobRequest(job_id=job))
