"""One server removes what has expired, for all that share the store: the one that has been there longest."""

from __future__ import annotations

import asyncio

from basicaer.service.config import Config
from basicaer.service.jobs.kept.retention import Sweeper
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.store import JobStore, SharedStore

__all__ = ["SharedSweeper"]

_LOOK = 0.5


class SharedSweeper(Sweeper):
    """Looks for jobs whose time has come, and for what nobody will commit."""

    def __init__(
        self, store: JobStore, shared: SharedStore, registry: SharedRegistry, config: Config
    ) -> None:
        super().__init__(store, registry, config)
        self._shared = shared

    async def sweep(self, now: int) -> None:
        if not self._shared.number:
            # It has only just started.
            await asyncio.sleep(_LOOK)
        members = await self._shared.members()
        # Should two take themselves for the first, they do the same twice.
        if members and members[0].number == self._shared.number:
            await super().sweep(now)
            await self._shared.remove_strays()
