"""Times and durations of the wire, which may hold more than Python's do."""

from __future__ import annotations

from datetime import UTC, datetime

from basicaer.client._errors import ProtocolError
from google.protobuf import duration_pb2, timestamp_pb2

__all__ = ["seconds_from_message", "time_from_message"]


def time_from_message(time: timestamp_pb2.Timestamp) -> datetime:
    """Returns an aware datetime in UTC.

    Raises: ProtocolError when it isn't between the years 1 and 9999, as protobuf wants it too.
    """
    try:
        return time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ProtocolError(f"The server sent {time.seconds} s as a time, which is none.") from None


def seconds_from_message(duration: duration_pb2.Duration, most: float) -> float:
    """Returns seconds, from 0 to `most`."""
    return min(max(duration.seconds + duration.nanos / 1e9, 0.0), most)
