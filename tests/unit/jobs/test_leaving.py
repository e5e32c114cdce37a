"""Submissions that take long to check: what goes past them, and what becomes of them when nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2, job_service_pb2

QUEUED = job_pb2.JOB_STATUS_QUEUED
VALIDATING = job_pb2.JOB_STATUS_VALIDATING
RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what it looks at belongs to threads
            await asyncio.sleep(0.005)


async def job_count(manager: Any) -> int:
    return len((await manager.list_jobs(job_service_pb2.ListJobsRequest())).jobs)


async def test_others_go_past_what_takes_long(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(validation_workers=1)
    slow = asyncio.create_task(manager.submit(tools.spec("slow x done")))
    await until(lambda: executor.checking)
    job, _ = await manager.submit(tools.spec())
    assert (await tools.until(manager, job.job_id)).status == DONE
    await manager.validate(tools.spec())
    executor.release("x")
    job, _ = await slow
    assert (await tools.until(manager, job.job_id)).status == DONE


@pytest.mark.parametrize("method", ["submit", "run", "validate"])
async def test_a_caller_that_goes_away_has_no_job(
    start: Any, executor: Any, tools: SimpleNamespace, method: str
) -> None:
    manager = await start(validation_workers=1)
    arguments = () if method == "validate" else ("request",)
    call = asyncio.create_task(getattr(manager, method)(tools.spec("slow x done"), *arguments))
    await until(lambda: executor.checking)
    call.cancel()
    await until(lambda: executor.left == ["x"])
    assert await job_count(manager) == 0
    # The thread is free, and the request id is too.
    executor.release("y")
    _, duplicate = await manager.submit(tools.spec("slow y done"), "request")
    assert not duplicate
    assert await job_count(manager) == 1


async def test_what_waits_for_a_thread_is_dropped(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(validation_workers=1)
    calls = [asyncio.create_task(manager.submit(tools.spec(f"slow {name} done"))) for name in "xyz"]
    await until(lambda: executor.checking == ["x"] and executor.prepared == 4)
    calls[1].cancel()
    await asyncio.wait([calls[1]])
    executor.release("x")
    executor.release("z")
    await calls[0]
    await calls[2]
    assert await job_count(manager) == 2
    assert executor.left == []
    assert executor.prepared == 5


async def test_a_time_limit_on_checks(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(validation_workers=1, max_check_time=0.05)
    with pytest.raises(ServiceError, match="took longer") as caught:
        await manager.submit(tools.spec("slow x done"))
    assert caught.value.reason == reasons.ERROR_REASON_PROGRAM_TOO_LARGE
    assert caught.value.metadata["limit"] == "max_check_time"
    assert caught.value.metadata["max"] == "0.05"


async def test_a_server_that_stops_leaves_what_it_checks(
    start: Any, executor: Any, tools: SimpleNamespace
) -> None:
    manager = await start()
    call = asyncio.create_task(manager.submit(tools.spec("slow x done")))
    await until(lambda: executor.checking)
    await manager.drain(0.0)
    with pytest.raises(ServiceError, match="stopping"):
        await call
    await until(lambda: executor.left == ["x"])


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "interrupted"])
async def test_a_stored_job_is_left_while_it_is_checked_again(
    start: Any, executor: Any, tools: SimpleNamespace, cancelled: bool
) -> None:
    manager = await start(workers=1, max_check_time=0.05)
    await manager.submit(tools.spec("hold h"))
    executor.release("x")
    job, _ = await manager.submit(tools.spec("slow x done"))
    await manager.close()
    executor.release("h")
    # It was accepted once, so it has all the time that it needs.
    later = tools.ScriptExecutor()
    manager = await start(executor=later, max_check_time=0.05)
    await tools.until(manager, job.job_id, VALIDATING)
    await until(lambda: later.looks > 20)
    if cancelled:
        await manager.cancel(job.job_id)
        assert (await tools.until(manager, job.job_id)).status == CANCELLED
    else:
        await manager.drain(0.0)
        assert (await manager.get(job.job_id)).status == QUEUED
    assert later.left == ["x"]
