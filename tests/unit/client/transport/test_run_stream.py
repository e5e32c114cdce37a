"""A submission brings its job's events along; whatever befalls that stream, there is one job."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from basicaer.client import BasicAerProvider, JobStatus, JobTimeoutError, ProgramInvalidError
from basicaer.v1 import job_pb2, job_service_pb2

from tests.unit.client.transport.runs import (
    BELL,
    DONE,
    RUNNING,
    Messages,
    brief_run,
    event,
    first,
    wait_until,
    whole_run,
)


@pytest.fixture
def backend(provider: BasicAerProvider) -> Any:
    """The peer's backend."""
    return provider.get_backend("qasm_simulator")


def test_one_call_submits_watches_and_brings_the_result(peer: Any, backend: Any, result: Any) -> None:
    peer.on("RunJob", whole_run(peer, result))
    job = backend.run(BELL, request_id="mine")
    assert job.result().get_counts() == {"11": 7}
    assert job.status() is JobStatus.DONE
    assert peer.requests["RunJob"][0].request_id == "mine"
    assert not {"SubmitJob", "WatchJob", "GetJob", "ReadResult"} & set(peer.requests)


def test_a_job_that_has_ended_by_then_costs_one_call(peer: Any, backend: Any, result: Any) -> None:
    seen: list[JobStatus] = []
    peer.on("RunJob", brief_run(peer, result))
    job = backend.run(BELL)
    assert job.status() is JobStatus.DONE
    job.wait_for_final_state(callback=lambda job_id, status, job: seen.append(status))
    assert job.result().get_counts() == {"11": 7}
    assert seen == []
    assert not {"SubmitJob", "WatchJob", "GetJob", "ReadResult"} & set(peer.requests)


def test_the_callback_is_told_of_each_live_status(peer: Any, backend: Any, result: Any) -> None:
    seen: list[JobStatus] = []

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        wait_until(lambda: seen == [JobStatus.QUEUED])
        yield event(peer, RUNNING, 2)
        wait_until(lambda: seen == [JobStatus.QUEUED, JobStatus.RUNNING])
        yield event(peer, DONE, 3, result)

    peer.on("RunJob", run)
    backend.run(BELL).wait_for_final_state(callback=lambda job_id, status, job: seen.append(status), wait=60)
    assert seen == [JobStatus.QUEUED, JobStatus.RUNNING]


def test_a_wait_begins_with_the_present_status(peer: Any, backend: Any, result: Any) -> None:
    sent, seen = threading.Event(), list[JobStatus]()

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        yield event(peer, RUNNING, 2)
        sent.set()
        wait_until(lambda: seen != [])
        yield event(peer, DONE, 3, result)

    peer.on("RunJob", run)
    job = backend.run(BELL)
    assert sent.wait(30)
    wait_until(lambda: job._streams[0]._inbox.qsize() == 1)
    job.wait_for_final_state(callback=lambda job_id, status, job: seen.append(status), wait=60)
    assert seen == [JobStatus.RUNNING]
    assert job.result().get_counts() == {"11": 7}


@pytest.mark.parametrize("status", [DONE, job_pb2.JOB_STATUS_CANCELLED])
def test_a_job_that_ended_before_the_wait_is_final_at_once(
    peer: Any, backend: Any, result: Any, status: int
) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        yield event(peer, status, 2, result)

    peer.on("RunJob", run)
    job = backend.run(BELL)
    wait_until(lambda: job._streams[0]._inbox.qsize() == 2)
    job.wait_for_final_state(callback=lambda *arguments: pytest.fail("the job is final"))
    assert job.in_final_state()
    assert not {"WatchJob", "GetJob"} & set(peer.requests)


def test_a_large_result_is_read(peer: Any, backend: Any, result: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        yield event(peer, DONE, 2)

    peer.on("RunJob", run)
    peer.on("ReadResult", lambda request, context: peer.part(result.SerializeToString()))
    assert backend.run(BELL).result().get_counts() == {"11": 7}


def test_a_broken_stream_is_taken_up_after_what_was_seen(peer: Any, backend: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        yield event(peer, RUNNING, 2)
        peer.abort(context, grpc.StatusCode.UNAVAILABLE)

    def watch(request: Any, context: grpc.ServicerContext) -> Iterator[job_service_pb2.WatchJobResponse]:
        assert request.after_sequence == 2
        yield peer.first(DONE, 3)
        yield peer.event(DONE, 3)

    peer.on("RunJob", run)
    peer.on("WatchJob", watch)
    job = backend.run(BELL)
    job.wait_for_final_state()
    assert job.done()
    assert len(peer.requests["RunJob"]) == 1


def test_a_retry_has_the_request_id_of_the_first_try(peer: Any, backend: Any, result: Any) -> None:
    failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED]

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        if failures:
            peer.abort(context, failures.pop(0), retry_after=0.01)
        yield from whole_run(peer, result)(request, context)

    peer.on("RunJob", run)
    assert backend.run(BELL).result().success
    assert len(peer.requests["RunJob"]) == 3
    assert len({request.request_id for request in peer.requests["RunJob"]}) == 1


def test_a_refusal_is_raised_and_not_repeated(peer: Any, backend: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        peer.abort(context, grpc.StatusCode.INVALID_ARGUMENT, reason="PROGRAM_INVALID")
        yield first(peer)

    peer.on("RunJob", run)
    with pytest.raises(ProgramInvalidError):
        backend.run(BELL)
    assert len(peer.requests["RunJob"]) == 1
    assert "SubmitJob" not in peer.requests


def test_what_holds_streams_back_does_not_hold_the_submission_back(
    peer: Any, backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        peer.hang(context)
        yield first(peer)

    monkeypatch.setattr("basicaer.client.transport._run_stream.PATIENCE", 0.1)
    peer.on("RunJob", run)
    peer.on("SubmitJob", lambda request, context: job_service_pb2.SubmitJobResponse(job=peer.job()))
    assert backend.run(BELL).job_id() == "0199-job"
    assert peer.requests["SubmitJob"][0].request_id == peer.requests["RunJob"][0].request_id


def test_so_many_streams_wait_and_no_more(
    peer: Any, backend: Any, result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        peer.hang(context)

    monkeypatch.setattr("basicaer.client.transport._run_stream.RUN_STREAMS", 2)
    peer.on("RunJob", run)
    peer.on("SubmitJob", lambda request, context: job_service_pb2.SubmitJobResponse(job=peer.job()))
    with BasicAerProvider(peer.address) as other:
        limited = other.get_backend("qasm_simulator")
        jobs = [limited.run(BELL) for _ in range(3)]
        assert (len(peer.requests["RunJob"]), len(peer.requests["SubmitJob"])) == (2, 1)
        # A handle that nobody has any more gives its place to others.
        jobs.clear()
        gc.collect()
        peer.on("RunJob", whole_run(peer, result))
        until = time.monotonic() + 10
        while len(peer.requests["RunJob"]) == 2 and time.monotonic() < until:
            limited.run(BELL)
        assert len(peer.requests["RunJob"]) == 3
        assert "CancelJob" not in peer.requests


def test_a_wait_that_ran_out_of_time_can_be_repeated(peer: Any, backend: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        peer.hang(context)

    peer.on("RunJob", run)
    peer.on("WatchJob", lambda request, context: iter([peer.first(DONE, 2), peer.event(DONE, 2)]))
    job = backend.run(BELL)
    with pytest.raises(JobTimeoutError):
        job.wait_for_final_state(timeout=0.1)
    job.wait_for_final_state(timeout=30)
    assert job.done()
