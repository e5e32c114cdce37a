"""How many results a caller reads at a time, and how many chunks of them."""

from __future__ import annotations

import asyncio

import pytest
from basicaer.service.doors.readings import Readings
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons


async def test_a_reading_waits_for_its_turn_a_while() -> None:
    readings = Readings(2, patience=0.2)
    release = asyncio.Event()
    begun: list[str] = []

    async def read(caller: str) -> None:
        async with readings.one(caller):
            begun.append(caller)
            await release.wait()

    tasks = [asyncio.create_task(read("a")) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert begun == ["a", "a"]
    # Others have their own.
    tasks.append(asyncio.create_task(read("b")))
    await asyncio.sleep(0.05)
    assert begun == ["a", "a", "b"]
    await asyncio.sleep(0.3)
    refused = [task.exception() for task in tasks if task.done()]
    assert len(refused) == 3
    for error in refused:
        assert isinstance(error, ServiceError)
        assert (error.reason, error.retry_after) == (reasons.ERROR_REASON_QUEUE_FULL, 1.0)
        assert error.metadata == {"max_reads_per_caller": "2"}
    late = asyncio.create_task(read("a"))
    await asyncio.sleep(0.05)
    release.set()
    await asyncio.gather(*(task for task in tasks if not task.done()), late)
    assert begun == ["a", "a", "b", "a"]
    assert not readings._callers


async def test_one_that_leaves_gives_its_place_back() -> None:
    readings = Readings(1)
    with pytest.raises(RuntimeError):
        async with readings.one("a"):
            raise RuntimeError
    async with readings.one("a"):
        pass
    assert not readings._callers


async def test_the_chunks_of_a_caller_come_at_a_bounded_rate() -> None:
    readings = Readings(10)
    loop = asyncio.get_running_loop()

    async def read(caller: str, chunks: int) -> float:
        began = loop.time()
        async with readings.one(caller) as may_send:
            for _ in range(chunks):
                await may_send()
        return loop.time() - began

    together = asyncio.gather(*(read("a", 600) for _ in range(3)))
    await asyncio.sleep(0.01)
    assert await read("b", 100) < max(await together)
    assert max(await together) > 0.3
