"""What the interpreter and malloc do by themselves, and at a bad moment, done at a better one.

A server answers many small calls while a few large ones are checked. So threads take turns more often then,
Python doesn't look through all objects amid a check, and the pages that large requests were read into are
given back to the system once there are no more such requests.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["House", "settle", "short_turns"]

# A thread that waits for the interpreter's lock gets it after so long (seconds). A call goes from thread to
# thread some ten times, and must not wait Python's 5 ms each time while programs are checked. At other times
# that costs more than it gives: a tenth of the rate of 16 callers' Bell pairs.
_USUAL_TURN, _SHORT_TURN = 0.005, 0.001
# Between two looks (seconds). For cycles that live long, Python itself would look whenever a program has made
# many objects, amid its check, with the lock held for as long as it takes to visit them all.
_INTERVAL = 60.0
_NEVER = 1_000_000_000
# Checked programs of more bytes have too many objects to be visited.
_MOST_VISITED = 32 * 1024 * 1024

# Of mallopt, in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
# Free memory that malloc never keeps, and how much it asks the system for at a time.
_MOST_SPARE, _STEP = 1 << 30, 16 << 20


class _Turns:
    """How many threads do what takes long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._long = 0

    def count(self, change: int) -> None:
        with self._lock:
            self._long += change
            sys.setswitchinterval(_SHORT_TURN if self._long else _USUAL_TURN)


_TURNS = _Turns()


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads take turns more often as long as one of them is within. Thread-safe."""
    _TURNS.count(1)
    try:
        yield
    finally:
        _TURNS.count(-1)


def settle() -> None:
    """Set the interpreter and malloc up for a server; before it begins.

    gRPC copies a request several times on the loop, with the interpreter's lock held. Most of that is the
    system's handing out of fresh pages: 120 ms of 140 for 64 MiB. So malloc keeps them; glibc by itself gives
    back each block of over 32 MiB, and whatever is free at the end of its memory.
    """
    sys.setswitchinterval(_USUAL_TURN)
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _MOST_SPARE)
        mallopt(_M_TOP_PAD, _STEP)
        mallopt(_M_MMAP_MAX, 0)


class House:
    """Looks after a server's memory now and then. Lives on the event loop."""

    def __init__(
        self,
        prepared_bytes: Callable[[], int],
        last_large_request: Callable[[], float],
        interval: float = _INTERVAL,
    ) -> None:
        """`prepared_bytes` tells about how much memory checked programs hold, and `last_large_request` when
        a large request came last, by the monotonic clock.
        """
        self._prepared_bytes = prepared_bytes
        self._last_large_request = last_large_request
        self._interval = interval
        self._given_back = time.monotonic()
        # None where the C library isn't glibc.
        self._trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)

    async def keep(self) -> None:
        """Do so for ever."""
        while True:
            await asyncio.sleep(self._interval)
            if self._prepared_bytes() <= _MOST_VISITED:
                gc.collect()
            last, now = self._last_large_request(), time.monotonic()
            if self._trim is not None and self._given_back < last < now - self._interval:
                self._given_back = now
                # On a thread, without the interpreter's lock.
                await asyncio.to_thread(self._trim, 0)
