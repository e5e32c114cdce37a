"""What a write carries through the store and back as its tag: whose it is, and who waits for it."""

from __future__ import annotations

import asyncio
import queue
from dataclasses import dataclass

from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.store import Write

__all__ = ["Recipients"]


@dataclass(slots=True)
class Recipients:
    """Who gets to know what became of a write. Exactly one of the two waiters is used, or none."""

    entry: JobEntry | None = None
    # On the loop: gets None once the write is committed and published, or its error.
    future: asyncio.Future[None] | None = None
    # On a thread: gets the write, committed or failed. Whoever waits here also decides about another try.
    signal: queue.SimpleQueue[Write] | None = None
