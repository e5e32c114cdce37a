"""What is kept for a time only is removed then, and says so."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.jobs.kept.retention import Sweeper
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1.job_service_pb2 import ReadResultRequest

DAY = 86_400 * 10**9


async def test_results_expire_and_events_are_compacted(
    start: Any, tools: SimpleNamespace, stored_results: Any
) -> None:
    manager = await start(result_retention=86_400.0, event_retention=3 * 86_400.0)
    sweeper = Sweeper(manager._store, manager._registry, manager._config)
    watches = [await manager.run(tools.spec(text)) for text in ("done", "array 2000000", "inline 100000")]
    for watch in watches:
        await tools.read(watch)
    ids = [watch.job.job_id for watch in watches]
    now = time.time_ns()

    await sweeper.sweep(now)
    for job_id in ids:
        (await manager.read_result(ReadResultRequest(job_id=job_id))).close()

    await sweeper.sweep(now + 2 * DAY)
    assert stored_results() == 0
    for job_id in ids:
        assert await manager._store.open_result(job_id) is None
        watch = await manager.watch(job_id, 0)
        assert len(await tools.read(watch)) == 3

    await sweeper.sweep(now + 4 * DAY)
    assert not await manager._store.due_jobs(now + 1000 * DAY, 10)
    for job_id in ids:
        for cursor, expected in ((2, [3]), (3, [])):
            events = await tools.read(await manager.watch(job_id, cursor))
            assert [event.event.sequence for event in events] == expected
        for cursor in (0, 1):
            with pytest.raises(ServiceError) as caught:
                await manager.watch(job_id, cursor)
            assert caught.value.reason == reasons.ERROR_REASON_EVENTS_COMPACTED
            assert caught.value.metadata["first_sequence"] == "3"


async def test_an_expired_result_is_refused_before_it_is_swept(start: Any, tools: SimpleNamespace) -> None:
    manager = await start(result_retention=0.0)
    watch = await manager.run(tools.spec())
    await tools.read(watch)
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=watch.job.job_id))
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_EXPIRED
    assert caught.value.metadata["expire_time"].endswith("Z")


async def test_for_ever(start: Any, tools: SimpleNamespace) -> None:
    manager = await start(result_retention=None, event_retention=None)
    watch = await manager.run(tools.spec())
    await tools.read(watch)
    assert not (await manager.get(watch.job.job_id)).HasField("result_expire_time")
    assert not await manager._store.due_jobs(2**62, 10)


async def test_the_server_sweeps_by_itself(start: Any, tools: SimpleNamespace) -> None:
    manager = await start(result_retention=0.0, event_retention=None, sweep_interval=0.001)
    watch = await manager.run(tools.spec("inline 100000"))
    await tools.read(watch)
    while await manager._store.due_jobs(time.time_ns(), 10):
        pass
    assert await manager._store.open_result(watch.job.job_id) is None


async def test_jobs_go_at_last(start: Any, tools: SimpleNamespace) -> None:
    manager = await start(job_retention=3 * 86_400.0)
    sweeper = Sweeper(manager._store, manager._registry, manager._config)
    watch = await manager.run(tools.spec(), "again")
    await tools.read(watch)
    waiting, _ = await manager.submit(tools.spec("hold x"))
    now = time.time_ns()
    await sweeper.sweep(now + 2 * DAY)
    assert (await manager.get(watch.job.job_id)).job_id
    await sweeper.sweep(now + 4 * DAY)
    with pytest.raises(JobNotFoundError):
        await manager.get(watch.job.job_id)
    # One that hasn't ended stays, however old it is.
    assert (await manager.get(waiting.job_id)).job_id
    assert not (await manager.submit(tools.spec(), "again")).duplicate


async def test_the_oldest_results_make_room(start: Any, tools: SimpleNamespace, stored_results: Any) -> None:
    limit = 4 << 20
    manager = await start(max_stored_bytes=limit, result_retention=None)
    sweeper = Sweeper(manager._store, manager._registry, manager._config)
    ids = []
    for number in range(300):
        watch = await manager.run(tools.spec("array 30000"), f"{number}")
        await tools.read(watch)
        ids.append(watch.job.job_id)
    assert sum(await manager._store.used_bytes()) > limit
    await sweeper.sweep(time.time_ns())
    assert sum(await manager._store.used_bytes()) <= limit
    with pytest.raises(ServiceError) as caught:
        await manager.read_result(ReadResultRequest(job_id=ids[0]))
    assert caught.value.reason == reasons.ERROR_REASON_RESULT_EXPIRED
    with pytest.raises(ServiceError) as caught:
        await manager.watch(ids[0], 0)
    assert caught.value.reason == reasons.ERROR_REASON_EVENTS_COMPACTED
    (await manager.read_result(ReadResultRequest(job_id=ids[-1]))).close()
    assert 0 < stored_results() < 150
    # The job itself is still known, and so is its request id.
    assert (await manager.submit(tools.spec("array 30000"), "0")).duplicate


async def test_the_oldest_jobs_make_room_when_results_are_small(start: Any, tools: SimpleNamespace) -> None:
    manager = await start(max_stored_bytes=300_000)
    sweeper = Sweeper(manager._store, manager._registry, manager._config)
    ids = []
    for _ in range(600):
        watch = await manager.run(tools.spec("quick inline 500"))
        await tools.read(watch)
        ids.append(watch.job.job_id)
    await sweeper.sweep(time.time_ns() + 10**9)
    assert sum(await manager._store.used_bytes()) <= 300_000
    with pytest.raises(JobNotFoundError):
        await manager.get(ids[0])
    (await manager.read_result(ReadResultRequest(job_id=ids[-1]))).close()


@pytest.mark.embedded
async def test_a_store_shrinks_and_keeps_what_lives(
    start: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start(max_stored_bytes=0, result_retention=None)
    sweeper = Sweeper(manager._store, manager._registry, manager._config)
    waiting, _ = await manager.submit(tools.spec("hold x"))
    file = tmp_path / "data" / "jobs.sqlite3"
    watches = [await manager.run(tools.spec("inline 200000")) for _ in range(40)]
    for watch in watches:
        await tools.read(watch)
    await sweeper.sweep(time.time_ns())
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    connection.close()
    assert file.stat().st_size < 2_000_000
    assert (await manager.get(waiting.job_id)).job_id == waiting.job_id
