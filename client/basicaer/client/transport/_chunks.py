"""Reading ReadResult's stream into an array: each byte is copied once, checked, and never asked for twice.

The stream's messages are taken raw. Parsing a chunk with protobuf would copy its data twice before the copy
into the array; so `split_chunk` finds the data inside the message, by the wire format of `ResultChunk`.
"""

from __future__ import annotations

from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from basicaer.client import _errors as errors
from basicaer.client.results._arrays import array_form
from basicaer.client.results._sense import check_finite
from basicaer.client.transport._retry import Backoff, Deadline
from basicaer.v1 import job_service_pb2
from google.protobuf.message import DecodeError

__all__ = ["Download", "split_chunk"]

# A stream is given so long (seconds) and then taken up again where it stopped: a hung one can't hold a
# reader.
_ATTEMPT = 60.0
# Damaged chunks, or changes of the etag, in a row before the reader gives up.
_DAMAGES = 3

Bytes = npt.NDArray[np.uint8]


def split_chunk(message: bytes) -> tuple[int, Bytes, int] | None:
    """Return the chunk of a serialized ReadResultResponse as (offset, data, crc32c), or None.

    The data is a view into `message`.

    Raises:
        ProtocolError: The message is damaged.
    """
    try:
        position, chunk = 0, None
        while position < len(message):
            field, kind, start, position = _field(message, position)
            if field == 2 and kind == 2:
                chunk = (start, position)
        if chunk is None:
            return None
        offset, crc, data = 0, 0, np.empty(0, np.uint8)
        position, end = chunk
        while position < end:
            field, kind, start, position = _field(message, position)
            if field == 1 and kind == 0:
                offset, _ = _varint(message, start)
            elif field == 2 and kind == 2:
                data = np.frombuffer(message, np.uint8, position - start, start)
            elif field == 3 and kind == 5:
                crc = int.from_bytes(message[start:position], "little")
    except (IndexError, ValueError):
        raise errors.ProtocolError("The server sent a chunk that can't be read.") from None
    return offset, data, crc


def _field(message: bytes, position: int) -> tuple[int, int, int, int]:
    """Return the number, wire type, start and end of the field at `position`."""
    tag, start = _varint(message, position)
    match kind := tag & 7:
        case 0:
            _, end = _varint(message, start)
        case 1:
            end = start + 8
        case 2:
            size, start = _varint(message, start)
            end = start + size
        case 5:
            end = start + 4
        case _:
            raise ValueError(kind)
    if end > len(message):
        raise IndexError(end)
    return tag >> 3, kind, start, end


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the number at `position` and the position behind it."""
    value, shift = 0, 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


class Download:
    """The state of reading one part: what to ask for next, and the array that fills up.

    The driver asks with `request()`, gives each raw message to `feed`, tells `ended` or `failed`, pauses for
    as long as `failed` says, and goes on until `complete`.
    """

    def __init__(self, job_id: str, part: str, deadline: Deadline, max_outage: float | None = None) -> None:
        self._job_id = job_id
        self._part = part
        self._deadline = deadline
        self._max_outage = max_outage
        self._outage = Deadline(max_outage)
        self._backoff = Backoff()
        self._etag = ""
        self._bytes: Bytes | None = None
        self._dtype: np.dtype[Any] = np.dtype("|u1")
        self._shape: tuple[int, ...] = ()
        self._crc = 0
        self._expected_crc = 0
        self._position = 0
        self._damages = 0

    @property
    def complete(self) -> bool:
        """Whether every byte is there."""
        return self._bytes is not None and self._position == self._bytes.size

    def request(self) -> job_service_pb2.ReadResultRequest:
        """Return what to ask for: the rest."""
        return job_service_pb2.ReadResultRequest(
            job_id=self._job_id, part=self._part, read_offset=self._position, etag=self._etag
        )

    def timeout(self) -> float:
        """Return how long the next stream may take."""
        left = self._deadline.within(_ATTEMPT)
        return _ATTEMPT if left is None else left

    def feed(self, message: bytes) -> None:
        """Take one message of the stream.

        Raises:
            ChecksumError: The rest may be asked for again.
            ProtocolError: It can't be read, or is none that was asked for.
            ResultError: The array doesn't fit in memory.
        """
        chunk = split_chunk(message)
        if chunk is None:
            try:
                header = job_service_pb2.ReadResultResponse.FromString(message).header
            except DecodeError:
                raise errors.ProtocolError("The server sent a header that can't be read.") from None
            self._begin(header)
            return
        offset, data, crc = chunk
        if self._bytes is None or offset != self._position or offset + data.size > self._bytes.size:
            raise errors.ProtocolError(f"A chunk of {self._part or 'the result'} came out of its order.")
        if google_crc32c.value(data) != crc:
            raise errors.ChecksumError(
                f"Bytes {offset} to {offset + data.size} of {self._part or 'the result'} arrived damaged.",
                reason="CHECKSUM_MISMATCH",
                metadata={"part": self._part, "offset": str(offset)},
            )
        self._bytes[offset : offset + data.size] = data
        self._crc = google_crc32c.extend(self._crc, data)
        self._position += data.size
        self._outage = Deadline(self._max_outage)
        self._backoff.reset()

    def failed(self, error: errors.BasicAerError | None) -> float:
        """Return how long to pause before asking for the rest; None means that the stream ended too early.

        Raises:
            JobTimeoutError: The time is over; `error` when another try can't mend it.
        """
        if self._deadline.expired:
            raise errors.JobTimeoutError(
                f"Timeout while reading the result of job {self._job_id}."
            ) from error
        match error:
            case errors.ChecksumError() | errors.ETagMismatchError():
                self._damages += 1
                if self._damages >= _DAMAGES:
                    raise error
                if isinstance(error, errors.ETagMismatchError):
                    self._restart()
            case errors.TransportError():
                if self._outage.expired:
                    raise error
            case errors.BasicAerError():
                raise error
            case None if self._outage.expired:
                raise errors.ProtocolError(f"The stream of {self._part} ends before its data does.")
        return self._backoff.pause(None if error is None else error.retry_after)

    def array(self) -> npt.NDArray[np.generic]:
        """Return the whole part, in its dtype and shape, as the only view of the memory it was read into.

        Raises:
            ChecksumError: It differs from the checksum of the whole.
            ProtocolError: Its numbers make no sense.
        """
        assert self._bytes is not None
        if self._crc != self._expected_crc:
            raise errors.ChecksumError(
                f"{self._part or 'The result'} differs from its checksum.",
                reason="CHECKSUM_MISMATCH",
                metadata={"part": self._part},
            )
        array = self._bytes.view(self._dtype).reshape(self._shape)
        check_finite(array, self._part)
        return array

    def _begin(self, header: job_service_pb2.ResultHeader) -> None:
        """Allocates the array at the first header; a later one must speak of the same bytes."""
        if self._bytes is not None and header.etag == self._etag:
            return
        self._restart()
        array = header.array
        self._dtype, self._shape = array_form(array, self._part or "the result")
        self._etag = header.etag
        self._expected_crc = array.crc32c
        try:
            self._bytes = np.empty(array.size_bytes, np.uint8)
        except MemoryError:
            raise errors.ResultError(
                f"{self._part or 'The result'} takes {array.size_bytes:,} bytes, says the server, and this"
                " machine hasn't that much memory."
            ) from None

    def _restart(self) -> None:
        self._etag, self._bytes, self._position, self._crc = "", None, 0, 0
