"""A few threads that take calls from one queue: `concurrent.futures` without the futures, which cost more
than the calls.
"""

from __future__ import annotations

import queue
from collections.abc import Callable

from basicaer.service.vital import Vital

__all__ = ["Threads"]


class Threads:
    """Daemon threads that make calls in the order in which they were put. Calls must not raise."""

    def __init__(self, count: int, name: str, vital: Vital) -> None:
        self._count = count
        self._name = name
        self._vital = vital
        self._queue: queue.SimpleQueue[tuple[Callable[..., None], tuple[object, ...]] | None] = (
            queue.SimpleQueue()
        )

    def start(self) -> None:
        """Start the threads, which make the calls that were put before, too."""
        for number in range(self._count):
            self._vital.thread(f"{self._name}-{number}", self._run)

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        """Lets a thread make this call, soon."""
        self._queue.put((function, arguments))

    def stop(self) -> None:
        """Lets the threads end after the calls that were put before."""
        for _ in range(self._count):
            self._queue.put(None)

    def _run(self) -> None:
        while (call := self._queue.get()) is not None:
            function, arguments = call
            function(*arguments)
            # What was called may hold a program of many megabytes.
            del call, function, arguments
