"""Tells readers what passes: how far running jobs are, and how many are ahead of waiting ones.

One loop looks at all jobs now and then; a job that nobody watches costs nothing, nor does a small one that is
done before the next look.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time

from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.clock import set_timestamp
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.v1 import job_pb2

__all__ = ["PassingEvents", "passing_event"]

_log = logging.getLogger(__name__)

# Positions are told at every so many looks, since a change at the front changes them all.
_POSITIONS_EVERY = 4
# Jobs whose position is told before other calls get their turn.
_TOLD_AT_ONCE = 16


class PassingEvents:
    """Looks at the jobs of a scheduler."""

    def __init__(self, scheduler: Scheduler, interval: float) -> None:
        """`interval` is the time between two looks, in seconds."""
        self._scheduler = scheduler
        self._interval = interval
        self._version = -1

    async def run(self) -> None:
        """Look for ever."""
        for look in itertools.count():
            try:
                self.tell_progress()
                if look % _POSITIONS_EVERY == 0:
                    await self.tell_positions()
            except Exception:
                _log.exception("progress couldn't be told")
            await asyncio.sleep(self._interval)

    def tell_progress(self) -> None:
        """Tells the readers of running jobs how far those are, where that has changed."""
        for entry in self._scheduler.running():
            control = entry.machine.control
            if entry.watchers and control is not None and entry.status == states.RUNNING:
                progress = control.progress()
                told = entry.passing
                if told is None or told.event.progress != progress:
                    event = passing_event(entry)
                    event.progress.CopyFrom(progress)
                    entry.publish_passing(event)

    async def tell_positions(self) -> None:
        """Tells the readers of waiting jobs how many are ahead, where that has changed.

        That may be thousands of jobs at once, so other calls get in between.
        """
        version = self._scheduler.version
        if version == self._version:
            return
        self._version = version
        told = 0
        for position, entry in enumerate(self._scheduler.waiting()):
            # It may have started since the last pause.
            if entry.status != states.QUEUED:
                continue
            entry.position = position
            if entry.watchers and entry.told_position != position:
                entry.told_position = position
                event = passing_event(entry)
                event.queue_position.ahead = position
                entry.publish_passing(event)
                told += 1
                if told % _TOLD_AT_ONCE == 0:
                    await asyncio.sleep(0)


def passing_event(entry: JobEntry) -> job_pb2.Event:
    """Return an event that passes, to be filled in."""
    event = job_pb2.Event(sequence=entry.committed)
    set_timestamp(event.time, time.time_ns())
    return event
