"""The tables, how a file gets them, and how a file that isn't ours is told from one that is.

A file carries our application id, and its revision twice: for Alembic (`alembic_version`), and as a number
for servers from before Alembic (`PRAGMA user_version`). A new file gets the tables as they are now; one of an
earlier revision is upgraded by `migrations`, in one transaction. tests/unit/store compares the two.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from basicaer.service.errors import DataDirectoryError

__all__ = ["PROBE", "REVISIONS", "connect", "open_database"]

# "BsAe": what `file` and we know our files by.
APPLICATION_ID = 0x42734165
# Writes the number that is there already, for which SQLite commits the file's first page anew.
PROBE = f"PRAGMA application_id = {APPLICATION_ID}"

REVISIONS = ("0001", "0002")

_TABLES = """
-- A job: columns to find it by, then its state as serialized messages.
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL,
    -- NULL when the caller gave none; it then never collides.
    request_id TEXT,
    request_hash BLOB NOT NULL,
    backend_name TEXT NOT NULL,
    -- Nanoseconds since the epoch, as all times here.
    create_time INTEGER NOT NULL,
    -- A number of basicaer.v1.JobStatus.
    status INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    -- Not NULL once CancelJob was called.
    cancel_reason TEXT,
    -- When a final job has something that can be removed.
    sweep_time INTEGER,
    -- The file in results/ with the result's parts, and the size of the serialized Result at its end.
    result_file TEXT,
    message_size INTEGER NOT NULL,
    -- basicaer.v1.Job, and its durable events, each with its length before it.
    job BLOB NOT NULL,
    events BLOB NOT NULL,
    -- basicaer.v1.JobSpec of a live job and basicaer.v1.Result of a final one, unless they lie in payloads.
    spec BLOB,
    result BLOB,
    -- The size of result_file without its checksums, 0 without a file; NULL when there is no result (any
    -- more).
    file_bytes INTEGER
) STRICT;

-- A request id makes one job.
CREATE UNIQUE INDEX jobs_by_request ON jobs (principal, request_id);
-- Recovery reads the live jobs, people look for failed ones.
CREATE INDEX jobs_by_status ON jobs (status, job_id);
CREATE INDEX jobs_by_sweep_time ON jobs (sweep_time) WHERE sweep_time IS NOT NULL;
-- Each principal lists its own jobs.
CREATE INDEX jobs_by_principal ON jobs (principal, job_id);
-- When the store is too large, the oldest files go.
CREATE INDEX jobs_with_files ON jobs (job_id, file_bytes) WHERE file_bytes > 0;

-- What is too large for a job's row, which is written anew at each change of status.
CREATE TABLE payloads (
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('spec', 'result')),
    data BLOB NOT NULL,
    PRIMARY KEY (job_id, kind)
) STRICT;
-- A final job isn't run again.
CREATE TRIGGER payloads_of_final_jobs AFTER UPDATE OF status ON jobs
WHEN new.status IN (5, 6, 7) AND old.spec IS NULL
BEGIN
    DELETE FROM payloads WHERE job_id = new.job_id AND kind = 'spec';
END;

CREATE TABLE labels (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (key, value, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_job ON labels (job_id);

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
"""

# The log is cut back to this after a burst.
_LOG_BYTES = 64 << 20


def connect(path: Path, *, busy_timeout: float, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that may be used by one thread at a time."""
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA query_only = ON" if read_only else "PRAGMA synchronous = FULL")
    return connection


def open_database(path: Path, *, busy_timeout: float) -> sqlite3.Connection:
    """The writer's connection to a file, which is made or brought up to date first.

    Raises:
        DataDirectoryError: The file is corrupt, another program's, or of a later version of this one.
    """
    try:
        connection = connect(path, busy_timeout=busy_timeout)
        try:
            _migrate(connection, path)
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise DataDirectoryError(
                    f"{path} is on a file system without write-ahead logging; choose a local data directory."
                )
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise DataDirectoryError(
            f"{path} can't be used: {error}. Move it away to start without its jobs, or bring it back"
            " from a backup."
        ) from error
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        # What is removed later gives its pages back, a few at a time (see the Reclaim write).
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES}"
            f" INSERT INTO alembic_version VALUES ('{REVISIONS[-1]}');{_marks()} COMMIT;"
        )
        return
    if application != APPLICATION_ID:
        raise DataDirectoryError(f"{path} belongs to another program; choose another data directory.")
    revision = _revision(connection)
    if revision == REVISIONS[-1]:
        return
    if revision not in REVISIONS:
        raise DataDirectoryError(
            f"{path} was written by a later version of BasicAer (revision {revision}, this one knows"
            f" {REVISIONS[-1]}); start that version, or bring back a backup from before it."
        )
    _upgrade(connection, path, revision)


def _revision(connection: sqlite3.Connection) -> str:
    """The revision that a file has reached."""
    (alembic,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    ).fetchone()
    if alembic:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else "none"
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return f"{version:04d}"


def _upgrade(connection: sqlite3.Connection, path: Path, revision: str) -> None:
    # Here, since it takes half a second, and almost no start needs it.
    from .migrations import upgrade

    (alembic,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    ).fetchone()
    try:
        upgrade(connection, path.parent, None if alembic else revision, _marks().split(";")[:-1])
    except Exception as error:
        raise DataDirectoryError(
            f"{path} can't be brought from revision {revision} to {REVISIONS[-1]} ({error}); nothing was"
            " changed."
        ) from error
    (vacuum,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    if vacuum == 0:
        # It takes effect with the next VACUUM only, which needs as much room again; without it the file
        # works as well, and merely never shrinks.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("VACUUM")


def _marks() -> str:
    return f" PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {len(REVISIONS)};"
