"""The calls that wait for their job's acceptance."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Arrivals"]


class Arrivals:
    """Counts them, all together and of each principal. Its owner is the event loop; any thread may ask `any`
    and `others`.
    """

    def __init__(self) -> None:
        self._futures: set[asyncio.Future[None]] = set()
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, principal: str, future: asyncio.Future[None]) -> Iterator[None]:
        """Return a call of a principal's, which waits for the future as long as the block runs."""
        self._futures.add(future)
        self._of[principal] += 1
        try:
            yield
        finally:
            self._futures.discard(future)
            self._of[principal] -= 1
            if not self._of[principal]:
                del self._of[principal]

    def refuse(self, error: Exception) -> None:
        """Lets all that wait get an error."""
        for future in self._futures:
            if not future.done():
                future.set_exception(error)

    def any(self) -> bool:
        """Whether there are any."""
        return bool(self._futures)

    def others(self) -> bool:
        """Whether there are others than the one that asks."""
        return len(self._futures) > 1

    def of(self, principal: str) -> int:
        """How many there are of a principal."""
        return self._of[principal]

    def __len__(self) -> int:
        return len(self._futures)
