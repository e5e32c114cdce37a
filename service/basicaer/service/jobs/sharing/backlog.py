"""How many jobs wait in a store that servers share: counted now and then, so limits of queues are kept within
what comes in meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from basicaer.service.errors import ServiceError
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.service.store import SharedStore, Waiting

__all__ = ["SharedBacklog"]

_log = logging.getLogger(__name__)

_INTERVAL = 0.25
# While nothing comes in here.
_IDLE_ROUNDS = 8


class SharedBacklog:
    """A `Backlog`."""

    def __init__(self, shared: SharedStore, scheduler: Scheduler, *, runs_jobs: bool) -> None:
        """`runs_jobs`: whether this server claims jobs; otherwise it runs only what is quick."""
        self._shared = shared
        self._scheduler = scheduler
        self._runs_jobs = runs_jobs
        self._counted = Waiting(0, {})
        # What this server has accepted since it counted, without what it has claimed.
        self._since: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def has_room(self) -> bool:
        return self._scheduler.has_room or not self._runs_jobs

    @property
    def waiting_count(self) -> int:
        with self._lock:
            return max(self._counted.all + self._since.total(), 0)

    def waiting_of(self, principal: str) -> int:
        with self._lock:
            return max(self._counted.of.get(principal, 0) + self._since[principal], 0)

    def waiting_by_principal(self) -> Mapping[str, int]:
        with self._lock:
            waiting = Counter(self._counted.of)
            waiting.update(self._since)
        return +waiting

    def add(self, entries: Sequence[JobEntry]) -> None:
        """Take note of jobs that wait from now on. Thread-safe."""
        for entry in entries:
            entry.position = self.waiting_count
            with self._lock:
                self._since[entry.principal] += 1

    def remove(self, entries: Sequence[JobEntry]) -> None:
        """Take note of jobs that this server has claimed."""
        with self._lock:
            self._since.subtract(entry.principal for entry in entries)

    async def run(self) -> None:
        """Count for ever."""
        rounds = 0
        while True:
            if self._since or self._counted.all or rounds % _IDLE_ROUNDS == 0:
                await self._count()
            rounds += 1
            await asyncio.sleep(_INTERVAL)

    async def _count(self) -> None:
        with self._lock:
            before = self._since.copy()
        try:
            counted = await self._shared.waiting()
        except ServiceError as error:
            _log.debug("the waiting jobs can't be counted: %s", error.message)
            return
        with self._lock:
            self._since.subtract(before)
            self._since = Counter({principal: count for principal, count in self._since.items() if count})
            self._counted = counted
