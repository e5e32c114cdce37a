"""The size of each result, so that the oldest can be removed when all of them are too large; and an index for
lists of one principal's jobs.
"""

from __future__ import annotations

from pathlib import Path

from alembic import context, op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column, and fill it from the files."""
    run = op.get_bind().exec_driver_sql
    run("ALTER TABLE jobs ADD COLUMN file_bytes INTEGER")
    run("UPDATE jobs SET file_bytes = 0 WHERE result IS NOT NULL OR result_file IS NOT NULL")
    run(
        "UPDATE jobs SET file_bytes = 0 WHERE status IN (5, 6, 7)"
        " AND job_id IN (SELECT job_id FROM payloads WHERE kind = 'result')"
    )
    results = Path(context.config.attributes["directory"]) / "results"
    for (name,) in run("SELECT result_file FROM jobs WHERE result_file IS NOT NULL").fetchall():
        path = results / name
        if path.exists():
            run("UPDATE jobs SET file_bytes = ? WHERE result_file = ?", (path.stat().st_size, name))
    run("CREATE INDEX jobs_by_principal ON jobs (principal, job_id)")
    run("CREATE INDEX jobs_with_files ON jobs (job_id, file_bytes) WHERE file_bytes > 0")
