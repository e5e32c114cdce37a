"""One part of a stored result, read piece by piece.

The parts lie in the store one behind the other, in the order in which the Result describes them; small arrays
lie in the Result itself. While one chunk is on its way to the caller, the next one is read, on a thread.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import google_crc32c
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.clock import nanoseconds
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.store import StoredResult
from basicaer.v1 import error_reason_pb2, result_pb2
from basicaer.v1.job_service_pb2 import ReadResultRequest, ResultChunk, ResultHeader

__all__ = ["ResultReading", "check_readable", "chunk_size", "open_part", "unavailable"]

_RESULT_PART = "result"
_DEFAULT_CHUNK_BYTES = 1 << 20
_MAX_CHUNK_BYTES = 3 << 20
# Names of parts in an error, so that its details stay small.
_NAMED_PARTS = 16


class ResultReading:
    """A range of one part. `header` is the stream's first message; then call `next` until it returns None."""

    __slots__ = (
        "_ahead",
        "_chunk",
        "_crc",
        "_data",
        "_end",
        "_position",
        "_start",
        "_stored",
        "_threads",
        "header",
    )

    def __init__(
        self,
        header: ResultHeader,
        *,
        chunk: int,
        position: int,
        end: int,
        data: bytes | None,
        stored: StoredResult | None,
        start: int,
        threads: ThreadPoolExecutor,
    ) -> None:
        """Return the bytes from `position` to `end` of the part, either in `data` or from `start` on in
        `stored`.
        """
        self.header = header
        self._chunk = chunk
        self._position = position
        self._end = end
        self._data = data
        self._stored = stored
        self._start = start
        self._threads = threads
        self._ahead: asyncio.Future[ResultChunk] | None = None
        # The checksum so far of a part that is read as a whole.
        self._crc: int | None = 0 if position == 0 and end == header.array.size_bytes else None

    async def next(self) -> ResultChunk | None:
        """Return the next chunk with its checksum, or None at the end.

        Raises:
            ServiceError: CHECKSUM_MISMATCH: the stored bytes are incomplete, or, for a part that is read as a
                whole, not those that were stored.
        """
        if self._position >= self._end:
            if self._crc is not None and self._crc != self.header.array.crc32c:
                raise self._mismatch(self._position)
            return None
        if self._data is not None:
            chunk = self._read()
        else:
            chunk = await (self._ahead or self._begin())
            self._ahead = None
        self._position += len(chunk.data)
        if self._data is None and self._position < self._end:
            self._ahead = self._begin()
        return chunk

    def close(self) -> None:
        """Give the file back. Idempotent."""
        ahead, self._ahead = self._ahead, None
        if self._stored is None:
            return
        if ahead is not None and not ahead.done():
            # The file's number must not be given to another file while a thread still reads from it.
            ahead.add_done_callback(lambda _: self.close())
        else:
            self._stored.close()

    def _begin(self) -> asyncio.Future[ResultChunk]:
        return asyncio.get_running_loop().run_in_executor(self._threads, self._read)

    def _read(self) -> ResultChunk:
        position = self._position
        size = min(self._chunk, self._end - position)
        if self._data is not None:
            data = self._data[position : position + size]
        else:
            assert self._stored is not None
            # A part that is read as a whole has a checksum of its own.
            read = self._stored.read_checked if self._crc is None else self._stored.read
            data = read(self._start + position, size)
        if len(data) < size:
            raise self._mismatch(position + len(data))
        if self._crc is not None:
            self._crc = google_crc32c.extend(self._crc, data)
        return ResultChunk(offset=position, data=data, crc32c=google_crc32c.value(data))

    def _mismatch(self, offset: int) -> ServiceError:
        part = self.header.array.part
        return ServiceError(
            error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
            f"The stored bytes of part {part!r} are damaged; submit the job again.",
            metadata={"part": part, "offset": str(offset)},
        )


