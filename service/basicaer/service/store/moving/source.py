"""A data directory whose jobs are to be moved: read, compared with its checksums, and never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from basicaer.service.errors import DataDirectoryError, ServiceError
from basicaer.service.store._interface import JobRecord
from basicaer.service.store._sums import RECORD, fits, read_record, result_sum, spec_sum
from basicaer.service.store.sqlite import _sql
from basicaer.service.store.sqlite._files import DirectoryLock, ResultFile
from basicaer.service.store.sqlite._identity import DATABASE, MOVED, Identity
from basicaer.service.store.sqlite._open_files import OpenFiles
from basicaer.service.store.sqlite._rights import check_rights
from basicaer.service.store.sqlite._rows import rows
from basicaer.service.store.sqlite._schema import APPLICATION_ID, REVISIONS, unusable
from basicaer.v1 import job_pb2
from google.protobuf.message import DecodeError

__all__ = ["Source", "SourceJob", "UnmovableError"]

_BUSY_TIMEOUT = 2.0
_BATCH = 100
_PIECE = 1 << 20
_JOBS = f"SELECT number, job_id, {RECORD}, sweep_time FROM jobs WHERE number > ? ORDER BY number LIMIT ?"
_SIZES = "SELECT count(*), coalesce(sum(file_bytes), 0) FROM jobs"


class UnmovableError(Exception):
    """A job stays where it is; says why."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(why)
        self.job_id = job_id


@dataclass(frozen=True, slots=True)
class SourceJob:
    """A job as it is stored, with its checksums; all but a result's file was compared with them."""

    record: JobRecord
    message: job_pb2.Job
    request_id: str | None
    request_hash: bytes
    backend_name: str
    create_time: int
    sweep_time: int | None
    origin_sum: int
    state_sum: int
    spec: bytes | None
    spec_sum: int | None
    # Of the result: its message unless that lies in the file, the file, and what is in it.
    result: bytes | None
    file: str | None
    message_size: int
    file_bytes: int | None
    result_sum: int


class Source:
    """The data directory, which no server has as long as this is open."""

    def __init__(self, directory: Path) -> None:
        """Lock and open it.

        Raises:
            DataDirectoryError: It isn't there, a server uses it, or it is of another version of this program.
        """
        self._directory = directory
        self._path = directory / DATABASE
        if not self._path.exists():
            raise DataDirectoryError(
                f"{directory} holds no jobs: there is no {DATABASE}. Name another --data-dir."
            )
        check_rights(directory)
        self._lock = DirectoryLock(directory / "lock")
        try:
            Identity(directory).check()
            # One that may write would put the log of a server that was killed into the file, and remove it.
            self._connection = sqlite3.connect(
                f"file:{quote(str(self._path.absolute()))}?mode=ro",
                uri=True,
                timeout=_BUSY_TIMEOUT,
                isolation_level=None,
            )
            try:
                self._check()
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            self._lock.release()
            raise unusable(self._path, error) from error
        except BaseException:
            self._lock.release()
            raise

    def _check(self) -> None:
        ((application,),) = rows(self._connection, "PRAGMA application_id", ())
        if application != APPLICATION_ID:
            raise DataDirectoryError(f"{self._path} belongs to another program; name another --data-dir.")
        found = rows(self._connection, "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'", ())
        names = rows(self._connection, "SELECT version_num FROM alembic_version", ()) if found else []
        revision = names[0][0] if names else "none"
        if revision != REVISIONS[-1]:
            raise DataDirectoryError(
                f"{self._path} is of another version of BasicAer (revision {revision}, this one knows"
                f" {REVISIONS[-1]}). If that is an earlier one, start 'basicaer serve' with it once, which"
                " brings it up to date, and stop it; else migrate with the later version."
            )

    def sizes(self) -> tuple[int, int]:
        """Return the number of jobs, and the bytes of all results in files."""
        ((jobs, in_files),) = rows(self._connection, _SIZES, ())
        return jobs, in_files

    def jobs(self) -> Iterator[list[SourceJob | UnmovableError]]:
        """All jobs, in the order in which they came, some at a time."""
        last = -(2**63)
        while batch := rows(self._connection, _JOBS, (last, _BATCH)):
            last = batch[-1][0]
            yield [self._job(row[1:]) for row in batch]

    def _job(self, row: tuple[Any, ...]) -> SourceJob | UnmovableError:
        *columns, sweep_time = row
        record = read_record(columns)
        if not isinstance(record, JobRecord):
            return UnmovableError(record.job_id, "it is damaged")
        job_id = record.job_id
        # Its checksum says that they are what was written, and so of their types.
        request_id, request_hash, backend_name, create_time, origin, state = columns[9:]
        try:
            message = job_pb2.Job.FromString(record.job)
        except DecodeError:
            return UnmovableError(job_id, "it is damaged")
        ((spec, its_spec_sum),) = rows(self._connection, _sql.LOAD_SPEC, (job_id,))
        if not (fits(spec_sum, (job_id, spec), its_spec_sum) if spec is not None else its_spec_sum is None):
            return UnmovableError(job_id, "its programs are damaged")
        ((*of_result, its_result_sum),) = rows(self._connection, _sql.FIND_RESULT, (job_id,))
        if not fits(result_sum, (job_id, *of_result), its_result_sum):
            return UnmovableError(job_id, "its result is damaged")
        file, message_size, file_bytes, result = of_result
        return SourceJob(
            record,
            message,
            request_id,
            request_hash,
            backend_name,
            create_time,
            sweep_time,
            origin,
            state,
            spec,
            its_spec_sum,
            result,
            file,
            message_size,
            file_bytes,
            its_result_sum,
        )

    def pieces(self, job: SourceJob) -> Iterator[bytes]:
        """Return the bytes of a job's result file, a mebibyte at a time, each compared with its checksum.

        Raises:
            UnmovableError: It is missing, or damaged.
        """
        if job.file is None:
            return
        job_id, size = job.record.job_id, job.file_bytes or 0
        path = self._directory / "results" / job.file
        try:
            file = ResultFile(OpenFiles(), path, job.result, job.message_size, size)
            with closing(file):
                for offset in range(0, size, _PIECE):
                    yield file.read_checked(offset, min(_PIECE, size - offset))
        except FileNotFoundError:
            raise UnmovableError(job_id, f"its result's file {path} is missing") from None
        except ServiceError as error:
            raise UnmovableError(job_id, f"its result can't be read: {error.message}") from error

    def note_moved(self, shown: str) -> None:
        """Keep servers from starting with the directory: what waits there would run twice."""
        with (self._directory / MOVED).open("w", encoding="utf-8") as note:
            note.write(f"{shown}\n")

    def close(self) -> None:
        """Let servers in."""
        self._connection.close()
        self._lock.release()
