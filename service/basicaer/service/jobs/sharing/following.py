"""What other servers do, as this one hears of it: jobs that somebody here follows are read again when they
have changed.

News can be lost, so they only say where to look first. All that is followed here, and all that runs here, is
compared with the store once a second besides, by its sequence and its fence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from basicaer.service.errors import ServiceError
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.store import SharedStore

__all__ = ["Following"]

_log = logging.getLogger(__name__)

# Between two comparisons of everything, and until the store is asked again that couldn't answer (seconds).
_LOOK, _RETRY = 1.0, 0.3
# Jobs of one comparison.
_BATCH = 1_000


class Following:
    """The `News` of one server. It hears them on the store's thread, and acts on the event loop."""

    def __init__(
        self,
        shared: SharedStore,
        registry: SharedRegistry,
        *,
        waiting: Callable[[], None],
        passing: Callable[[str, bytes], None],
        lost: Callable[[], None],
    ) -> None:
        """Hear nothing yet. `waiting` is called on any thread when more jobs wait; the others on the loop,
        for progress elsewhere and for the end of the lease.
        """
        self._shared = shared
        self._registry = registry
        self._waiting = waiting
        self._passing = passing
        self._lost = lost
        self._changed: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._compared = 0.0

    def changed(self, job_ids: Sequence[str]) -> None:
        self._loop.call_soon_threadsafe(self._look_at, job_ids)

    def passing(self, job_id: str, progress: bytes) -> None:
        self._loop.call_soon_threadsafe(self._passing, job_id, progress)

    def waiting(self) -> None:
        self._waiting()

    def missed(self) -> None:
        self._loop.call_soon_threadsafe(self._look_at_all)

    def joined(self, number: int) -> None:
        self._waiting()

    def lost(self) -> None:
        self._loop.call_soon_threadsafe(self._lost)

    def _look_at(self, job_ids: Sequence[str]) -> None:
        followed = [job_id for job_id in job_ids if job_id in self._registry.live]
        if followed:
            self._changed.update(dict.fromkeys(followed))
            self._wake.set()

    def _look_at_all(self) -> None:
        self._compared = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            left = self._compared + _LOOK - time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(left, 0.0)):
                    await self._wake.wait()
            self._wake.clear()
            changed, self._changed = list(self._changed), {}
            everything = time.monotonic() >= self._compared + _LOOK
            if everything:
                self._compared = time.monotonic()
                self._registry.tidy()
                changed = list(self._registry.live)
            try:
                for start in range(0, len(changed), _BATCH):
                    await self._compare(changed[start : start + _BATCH])
            except ServiceError as error:
                _log.debug("other servers' jobs can't be read: %s", error.message)
                self._compared = 0.0
                await asyncio.sleep(_RETRY)

    async def _compare(self, job_ids: Sequence[str]) -> None:
        newer, gone = await self._shared.newer(self._registry.seen(job_ids))
        for record in newer:
            try:
                self._registry.heard(record)
            except ServiceError as error:
                _log.error("%s", error.message)
                self._registry.gone(record.job_id)
        for job_id in gone:
            self._registry.gone(job_id)
