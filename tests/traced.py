"""What a test allocates, by tracemalloc, beside the threads of the engine."""

from __future__ import annotations

import contextlib
import threading
import tracemalloc
from collections.abc import Iterator

from basicaer.simulator.methods.statevector.engine.machine._helpers import helpers

_LIMIT = 60.0


@contextlib.contextmanager
def traced() -> Iterator[None]:
    """Trace within it. It ends when no thread of the engine is at work.

    A helper that comes late to a run allocates by CPython's allocator, as numba does, and without the
    interpreter's lock, so that to end the trace meanwhile is a segmentation fault (CPython's gh-128679).
    """
    tracemalloc.start()
    try:
        yield
    finally:
        _let_helpers_end()
        tracemalloc.stop()


def _let_helpers_end() -> None:
    """Have each thread of the pool take a task that waits for all others."""
    while count := _count():
        barrier = threading.Barrier(count + 1)
        for _ in range(count):
            helpers().submit(barrier.wait, _LIMIT)
        barrier.wait(_LIMIT)
        # Where one was busy another may have been started, and taken its task.
        if _count() == count:
            return


def _count() -> int:
    return sum(thread.name.startswith("basicaer-engine") for thread in threading.enumerate())
