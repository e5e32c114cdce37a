"""The tables, how a file gets them, and how a file that isn't ours is told from one that is.

A file carries our application id, and its revision twice: for Alembic (`alembic_version`), and as a number
for servers from before Alembic (`PRAGMA user_version`). A new file gets the tables as they are now; one of an
earlier revision is upgraded by `migrations`, in one transaction. tests/unit/store compares the two.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

from basicaer.service.errors import DataDirectoryError
from basicaer.service.store.sqlite._rows import rows

_log = logging.getLogger(__name__)

__all__ = [
    "APPLICATION_ID",
    "PROBE",
    "REVISIONS",
    "connect",
    "is_checked",
    "mend_indexes",
    "open_database",
    "unusable",
]

# "BsAe": what `file` and we know our files by.
APPLICATION_ID = 0x42734165
# Writes the number that is there already, for which SQLite commits the file's first page anew.
PROBE = f"PRAGMA application_id = {APPLICATION_ID}"

REVISIONS = ("0001", "0002", "0003")

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
    file_bytes INTEGER,
    -- CRC-32C of the row's parts, see _sums.py. NULL for a spec that isn't there any more.
    origin_sum INTEGER,
    state_sum INTEGER,
    spec_sum INTEGER,
    result_sum INTEGER
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

-- One row, by which a data directory knows its database.
CREATE TABLE store (
    store_id TEXT NOT NULL
) STRICT;
INSERT INTO store VALUES (lower(hex(randomblob(16))));

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
"""

# Up to this size it is checked at each start, which takes a second for 100 MiB; `basicaer doctor` checks any.
_CHECKED_BYTES = 256 << 20
_CHECK = "PRAGMA integrity_check(3)"

# What to do about a database by SQLite's primary result code: most aren't damage, and then nothing is lost.
_DAMAGED = (
    "Bring it back from a backup; 'basicaer doctor' tells more. Or, to start without its jobs, move it away,"
    " and results/ and store beside it."
)
_RIGHTS = (
    "Nothing of it is lost. Look after the rights of the data directory and of what is in it, and after the"
    " room on its disk (df, and df -i); 'basicaer doctor' tells more."
)
_DISK = "The disk can't be read or written: the kernel's log tells more. Start again once that is mended."
_LOCKED = "Another program has it open; end that, and start again."
_ADVICE = {
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_FULL: "Free some room on its disk, and start again; nothing of it is lost.",
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_NOMEM: "There is too little memory to open it; nothing of it is lost.",
}

# The log is cut back to this after a burst.
_LOG_BYTES = 64 << 20


def connect(path: Path, *, busy_timeout: float, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection in autocommit mode that may be used by one thread at a time."""
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA query_only = ON" if read_only else "PRAGMA synchronous = FULL")
    return connection


def open_database(path: Path, *, busy_timeout: float, new: bool = True) -> sqlite3.Connection:
    """Return the writer's connection to a file, which is made, if it may be `new`, or brought up to date
    first.

    Raises:
        DataDirectoryError: The file is corrupt, another program's, or of a later version of this one.
    """
    try:
        connection = connect(path, busy_timeout=busy_timeout)
        try:
            _migrate(connection, path, new)
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise DataDirectoryError(
                    f"{path} is on a file system without write-ahead logging; choose a local data directory."
                )
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # A damaged file may make SQLite say what isn't text.
        raise unusable(path, error) from error
    return connection


def is_checked(path: Path) -> bool:
    """Whether a database is small enough to be read as a whole at each start."""
    return path.stat().st_size <= _CHECKED_BYTES


def mend_indexes(connection: sqlite3.Connection, path: Path) -> bool:
    """Compare the indexes with the tables, and make them anew when they don't fit: a job that an index
    leaves out would look as if it weren't there. Whether all is well then; what isn't is in the log.
    """
    if not is_checked(path):
        return True
    wrong = _wrong(connection)
    if not wrong:
        return True
    _log.error("%s is damaged (%s)", path, "; ".join(wrong))
    with contextlib.suppress(sqlite3.Error):
        connection.execute("REINDEX")
    if not _wrong(connection):
        _log.warning("%s: its indexes were made anew, and nothing else was damaged", path)
        return True
    _log.error(
        "%s: jobs may be missing; the others are answered. Look after the disk, and bring back a backup;"
        " 'basicaer doctor' tells more",
        path,
    )
    return False


def _wrong(connection: sqlite3.Connection) -> list[str]:
    try:
        return [str(line) for (line,) in connection.execute(_CHECK) if line != "ok"]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return [str(error)]


def unusable(path: Path, error: Exception) -> DataDirectoryError:
    """Return what to do about a file that SQLite can't use."""
    advice = _ADVICE.get(int(getattr(error, "sqlite_errorcode", 0)) & 0xFF, _DAMAGED)
    return DataDirectoryError(f"{path} can't be used: {error}. {advice}")


def _migrate(connection: sqlite3.Connection, path: Path, new: bool) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and not new and application == APPLICATION_ID:
        raise DataDirectoryError(
            f"{path} has lost its tables, and with them all jobs. Bring it back from a backup; or, to start"
            " without its jobs, move it away, and results/ and store beside it."
        )
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
    revision = _mended(_revision(connection), connection, path)
    if revision == REVISIONS[-1]:
        return
    if revision not in REVISIONS:
        raise DataDirectoryError(
            f"{path} was written by a later version of BasicAer (revision {revision}, this one knows"
            f" {REVISIONS[-1]}); start that version, or bring back a backup from before it."
        )
    _upgrade(connection, path, revision)


def _revision(connection: sqlite3.Connection) -> str:
    """Return the revision that a file has reached."""
    (alembic,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    ).fetchone()
    if alembic:
        found = rows(connection, "SELECT version_num FROM alembic_version", ())
        return str(found[0][0]) if found else "none"
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return f"{version:04d}"


def _mended(revision: str, connection: sqlite3.Connection, path: Path) -> str:
    """Return the revision, also when one of its bits is damaged: the file says it twice."""
    newest = REVISIONS[-1].encode()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    seen = revision.encode(errors="surrogateescape")
    if version != len(REVISIONS) or len(seen) != len(newest):
        return revision
    if (int.from_bytes(seen, "big") ^ int.from_bytes(newest, "big")).bit_count() != 1:
        return revision
    connection.execute("UPDATE alembic_version SET version_num = ?", (REVISIONS[-1],))
    _log.error("the revision of %s was damaged, and is mended", path)
    return REVISIONS[-1]


def _upgrade(connection: sqlite3.Connection, path: Path, revision: str) -> None:
    # Here, since it takes half a second, and almost no start needs it.
    from basicaer.service.store.sqlite.migrations import upgrade

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
