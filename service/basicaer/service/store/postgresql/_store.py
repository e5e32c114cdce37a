"""A `JobStore` in a PostgreSQL database, which any number of servers share.

    jobs      jobs, events, specs, small results
    chunks    large results
    objects   where larger ones lie (see objects/)
    labels    what jobs are found by
    servers   who has a lease
    store     the revision of the tables, and how many servers there have been

Writes have one connection (see _session.py and _writer.py), the lease one (_lease.py), and what servers tell
each other one (_bell.py); reads and large results have a few. All of them live on one event loop, on a thread
of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import asyncpg
from basicaer.service.errors import DataDirectoryError, ServiceError, result_too_large
from basicaer.service.store._interface import (
    DamagedJob,
    ExistingJob,
    JobFilter,
    JobRecord,
    Listener,
    Observer,
    StagedResult,
    Write,
)
from basicaer.service.store._sums import damaged, fits, result_sum, spec_sum
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._errors import is_in_doubt, service_error
from basicaer.service.store.postgresql._loop import Loop
from basicaer.service.store.postgresql._results import (
    BlockedResult,
    Blocks,
    attempt_of,
    chunks_of,
    file_name,
    object_id_of,
    write_chunks,
)
from basicaer.service.store.postgresql._rows import record, text
from basicaer.service.store.postgresql._session import Connection, Session, new_pool
from basicaer.service.store.postgresql._statements import Discard
from basicaer.service.store.postgresql._writer import Writer
from basicaer.service.store.postgresql.objects.results import ObjectResults, Objects
from basicaer.service.store.postgresql.sharing.sharing import Sharing
from basicaer.service.vital import Vital

__all__ = ["PostgreSQLStore"]

_T = TypeVar("_T")

DEFAULT_LEASE = 10.0
"""Of a server, in seconds."""

# A serialized Result above this lies in chunks, as its parts do.
_MESSAGE_BYTES = 1 << 20
# Until a query is sent again, in seconds.
_PAUSE = 0.1
# Rows of a page that are fetched at a time: a row may hold a long Job.
_FETCHED = 50


class PostgreSQLStore:
    """A `JobStore` in a database that `database` is the URL of."""

    remote = True

    def __init__(
        self,
        database: str,
        *,
        observe: Observer = lambda seconds, writes, failed: None,
        vital: Vital | None = None,
        lease: float = DEFAULT_LEASE,
        objects: Objects | None = None,
        largest: int | None = None,
    ) -> None:
        """`observe` is called on the store's loop, must be quick and must not raise. `lease` is how long
        other servers wait for this one, in seconds. Results above `largest` bytes lie in `objects`; without
        that they are refused. When it is None, all lie in the database.

        Raises:
            ValueError: `database` is no such URL.
        """
        self._address = Address.of(database)
        self._observe = observe
        self._vital = vital or Vital()
        self._loop: Loop | None = None
        self._largest = largest
        self._objects = ObjectResults(objects, self._query)
        self.shared = Sharing(
            self._address, lease, self._read, lambda: self._open_loop, self._vital, self._objects.sweep
        )

    def open(self, listener: Listener) -> None:
        loop = Loop(self._vital)
        try:
            loop.call(self._open(loop, listener))
        except BaseException:
            loop.stop()
            raise
        self._loop = loop
        self._writer.start(self._vital)

    async def _open(self, loop: Loop, listener: Listener) -> None:
        self._session = session = Session(self._address)
        await session.open()
        try:
            self._pool = await new_pool(self._address)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            await session.close()
            raise DataDirectoryError(f"The database {self._address.shown} can't be used: {error}.") from error
        try:
            await self._objects.load()
        except BaseException:
            self._pool.terminate()
            await session.close()
            raise
        self._writer = Writer(loop, session, self.shared, listener, self._observe)

    def close(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        self._writer.close()
        loop.call(self._end())
        loop.stop()

    async def _end(self) -> None:
        await self._session.close()
        self._pool.terminate()
        # Connections that were broken off are closed by the loop's next round.
        await asyncio.sleep(0)

    def write(self, write: Write) -> None:
        self._writer.write(write)

    def stage_result(
        self, job_id: str, attempt: int, message: Sequence[bytes], parts: Sequence[memoryview]
    ) -> StagedResult:
        size = sum(map(len, message))
        in_chunks = size > _MESSAGE_BYTES
        row = None if in_chunks else b"".join(message)
        if not parts and not in_chunks:
            return StagedResult(row, None, 0)
        pieces: list[bytes | memoryview] = [*parts, *(message if in_chunks else ())]
        message_size = size if in_chunks else 0
        file_bytes = sum(part.nbytes for part in parts) + message_size
        if self._largest is None or file_bytes <= self._largest:
            self._open_loop.call(write_chunks(self._pool, job_id, attempt, pieces, self.shared.last_number))
            return StagedResult(row, file_name(job_id, attempt), message_size, file_bytes)
        if not self._objects.is_set:
            raise result_too_large(file_bytes, self._largest)
        name = self._objects.stage(self._open_loop, job_id, attempt, pieces, lambda: self.shared.last_number)
        return StagedResult(row, name, message_size, file_bytes)

    def discard_result(self, staged: StagedResult) -> None:
        if staged.file is not None:
            job_id = staged.file.rpartition("-")[0]
            self._writer.write(Discard(job_id, attempt_of(staged.file), staged.file))

    def live_jobs(self) -> Sequence[JobRecord | DamagedJob]:
        try:
            return self._call(lambda connection: _records(connection, _sql.LIVE_JOBS))
        except ServiceError as error:
            raise DataDirectoryError(
                f"The database {self._address.shown} can't be read: {error.message}"
            ) from error

    def load_spec(self, job_id: str) -> bytes | None:
        row = self._call(lambda connection: connection.fetchrow(_sql.LOAD_SPEC, job_id.encode()))
        if row is None or tuple(row) == (None, None):
            return None
        spec, its_sum = row
        if spec is None or spec_sum(job_id, spec) != its_sum:
            raise damaged(job_id, "spec")
        return bytes(spec)

    async def find(self, job_id: str) -> JobRecord | DamagedJob | None:
        found = await self._records(_sql.FIND_JOB, job_id.encode())
        return found[0] if found else None

    async def find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        return await self._open_loop.wait(self._writer.find_request(principal, request_id))

    async def list_jobs(
        self, job_filter: JobFilter, limit: int, most_bytes: int
    ) -> Sequence[JobRecord | DamagedJob]:
        statement, arguments = _sql.list_jobs(job_filter, limit)
        return await self._read(lambda connection: _page(connection, statement, arguments, most_bytes))

    async def due_jobs(self, now: int, limit: int) -> Sequence[JobRecord | DamagedJob]:
        return await self._records(_sql.DUE_JOBS, now, limit)

    async def used_bytes(self) -> tuple[int, int]:
        in_rows, in_chunks = await self._read(lambda connection: connection.fetchrow(_sql.USED_BYTES))
        return in_rows, in_chunks

    async def oldest_files(self, limit: int) -> Sequence[JobRecord | DamagedJob]:
        return await self._records(_sql.OLDEST_FILES, limit)

    async def old_jobs(self, before_job_id: str, limit: int) -> Sequence[JobRecord | DamagedJob]:
        return await self._records(_sql.OLD_JOBS, before_job_id.encode(), limit)

    async def open_result(self, job_id: str) -> BlockedResult | None:
        return await self._read(lambda connection: self._result(connection, job_id))

    async def _result(self, connection: Connection, job_id: str) -> BlockedResult | None:
        row = await connection.fetchrow(_sql.FIND_RESULT, job_id.encode())
        if row is None:
            return None
        name, message_size, size, message, its_sum = row
        file = text(name)
        if not fits(result_sum, (job_id, file, message_size, size, message), its_sum):
            raise damaged(job_id, "result")
        if file is None and message is None:
            return None
        blocks = None
        if file is not None:
            blocks = await self._blocks(connection, job_id, file, size)
        return BlockedResult(blocks, message, message_size, size or 0)

    async def _blocks(self, connection: Connection, job_id: str, file: str, size: int) -> Blocks:
        if object_id_of(file):
            call: Callable[..., Any] = self._open_loop.call
            return await self._objects.open(connection, job_id, file, size, call)
        if await connection.fetchval(_sql.CHUNK_SIZES, job_id.encode(), attempt_of(file)) != size:
            raise damaged(job_id, "result")
        return chunks_of(self._call, job_id, file, size)

    @property
    def _open_loop(self) -> Loop:
        if self._loop is None:
            raise service_error(asyncpg.InterfaceError("the store is closed"))
        return self._loop

    async def _records(self, statement: str, *arguments: object) -> list[JobRecord | DamagedJob]:
        return await self._read(lambda connection: _records(connection, statement, *arguments))

    async def _read(self, query: Callable[[Connection], Awaitable[_T]], *, once: bool = False) -> _T:
        return await self._open_loop.wait(self._query(query, once=once))

    def _call(self, query: Callable[[Connection], Awaitable[_T]]) -> _T:
        return self._open_loop.call(self._query(query))

    async def _query(self, query: Callable[[Connection], Awaitable[_T]], *, once: bool = False) -> _T:
        """Run a query on a reader's connection; again, unless it is to be sent `once`, when that connection
        turns out to be of no use any more.

        Raises:
            ServiceError: STORE_BUSY; CHECKSUM_MISMATCH: the database can't read what is there.
        """
        for again in (not once, False):
            try:
                async with self._pool.acquire() as connection:
                    return await query(connection)
            except Exception as error:
                if not (again and is_in_doubt(error)):
                    raise service_error(error) from error
            await asyncio.sleep(_PAUSE)
        raise AssertionError


async def _records(
    connection: Connection, statement: str, *arguments: object
) -> list[JobRecord | DamagedJob]:
    return [record(row) for row in await connection.fetch(statement, *arguments)]


async def _page(
    connection: Connection, statement: str, arguments: Sequence[Any], most_bytes: int
) -> list[JobRecord | DamagedJob]:
    records: list[JobRecord | DamagedJob] = []
    taken = 0
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(statement, *arguments, prefetch=_FETCHED):
            records.append(found := record(row))
            taken += len(found.job) if isinstance(found, JobRecord) else 0
            if taken > most_bytes and len(records) > 1:
                break
    return records
