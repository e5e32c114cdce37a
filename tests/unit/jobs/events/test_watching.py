"""What watchers of a job see, and when."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2

QUEUED = job_pb2.JOB_STATUS_QUEUED
RUNNING = job_pb2.JOB_STATUS_RUNNING
DONE = job_pb2.JOB_STATUS_DONE


def statuses(events: list[Any]) -> list[int]:
    return [event.event.status.status for event in events]


async def test_watch_from_cursors(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec())
    await tools.until(manager, job.job_id)
    for cursor, expected in ((0, [1, 2, 3]), (1, [2, 3]), (2, [3]), (3, []), (None, [])):
        watch = await manager.watch(job.job_id, cursor)
        assert watch.job.status == DONE
        assert [event.event.sequence for event in await tools.read(watch)] == expected
    with pytest.raises(ServiceError) as caught:
        await manager.watch(job.job_id, 4)
    assert caught.value.reason == reasons.ERROR_REASON_EVENTS_COMPACTED
    assert caught.value.metadata == {"after_sequence": "4", "first_sequence": "1", "last_sequence": "3"}
    for interval in (0.0, 0.09, float("inf"), float("nan")):
        with pytest.raises(ServiceError) as caught:
            await manager.watch(job.job_id, heartbeat_interval=interval)
        assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID


async def test_all_watchers_share_each_event(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    watches = [await manager.watch(job.job_id, 0) for _ in range(200)]
    gone = [await manager.watch(job.job_id, 0) for _ in range(10)]
    pending = [asyncio.create_task(watch.next()) for watch in gone]
    reading = asyncio.gather(*(tools.read(watch) for watch in watches))
    await tools.until(manager, job.job_id, RUNNING)
    for task, watch in zip(pending, gone, strict=True):
        task.cancel()
        watch.close()
    executor.release("x")
    stories = await reading
    assert statuses(stories[0]) == [QUEUED, RUNNING, DONE]
    assert all(story == stories[0] for story in stories)


async def test_progress_is_coalesced_for_a_slow_reader(
    start: Any, executor: Any, tools: SimpleNamespace
) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    quick = await manager.watch(job.job_id)
    slow = await manager.watch(job.job_id)
    for fraction in (0.25, 0.5, 0.75):
        executor.controls[job.job_id].fraction = fraction
        async with asyncio.timeout(60):
            event = await quick.next()
            while event.event.progress.fraction != fraction:
                event = await quick.next()
        # It repeats the sequence of the last durable event.
        assert event.event.sequence == 2
    assert (await slow.next()).event.progress.fraction == 0.75
    assert (await manager.get(job.job_id)).progress.fraction == 0.75
    executor.release("x")
    assert statuses(await tools.read(slow)) == [DONE]
    quick.close()


async def test_queue_positions_are_told(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    first, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, first.job_id, RUNNING)
    jobs = [(await manager.submit(tools.spec("hold y"))).job for _ in range(3)]
    assert [job.queue_position for job in jobs] == [0, 1, 2]
    assert (manager.queued_jobs, manager.running_jobs) == (3, 1)
    watch = await manager.watch(jobs[2].job_id)
    await manager.cancel(jobs[0].job_id)
    async with asyncio.timeout(60):
        event = await watch.next()
    assert event.event.queue_position.ahead == 1
    watch.close()


async def test_heartbeats_fill_silence(start: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    watch = await manager.watch(job.job_id, heartbeat_interval=0.1)
    async with asyncio.timeout(60):
        kinds = [(await watch.next()).event for _ in range(3)]
    beats = [event for event in kinds if event.WhichOneof("kind") == "heartbeat"]
    assert len(beats) >= 2
    assert all(beat.sequence == 2 and beat.HasField("time") for beat in beats)
    assert beats[0].heartbeat.interval.ToMilliseconds() == 200
    watch.close()


async def test_long_poll(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start()
    job, _ = await manager.submit(tools.spec("hold x"))
    assert (await tools.until(manager, job.job_id, RUNNING)).sequence == 2
    # At once, as it is past the sequence already; after a time, as nothing happens; and as it has ended.
    assert (await manager.get(job.job_id, wait=60, if_sequence_after=1)).sequence == 2
    assert (await manager.get(job.job_id, wait=0.01, if_sequence_after=2)).sequence == 2
    waiting = asyncio.create_task(manager.get(job.job_id, wait=60, if_sequence_after=2))
    executor.release("x")
    assert (await waiting).status == DONE
    assert (await manager.get(job.job_id, wait=60, if_sequence_after=99)).status == DONE
    for wait in (-1.0, 61.0, float("nan")):
        with pytest.raises(ServiceError) as caught:
            await manager.get(job.job_id, wait=wait)
        assert caught.value.reason == reasons.ERROR_REASON_OPTION_INVALID
