"""How many streams that follow a job a caller holds open: each takes memory as long as its client likes, and
heartbeats take time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from basicaer.service.errors import ServiceError, queue_full

__all__ = ["MOST_BEATS", "Watches"]

MOST_BEATS = 1_000
"""Heartbeats a second of a caller, on all of its streams: each holds the loop for some ten microseconds."""


class Watches:
    """Lets each caller hold so many streams open. Lives on one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()
        self._beats: dict[str, float] = {}

    @contextmanager
    def one(self, caller: str, interval: float = math.inf) -> Iterator[None]:
        """Hold a stream of a caller's with a heartbeat each `interval` seconds, as long as the block runs.

        Raises:
            ServiceError: QUEUE_FULL: the caller has as many as it may, or they beat as often as they may.
        """
        if self._open[caller] >= self._most:
            raise self._full()
        # What is no interval is refused by whoever is to keep it.
        beats = 1.0 / interval if interval > 0.0 else 0.0
        before = self._beats.get(caller, 0.0)
        if before and before + beats > MOST_BEATS:
            raise self._beats_too_often()
        self._open[caller] += 1
        self._beats[caller] = before + beats
        try:
            yield
        finally:
            self._open[caller] -= 1
            self._beats[caller] -= beats
            if not self._open[caller]:
                del self._open[caller], self._beats[caller]

    def _full(self) -> ServiceError:
        return queue_full(
            f"You follow jobs by {self._most:,} streams already, as many as the server allows each caller;"
            " end some, or ask by GetJob.",
            max_watches_per_caller=self._most,
        )

    def _beats_too_often(self) -> ServiceError:
        return queue_full(
            f"Your streams would have more than {MOST_BEATS:,} heartbeats a second together, the most of a"
            " caller; end some, or ask for a longer heartbeat_interval.",
            max_heartbeats_per_second=MOST_BEATS,
        )
