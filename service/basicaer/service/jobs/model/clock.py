"""Times and job ids: a job's id sorts by its time of creation, and no two are alike."""

from __future__ import annotations

import random
import threading
import time

from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["JobClock", "id_floor", "nanoseconds", "seconds_to_nanoseconds", "set_timestamp"]

# The ids' time has 12 bits below a millisecond: steps of 244.14 ns.
_STEP = 245
_VERSION = 0x7000
_VARIANT = 0x8000_0000_0000_0000


def set_timestamp(timestamp: Timestamp, time_ns: int) -> None:
    """Write nanoseconds since the epoch into a message."""
    timestamp.seconds, timestamp.nanos = divmod(time_ns, 1_000_000_000)


def nanoseconds(timestamp: Timestamp) -> int:
    """Nanoseconds since the epoch."""
    return timestamp.seconds * 1_000_000_000 + timestamp.nanos


def seconds_to_nanoseconds(seconds: float) -> int:
    """Return a duration in nanoseconds."""
    return round(seconds * 1e9)


def id_floor(time_ns: int) -> str:
    """Return a text that sorts before the ids of jobs made in that millisecond or later, and after all
    others.
    """
    return f"{max(time_ns, 0) // 1_000_000:012x}"


class JobClock:
    """Gives each new job its id and its time of creation; both only ever ascend, whatever the system's clock
    does.

    An id is a UUID of version 7 (RFC 9562, section 5.7) without its dashes: milliseconds since the epoch,
    then the fraction of the millisecond, then randomness.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._random = random.SystemRandom().getrandbits(128)
        self._bits = random.Random(self._random).getrandbits

    def next(self) -> tuple[str, int]:
        """Return a new id, and its nanoseconds since the epoch."""
        now = time.time_ns()
        with self._lock:
            if now < self._last + _STEP:
                now = self._last + _STEP
            self._last = now
            bits = self._bits(62)
        milliseconds, fraction = divmod(now, 1_000_000)
        head = milliseconds << 16 | _VERSION | fraction * 4096 // 1_000_000
        return f"{head:016x}{_VARIANT | bits:016x}", now
