"""How many results a caller reads at a time, and how fast: each holds chunks in memory while its reader
stands still, and each chunk holds the loop for some ten microseconds, however small it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from basicaer.service.errors import ServiceError, queue_full

__all__ = ["Readings"]

# How long a reading waits for another one's end (seconds).
_PATIENCE = 10.0
# Chunks of a caller: so many a second, and at once after a pause. At the default size, a machine has fewer.
_CHUNKS_PER_SECOND, _BURST = 4_000.0, 400


class _Caller:
    """The readings of a caller, those included that wait."""

    __slots__ = ("_due", "count", "room")

    def __init__(self, most: int) -> None:
        self.count = 0
        self.room = asyncio.Semaphore(most)
        # When the next chunk would be due, by the loop's clock, if they came evenly.
        self._due = 0.0

    async def chunk(self) -> None:
        """Wait until the caller may have another chunk."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now - _BURST / _CHUNKS_PER_SECOND) + 1.0 / _CHUNKS_PER_SECOND
        if self._due > now:
            await asyncio.sleep(self._due - now)


class Readings:
    """Lets each caller read so many results at a time. Lives on one event loop."""

    def __init__(self, most: int, patience: float = _PATIENCE) -> None:
        self._most = most
        self._patience = patience
        self._callers: dict[str, _Caller] = {}

    @asynccontextmanager
    async def one(self, caller: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Hold a reading of a caller's as long as the block runs, after a wait for its turn. What it gives is
        to be awaited for each chunk.

        Raises:
            ServiceError: QUEUE_FULL: none of the caller's others has ended in that time.
        """
        own = self._callers.setdefault(caller, _Caller(self._most))
        own.count += 1
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await own.room.acquire()
            except TimeoutError:
                raise self._full() from None
            try:
                yield own.chunk
            finally:
                own.room.release()
        finally:
            own.count -= 1
            if not own.count:
                del self._callers[caller]

    def _full(self) -> ServiceError:
        return queue_full(
            f"You read {self._most:,} results already, as many as the server allows each caller, and none has"
            " ended; read on, or close some.",
            max_reads_per_caller=self._most,
        )
