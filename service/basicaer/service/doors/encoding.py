"""Responses that are put together from bytes, where building a message would cost more than everything else.

protobuf's runtime takes 1.5 ms to wrap and serialize a chunk of 1 MiB (it copies it thrice, into memory that
grows by doubling), which alone would halve the speed of a result's stream; one join takes 0.04 ms. And an
event is serialized once, however many watch. tests/integration compares these bytes with protobuf's own.

A field is its key (number and kind), then for bytes and messages the length, then the contents; a message is
its fields one after another (https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

from basicaer.service.jobs import PublishedEvent
from basicaer.service.wire import varint
from basicaer.v1 import job_service_pb2 as pb

__all__ = ["read_result_response", "run_job_response", "watch_job_response"]

_VARINT, _LENGTH_DELIMITED, _FIXED32 = 0, 2, 5

_RUN_EVENT = bytes([pb.RunJobResponse.EVENT_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_RUN_RESULT = bytes([pb.RunJobResponse.RESULT_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_CHUNK = bytes([pb.ReadResultResponse.CHUNK_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_CHUNK_OFFSET = bytes([pb.ResultChunk.OFFSET_FIELD_NUMBER << 3 | _VARINT])
_CHUNK_DATA = bytes([pb.ResultChunk.DATA_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_CHUNK_CRC32C = bytes([pb.ResultChunk.CRC32C_FIELD_NUMBER << 3 | _FIXED32])


def watch_job_response(published: PublishedEvent) -> bytes:
    """Return a WatchJobResponse with the event. The first reader's bytes serve all others."""
    if published.encoded is None:
        published.encoded = pb.WatchJobResponse(event=published.event).SerializeToString()
    return published.encoded


def run_job_response(published: PublishedEvent, result: bytes | None) -> bytes:
    """Return a RunJobResponse with the event and the result, which is serialized.

    Both responses hold the event in the same way but for its number, so a watcher's bytes serve here too.
    """
    event = _RUN_EVENT + watch_job_response(published)[1:]
    return event if result is None else b"".join((event, _RUN_RESULT, varint(len(result)), result))


def read_result_response(offset: int, data: bytes, crc32c: int) -> bytes:
    """Return a ReadResultResponse with a chunk. `data` is copied once."""
    head = _CHUNK_OFFSET + varint(offset) + _CHUNK_DATA + varint(len(data))
    tail = _CHUNK_CRC32C + crc32c.to_bytes(4, "little")
    return b"".join((_CHUNK, varint(len(head) + len(data) + len(tail)), head, data, tail))
