"""Ends attempts that take too long.

One loop looks at the running jobs now and then, so a job that is done before the next look costs nothing.
"""

from __future__ import annotations

import asyncio
import time

from ._scheduler import Scheduler

__all__ = ["TimeLimit"]

# Between two looks, in seconds.
_INTERVAL = 0.05


class TimeLimit:
    """Looks at the jobs of a scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            now = time.monotonic()
            for entry in self._scheduler.running():
                with entry.lock:
                    control = entry.control
                    late = control is not None and now > entry.deadline
                    entry.overdue |= late
                if control is not None and late:
                    control.cancel()
            await asyncio.sleep(_INTERVAL)
