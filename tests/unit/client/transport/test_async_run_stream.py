"""The asyncio client's submission brings its job's events along too."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from basicaer.client import AsyncBasicAerProvider, JobStatus, JobTimeoutError, ProgramInvalidError
from basicaer.v1 import job_service_pb2

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
async def provider(peer: Any) -> AsyncIterator[AsyncBasicAerProvider]:
    """A client of the peer."""
    async with AsyncBasicAerProvider(peer.address) as made:
        yield made


async def until_open(provider: AsyncBasicAerProvider, streams: int) -> None:
    """Returns once so many submissions' streams are open."""
    await asyncio.to_thread(wait_until, lambda: len(provider._transport._runs) == streams)


async def test_one_call_submits_watches_and_brings_the_result(peer: Any, provider: Any, result: Any) -> None:
    peer.on("RunJob", whole_run(peer, result))
    backend = await provider.get_backend("qasm_simulator")
    job = await backend.run(BELL, request_id="mine")
    assert (await job.result()).get_counts() == {"11": 7}
    assert await job.status() is JobStatus.DONE
    assert peer.requests["RunJob"][0].request_id == "mine"
    assert not {"SubmitJob", "WatchJob", "GetJob", "ReadResult"} & set(peer.requests)


async def test_a_job_that_has_ended_by_then_costs_one_call(peer: Any, provider: Any, result: Any) -> None:
    peer.on("RunJob", brief_run(peer, result))
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    assert await job.status() is JobStatus.DONE
    assert (await job.result()).get_counts() == {"11": 7}
    assert not {"SubmitJob", "WatchJob", "GetJob", "ReadResult"} & set(peer.requests)


async def test_a_wait_begins_with_the_present_status(peer: Any, provider: Any, result: Any) -> None:
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()
    seen: list[JobStatus] = []

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        yield event(peer, RUNNING, 2)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(30)
        yield event(peer, DONE, 3, result)

    def callback(job_id: str, status: JobStatus, job: Any) -> None:
        seen.append(status)
        go_on.set()

    peer.on("RunJob", run)
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    await asyncio.to_thread(wait_until, lambda: job._streams[0]._inbox.qsize() == 1)
    await job.wait_for_final_state(callback=callback, wait=60)
    assert seen == [JobStatus.RUNNING]
    assert (await job.result()).get_counts() == {"11": 7}


async def test_a_job_that_ended_before_the_wait_is_final_at_once(
    peer: Any, provider: Any, result: Any
) -> None:
    peer.on("RunJob", whole_run(peer, result))
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    await until_open(provider, 0)
    await job.wait_for_final_state(callback=lambda *arguments: pytest.fail("the job is final"))
    assert await job.done()
    assert not {"WatchJob", "GetJob"} & set(peer.requests)


async def test_a_broken_stream_is_taken_up_after_what_was_seen(peer: Any, provider: Any) -> None:
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
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    await job.wait_for_final_state()
    assert await job.done()
    assert len(peer.requests["RunJob"]) == 1


async def test_a_retry_has_the_request_id_of_the_first_try(peer: Any, provider: Any, result: Any) -> None:
    failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED]

    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        if failures:
            peer.abort(context, failures.pop(0), retry_after=0.01)
        yield from whole_run(peer, result)(request, context)

    peer.on("RunJob", run)
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    assert (await job.result()).success
    assert len(peer.requests["RunJob"]) == 3
    assert len({request.request_id for request in peer.requests["RunJob"]}) == 1


async def test_a_refusal_is_raised_and_not_repeated(peer: Any, provider: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        peer.abort(context, grpc.StatusCode.INVALID_ARGUMENT, reason="PROGRAM_INVALID")
        yield first(peer)

    peer.on("RunJob", run)
    with pytest.raises(ProgramInvalidError):
        await (await provider.get_backend("qasm_simulator")).run(BELL)
    assert len(peer.requests["RunJob"]) == 1
    assert "SubmitJob" not in peer.requests


async def test_what_holds_streams_back_does_not_hold_the_submission_back(
    peer: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        peer.hang(context)
        yield first(peer)

    monkeypatch.setattr("basicaer.client.transport._run_stream.PATIENCE", 0.1)
    peer.on("RunJob", run)
    peer.on("SubmitJob", lambda request, context: job_service_pb2.SubmitJobResponse(job=peer.job()))
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    assert job.job_id() == "0199-job"
    assert peer.requests["SubmitJob"][0].request_id == peer.requests["RunJob"][0].request_id
    assert not provider._transport._runs


async def test_so_many_streams_wait_and_no_more(
    peer: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        peer.hang(context)

    monkeypatch.setattr("basicaer.client.transport._run_stream.RUN_STREAMS", 2)
    peer.on("RunJob", run)
    peer.on("SubmitJob", lambda request, context: job_service_pb2.SubmitJobResponse(job=peer.job()))
    backend = await provider.get_backend("qasm_simulator")
    jobs = [await backend.run(BELL) for _ in range(3)]
    assert (len(peer.requests["RunJob"]), len(peer.requests["SubmitJob"])) == (2, 1)
    # A handle that nobody has any more gives its place to others.
    jobs.clear()
    gc.collect()
    await until_open(provider, 0)
    await backend.run(BELL)
    assert len(peer.requests["RunJob"]) == 3
    assert "CancelJob" not in peer.requests


async def test_a_wait_that_ran_out_of_time_can_be_repeated(peer: Any, provider: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        peer.hang(context)

    peer.on("RunJob", run)
    peer.on("WatchJob", lambda request, context: iter([peer.first(DONE, 2), peer.event(DONE, 2)]))
    job = await (await provider.get_backend("qasm_simulator")).run(BELL)
    with pytest.raises(JobTimeoutError):
        await job.wait_for_final_state(timeout=0.1)
    await job.wait_for_final_state(timeout=30)
    assert await job.done()


async def test_a_submission_that_is_cancelled_leaves_no_stream(peer: Any, provider: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        peer.hang(context)
        yield first(peer)

    peer.on("RunJob", run)
    backend = await provider.get_backend("qasm_simulator")
    submission = asyncio.create_task(backend.run(BELL))
    await until_open(provider, 1)
    submission.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submission
    await until_open(provider, 0)


async def test_closing_the_provider_ends_the_streams(peer: Any, provider: Any) -> None:
    def run(request: Any, context: grpc.ServicerContext) -> Messages:
        yield first(peer)
        peer.hang(context)

    peer.on("RunJob", run)
    jobs = [await (await provider.get_backend("qasm_simulator")).run(BELL) for _ in range(3)]
    await until_open(provider, 3)
    await provider.close()
    assert not provider._transport._runs
    assert len(jobs) == 3
