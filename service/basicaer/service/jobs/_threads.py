"""A few threads that take calls from one queue: `concurrent.futures` without the futures, which cost more
than the calls.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

__all__ = ["Threads"]


class Threads:
    """Daemon threads that make calls in the order in which they were put. Calls must not raise."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._queue: queue.SimpleQueue[tuple[Callable[..., None], tuple[object, ...]] | None] = (
            queue.SimpleQueue()
        )
        for number in range(count):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

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
