"""A provider of asyncio belongs to the event loop that uses it first; elsewhere each use is one error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from basicaer.client import (
    AsyncBasicAerJob,
    AsyncBasicAerProvider,
    BasicAerProvider,
    Circuit,
    ClientClosedError,
    EventLoopError,
    JobStatus,
)

from tests.conftest import ServerProcess

BELL = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
ENDLESS = Circuit(1, 1)
with ENDLESS.while_loop((0, 0)):
    ENDLESS.x(0)


class Used:
    """A provider that a first loop has used, and what it made there."""

    provider: AsyncBasicAerProvider
    backend: Any
    live: AsyncBasicAerJob
    unsubmitted: AsyncBasicAerJob
    events: AsyncGenerator[Any, None]

    async def make(self, address: str) -> None:
        self.provider = AsyncBasicAerProvider(address)
        self.backend = await self.provider.get_backend("qasm_simulator")
        self.live = await self.backend.run(ENDLESS)
        self.unsubmitted = self.backend.new_job(BELL)
        self.events = self.live.events()
        await anext(self.events)


async def first_job(used: Used) -> None:
    async for _ in used.provider.jobs(limit=1):
        pass


USES: dict[str, Callable[[Used], Awaitable[Any]]] = {
    "server_info": lambda used: used.provider.server_info(),
    "jobs": first_job,
    "retrieve_job": lambda used: used.provider.retrieve_job(used.live.job_id()),
    "run": lambda used: used.backend.run(BELL),
    "validate": lambda used: used.backend.validate(BELL),
    "submit": lambda used: used.unsubmitted.submit(),
    "status": lambda used: used.live.status(),
    "result": lambda used: used.live.result(),
    "result at once": lambda used: used.live.result(timeout=0),
    "wait": lambda used: used.live.wait_for_final_state(timeout=20),
    "cancel": lambda used: used.live.cancel(),
    "delete": lambda used: used.live.delete(),
    "labels": lambda used: used.live.labels() if used.live._job is None else used.live.progress(),
    "read_array": lambda used: used.live.read_array(0, "memory"),
    "events": lambda used: anext(used.live.events()),
    "events that were begun": lambda used: anext(used.events),
}


@pytest.fixture
def loops() -> Iterator[tuple[asyncio.AbstractEventLoop, Callable[[Awaitable[Any]], Any]]]:
    """A loop that runs in a thread, and how to await something in it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(awaited: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaited, loop).result(30)

    yield loop, run
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("use", USES)
def test_while_the_first_loop_runs_elsewhere(server: ServerProcess, loops: Any, use: str) -> None:
    _, run = loops
    used = Used()
    run(used.make(server.address))

    async def second() -> None:
        with pytest.raises(EventLoopError, match=r"which is another one.*in each loop"):
            await asyncio.wait_for(USES[use](used), 20)

    asyncio.run(second())
    # What belongs to the first loop goes on there.
    if use != "events that were begun":
        assert run(used.live.cancel())
        run(used.live.wait_for_final_state(timeout=30))
        assert run(used.live.status()) is JobStatus.CANCELLED
    else:
        run(used.live.cancel())
    asyncio.run(used.provider.close())
    with pytest.raises(ClientClosedError):
        run(used.provider.server_info())


@pytest.mark.parametrize("use", USES)
def test_after_the_first_loop_has_ended(server: ServerProcess, use: str) -> None:
    used = Used()

    async def first() -> None:
        await used.make(server.address)
        if use != "events that were begun":
            await used.events.aclose()

    async def second() -> None:
        with pytest.raises(EventLoopError, match=r"which is closed.*asyncio\.run"):
            await asyncio.wait_for(USES[use](used), 20)
        async with used.provider:
            pass
        with pytest.raises(ClientClosedError):
            await used.provider.server_info()

    if use == "events that were begun":
        with asyncio.Runner() as runner:
            runner.run(first())
            # asyncio ends the generators of a loop with it.
        with pytest.raises((EventLoopError, StopAsyncIteration)):
            asyncio.run(asyncio.wait_for(anext(used.events), 20))
    else:
        asyncio.run(first())
        asyncio.run(second())
    with BasicAerProvider(server.address) as provider:
        assert provider.retrieve_job(used.live.job_id()).cancel()


def test_what_is_known_needs_no_loop(server: ServerProcess) -> None:
    async def first() -> AsyncBasicAerJob:
        provider = AsyncBasicAerProvider(server.address)
        job = await (await provider.get_backend("qasm_simulator")).run(BELL, shots=5)
        await job.result()
        await provider.close()
        return job

    job = asyncio.run(first())
    assert asyncio.run(job.status()) is JobStatus.DONE
    assert sum(asyncio.run(job.result()).get_counts().values()) == 5


def test_a_provider_that_was_not_used_belongs_to_no_loop(server: ServerProcess) -> None:
    async def nothing(provider: AsyncBasicAerProvider) -> None:
        assert provider.address

    async def ask(provider: AsyncBasicAerProvider) -> str:
        async with provider:
            return (await provider.server_info()).version

    provider = AsyncBasicAerProvider(server.address)
    asyncio.run(nothing(provider))
    assert asyncio.run(ask(provider))
