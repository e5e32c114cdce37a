"""The feed of one process does what every feed must."""

from __future__ import annotations

import asyncio
from typing import Any

from basicaer.service.errors import StoreBusyError
from basicaer.service.jobs._store_health import StoreHealth
from basicaer.service.jobs.events.committed import LocalFeed
from basicaer.service.jobs.events.interface import CommittedFeed
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.store import Barrier, InsertJob, Listener, UpdateJob, Write

from tests.unit.jobs.events.feed_contract import EXISTING, Bench, FeedContract


class _Store:
    """Keeps what it is given until it is told what becomes of it."""

    def __init__(self) -> None:
        self.writes: list[Write] = []

    def open(self, listener: Listener) -> None:
        self.listener = listener

    def write(self, write: Write) -> None:
        self.writes.append(write)


class _Bench:
    def __init__(self, store: Any) -> None:
        self.store = store
        self.mover = Mover(store)
        self.storing: list[bool] = []
        self.feed: CommittedFeed = LocalFeed(store, self.mover, StoreHealth(store, self.storing.append))

    def insert(self, write: InsertJob) -> None:
        self.store.write(write)

    async def commit(self, *, busy: bool = False, damaged: bool = False, exists: bool = False) -> None:
        writes, self.store.writes = self.store.writes, []
        for write in writes:
            if isinstance(write, Barrier):
                continue
            if busy:
                write.error = StoreBusyError("It can't.")
            elif isinstance(write, UpdateJob):
                write.applied = not damaged
            elif isinstance(write, InsertJob) and exists:
                write.existing = EXISTING
        # On a thread that isn't the loop's, as the store's.
        await asyncio.to_thread(self.store.listener, writes)
        await asyncio.sleep(0)


class TestLocalFeed(FeedContract):
    def make(self) -> Bench:
        return _Bench(_Store())
