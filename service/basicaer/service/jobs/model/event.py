"""A job's durable events: as objects that all of its readers share, and packed as the store keeps them."""

from __future__ import annotations

import struct

from basicaer.v1 import job_pb2

__all__ = ["PublishedEvent", "last_event", "packed", "unpacked"]

_LENGTH = struct.Struct("<I")


class PublishedEvent:
    """An event, made once and shared by all of a job's readers. Readers must not change `event`."""

    __slots__ = ("encoded", "event", "final")

    def __init__(self, event: job_pb2.Event, final: bool) -> None:
        self.event = event
        # Whether it is the event with the job's final status, after which a stream ends.
        self.final = final
        # For the edge: its serialized WatchJobResponse, so that 10,000 watchers cost one serialization.
        self.encoded: bytes | None = None


def packed(event: job_pb2.Event) -> bytes:
    """Return what an event adds to those before it."""
    data = event.SerializeToString()
    return _LENGTH.pack(len(data)) + data


def unpacked(data: bytes) -> list[job_pb2.Event]:
    """Return the events that were packed.

    Raises:
        DecodeError, struct.error: They can't be read.
    """
    events = []
    offset = 0
    while offset < len(data):
        (size,) = _LENGTH.unpack_from(data, offset)
        offset += _LENGTH.size
        events.append(job_pb2.Event.FromString(data[offset : offset + size]))
        offset += size
    return events


def last_event(data: bytes) -> bytes:
    """Packed events without all but the last one."""
    offset = last = 0
    while offset < len(data):
        last = offset
        (size,) = _LENGTH.unpack_from(data, offset)
        offset += _LENGTH.size + size
    return data[last:]
