"""Ends attempts that take too long.

One loop looks at the running jobs now and then, so a job that is done before the next look costs nothing.
"""

from __future__ import annotations

import asyncio
import time

from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import TimePassed
from basicaer.service.jobs.queue.scheduler import Scheduler

__all__ = ["TimeLimit"]

# Between two looks, in seconds.
_INTERVAL = 0.05


class TimeLimit:
    """Looks at the jobs of a scheduler."""

    def __init__(self, scheduler: Scheduler, mover: Mover) -> None:
        self._scheduler = scheduler
        self._mover = mover

    async def run(self) -> None:
        """Look for ever."""
        while True:
            later = TimePassed(time.monotonic())
            for entry in self._scheduler.running():
                self._mover.move(entry, later)
            await asyncio.sleep(_INTERVAL)
