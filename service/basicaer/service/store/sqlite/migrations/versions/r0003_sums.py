"""Checksums of each row's parts, of what is there already too as it is now; and the store's id."""

from __future__ import annotations

from typing import Any

import google_crc32c
from alembic import op

revision = "0003"
down_revision = "0002"

_BATCH = 1000


def upgrade() -> None:
    """Add the columns, and fill them."""
    run = op.get_bind().exec_driver_sql
    for column in ("origin_sum", "state_sum", "spec_sum", "result_sum"):
        run(f"ALTER TABLE jobs ADD COLUMN {column} INTEGER")
    run("CREATE TABLE store (store_id TEXT NOT NULL) STRICT")
    run("INSERT INTO store VALUES (lower(hex(randomblob(16))))")
    last = -(2**63)
    while found := run(
        "SELECT number, job_id, principal, request_id, request_hash, backend_name, create_time, status,"
        " sequence, attempt, crashes, cancel_reason, job, events, result_file, message_size, file_bytes,"
        " coalesce(spec, (SELECT data FROM payloads p WHERE p.job_id = jobs.job_id AND kind = 'spec')),"
        " coalesce(result, (SELECT data FROM payloads p WHERE p.job_id = jobs.job_id AND kind = 'result'))"
        f" FROM jobs WHERE number > ? ORDER BY number LIMIT {_BATCH}",
        (last,),
    ).fetchall():
        for row in found:
            run(
                "UPDATE jobs SET origin_sum = ?, state_sum = ?, spec_sum = ?, result_sum = ?"
                " WHERE number = ?",
                (*_sums(*row[1:]), row[0]),
            )
        last = found[-1][0]


def _sums(
    job_id: str,
    principal: str,
    request_id: str | None,
    request_hash: bytes,
    backend_name: str,
    create_time: int,
    status: int,
    sequence: int,
    attempt: int,
    crashes: int,
    cancel_reason: str | None,
    job: bytes,
    events: bytes,
    file: str | None,
    message_size: int,
    file_bytes: int | None,
    spec: bytes | None,
    message: bytes | None,
) -> tuple[int | None, ...]:
    # As the store computes them; written out here, since a migration stays as it is.
    state = f"{job_id!r},{status!r},{sequence!r},{attempt!r},{crashes!r},{cancel_reason!r},{len(job)}"
    result = f"result {job_id!r},{file!r},{message_size!r},{file_bytes!r},{message is not None}"
    return (
        _sum(repr((job_id, principal, request_id, request_hash, backend_name, create_time))),
        _sum(state, job, events),
        None if spec is None else _sum(f"spec {job_id!r}", spec),
        _sum(result, message or b""),
    )


def _sum(head: str, *data: Any) -> int:
    return int(google_crc32c.value(b"\0".join((head.encode(), *data))))
