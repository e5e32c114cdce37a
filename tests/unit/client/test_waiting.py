"""Waiting for a job over a network that breaks: each complaint of users, scripted on a peer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerBackend,
    BasicAerJob,
    BasicAerProvider,
    ClientClosedError,
    EventsCompactedError,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    JobStatus,
    JobTimeoutError,
    Limits,
    ProtocolError,
    ServerError,
    ServerUnavailableError,
)
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2

QUEUED, RUNNING = job_pb2.JOB_STATUS_QUEUED, job_pb2.JOB_STATUS_RUNNING
DONE, ERROR, CANCELLED = job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR, job_pb2.JOB_STATUS_CANCELLED
Stream = Iterator[job_service_pb2.WatchJobResponse]
Watch = Callable[[Any, grpc.ServicerContext], Stream]


@pytest.fixture
def job(peer: Any, provider: BasicAerProvider) -> BasicAerJob:
    """A handle of a job on the peer."""
    return BasicAerJob(provider.get_backend("qasm_simulator"), "0199-job")


def in_turn(peer: Any, *streams: Watch) -> None:
    """Answers the first watch with the first stream, and so on; the last one answers all that follow."""
    rest = list(streams)

    def watch(request: Any, context: grpc.ServicerContext) -> Stream:
        stream = rest.pop(0) if len(rest) > 1 else rest[0]
        yield from stream(request, context)

    peer.on("WatchJob", watch)


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


def test_a_slow_callback_is_not_hidden_from_the_deadline(peer: Any, job: BasicAerJob) -> None:
    in_turn(peer, lambda request, context: iter([peer.first(RUNNING, 2)]))
    with pytest.raises(JobTimeoutError):
        job.wait_for_final_state(timeout=0.2, wait=0.01, callback=lambda *_: time.sleep(0.15))


def test_timeout_zero_raises_without_a_callback(peer: Any, job: BasicAerJob) -> None:
    peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job(RUNNING, 2)))
    with pytest.raises(JobTimeoutError, match=r"^Timeout while waiting for job 0199-job\.$"):
        job.wait_for_final_state(timeout=0, callback=lambda *_: pytest.fail("called"))
    peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job(DONE, 3)))
    job.wait_for_final_state(timeout=0)


def test_the_deadline_holds_over_reconnects(peer: Any, job: BasicAerJob) -> None:
    def breaks(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(RUNNING, 2)
        peer.abort(context, grpc.StatusCode.UNAVAILABLE)

    peer.on("GetJob", lambda request, context: peer.abort(context, grpc.StatusCode.UNAVAILABLE))
    in_turn(peer, breaks)
    with pytest.raises(JobTimeoutError) as caught:
        job.wait_for_final_state(timeout=0.7)
    assert isinstance(caught.value.__cause__, ServerUnavailableError)
    assert len(peer.requests["WatchJob"]) > 1


def test_the_deadline_holds_while_nobody_listens() -> None:
    with BasicAerProvider("127.0.0.1:1") as provider:
        handle = BasicAerJob(_backend_of(provider), "x")
        with pytest.raises(JobTimeoutError):
            handle.result(timeout=0.3)


def test_not_to_wait_while_nobody_listens_is_a_timeout_too() -> None:
    with BasicAerProvider("127.0.0.1:1") as provider:
        handle = BasicAerJob(_backend_of(provider), "x")
        with pytest.raises(JobTimeoutError) as caught:
            handle.wait_for_final_state(timeout=0)
        assert isinstance(caught.value.__cause__, ServerUnavailableError)


def test_a_wait_without_a_deadline_ends_when_the_server_stays_away() -> None:
    with BasicAerProvider("127.0.0.1:1", max_outage=0.3) as provider:
        handle = BasicAerJob(_backend_of(provider), "x")
        with pytest.raises(ServerUnavailableError):
            handle.wait_for_final_state()


def _backend_of(provider: BasicAerProvider) -> Any:

    limits = Limits(0, 0, 0, 0, 0, 0, 0, 0, None, 0)
    return BasicAerBackend(provider, job_service_pb2.BackendInfo(name="qasm_simulator"), limits)


def test_the_callbacks_exception_reaches_the_caller_and_closes_the_stream(
    peer: Any, job: BasicAerJob
) -> None:
    closed = threading.Event()

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        context.add_callback(closed.set)
        yield peer.first(RUNNING, 2)
        peer.hang(context)

    def callback(*_: object) -> None:
        raise ZeroDivisionError

    in_turn(peer, stream)
    with pytest.raises(ZeroDivisionError):
        job.wait_for_final_state(callback=callback)
    assert closed.wait(30)


def test_closing_the_provider_ends_a_wait(peer: Any, provider: BasicAerProvider, job: BasicAerJob) -> None:

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(RUNNING, 2)
        peer.hang(context)

    in_turn(peer, stream)
    with pytest.raises(ClientClosedError):
        job.wait_for_final_state(callback=lambda *_: threading.Thread(target=provider.close).start())


@pytest.mark.parametrize("by", ["stream", "first", "poll", "status"])
def test_an_unknown_status_is_an_error_and_never_endless(peer: Any, job: BasicAerJob, by: str) -> None:
    if by == "stream":
        in_turn(peer, lambda request, context: iter([peer.first(RUNNING, 2), peer.event(42, 3)]))
    elif by == "first":
        in_turn(peer, lambda request, context: iter([peer.first(42, 2)]))
    else:
        peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job(42, 3)))
    with pytest.raises(ProtocolError, match="42"):
        job.status() if by == "status" else job.wait_for_final_state(timeout=30)


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


def test_an_unknown_job_ends_the_wait_at_once(peer: Any, job: BasicAerJob) -> None:
    in_turn(
        peer,
        lambda request, context: peer.abort(context, grpc.StatusCode.NOT_FOUND, reason="JOB_NOT_FOUND"),
    )
    with pytest.raises(JobNotFoundError):
        job.wait_for_final_state()
    assert len(peer.requests["WatchJob"]) == 1


def test_a_defect_of_the_server_is_not_retried_for_ever(peer: Any, job: BasicAerJob) -> None:
    def defect(request: Any, context: grpc.ServicerContext) -> Any:
        peer.abort(context, grpc.StatusCode.INTERNAL, reason="INTERNAL")

    peer.on("GetJob", defect)
    peer.on("WatchJob", defect)
    with pytest.raises(ServerError):
        job.wait_for_final_state()


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


def test_events_come_once_each_across_breaks(peer: Any, job: BasicAerJob) -> None:
    def breaks(request: Any, context: grpc.ServicerContext) -> Stream:
        assert request.after_sequence == 0
        yield peer.first(RUNNING, 2)
        yield peer.event(QUEUED, 1)
        progress = job_pb2.Progress(fraction=0.5, shots_done=1, shots_total=2, programs_total=1)
        yield job_service_pb2.WatchJobResponse(event=job_pb2.Event(sequence=1, progress=progress))
        peer.abort(context, grpc.StatusCode.UNAVAILABLE)

    def overlaps(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(DONE, 3)
        yield peer.event(QUEUED, 1)
        yield peer.event(RUNNING, 2)
        yield peer.event(DONE, 3)

    in_turn(peer, breaks, overlaps)
    events = list(job.events())
    assert [event.sequence for event in events if event.status] == [1, 2, 3]
    assert [event.progress.fraction for event in events if event.progress] == [0.5]
    assert job.done()


def test_events_that_are_gone_are_an_error_only_when_asked_for(peer: Any, job: BasicAerJob) -> None:
    def compacted(request: Any, context: grpc.ServicerContext) -> Stream:
        if request.HasField("after_sequence"):
            peer.abort(context, grpc.StatusCode.OUT_OF_RANGE, reason="EVENTS_COMPACTED")
        yield peer.first(DONE, 3)

    in_turn(peer, compacted)
    assert [(event.sequence, event.status) for event in job.events()] == [(3, JobStatus.DONE)]
    with pytest.raises(EventsCompactedError):
        list(job.events(after_sequence=1))


def test_leaving_the_events_closes_the_stream(peer: Any, job: BasicAerJob) -> None:
    closed = threading.Event()

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        context.add_callback(closed.set)
        yield peer.first(QUEUED, 1)
        yield peer.event(QUEUED, 1)
        peer.hang(context)

    in_turn(peer, stream)
    events = job.events()
    assert next(events).status is JobStatus.QUEUED
    events.close()
    assert closed.wait(30)


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


async def test_cancelling_the_asyncio_task_closes_the_stream(peer: Any) -> None:

    closed, begun = threading.Event(), threading.Event()

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        context.add_callback(closed.set)
        yield peer.first(RUNNING, 2)
        begun.set()
        peer.hang(context)

    in_turn(peer, stream)
    peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job(QUEUED, 1)))
    async with AsyncBasicAerProvider(peer.address) as provider:
        handle = await provider.retrieve_job("0199-job")
        task = asyncio.create_task(handle.wait_for_final_state())
        assert await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(closed.wait, 30)


async def test_closing_the_asyncio_provider_ends_a_wait(peer: Any) -> None:

    begun = threading.Event()

    def stream(request: Any, context: grpc.ServicerContext) -> Stream:
        yield peer.first(RUNNING, 2)
        begun.set()
        peer.hang(context)

    in_turn(peer, stream)
    peer.on("GetJob", lambda request, context: job_service_pb2.GetJobResponse(job=peer.job(QUEUED, 1)))
    provider = AsyncBasicAerProvider(peer.address)
    handle = await provider.retrieve_job("0199-job")
    task = asyncio.create_task(handle.wait_for_final_state())
    assert await asyncio.to_thread(begun.wait, 30)
    await provider.close()
    with pytest.raises(ClientClosedError):
        await task
