"""What ends a wait early: its deadline, the caller, and errors that no other try mends."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import grpc
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerBackend,
    BasicAerJob,
    BasicAerProvider,
    ClientClosedError,
    JobNotFoundError,
    JobTimeoutError,
    Limits,
    ProtocolError,
    ServerError,
    ServerUnavailableError,
)
from basicaer.v1 import job_service_pb2

from tests.unit.client.jobs.conftest import DONE, QUEUED, RUNNING, Stream, in_turn


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
        job.wait_for_final_state(timeout=2.0)
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
