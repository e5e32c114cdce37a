"""Large results: chunks of a mebibyte in a table, each with its checksum."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import asyncpg
import google_crc32c
from basicaer.service.errors import ServiceError, StoreBusyError
from basicaer.service.store._sums import damaged
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._errors import service_error
from basicaer.v1 import error_reason_pb2

__all__ = ["CHUNK_BYTES", "ChunkedResult", "Reader", "attempt_of", "file_name", "write_chunks"]

CHUNK_BYTES = 1 << 20
# Chunks of one query.
_MOST_CHUNKS = 8
# A long result takes longer than other statements (seconds).
_WRITE_TIMEOUT = 300.0

_T = TypeVar("_T")
# Runs a query on one of the readers' connections, and waits for it on any thread.
Reader = Callable[[Callable[[Any], Coroutine[Any, Any, _T]]], _T]


def file_name(job_id: str, attempt: int) -> str:
    """Return what a job's row knows its chunks by."""
    return f"{job_id}-{attempt}"


def attempt_of(file: str) -> int:
    """Return the attempt in such a name."""
    return int(file.rpartition("-")[2])


async def write_chunks(
    pool: asyncpg.Pool, job_id: str, attempt: int, pieces: Sequence[bytes | memoryview], server: int
) -> None:
    """Write the pieces, one behind the other, as this server's.

    Raises:
        StoreBusyError: It can't be done now; nothing is left behind.
    """
    key = job_id.encode()

    async def rows() -> AsyncIterator[tuple[bytes, int, int, bytes, int, int]]:
        for number, data in enumerate(_chunks(pieces)):
            yield key, attempt, number, data, google_crc32c.value(data), server

    try:
        async with pool.acquire() as connection, connection.transaction():
            # Of an earlier try, whose commit came true without an answer.
            await connection.execute(_sql.CLEAR_CHUNKS, key, attempt)
            await connection.copy_records_to_table(
                "chunks",
                records=rows(),
                columns=("job_id", "attempt", "number", "data", "data_sum", "server"),
                timeout=_WRITE_TIMEOUT,
            )
    except asyncpg.UniqueViolationError as error:
        # That commit is only coming true now.
        raise StoreBusyError("an earlier try is still being written") from error
    except Exception as error:
        raise service_error(error) from error


def _chunks(pieces: Sequence[bytes | memoryview]) -> Iterator[bytes]:
    """Return the same bytes in chunks, all of which but the last are whole."""
    pending = bytearray()
    for piece in pieces:
        view = memoryview(piece).cast("B")
        while view:
            room = CHUNK_BYTES - len(pending)
            pending += view[:room]
            view = view[room:]
            if len(pending) == CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
    if pending:
        yield bytes(pending)


class ChunkedResult:
    """A `StoredResult`; its bytes are fetched when they are read."""

    def __init__(
        self,
        read: Reader[list[tuple[int, bytes, int]] | None],
        job_id: str,
        file: str | None,
        message: bytes | None,
        message_size: int,
        size: int,
    ) -> None:
        """`size` is that of all chunks, the message included when it is None."""
        self._fetch = read
        self._job_id = job_id
        self._file = file
        self._size = size
        self._message = message
        self._message_size = message_size
        # The chunk that was read last: the next read mostly begins in it.
        self._last: tuple[int, bytes] | None = None

    @property
    def message(self) -> bytes:
        if self._message is None:
            self._message = self.read_checked(self._size - self._message_size, self._message_size)
        return self._message

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes of the chunks, which are always compared with their checksums.

        Raises:
            ServiceError: RESULT_EXPIRED: the result was removed while its reader waited. STORE_BUSY,
                CHECKSUM_MISMATCH.
        """
        end = min(offset + size, self._size)
        if offset >= end or self._file is None:
            return b""
        pieces = []
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        if self._last is not None and self._last[0] == first:
            pieces.append(self._last[1])
        while first + len(pieces) <= last:
            pieces += self._read_chunks(first + len(pieces), last)
        self._last = (last, pieces[-1])
        pieces[-1] = pieces[-1][: end - last * CHUNK_BYTES]
        pieces[0] = pieces[0][offset - first * CHUNK_BYTES :]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_checked(self, offset: int, size: int) -> bytes:
        return self.read(offset, size)

    def close(self) -> None:
        """Let go of what was read. Idempotent."""
        self._last = None

    def _read_chunks(self, first: int, last: int) -> list[bytes]:
        last = min(last, first + _MOST_CHUNKS - 1)
        assert self._file is not None
        job_id, file, attempt = self._job_id.encode(), self._file.encode(), attempt_of(self._file)

        async def fetch(connection: Any) -> list[tuple[int, bytes, int]] | None:
            found = await connection.fetch(_sql.CHUNKS, job_id, attempt, first, last)
            if len(found) <= last - first and await connection.fetchval(_sql.RESULT_OF, job_id) != file:
                return None
            return [(number, data, its_sum) for number, data, its_sum in found]

        found = self._fetch(fetch)
        if found is None:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_RESULT_EXPIRED,
                "The result was removed while it was being read; submit the job again.",
            )
        chunks = []
        for expected in range(first, last + 1):
            place = expected - first
            size = min(CHUNK_BYTES, self._size - expected * CHUNK_BYTES)
            if place >= len(found):
                raise _damaged(self._job_id, expected)
            number, data, its_sum = found[place]
            if number != expected or len(data) != size or google_crc32c.value(data) != its_sum:
                raise _damaged(self._job_id, expected)
            chunks.append(data)
        return chunks


def _damaged(job_id: str, number: int) -> ServiceError:
    error = damaged(job_id, "result")
    error.metadata["offset"] = str(number * CHUNK_BYTES)
    return error
