"""Waiting for a job over a network that breaks: each complaint of users, scripted on a peer."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest
from basicaer.client import AsyncBasicAerProvider, BasicAerJob, JobCancelledError, JobFailedError, JobStatus
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2

from tests.unit.client.jobs.conftest import CANCELLED, DONE, ERROR, QUEUED, RUNNING, Stream, in_turn


def seen(job: BasicAerJob, **arguments: Any) -> list[JobStatus]:
    """Waits, and returns the statuses that the callback got, without its repetitions."""
    statuses: list[JobStatus] = []

    def callback(job_id: str, status: JobStatus, handle: BasicAerJob) -> None:
        assert (job_id, handle) == (job.job_id(), job)
        if not statuses or statuses[-1] is not status:
            statuses.append(status)

    job.wait_for_final_state(callback=callback, **arguments)
    return statuses


def test_each_change_to_a_live_status_is_told_and_never_the_final_one(peer: Any, job: BasicAerJob) -> None:
    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        assert not request.HasField("after_sequence")
        yield peer.first(QUEUED, 1)
        yield peer.event(job_pb2.JOB_STATUS_VALIDATING, 2)
        yield peer.event(RUNNING, 3)
        yield peer.event(DONE, 4)

    in_turn(peer, stream)
    assert seen(job) == [JobStatus.QUEUED, JobStatus.VALIDATING, JobStatus.RUNNING]
    assert job.done()
    assert "GetJob" not in peer.requests  # a final status is known for ever


def test_a_job_that_is_final_already_needs_one_message(peer: Any, job: BasicAerJob) -> None:
    in_turn(peer, lambda request, context: iter([peer.first(CANCELLED, 2)]))
    assert seen(job) == []
    assert job.cancelled()


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, None]
)
def test_a_broken_stream_goes_on_after_its_last_sequence(peer: Any, job: BasicAerJob, code: Any) -> None:
    def breaks(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(QUEUED, 1)
        yield peer.event(RUNNING, 2)
        if code is not None:
            peer.abort(context, code)

    def resumes(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(DONE, 3)
        yield peer.event(DONE, 3)

    in_turn(peer, breaks, resumes)
    assert seen(job) == [JobStatus.QUEUED, JobStatus.RUNNING]
    assert [request.after_sequence for request in peer.requests["WatchJob"]] == [0, 2]


def test_a_gap_in_the_sequence_is_filled_by_a_new_stream(peer: Any, job: BasicAerJob) -> None:
    def skips(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(QUEUED, 1)
        yield peer.event(DONE, 3)

    def replays(request: Any, context: grpc.ServicerContext) -> Stream:
        assert request.after_sequence == 1
        yield peer.first(DONE, 3)
        yield peer.event(RUNNING, 2)
        yield peer.event(DONE, 3)

    in_turn(peer, skips, replays)
    assert seen(job) == [JobStatus.QUEUED, JobStatus.RUNNING]


def test_the_callback_keeps_its_cadence_while_the_server_is_silent(peer: Any, job: BasicAerJob) -> None:
    calls: list[JobStatus] = []
    enough = threading.Event()

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(RUNNING, 2)
        assert enough.wait(30)
        yield peer.event(DONE, 3)

    def callback(job_id: str, status: JobStatus, handle: BasicAerJob) -> None:
        calls.append(status)
        if len(calls) == 5:
            enough.set()

    in_turn(peer, stream)
    job.wait_for_final_state(wait=0.02, callback=callback)
    assert set(calls) == {JobStatus.RUNNING}


def test_the_callback_keeps_its_cadence_while_the_server_is_away(peer: Any, job: BasicAerJob) -> None:
    calls: list[JobStatus] = []

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(RUNNING, 2)
        peer.hang(context)

    def callback(job_id: str, status: JobStatus, handle: BasicAerJob) -> None:
        calls.append(status)
        if len(calls) == 1:
            threading.Thread(target=peer.stop).start()
        if len(calls) == 10:
            in_turn(peer, lambda request, context: iter([peer.event(DONE, 3)]))
            peer.start()

    in_turn(peer, stream)
    job.wait_for_final_state(timeout=60, wait=0.05, callback=callback)
    assert len(calls) >= 10
    assert job.done()


@pytest.mark.parametrize("how", ["unimplemented", "cut", "buffered"])
def test_where_streams_do_not_work_getjob_does(peer: Any, job: BasicAerJob, how: str) -> None:
    answers = [peer.job(QUEUED, 1), peer.job(RUNNING, 2), peer.job(DONE, 3)]

    def watch(request: Any, context: grpc.ServicerContext) -> Stream:
        if how == "unimplemented":
            peer.abort(context, grpc.StatusCode.UNIMPLEMENTED)
        if how == "cut":
            yield peer.first(QUEUED, 1)
        peer.abort(context, grpc.StatusCode.UNKNOWN, "Received http2 header with status: 502")

    def get(request: Any, context: grpc.ServicerContext) -> job_service_pb2.GetJobResponse:
        answer = next(answer for answer in answers if answer.sequence > request.if_sequence_after)
        assert request.wait.seconds > 0
        return job_service_pb2.GetJobResponse(job=answer)

    peer.on("WatchJob", watch)
    peer.on("GetJob", get)
    assert seen(job, timeout=60) == [JobStatus.QUEUED, JobStatus.RUNNING]
    assert len(peer.requests["GetJob"]) >= 2


@pytest.mark.parametrize(("status", "kind"), [(ERROR, JobFailedError), (CANCELLED, JobCancelledError)])
def test_the_final_events_cause_is_the_results_error(
    peer: Any, job: BasicAerJob, status: Any, kind: Any
) -> None:
    cause = job_pb2.JobError(reason=error_reason_pb2.ERROR_REASON_SIMULATION_FAILED, message="1/0")
    in_turn(peer, lambda request, context: iter([peer.first(RUNNING, 2), peer.event(status, 3, cause)]))
    job.wait_for_final_state()
    with pytest.raises(kind, match="1/0") as caught:
        job.result()
    assert caught.value.reason == "SIMULATION_FAILED"
    assert type(job.error()) is kind
    assert len(peer.requests["WatchJob"]) == 1


async def test_the_asyncio_twin_waits_the_same(peer: Any) -> None:
    def breaks(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(QUEUED, 1)
        peer.abort(context, grpc.StatusCode.UNAVAILABLE)

    def resumes(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(DONE, 3)
        yield peer.event(RUNNING, 2)
        yield peer.event(DONE, 3)

    in_turn(peer, breaks, resumes)
    peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job(QUEUED, 1)))
    statuses: list[JobStatus] = []

    async def callback(job_id: str, status: JobStatus, handle: object) -> None:
        if status not in statuses:
            statuses.append(status)

    async with AsyncBasicAerProvider(peer.address) as provider:
        handle = await provider.retrieve_job("0199-job")
        await handle.wait_for_final_state(callback=callback)
        assert statuses == [JobStatus.QUEUED, JobStatus.RUNNING]
        assert await handle.done()
