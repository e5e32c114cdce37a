"""What passes, told from server to server: how far jobs are goes to all of them, and each counts the jobs
that are ahead of those which somebody here follows.
"""

from __future__ import annotations

import time

from basicaer.service.errors import ServiceError
from basicaer.service.jobs.events.passing import PassingEvents, passing_event
from basicaer.service.jobs.model import states
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.store import SharedStore
from basicaer.v1 import job_pb2

__all__ = ["SharedPassing"]

# How often other servers are told, and positions are counted (seconds); and how much longer than the last
# count the next one waits, so that a long queue isn't counted all the time.
_INTERVAL = 0.2
_REST = 20.0


class SharedPassing(PassingEvents):
    """Looks at the jobs of a scheduler, and at those that are followed."""

    def __init__(
        self, scheduler: Scheduler, interval: float, shared: SharedStore, registry: SharedRegistry
    ) -> None:
        super().__init__(scheduler, interval)
        self._shared = shared
        self._registry = registry
        self._tell_at = self._count_at = 0.0

    def tell_progress(self) -> None:
        super().tell_progress()
        now = time.monotonic()
        if now < self._tell_at:
            return
        self._tell_at = now + _INTERVAL
        running = {}
        for entry in self._scheduler.running():
            control = entry.machine.control
            if control is not None and entry.status == states.RUNNING:
                running[entry.job_id] = control.progress().SerializeToString()
        if running:
            self._shared.tell_progress(running)

    def hear(self, job_id: str, progress: bytes) -> None:
        """Tell readers here how far another server is."""
        entry = self._registry.progress(job_id, progress)
        if entry is not None and entry.watchers and entry.elsewhere is not None:
            told = entry.passing
            if told is None or told.event.progress != entry.elsewhere:
                event = passing_event(entry)
                event.progress.CopyFrom(entry.elsewhere)
                entry.publish_passing(event)

    async def tell_positions(self) -> None:
        now = time.monotonic()
        if now < self._count_at:
            return
        followed = [
            entry
            for entry in self._registry.live.values()
            if entry.watchers and not entry.held and entry.status == states.QUEUED and entry.committed
        ]
        if followed:
            try:
                positions = await self._shared.positions([entry.job_id for entry in followed])
            except ServiceError:
                positions = {}
            for entry in followed:
                position = positions.get(entry.job_id)
                if position is None or entry.held or entry.status != states.QUEUED:
                    continue
                entry.position = position
                if entry.told_position != position:
                    entry.told_position = position
                    event: job_pb2.Event = passing_event(entry)
                    event.queue_position.ahead = position
                    entry.publish_passing(event)
        took = time.monotonic() - now
        self._count_at = now + max(_INTERVAL, took * _REST)
