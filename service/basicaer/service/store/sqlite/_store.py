"""The embedded store: one SQLite file, and files of large results beside it.

    DATA_DIR/lock            held while a server uses the directory
    DATA_DIR/jobs.sqlite3    jobs, events, small results (write-ahead log, every commit synced)
    DATA_DIR/results/        large results
    DATA_DIR/set-aside/      results that the database doesn't know, if there were any
    DATA_DIR/store           that this database is the one of this directory
    DATA_DIR/moved           that its jobs are another store's by now

Writes go through one thread (see _writer.py); reads have a few connections of their own, which see every
commit at once and neither wait for the writer nor hold it up.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from basicaer.service.errors import DataDirectoryError, ServiceError, StoreBusyError
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
from basicaer.service.store._sums import (
    damaged,
    database_damaged,
    existing_job,
    fits,
    read_record,
    result_sum,
    spec_sum,
)
from basicaer.service.store.sqlite import _sql
from basicaer.service.store.sqlite._aside import Aside
from basicaer.service.store.sqlite._files import DirectoryLock, ResultFile, ResultFiles, make_private
from basicaer.service.store.sqlite._identity import DATABASE, MOVED, Identity
from basicaer.service.store.sqlite._leftovers import clear_leftovers
from basicaer.service.store.sqlite._mend import mend_rows
from basicaer.service.store.sqlite._rights import check_rights, make_directory
from basicaer.service.store.sqlite._rows import read, rows
from basicaer.service.store.sqlite._schema import connect, is_checked, mend_indexes, open_database, unusable
from basicaer.service.store.sqlite._writer import Writer
from basicaer.service.vital import Vital
from basicaer.v1 import error_reason_pb2

__all__ = ["SQLiteStore"]

_T = TypeVar("_T")

_READERS = 2
# A serialized Result above this lies in the result's file, so that the database's log needn't carry it.
_MESSAGE_BYTES = 1 << 20


class SQLiteStore:
    """A `JobStore` in one directory, which is made when it isn't there. One process at a time uses it."""

    remote = False
    shared = None

    def __init__(
        self,
        data_dir: Path,
        *,
        busy_timeout: float = 2.0,
        observe: Observer = lambda seconds, writes, failed: None,
        vital: Vital | None = None,
    ) -> None:
        """`busy_timeout` is how many seconds a statement waits for another program's lock on the database;
        `observe` is called on the writer's thread, must be quick and must not raise.
        """
        self._directory = data_dir
        self._busy_timeout = busy_timeout
        self._observe = observe
        self._vital = vital or Vital()
        self._lock: DirectoryLock | None = None
        # Request ids that may be those of damaged jobs.
        self._doubtful: dict[str, str] = {}
        self._readers: ThreadPoolExecutor | None = None
        self._connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    def open(self, listener: Listener) -> None:
        make_directory(self._directory)
        check_rights(self._directory)
        lock = DirectoryLock(self._directory / "lock")
        try:
            self._check_moved()
            connection = self._open_database()
        except BaseException:
            lock.release()
            raise
        self._lock = lock
        self._writer = Writer(
            connection, listener, self._files.remove, self._observe, self._vital, self._doubtful
        )
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        for _ in range(_READERS):
            self._connections.put(connect(self._path, busy_timeout=self._busy_timeout, read_only=True))

    def _check_moved(self) -> None:
        note = self._directory / MOVED
        if not note.exists():
            return
        where = note.read_text(encoding="utf-8", errors="replace").strip()
        raise DataDirectoryError(
            f"The jobs of {self._directory} were taken over to the database {where} ('basicaer migrate'):"
            " start with --database, or with another --data-dir. What waits here would run twice; to have"
            f" that, remove {note}."
        )

    def _open_database(self) -> sqlite3.Connection:
        identity = Identity(self._directory)
        new = identity.check()
        make_private(self._path, new=new)
        connection = open_database(self._path, busy_timeout=self._busy_timeout, new=new)
        try:
            ((store_id,),) = rows(connection, _sql.STORE_ID, ())
            if (its_id := identity.open(str(store_id))) != store_id:
                connection.execute(_sql.SET_STORE_ID, (its_id,))
            self._files = ResultFiles(self._directory / "results")
            if mend_indexes(connection, self._path):
                if is_checked(self._path):
                    self._doubtful = mend_rows(connection, self._files.path(""))
                clear_leftovers(self._files, Aside(self._directory), connection)
        except sqlite3.Error as error:
            connection.close()
            raise unusable(self._path, error) from error
        except BaseException:
            connection.close()
            raise
        self._identity = identity
        return connection

    @property
    def _path(self) -> Path:
        return self._directory / DATABASE

    def close(self) -> None:
        if self._lock is None or self._readers is None:
            return
        self._readers.shutdown()
        for _ in range(_READERS):
            self._connections.get().close()
        # The last connection to close moves the log into the database, so the writer's comes last.
        self._writer.close(self._identity.close)
        self._lock.release()
        self._lock = None

    def write(self, write: Write) -> None:
        self._writer.write(write)

    def stage_result(
        self, job_id: str, attempt: int, message: Sequence[bytes], parts: Sequence[memoryview]
    ) -> StagedResult:
        size = sum(map(len, message))
        in_file = size > _MESSAGE_BYTES
        row = None if in_file else b"".join(message)
        if not parts and not in_file:
            return StagedResult(row, None, 0)
        name = f"{job_id}-{attempt}"
        self._files.write(name, [*parts, *message] if in_file else parts)
        message_size = size if in_file else 0
        file_bytes = sum(part.nbytes for part in parts) + message_size
        return StagedResult(row, name, message_size, file_bytes)

    def discard_result(self, staged: StagedResult) -> None:
        if staged.file is not None:
            self._writer.remove_file(staged.file)

    def live_jobs(self) -> Sequence[JobRecord | DamagedJob]:
        try:
            return self._select_jobs(_sql.LIVE_JOBS, ())
        except ServiceError as error:
            raise DataDirectoryError(f"{self._path} can't be read: {error.message}") from error

    def load_spec(self, job_id: str) -> bytes | None:
        with self._connection() as connection:
            row = connection.execute(_sql.LOAD_SPEC, (job_id,)).fetchone()
        if row is None or row == (None, None):
            return None
        spec, its_sum = row
        if not isinstance(spec, bytes) or spec_sum(job_id, spec) != its_sum:
            raise damaged(job_id, "spec")
        return spec

    async def find(self, job_id: str) -> JobRecord | DamagedJob | None:
        records = await self._read(self._select_jobs, _sql.FIND_JOB, (job_id,))
        return records[0] if records else None

    async def find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        return await self._read(self._find_request, principal, request_id)

    async def list_jobs(
        self, job_filter: JobFilter, limit: int, most_bytes: int
    ) -> Sequence[JobRecord | DamagedJob]:
        return await self._read(self._select_page, *_sql.list_jobs(job_filter, limit), most_bytes)

    async def due_jobs(self, now: int, limit: int) -> Sequence[JobRecord | DamagedJob]:
        return await self._read(self._select_jobs, _sql.DUE_JOBS, (now, limit))

    async def used_bytes(self) -> tuple[int, int]:
        return await self._read(self._used_bytes)

    async def oldest_files(self, limit: int) -> Sequence[JobRecord | DamagedJob]:
        return await self._read(self._select_jobs, _sql.OLDEST_FILES, (limit,))

    async def old_jobs(self, before_job_id: str, limit: int) -> Sequence[JobRecord | DamagedJob]:
        return await self._read(self._select_jobs, _sql.OLD_JOBS, (before_job_id, limit))

    async def open_result(self, job_id: str) -> ResultFile | None:
        return await self._read(self._open_result, job_id)

    async def _read(self, function: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, function, *arguments)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """One of the readers' connections. Threads of others that read now and then wait for one to come
        free.

        Raises:
            ServiceError: STORE_BUSY, or CHECKSUM_MISMATCH: SQLite can't read what is there.
        """
        connection = self._connections.get()
        try:
            yield connection
        except sqlite3.OperationalError as error:
            raise StoreBusyError(str(error)) from error
        except sqlite3.DatabaseError as error:
            raise database_damaged(error) from error
        finally:
            self._connections.put(connection)

    def _select_jobs(self, statement: str, arguments: Sequence[object]) -> Sequence[JobRecord | DamagedJob]:
        with self._connection() as connection:
            return [read_record(row) for row in rows(connection, statement, arguments)]

    def _select_page(
        self, statement: str, arguments: Sequence[object], most_bytes: int
    ) -> Sequence[JobRecord | DamagedJob]:
        def take(cursor: sqlite3.Cursor) -> list[JobRecord | DamagedJob]:
            records: list[JobRecord | DamagedJob] = []
            taken = 0
            for row in cursor:
                records.append(record := read_record(row))
                taken += len(record.job) if isinstance(record, JobRecord) else 0
                if taken > most_bytes and len(records) > 1:
                    break
            return records

        with self._connection() as connection:
            return read(connection, statement, arguments, take)

    def _find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        with self._connection() as connection:
            found = rows(connection, _sql.FIND_REQUEST, (principal, request_id))
        return existing_job(found[0]) if found else None

    def _used_bytes(self) -> tuple[int, int]:
        with self._connection() as connection:
            in_rows, in_files = connection.execute(_sql.USED_BYTES).fetchone()
        return in_rows, in_files

    def _open_result(self, job_id: str) -> ResultFile | None:
        with self._connection() as connection:
            found = rows(connection, _sql.FIND_RESULT, (job_id,))
        if not found:
            return None
        *of_result, its_sum = found[0]
        name, message_size, size, message = of_result
        if not fits(result_sum, (job_id, *of_result), its_sum):
            raise damaged(job_id, "result")
        if name is None and message is None:
            return None
        try:
            return ResultFile(
                self._files.open, self._files.path(name) if name else None, message, message_size, size or 0
            )
        except FileNotFoundError as error:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
                f"The file of the result of job {job_id} is missing ({error.strerror}); submit it again.",
                metadata={"part": "result", "offset": "0"},
            ) from error
