"""More work than fits: the queue, its limits and turns, time limits, draining."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.callers import Caller
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2

QUEUED = job_pb2.JOB_STATUS_QUEUED
VALIDATING = job_pb2.JOB_STATUS_VALIDATING
RUNNING = job_pb2.JOB_STATUS_RUNNING
DONE = job_pb2.JOB_STATUS_DONE


def statuses(events: list[Any]) -> list[int]:
    return [event.event.status.status for event in events]


async def test_the_queue_has_a_limit(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, max_queued_jobs=2)
    running, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, running.job_id, RUNNING)
    answers = await asyncio.gather(
        *(manager.submit(tools.spec(), f"r{n}") for n in range(5)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, ServiceError)]
    assert len(refused) == 3
    assert all(error.reason == reasons.ERROR_REASON_QUEUE_FULL for error in refused)
    assert refused[0].retry_after
    # The repetition of an accepted call isn't refused.
    assert (await manager.submit(tools.spec(), "r0")).duplicate


async def test_each_principal_has_a_limit(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, max_queued_jobs=8, max_queued_jobs_per_principal=2)
    running, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, running.job_id, RUNNING)
    for principal, accepted in (("greedy", 2), ("modest", 2), ("", 4)):
        answers = await asyncio.gather(
            *(manager.submit(tools.spec(), caller=Caller(principal, admin=False)) for _ in range(5)),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, ServiceError)]
        assert len(refused) == 5 - accepted
        assert {error.reason for error in refused} == {reasons.ERROR_REASON_QUEUE_FULL}
        name = "max_queued_jobs_per_principal" if principal else "max_queued_jobs"
        assert all(name in error.metadata and error.retry_after for error in refused)


async def test_principals_take_turns_after_a_restart_too(
    start: Any, executor: Any, tools: SimpleNamespace
) -> None:
    manager = await start(workers=1)
    running, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, running.job_id, RUNNING)
    ids = {}
    for principal in ("greedy",) * 4 + ("modest",) * 2:
        job, _ = await manager.submit(tools.spec(), caller=Caller(principal, admin=False))
        ids[job.job_id] = principal
    await manager.close()
    executor.release("x")
    executor.runs.clear()
    manager = await start(workers=1)
    for job_id in ids:
        await tools.until(manager, job_id)
    order = [ids[job_id] for job_id in executor.runs if job_id in ids]
    assert order == ["greedy", "modest", "greedy", "modest", "greedy", "greedy"]


async def test_a_job_that_runs_too_long_ends(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, max_run_time=0.05)
    late, _ = await manager.submit(tools.spec("hold x"))
    ended = await tools.until(manager, late.job_id)
    assert ended.status == job_pb2.JOB_STATUS_ERROR
    assert ended.error.reason == reasons.ERROR_REASON_TIME_LIMIT_EXCEEDED
    assert ended.error.metadata == {"max_run_time": "0.05"}
    assert "the server allows" in ended.error.message
    # Its thread is free again.
    following, _ = await manager.submit(tools.spec())
    assert (await tools.until(manager, following.job_id)).status == job_pb2.JOB_STATUS_DONE


@pytest.mark.parametrize(("own", "servers", "whose"), [(0.05, 60.0, "option"), (60.0, 0.05, "server")])
async def test_a_job_may_ask_for_less_time(
    start: Any, tools: SimpleNamespace, own: float, servers: float, whose: str
) -> None:
    manager = await start(workers=1, max_run_time=servers)
    spec = tools.spec("hold x")
    spec.options.max_run_time.FromNanoseconds(round(own * 1e9))
    job, _ = await manager.submit(spec)
    ended = await tools.until(manager, job.job_id)
    assert ended.error.reason == reasons.ERROR_REASON_TIME_LIMIT_EXCEEDED
    assert ended.error.metadata == {"max_run_time": "0.05"}
    assert whose in ended.error.message


async def test_draining_interrupts_and_the_next_server_goes_on(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start(workers=1)
    running, _ = await manager.submit(tools.spec("hold x"), "first")
    waiting, _ = await manager.submit(tools.spec("done"))
    await tools.until(manager, running.job_id, RUNNING)
    watch = await manager.watch(running.job_id)
    reading = asyncio.create_task(tools.read(watch))
    await manager.drain(0.0)
    # OK without a final event: watch again.
    assert statuses(await reading) == [QUEUED]
    with pytest.raises(ServiceError) as caught:
        await manager.submit(tools.spec(), "new")
    assert caught.value.reason == reasons.ERROR_REASON_DRAINING
    assert (await manager.submit(tools.spec("hold x"), "first")).duplicate
    await manager.close()
    executor.release("x")
    manager = await start(workers=1)
    watch = await manager.watch(running.job_id, 3)
    events = await tools.read(watch)
    assert statuses(events) == [VALIDATING, RUNNING, DONE]
    assert [event.event.status.attempt for event in events] == [1, 2, 2]
    assert (await tools.until(manager, waiting.job_id)).status == DONE


@pytest.mark.embedded
async def test_a_cancellation_that_the_store_did_not_take_is_not_forgotten(
    start: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start(workers=1)
    running, _ = await manager.submit(tools.spec("hold x"))
    waiting, _ = await manager.submit(tools.spec("hold x"))
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceError) as caught:
            await manager.cancel(waiting.job_id)
        assert caught.value.reason == reasons.ERROR_REASON_STORE_BUSY
        again = asyncio.create_task(manager.cancel(waiting.job_id))
        await asyncio.sleep(0)
        await manager.drain(0.0)
        with pytest.raises(ServiceError) as caught:
            await again
        assert caught.value.reason == reasons.ERROR_REASON_DRAINING
        await manager.close()
        other.rollback()
    manager = await start(workers=1)
    assert (await manager.cancel(waiting.job_id)).status == job_pb2.JOB_STATUS_CANCELLED
    assert (await manager.get(running.job_id)).status != job_pb2.JOB_STATUS_CANCELLED


async def test_draining_lets_running_jobs_finish(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    draining = asyncio.create_task(manager.drain(60.0))
    watch = await manager.watch(job.job_id)
    executor.release("x")
    assert statuses(await tools.read(watch)) == [DONE]
    await draining


async def test_a_job_that_does_not_listen_is_left_behind(
    start: Any, executor: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basicaer.service.jobs.running.draining._INTERRUPTION", 0.01)
    manager = await start()
    job, _ = await manager.submit(tools.spec("deaf x"))
    await tools.until(manager, job.job_id, RUNNING)
    await manager.close()
    second = tools.ScriptExecutor()
    second.release("x")
    manager = await start(executor=second)
    executor.release("x")
    assert (await tools.until(manager, job.job_id)).status == DONE
    assert second.runs[job.job_id] == 1


async def test_an_evicted_program_is_read_again(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1, prepared_cache_bytes=150)
    first, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, first.job_id, RUNNING)
    kept, _ = await manager.submit(tools.spec("done"))
    evicted, _ = await manager.submit(tools.spec("done"))
    executor.release("x")
    stories = [statuses(await tools.read(await manager.watch(job.job_id, 1))) for job in (kept, evicted)]
    assert stories == [[RUNNING, DONE], [VALIDATING, RUNNING, DONE]]
    assert executor.prepared == 4
