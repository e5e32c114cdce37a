"""How the jobs that run are ended when a server stops."""

from __future__ import annotations

import asyncio

from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import Interrupted
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.service.jobs.running.runner import Runner

__all__ = ["stop_running"]

# How long an interrupted attempt is waited for; a cancelled simulation stops within 0.1 s.
_INTERRUPTION = 2.0


async def stop_running(scheduler: Scheduler, runner: Runner, mover: Mover, grace: float) -> None:
    """Start no job any more, wait up to `grace` seconds for those that run, then interrupt the rest.

    Those that were interrupted are back in the queue at the end, for the next server.
    """
    loop = asyncio.get_running_loop()
    idle = asyncio.Event()

    def when_idle() -> None:
        loop.call_soon_threadsafe(idle.set)

    scheduler.stop(when_idle)
    if not await _within(grace, idle):
        for entry in scheduler.running():
            mover.move(entry, Interrupted())
        await _within(_INTERRUPTION, idle)
    runner.stop()
    for entry in scheduler.running():
        # It doesn't listen. Whatever it still finds out comes too late.
        runner.hand_back(entry)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for an event; False when it didn't come within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
