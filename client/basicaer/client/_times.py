"""Times and durations of the wire, which may hold more than Python's do."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from basicaer.client._errors import OptionInvalidError, ProtocolError
from google.protobuf import duration_pb2, timestamp_pb2

__all__ = ["given_seconds", "seconds_from_message", "time_from_message"]

# Longer than this is without end (seconds): what waits underneath counts in nanoseconds and 64 bits.
_LONGEST = 1e9


def given_seconds(name: str, value: Any) -> float | None:
    """Return a time that a caller gives in seconds: any kind of real number, or a timedelta.

    None when it has no end, as None, infinity and anything beyond 30 years have none.

    Raises:
        OptionInvalidError: For NaN, truth values, text and whatever else isn't a time.
    """
    if value is None or (type(value) is float and 0.0 <= value <= _LONGEST):
        return value
    seconds = value.item() if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 else value
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    try:
        if isinstance(seconds, bool | str | bytes):
            raise TypeError
        seconds = float(seconds)
    except OverflowError:
        seconds = math.inf if seconds > 0 else 0.0
    except (TypeError, ValueError):
        seconds = math.nan
    if math.isnan(seconds):
        raise OptionInvalidError(
            f"{name} is a number of seconds, a timedelta, or None for no end, and not {value!r:.60}.",
            reason="OPTION_INVALID",
            metadata={"field": name},
        )
    return None if seconds > _LONGEST else max(seconds, 0.0)


def time_from_message(time: timestamp_pb2.Timestamp) -> datetime:
    """Return an aware datetime in UTC.

    Raises:
        ProtocolError: It isn't between the years 1 and 9999, as protobuf wants it too.
    """
    try:
        return time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ProtocolError(f"The server sent {time.seconds} s as a time, which is none.") from None


def seconds_from_message(duration: duration_pb2.Duration, most: float) -> float:
    """Return seconds, from 0 to `most`."""
    return min(max(duration.seconds + duration.nanos / 1e9, 0.0), most)
