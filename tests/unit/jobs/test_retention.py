"""What is kept for a time only is removed then, and says so."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.service.jobs._retention import Sweeper
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1.job_service_pb2 import ReadResultRequest

DAY = 86_400 * 10**9


async def test_results_expire_and_events_are_compacted(
    start: Any, tools: SimpleNamespace, tmp_path: Path
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
    assert not list((tmp_path / "data" / "results").iterdir())
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
