"""The embedded store: one SQLite file, and files of large results beside it.

    DATA_DIR/lock            held while a server uses the directory
    DATA_DIR/jobs.sqlite3    jobs, events, small results (write-ahead log, every commit synced)
    DATA_DIR/results/        large results

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

from basicaer.service.errors import DataDirectoryError, ServiceError
from basicaer.v1 import error_reason_pb2

from . import _sql
from ._files import DirectoryLock, ResultFile, ResultFiles
from ._interface import ExistingJob, JobFilter, JobRecord, Listener, Observer, StagedResult, Write
from ._schema import connect, open_database
from ._writer import Writer

__all__ = ["SQLiteStore"]

_T = TypeVar("_T")

_READERS = 2
# A serialized Result above this lies in the result's file, so that the database's log needn't carry it.
_MESSAGE_BYTES = 1 << 20


class SQLiteStore:
    """A `JobStore` in one directory, which is made when it isn't there. One process at a time uses it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        busy_timeout: float = 2.0,
        observe: Observer = lambda seconds, writes, failed: None,
    ) -> None:
        """`busy_timeout` is how many seconds a statement waits for another program's lock on the database;
        `observe` is called on the writer's thread, must be quick and must not raise.
        """
        self._directory = data_dir
        self._busy_timeout = busy_timeout
        self._observe = observe
        self._lock: DirectoryLock | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    def open(self, listener: Listener) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataDirectoryError(f"{self._directory} can't be made: {error.strerror}.") from error
        lock = DirectoryLock(self._directory / "lock")
        try:
            connection = open_database(self._path, busy_timeout=self._busy_timeout)
            self._files = ResultFiles(self._directory / "results")
            self._files.remove_all_but({name for (name,) in connection.execute(_sql.RESULT_FILES)})
        except BaseException:
            lock.release()
            raise
        self._lock = lock
        self._writer = Writer(connection, listener, self._files.remove, self._observe)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        for _ in range(_READERS):
            self._connections.put(connect(self._path, busy_timeout=self._busy_timeout, read_only=True))

    @property
    def _path(self) -> Path:
        return self._directory / "jobs.sqlite3"

    def close(self) -> None:
        if self._lock is None or self._readers is None:
            return
        self._readers.shutdown()
        for _ in range(_READERS):
            self._connections.get().close()
        # The last connection to close moves the log into the database, so the writer's comes last.
        self._writer.close()
        self._lock.release()
        self._lock = None

    def write(self, write: Write) -> None:
        self._writer.write(write)

    def stage_result(
        self, job_id: str, attempt: int, message: bytes, parts: Sequence[memoryview]
    ) -> StagedResult:
        in_file = len(message) > _MESSAGE_BYTES
        if not parts and not in_file:
            return StagedResult(message, None, 0)
        name = f"{job_id}-{attempt}"
        self._files.write(name, [*parts, message] if in_file else parts)
        message_size = len(message) if in_file else 0
        file_bytes = sum(part.nbytes for part in parts) + message_size
        return StagedResult(None if in_file else message, name, message_size, file_bytes)

    def discard_result(self, staged: StagedResult) -> None:
        if staged.file is not None:
            self._writer.remove_file(staged.file)

    def live_jobs(self) -> Sequence[JobRecord]:
        return self._select_jobs(_sql.LIVE_JOBS, ())

    def load_spec(self, job_id: str) -> bytes | None:
        with self._connection() as connection:
            row = connection.execute(_sql.LOAD_SPEC, (job_id,)).fetchone()
        return row[0] if row else None

    async def find(self, job_id: str) -> JobRecord | None:
        records = await self._read(self._select_jobs, _sql.FIND_JOB, (job_id,))
        return records[0] if records else None

    async def find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        return await self._read(self._find_request, principal, request_id)

    async def list_jobs(self, job_filter: JobFilter, limit: int) -> Sequence[JobRecord]:
        return await self._read(self._select_jobs, *_sql.list_jobs(job_filter, limit))

    async def due_jobs(self, now: int, limit: int) -> Sequence[JobRecord]:
        return await self._read(self._select_jobs, _sql.DUE_JOBS, (now, limit))

    async def used_bytes(self) -> tuple[int, int]:
        return await self._read(self._used_bytes)

    async def oldest_files(self, limit: int) -> Sequence[JobRecord]:
        return await self._read(self._select_jobs, _sql.OLDEST_FILES, (limit,))

    async def old_jobs(self, before_job_id: str, limit: int) -> Sequence[JobRecord]:
        return await self._read(self._select_jobs, _sql.OLD_JOBS, (before_job_id, limit))

    async def open_result(self, job_id: str) -> ResultFile | None:
        return await self._read(self._open_result, job_id)

    async def _read(self, function: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, function, *arguments)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """One of the readers' connections. Threads of others that read now and then wait for one to come
        free.
        """
        connection = self._connections.get()
        try:
            yield connection
        finally:
            self._connections.put(connection)

    def _select_jobs(self, statement: str, arguments: Sequence[object]) -> Sequence[JobRecord]:
        with self._connection() as connection:
            return [JobRecord(*row) for row in connection.execute(statement, arguments)]

    def _find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        with self._connection() as connection:
            row = connection.execute(_sql.FIND_REQUEST, (principal, request_id)).fetchone()
        return ExistingJob(*row) if row else None

    def _used_bytes(self) -> tuple[int, int]:
        with self._connection() as connection:
            rows, files = connection.execute(_sql.USED_BYTES).fetchone()
        return rows, files

    def _open_result(self, job_id: str) -> ResultFile | None:
        with self._connection() as connection:
            row = connection.execute(_sql.FIND_RESULT, (job_id,)).fetchone()
        if row is None or (row[0] is None and row[3] is None):
            return None
        name, message_size, size, message = row
        try:
            return ResultFile(self._files.path(name) if name else None, message, message_size, size or 0)
        except OSError as error:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
                f"The file of the result of job {job_id} is missing ({error.strerror}); submit it again.",
                metadata={"part": "result", "offset": "0"},
            ) from error