def chunk_size(request: ReadResultRequest) -> int:
    """Return the size of a chunk's data.

    Raises:
        ServiceError: OPTION_INVALID.
    """
    if request.chunk_size > _MAX_CHUNK_BYTES:
        raise option_invalid(
            "chunk_size", f"A chunk has at most {_MAX_CHUNK_BYTES} bytes, not {request.chunk_size}."
        )
    return request.chunk_size or _DEFAULT_CHUNK_BYTES


def check_readable(entry: JobEntry) -> None:
    """Refuses to read a result that can't be there.

    Raises:
        ServiceError: RESULT_NOT_READY, RESULT_EXPIRED.
    """
    if not entry.final:
        status = states.name_of(entry.status)
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_RESULT_NOT_READY,
            f"The job is {status}; its result is there once it is final. Watch it first.",
            metadata={"job_id": entry.job_id, "status": status},
        )
    job = entry.snapshot()
    if job.HasField("result_expire_time") and nanoseconds(job.result_expire_time) <= time.time_ns():
        expiry = job.result_expire_time.ToJsonString()
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_RESULT_EXPIRED,
            f"The result was kept until {expiry}; submit the job again.",
            metadata={"job_id": entry.job_id, "expire_time": expiry},
        )


def unavailable(entry: JobEntry) -> ServiceError:
    """Return the refusal to read the result of a job that ended without one."""
    status = states.name_of(entry.status)
    return ServiceError(
        error_reason_pb2.ERROR_REASON_RESULT_UNAVAILABLE,
        f"The job ended as {status}, without a result; Job.error says why.",
        metadata={"job_id": entry.job_id, "status": status},
    )


def open_part(
    request: ReadResultRequest, message: bytes, stored: StoredResult | None, threads: ThreadPoolExecutor
) -> ResultReading:
    """Find a part in a serialized Result. `stored` has the parts that don't lie in it, if there are any.

    Raises:
        ServiceError: ETAG_MISMATCH, PART_NOT_FOUND, READ_OFFSET_OUT_OF_RANGE, OPTION_INVALID.
    """
    chunk = chunk_size(request)
    result = result_pb2.Result.FromString(message)
    if request.etag and request.etag != result.etag:
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_ETAG_MISMATCH,
            "The result isn't the one that was first read. Read it from the start.",
            metadata={"etag": result.etag},
        )
    array, data, start = _find_part(request.part or _RESULT_PART, result, message)
    size = array.size_bytes
    if request.read_offset > size:
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_READ_OFFSET_OUT_OF_RANGE,
            f"The part has {size} bytes, so it can't be read from {request.read_offset}.",
            metadata={"read_offset": str(request.read_offset), "size_bytes": str(size)},
        )
    end = min(size, request.read_offset + request.read_limit) if request.read_limit else size
    return ResultReading(
        ResultHeader(array=array, etag=result.etag),
        chunk=chunk,
        position=request.read_offset,
        end=end,
        data=data,
        stored=stored,
        start=start,
        threads=threads,
    )


def _find_part(
    part: str, result: result_pb2.Result, message: bytes
) -> tuple[result_pb2.Array, bytes | None, int]:
    """Return a part's description, and its bytes or where they begin among the stored parts."""
    if part == _RESULT_PART:
        description = result_pb2.Array(
            name=_RESULT_PART,
            part=_RESULT_PART,
            dtype="|u1",
            shape=[len(message)],
            size_bytes=len(message),
            crc32c=google_crc32c.value(message),
        )
        return description, message, 0
    start = 0
    names = [_RESULT_PART]
    for program in result.programs:
        for array in program.arrays:
            inside = len(array.data) == array.size_bytes
            if array.part == part:
                data = array.data if inside else None
                array.ClearField("data")
                return array, data, start
            if not inside:
                start += array.size_bytes
            names.append(array.part)
    more = ", …" if len(names) > _NAMED_PARTS else ""
    available = ", ".join(names[:_NAMED_PARTS]) + more
    raise ServiceError(
        error_reason_pb2.ERROR_REASON_PART_NOT_FOUND,
        f"The result has no part {part[:128]!r}; it has {available}.",
        metadata={"part": part[:128], "available": available},
    )
