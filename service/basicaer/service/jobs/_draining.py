"""How the jobs that run are ended when a server stops."""

from __future__ import annotations

import asyncio

from ._runner import Runner
from ._scheduler import Scheduler

__all__ = ["stop_running"]

# How long an interrupted attempt is waited for; a cancelled simulation stops within 0.1 s.
_INTERRUPTION = 2.0


async def stop_running(scheduler: Scheduler, runner: Runner, grace: float) -> None:
    """Starts no job any more, waits up to `grace` seconds for those that run, then interrupts the rest.

    Those that were interrupted are back in the queue at the end, for the next server.
    """
    loop = asyncio.get_running_loop()
    idle = asyncio.Event()

    def when_idle() -> None:
        loop.call_soon_threadsafe(idle.set)

    scheduler.stop(when_idle)
    if not await _within(grace, idle):
        for entry in scheduler.running():
            with entry.lock:
                entry.interrupted = True
                control = entry.control
            if control is not None:
                control.cancel()
        await _within(_INTERRUPTION, idle)
    runner.stop()
    for entry in scheduler.running():
        # It doesn't listen. Whatever it still finds out comes too late.
        runner.hand_back(entry)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Waits for an event; False when it didn't come within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
