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

    def __init__(self, scheduler: Scheduler, seconds: float | None) -> None:
        """`seconds` is how long an attempt may run; None for as long as it takes."""
        self._scheduler = scheduler
        self._seconds = seconds

    async def run(self) -> None:
        """Looks for ever."""
        while self._seconds is not None:
            for entry in self._scheduler.running():
                with entry.lock:
                    control = entry.control
                    late = control is not None and time.monotonic() - entry.started > self._seconds
                    entry.overdue |= late
                if control is not None and late:
                    control.cancel()
            await asyncio.sleep(_INTERVAL)
