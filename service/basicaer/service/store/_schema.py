"""The tables, how a file gets them, and how a file that isn't ours is told from one that is.

A file carries our application id and the number of the last migration that it has seen (`PRAGMA
user_version`). Migrations only ever get appended; each runs in a transaction of its own.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from basicaer.service.errors import DataDirectoryError

__all__ = ["PROBE", "connect", "open_database"]

# "BsAe": what `file` and we know our files by.
APPLICATION_ID = 0x42734165
# Writes the number that is there already, for which SQLite commits the file's first page anew.
PROBE = f"PRAGMA application_id = {APPLICATION_ID}"

_FIRST = """
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
    result BLOB
) STRICT;

-- A request id makes one job.
CREATE UNIQUE INDEX jobs_by_request ON jobs (principal, request_id);
-- Recovery reads the live jobs, people look for failed ones.
CREATE INDEX jobs_by_status ON jobs (status, job_id);
CREATE INDEX jobs_by_sweep_time ON jobs (sweep_time) WHERE sweep_time IS NOT NULL;

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
"""

_SECOND = """
-- Each principal lists its own jobs.
CREATE INDEX jobs_by_principal ON jobs (principal, job_id);
"""

_MIGRATIONS = (_FIRST, _SECOND)


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
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise DataDirectoryError(f"{path} belongs to another program; choose another data directory.")
    if version > len(_MIGRATIONS):
        raise DataDirectoryError(
            f"{path} was written by a later version of BasicAer (schema {version}, this one knows"
            f" {len(_MIGRATIONS)}); start that version."
        )
    for number, migration in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {migration} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {number}; COMMIT;"
        )
