"""Threads that help a run: one pool that all runs share.

A run never waits for a helper that has not begun: whatever is not claimed, the caller does itself. So any
number of runs may be under way at once.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

_MOST_HELPERS = 256

_lock = Lock()
_pool: ThreadPoolExecutor | None = None


def helpers() -> ThreadPoolExecutor:
    """Return the pool, made when it is first needed."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_MOST_HELPERS, thread_name_prefix="basicaer-engine")
        return _pool


def default_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(parts: int, do: Callable[[int], None], threads: int) -> None:
    """Call `do` with each number below `parts`, on the caller's thread and up to `threads` - 1 others.

    Raises:
        Exception: What a call of `do` raised, after those that had begun have ended; no more of them begin.
    """
    # Taking one of a list is a single step of the interpreter.
    left = list(reversed(range(parts)))

    def work() -> None:
        try:
            while True:
                try:
                    part = left.pop()
                except IndexError:
                    return
                do(part)
        except BaseException:
            left.clear()
            raise

    others = [helpers().submit(work) for _ in range(min(threads, parts) - 1)]
    try:
        work()
    finally:
        begun = [other for other in others if not other.cancel()]
        failures = [failure for other in begun if (failure := other.exception()) is not None]
    for failure in failures:
        raise failure
