"""Jobs that wait in the store become this server's, as many as it can start at once.

A job that needs more memory than is free now keeps its turn: others may be claimed past it, but only a
bounded number. Each server counts that for the first job which it could ever run, so a large job's wait is
bounded as in a queue of one server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.jobs.model.damage import DamagedJobError
from basicaer.service.jobs.queue.scheduler import Room, Scheduler
from basicaer.service.jobs.sharing.backlog import SharedBacklog
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.store import Capacity, Claim, SharedStore

__all__ = ["Claimer"]

_log = logging.getLogger(__name__)

# Between two looks when nothing was heard, and until the store is asked again that couldn't answer (seconds).
_LOOK, _RETRY = 0.5, 0.5


class Claimer:
    """Fills a scheduler. Lives on the event loop, but for `wake`."""

    def __init__(
        self,
        shared: SharedStore,
        registry: SharedRegistry,
        scheduler: Scheduler,
        backlog: SharedBacklog,
        config: Config,
        capacity: Capacity,
    ) -> None:
        """`capacity` is what one job may take here."""
        self._shared = shared
        self._registry = registry
        self._scheduler = scheduler
        self._backlog = backlog
        self._capacity = capacity
        self._max_overtakes = config.max_overtakes
        # The first that waits and doesn't fit now, and how many went past it.
        self._first, self._overtaken = "", 0
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = False

    def wake(self) -> None:
        """Let it look for jobs, soon. Thread-safe."""
        if self._loop is not None and not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Claim for ever."""
        self._loop = asyncio.get_running_loop()
        self._scheduler.when_free = self.wake
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._wake.wait()
            self._told = False
            self._wake.clear()
            try:
                while await self._fill():
                    pass
            except ServiceError as error:
                _log.debug("no jobs can be claimed: %s", error.message)
                await asyncio.sleep(_RETRY)

    async def _fill(self) -> bool:
        """Claim what can start now; whether there was anything."""
        room = self._scheduler.room()
        if room.jobs <= 0 or not self._shared.number:
            return False
        claims = await self._claim(room)
        for claim in claims:
            try:
                entry = self._registry.hold(claim)
            except DamagedJobError as error:
                # It stays this server's, so that nobody else tries.
                _log.error("not taken up: %s", error.message)
            else:
                self._backlog.remove([entry])
                self._scheduler.add([entry])
        return bool(claims)

    async def _claim(self, room: Room) -> Sequence[Claim]:
        most = room.jobs
        past = False
        if room.bytes < self._capacity.bytes:
            front = await self._shared.front(self._capacity)
            if front is None:
                return ()
            past = front.required_bytes > room.bytes
            if past:
                if front.job_id != self._first:
                    self._first, self._overtaken = front.job_id, 0
                most = min(most, self._max_overtakes - self._overtaken)
        claims = await self._shared.claim(self._capacity, room.bytes, most) if most > 0 else ()
        self._overtaken += len(claims) if past else 0
        return claims
