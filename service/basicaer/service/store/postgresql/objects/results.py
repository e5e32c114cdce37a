"""Results in an object store: a folder of objects of some mebibytes for each, SERVICE/OBJECT_ID/NUMBER.

A multipart upload would be one object; but one that its server leaves unfinished is seen by nobody, and
stays. So each part is an object of its own, which is there as a whole or not at all. A row of the database
knows of the folder before its first object is written, and until the last one is gone. The checksums of each
mebibyte lie in the row, and every range that is read is compared with them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

import google_crc32c
from basicaer.service.errors import ServiceError, StoreBusyError
from basicaer.service.store._sums import damaged
from basicaer.service.store.postgresql._loop import Loop
from basicaer.service.store.postgresql._results import (
    CHUNK_BYTES,
    Blocks,
    damaged_block,
    in_pieces,
    object_id_of,
    object_name,
    result_gone,
)
from basicaer.service.store.postgresql._sql import RESULT_OF
from basicaer.service.store.postgresql.objects import statements as _sql

__all__ = ["ObjectResults", "Objects"]

_log = logging.getLogger(__name__)

# Bytes of an object, and how many are on their way at a time: what a result takes beside itself.
_PART_BYTES = 8 * CHUNK_BYTES
_IN_FLIGHT = 4
_SUM_BYTES = 4
# Results that are removed at a time.
_BATCH = 100

_T = TypeVar("_T")


class Objects(Protocol):
    """What is asked of an object store. Objects are never changed."""

    async def check(self, folder: str) -> None:
        """Find out whether objects can be made, read and removed in a folder; that it doesn't answer now is
        only told to the log.

        Raises:
            DataDirectoryError: They can't, and won't; says what to do.
        """

    async def put(self, key: str, data: bytes) -> None:
        """Make an object.

        Raises:
            StoreBusyError: It can't be done now.
        """

    async def get(self, key: str, start: int, end: int) -> bytes | None:
        """Return a range of an object; None when there is none.

        Raises:
            StoreBusyError: It can't be read now.
        """

    async def remove_all(self, folder: str) -> None:
        """Remove all objects whose keys begin with a folder's name and "/".

        Raises:
            StoreBusyError: It can't be done now.
        """


class _Query(Protocol):
    """Runs a query on one of the readers' connections; on the store's loop."""

    async def __call__(self, query: Callable[[Any], Awaitable[_T]]) -> _T: ...


class ObjectResults:
    """Those of one service. `objects` is None where no object store is set."""

    def __init__(self, objects: Objects | None, query: _Query) -> None:
        self._objects = objects
        self._query = query
        self._service_id = ""
        self._told = False

    @property
    def is_set(self) -> bool:
        """Whether there is an object store."""
        return self._objects is not None

    async def load(self) -> None:
        """Find out under which name the service's objects are, and whether they can be used. On the store's
        loop, once there are tables.

        Raises:
            DataDirectoryError: They can't.
        """
        self._service_id = await self._query(lambda connection: connection.fetchval(_sql.SERVICE_ID))
        if self._objects is not None:
            await self._objects.check(self._service_id)

    def stage(
        self,
        loop: Loop,
        job_id: str,
        attempt: int,
        pieces: Iterable[bytes | memoryview],
        server: Callable[[], int],
    ) -> str:
        """Write the pieces, one behind the other, as the server's whose number is asked for; on any thread
        but the loop's. Return the name by which the job's row is to know them.

        Raises:
            StoreBusyError: It can't be done now, or the server has lost its lease meanwhile.
        """
        number = server()
        object_id, folder = loop.call(self._begin(job_id, attempt, number))
        try:
            size, sums = self._write(loop, folder, pieces, lambda: server() == number)
            name = object_name(job_id, attempt, object_id)
            row_sum = _row_sum(name, _PART_BYTES, size, sums)
            ended = loop.call(
                self._query(lambda connection: connection.fetchval(_sql.END, object_id, size, sums, row_sum))
            )
            if ended is None:
                raise StoreBusyError("this server's lease had ended")
        except BaseException:
            loop.start(self._abandon(object_id))
            raise
        return name

    async def _begin(self, job_id: str, attempt: int, server: int) -> tuple[int, str]:
        if self._objects is None:
            raise _not_set()
        arguments = (job_id.encode(), attempt, server, _PART_BYTES)
        object_id = await self._query(lambda connection: connection.fetchval(_sql.BEGIN, *arguments))
        return object_id, self._folder(object_id)

    def _write(
        self, loop: Loop, folder: str, pieces: Iterable[bytes | memoryview], may_go_on: Callable[[], bool]
    ) -> tuple[int, bytes]:
        """Write all objects; their bytes, and the checksum of each block of them."""
        assert self._objects is not None
        sums = bytearray()
        size = 0
        flying: deque[Future[None]] = deque()
        try:
            for number, data in enumerate(in_pieces(pieces, _PART_BYTES)):
                for start in range(0, len(data), CHUNK_BYTES):
                    crc = google_crc32c.value(data[start : start + CHUNK_BYTES])
                    sums += crc.to_bytes(_SUM_BYTES, "little")
                size += len(data)
                if len(flying) == _IN_FLIGHT:
                    flying.popleft().result()
                if not may_go_on():
                    raise StoreBusyError("this server's lease had ended")
                flying.append(loop.start(self._objects.put(_key(folder, number), data)))
            while flying:
                flying.popleft().result()
        finally:
            # None may be written once its row is somebody else's to remove.
            for future in flying:
                future.exception()
        return size, bytes(sums)

    async def _abandon(self, object_id: int) -> None:
        try:
            await self._query(lambda connection: connection.execute(_sql.ABANDON, object_id))
        except ServiceError as error:
            _log.debug("objects of a result that isn't stored stay until this server ends: %s", error.message)

    async def open(
        self, connection: Any, job_id: str, file: str, size: int, call: Callable[..., Any]
    ) -> Blocks:
        """Return the blocks of a result that a job's row names; `call` runs a coroutine on the store's
        loop, and waits for it.

        Raises:
            ServiceError: CHECKSUM_MISMATCH; STORE_BUSY: this server has no object store.
        """
        row = await connection.fetchrow(_sql.FIND, object_id_of(file))
        if row is None:
            raise damaged(job_id, "result")
        part_bytes, its_size, sums, row_sum = row
        if its_size != size or sums is None or row_sum != _row_sum(file, part_bytes, size, sums):
            raise damaged(job_id, "result")
        if self._objects is None:
            raise _not_set()
        folder = self._folder(object_id_of(file))

        def read(first: int, last: int) -> list[bytes]:
            return call(self._read(job_id, file, folder, part_bytes, size, sums, first, last))  # type: ignore[no-any-return]

        return read

    async def _read(
        self,
        job_id: str,
        file: str,
        folder: str,
        part_bytes: int,
        size: int,
        sums: bytes,
        first: int,
        last: int,
    ) -> list[bytes]:
        """Return some blocks that follow each other, as many as lie in one object."""
        assert self._objects is not None
        begin = first * CHUNK_BYTES
        number, start = divmod(begin, part_bytes)
        end = min((last + 1) * CHUNK_BYTES - begin + start, part_bytes, size - number * part_bytes)
        data = await self._objects.get(_key(folder, number), start, end)
        if data is None:
            key = job_id.encode()
            named = await self._query(lambda connection: connection.fetchval(RESULT_OF, key))
            raise damaged_block(job_id, first) if named == file.encode() else result_gone()
        blocks = [data[at : at + CHUNK_BYTES] for at in range(0, end - start, CHUNK_BYTES)]
        for block, its_number in zip(blocks, range(first, last + 1), strict=False):
            its_sum = sums[its_number * _SUM_BYTES : (its_number + 1) * _SUM_BYTES]
            wanted = min(CHUNK_BYTES, size - its_number * CHUNK_BYTES)
            if len(block) != wanted or google_crc32c.value(block).to_bytes(_SUM_BYTES, "little") != its_sum:
                raise damaged_block(job_id, its_number)
        return blocks

    async def sweep(self) -> None:
        """Remove what no job names, and no server will commit. On the store's loop.

        Raises:
            StoreBusyError: The object store, or the database, is away.
        """
        if self._objects is None:
            if not self._told and await self._query(lambda connection: connection.fetchrow(_sql.IS_THERE)):
                self._told = True
                _log.warning("results lie in an object store; start this server with --object-store")
            return
        await self._query(lambda connection: connection.execute(_sql.DOOM))
        while doomed := await self._query(lambda connection: connection.fetch(_sql.DOOMED, _BATCH)):
            for object_id, for_good in doomed:
                await self._objects.remove_all(self._folder(object_id))
                await self._note_removed(object_id, _sql.FORGET if for_good else _sql.REMOVED)

    async def _note_removed(self, object_id: int, statement: str) -> None:
        await self._query(lambda connection: connection.execute(statement, object_id))

    def _folder(self, object_id: int) -> str:
        return f"{self._service_id}/{object_id}"


def _key(folder: str, number: int) -> str:
    return f"{folder}/{number:06d}"


def _row_sum(name: str, part_bytes: int, size: int, sums: bytes) -> int:
    """Return the checksum of a row of objects."""
    return int(google_crc32c.value(f"objects {name!r},{part_bytes!r},{size!r}".encode() + b"\0" + sums))


def _not_set() -> StoreBusyError:
    return StoreBusyError("it lies in an object store, and this server was started without --object-store")
