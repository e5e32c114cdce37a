"""The tables of version 0.1.0, as files had them before there was Alembic."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        principal TEXT NOT NULL,
        request_id TEXT,
        request_hash BLOB NOT NULL,
        backend_name TEXT NOT NULL,
        create_time INTEGER NOT NULL,
        status INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        crashes INTEGER NOT NULL,
        cancel_reason TEXT,
        sweep_time INTEGER,
        result_file TEXT,
        message_size INTEGER NOT NULL,
        job BLOB NOT NULL,
        events BLOB NOT NULL,
        spec BLOB,
        result BLOB
    ) STRICT
    """,
    "CREATE UNIQUE INDEX jobs_by_request ON jobs (principal, request_id)",
    "CREATE INDEX jobs_by_status ON jobs (status, job_id)",
    "CREATE INDEX jobs_by_sweep_time ON jobs (sweep_time) WHERE sweep_time IS NOT NULL",
    """
    CREATE TABLE payloads (
        job_id TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('spec', 'result')),
        data BLOB NOT NULL,
        PRIMARY KEY (job_id, kind)
    ) STRICT
    """,
    """
    CREATE TRIGGER payloads_of_final_jobs AFTER UPDATE OF status ON jobs
    WHEN new.status IN (5, 6, 7) AND old.spec IS NULL
    BEGIN
        DELETE FROM payloads WHERE job_id = new.job_id AND kind = 'spec';
    END
    """,
    """
    CREATE TABLE labels (
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        job_id TEXT NOT NULL,
        PRIMARY KEY (key, value, job_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX labels_by_job ON labels (job_id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
