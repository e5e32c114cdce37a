"""A database that jobs are moved to. A job comes in one transaction with its labels and its result: whoever
breaks a move off leaves whole jobs behind, and may begin it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import asyncpg
import google_crc32c
from basicaer.service.errors import DataDirectoryError, ServiceError, result_too_large
from basicaer.service.store._sums import result_sum
from basicaer.service.store.moving.source import SourceJob, UnmovableError
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._errors import service_error
from basicaer.service.store.postgresql._loop import Loop
from basicaer.service.store.postgresql._results import in_pieces, object_id_of
from basicaer.service.store.postgresql._rows import columns, origin_row
from basicaer.service.store.postgresql._session import Connection, Session, new_pool
from basicaer.service.store.postgresql.objects import statements as object_sql
from basicaer.service.store.postgresql.objects.results import ObjectResults, Objects
from basicaer.service.store.postgresql.sharing.bell import Bell
from basicaer.service.store.postgresql.sharing.statements import NOTIFY
from basicaer.service.vital import Vital
from basicaer.v1 import job_pb2

__all__ = ["Target"]

_T = TypeVar("_T")

# As whose objects are written until their job is there: see migrations/0004_objects.sql.
_MIGRATION = -1
_BEGUN = (job_pb2.JOB_STATUS_VALIDATING, job_pb2.JOB_STATUS_RUNNING)
_LABEL = "INSERT INTO labels (key, value, job_id) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[])"
_CHUNK = "INSERT INTO chunks (job_id, attempt, number, data, data_sum, server) VALUES ($1, $2, $3, $4, $5, 0)"
# A server that was ended amid a job is gone: others take it up, as they would one of their own.
_LIVE = "UPDATE jobs SET cancel_reason = $2, owner = CASE WHEN $3 THEN 0 END WHERE job_id = $1"
_TIMEOUT = 300.0


class Target:
    """The database, with its tables made. Blocking; its loop has a thread of its own."""

    def __init__(self, database: str, objects: Objects | None, largest: int) -> None:
        """Open it. Results of more than `largest` bytes go to `objects`.

        Raises:
            DataDirectoryError: It can't be used.
            ValueError: `database` is no URL of one.
        """
        self._address = Address.of(database)
        self._largest = largest
        self._objects = ObjectResults(objects, self._query)
        self._loop = Loop(Vital())
        self._session = Session(self._address)
        try:
            self._loop.call(self._open())
        except BaseException:
            self._loop.stop()
            raise

    @property
    def shown(self) -> str:
        """The database, for people."""
        return self._address.shown

    async def _open(self) -> None:
        await self._session.open()
        try:
            self._pool = await new_pool(self._address)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise DataDirectoryError(f"The database {self.shown} can't be used: {error}.") from error
        finally:
            await self._session.close()
        try:
            await self._objects.load()
        except BaseException:
            self._pool.terminate()
            raise

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Return those of these jobs that are there.

        Raises:
            ServiceError: STORE_BUSY.
        """
        keys = [job_id.encode() for job_id in job_ids]
        found = self._loop.call(self._query(lambda connection: connection.fetch(_sql.MADE, keys)))
        return {row[0].decode() for row in found}

    def add(self, jobs: Sequence[SourceJob]) -> list[UnmovableError]:
        """Add jobs without a result's file, together; which of them can't be added, and aren't there.

        Raises:
            ServiceError: STORE_BUSY: none of them may be there.
        """

        async def write(connection: Connection) -> set[str]:
            async with connection.transaction():
                return await self._insert(
                    connection, [(job, _row(job, job.file, job.result_sum)) for job in jobs]
                )

        made = self._loop.call(self._query(write))
        return self._refused([job for job in jobs if job.record.job_id not in made])

    def add_with_file(self, job: SourceJob, pieces: Iterable[bytes]) -> UnmovableError | None:
        """Add a job and its result's file; why not, if it can't be added, and isn't there.

        Raises:
            ServiceError: STORE_BUSY: it may not be there.
            UnmovableError: Its result can't be read, or is too large.
        """
        job_id, size = job.record.job_id, job.file_bytes or 0
        assert job.file is not None
        attempt = int(job.file.rpartition("-")[2])
        if size > self._largest:
            if not self._objects.is_set:
                raise UnmovableError(job_id, result_too_large(size, self._largest).message)
            name = self._objects.stage(self._loop, job_id, attempt, pieces, lambda: _MIGRATION)
            its_sum = result_sum(job_id, name, job.message_size, job.file_bytes, job.result)
            made = self._loop.call(
                self._query(lambda connection: self._one(connection, job, name, its_sum, ()))
            )
            if not made:
                object_id = object_id_of(name)
                abandon = self._query(lambda connection: connection.execute(object_sql.DISCARD, object_id))
                self._loop.call(abandon)
        else:
            # No more than that: it may be sent twice, and must not be read on the loop.
            data = list(in_pieces(list(pieces)))
            made = self._loop.call(
                self._query(lambda connection: self._one(connection, job, job.file, job.result_sum, data))
            )
        refused = [] if made else self._refused([job])
        return refused[0] if refused else None

    async def _one(
        self, connection: Connection, job: SourceJob, file: str | None, its_sum: int, chunks: Sequence[bytes]
    ) -> bool:
        async with connection.transaction():
            if not await self._insert(connection, [(job, _row(job, file, its_sum))]):
                return False
            if chunks:
                assert job.file is not None
                attempt, key = int(job.file.rpartition("-")[2]), job.record.job_id.encode()
                rows = [
                    (key, attempt, number, data, google_crc32c.value(data))
                    for number, data in enumerate(chunks)
                ]
                await connection.executemany(_CHUNK, rows, timeout=_TIMEOUT)
        return True

    async def _insert(
        self, connection: Connection, jobs: Sequence[tuple[SourceJob, tuple[object, ...]]]
    ) -> set[str]:
        """Insert jobs that aren't there; which were inserted."""
        found = await connection.fetch(_sql.INSERT_JOBS, *columns(row for _, row in jobs), timeout=_TIMEOUT)
        made = {row[0].decode() for row in found}
        labels = []
        for job, _ in jobs:
            record = job.record
            if record.job_id not in made:
                continue
            key = record.job_id.encode()
            labels += [(name.encode(), value.encode(), key) for name, value in job.message.labels.items()]
            if record.cancel_reason is not None or record.status in _BEGUN:
                reason = None if record.cancel_reason is None else record.cancel_reason.encode()
                await connection.execute(_LIVE, key, reason, record.status in _BEGUN)
        if labels:
            await connection.execute(_LABEL, *columns(labels))
        return made

    def _refused(self, jobs: Sequence[SourceJob]) -> list[UnmovableError]:
        """Why these weren't inserted; nothing of those that are there by now."""
        if not jobs:
            return []
        there = self.known([job.record.job_id for job in jobs])
        return [
            UnmovableError(
                job.record.job_id, f"its request id {job.request_id!r} is another job's in the database"
            )
            for job in jobs
            if job.record.job_id not in there
        ]

    def tell_waiting(self) -> None:
        """Let servers know that jobs wait.

        Raises:
            ServiceError: STORE_BUSY.
        """
        channel = Bell(self._address).channel
        self._loop.call(self._query(lambda connection: connection.execute(NOTIFY, channel, ["w"])))

    def close(self) -> None:
        """Let go of it."""

        async def end() -> None:
            await self._pool.close()

        self._loop.call(end())
        self._loop.stop()

    async def _query(self, query: Callable[[Any], Awaitable[_T]]) -> _T:
        try:
            async with self._pool.acquire() as connection:
                return await query(connection)
        except ServiceError:
            raise
        except Exception as error:
            raise service_error(error) from error


def _row(job: SourceJob, file: str | None, its_sum: int) -> tuple[object, ...]:
    """Return what INSERT_JOBS takes."""
    record = job.record
    return (
        *origin_row(
            record.job_id,
            record.principal,
            job.request_id,
            job.request_hash,
            job.backend_name,
            job.create_time,
        ),
        record.status,
        record.sequence,
        record.attempt,
        record.crashes,
        record.job,
        record.events,
        job.spec,
        job.result,
        None if file is None else file.encode(),
        job.message_size,
        job.file_bytes,
        job.sweep_time,
        job.origin_sum,
        job.state_sum,
        job.spec_sum,
        its_sum,
        job.message.required_bytes,
        job.message.nodes or 1,
    )
