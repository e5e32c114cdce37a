"""Large results: blocks of a mebibyte, each with its checksum, in a table; see objects/ for larger ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import asyncpg
import google_crc32c
from basicaer.service.errors import ServiceError, StoreBusyError
from basicaer.service.store._sums import damaged
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._errors import service_error
from basicaer.v1 import error_reason_pb2

__all__ = [
    "CHUNK_BYTES",
    "BlockedResult",
    "Blocks",
    "Reader",
    "attempt_of",
    "chunks_of",
    "damaged_block",
    "file_name",
    "in_pieces",
    "object_id_of",
    "object_name",
    "result_gone",
    "write_chunks",
]

CHUNK_BYTES = 1 << 20
# Blocks of one query, and those that a reader who goes on finds there already.
_MOST_CHUNKS = 8
# A long result takes longer than other statements (seconds).
_WRITE_TIMEOUT = 300.0

_T = TypeVar("_T")
# Runs a query on one of the readers' connections, and waits for it on any thread.
Reader = Callable[[Callable[[Any], Coroutine[Any, Any, _T]]], _T]
# Returns the blocks from one to another, both included, or the first of them: at least one. Each is compared
# with its checksum. It blocks, and may be called from any thread but the store's loop.
Blocks = Callable[[int, int], list[bytes]]


def file_name(job_id: str, attempt: int) -> str:
    """Return what a job's row knows its chunks by."""
    return f"{job_id}-{attempt}"


def object_name(job_id: str, attempt: int, object_id: int) -> str:
    """Return what a job's row knows its result in an object store by."""
    return f"{file_name(job_id, attempt)}.{object_id}"


def attempt_of(file: str) -> int:
    """Return the attempt in such a name."""
    return int(file.rpartition("-")[2].partition(".")[0])


def object_id_of(file: str) -> int:
    """Return the number of a result in an object store, from its name; 0 for one in chunks."""
    return int(file.rpartition("-")[2].partition(".")[2] or 0)


async def write_chunks(
    pool: asyncpg.Pool, job_id: str, attempt: int, pieces: Sequence[bytes | memoryview], server: int
) -> None:
    """Write the pieces, one behind the other, as this server's.

    Raises:
        StoreBusyError: It can't be done now; nothing is left behind.
    """
    key = job_id.encode()

    async def rows() -> AsyncIterator[tuple[bytes, int, int, bytes, int, int]]:
        for number, data in enumerate(in_pieces(pieces)):
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


def in_pieces(pieces: Iterable[bytes | memoryview], size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Return the same bytes in pieces of so many bytes, but for the last."""
    pending = bytearray()
    for piece in pieces:
        view = memoryview(piece).cast("B")
        while view:
            room = size - len(pending)
            pending += view[:room]
            view = view[room:]
            if len(pending) == size:
                yield bytes(pending)
                pending.clear()
    if pending:
        yield bytes(pending)


class BlockedResult:
    """A `StoredResult`; its bytes are fetched when they are read, in blocks of a mebibyte."""

    def __init__(self, read: Blocks | None, message: bytes | None, message_size: int, size: int) -> None:
        """`read` is None when there is nothing beside the message; `size` is that of all blocks, the message
        included when it is None.
        """
        self._fetch = read
        self._size = size
        self._message = message
        self._message_size = message_size
        # The block that was read last, in which the next read mostly begins, and those behind it that came
        # with it; and the number of the first of them.
        self._kept: list[bytes] = []
        self._kept_from = 0

    @property
    def message(self) -> bytes:
        if self._message is None:
            self._message = self.read_checked(self._size - self._message_size, self._message_size)
        return self._message

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes of the blocks, which are always compared with their checksums.

        Raises:
            ServiceError: RESULT_EXPIRED: the result was removed while its reader waited. STORE_BUSY,
                CHECKSUM_MISMATCH.
        """
        end = min(offset + size, self._size)
        if offset >= end or self._fetch is None:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        skipped = first - self._kept_from
        # Whoever has read what is in front reads on: a query for each mebibyte took three times as long.
        goes_on = 0 <= skipped <= len(self._kept) and bool(self._kept)
        pieces = self._kept[skipped:] if goes_on else []
        while (begin := first + len(pieces)) <= last:
            wanted = max(last, begin + _MOST_CHUNKS - 1) if goes_on else last
            pieces += self._fetch(begin, min(wanted, (self._size - 1) // CHUNK_BYTES))
        count = last - first + 1
        self._kept, self._kept_from = pieces[count - 1 :], last
        del pieces[count:]
        pieces[-1] = pieces[-1][: end - last * CHUNK_BYTES]
        pieces[0] = pieces[0][offset - first * CHUNK_BYTES :]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_checked(self, offset: int, size: int) -> bytes:
        return self.read(offset, size)

    def close(self) -> None:
        """Let go of what was read. Idempotent."""
        self._kept = []


def chunks_of(read: Reader[list[tuple[int, bytes, int]] | None], job_id: str, file: str, size: int) -> Blocks:
    """Return the blocks of a result of `size` bytes that lies in chunks."""

    def blocks(first: int, last: int) -> list[bytes]:
        last = min(last, first + _MOST_CHUNKS - 1)
        key, attempt = job_id.encode(), attempt_of(file)

        async def fetch(connection: Any) -> list[tuple[int, bytes, int]] | None:
            found = await connection.fetch(_sql.CHUNKS, key, attempt, first, last)
            if len(found) <= last - first and await connection.fetchval(_sql.RESULT_OF, key) != file.encode():
                return None
            return [(number, data, its_sum) for number, data, its_sum in found]

        found = read(fetch)
        if found is None:
            raise result_gone()
        chunks = []
        for expected in range(first, last + 1):
            place = expected - first
            wanted = min(CHUNK_BYTES, size - expected * CHUNK_BYTES)
            if place >= len(found):
                raise damaged_block(job_id, expected)
            number, data, its_sum = found[place]
            if number != expected or len(data) != wanted or google_crc32c.value(data) != its_sum:
                raise damaged_block(job_id, expected)
            chunks.append(data)
        return chunks

    return blocks


def result_gone() -> ServiceError:
    """Return the refusal to read on in a result that was removed meanwhile."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_RESULT_EXPIRED,
        "The result was removed while it was being read; submit the job again.",
    )


def damaged_block(job_id: str, number: int) -> ServiceError:
    """Return the refusal to answer a block that isn't as it was stored."""
    error = damaged(job_id, "result")
    error.metadata["offset"] = str(number * CHUNK_BYTES)
    return error
