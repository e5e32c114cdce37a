"""Every statement that the store runs, by name.

Statuses 5, 6 and 7 are the final ones, `FINAL`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from basicaer.service.store._interface import JobFilter
from basicaer.service.store._sums import RECORD
from basicaer.v1 import job_pb2

__all__ = [
    "ALL_JOBS",
    "DELETE_DAMAGED",
    "DELETE_JOB",
    "DELETE_LABELS",
    "DELETE_PAYLOADS",
    "DELETE_RESULT",
    "DELETE_STRAY_LABELS",
    "DUE_JOBS",
    "FINAL",
    "FIND_JOB",
    "FIND_REQUEST",
    "FIND_RESULT",
    "FREE_PAGES",
    "ID_OF",
    "INSERT_LABEL",
    "INSERT_PAYLOAD",
    "LABELS_OF",
    "LIVE_JOBS",
    "LOAD_SPEC",
    "OLDEST_FILES",
    "OLD_JOBS",
    "PRINCIPALS",
    "RECLAIM_PAGE",
    "RESULT_FILES",
    "SET_ASIDE",
    "SET_STORE_ID",
    "STORE_ID",
    "SWEEP_JOB",
    "SWEEP_RESULT",
    "USED_BYTES",
    "WHOLE_ROW",
    "WHOLE_ROWS",
    "finish_jobs",
    "insert_jobs",
    "list_jobs",
    "mend_row",
    "update_jobs",
]

FINAL = (job_pb2.JOB_STATUS_CANCELLED, job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR)

_RECORD = f"job_id, {RECORD}"

INSERT_LABEL = "INSERT INTO labels (key, value, job_id) VALUES (?, ?, ?)"
INSERT_PAYLOAD = "INSERT INTO payloads (job_id, kind, data) VALUES (?, ?, ?)"
DELETE_RESULT = "DELETE FROM payloads WHERE job_id = ? AND kind = 'result'"
DELETE_PAYLOADS = "DELETE FROM payloads WHERE job_id = ?"
DELETE_LABELS = "DELETE FROM labels WHERE job_id = ?"

# Fewer events of a final job.
SWEEP_JOB = """
UPDATE jobs SET events = ?, sweep_time = ?, job = ?, state_sum = ? WHERE job_id = ? AND status IN (5, 6, 7)
"""
# Leaves a damaged job as it is, and doesn't look at it again.
SET_ASIDE = "UPDATE jobs SET sweep_time = NULL WHERE job_id = ?"
# No result any more; names the file that is to be removed after the commit.
SWEEP_RESULT = """
UPDATE jobs SET result = NULL, result_file = NULL, message_size = 0, file_bytes = NULL, result_sum = ?
WHERE job_id = ?
"""
FREE_PAGES = "PRAGMA freelist_count"
# One page at a time: it returns a row for each, and Python's driver, which expects none, stops at the first.
RECLAIM_PAGE = "PRAGMA incremental_vacuum(1)"

DELETE_JOB = "DELETE FROM jobs WHERE job_id = ? AND status IN (5, 6, 7)"
DELETE_DAMAGED = "DELETE FROM jobs WHERE job_id = ?"

FIND_JOB = f"SELECT {_RECORD} FROM jobs WHERE job_id = ?"
FIND_REQUEST = """
SELECT job_id, principal, request_id, request_hash, backend_name, create_time, origin_sum
FROM jobs WHERE principal = ? AND request_id = ?
"""
# Positive, so that the index by status is used.
LIVE_JOBS = f"SELECT {_RECORD} FROM jobs WHERE status IN (1, 2, 3, 4) ORDER BY job_id"
DUE_JOBS = f"SELECT {_RECORD} FROM jobs WHERE sweep_time <= ? ORDER BY sweep_time LIMIT ?"
LOAD_SPEC = """
SELECT coalesce(spec, (SELECT data FROM payloads WHERE payloads.job_id = jobs.job_id AND kind = 'spec')),
       spec_sum
FROM jobs WHERE job_id = ?
"""
FIND_RESULT = """
SELECT result_file, message_size, file_bytes,
       coalesce(result, (SELECT data FROM payloads WHERE payloads.job_id = jobs.job_id AND kind = 'result')),
       result_sum
FROM jobs WHERE job_id = ?
"""
OLDEST_FILES = f"SELECT {_RECORD} FROM jobs WHERE file_bytes > 0 ORDER BY job_id LIMIT ?"
OLD_JOBS = f"SELECT {_RECORD} FROM jobs WHERE job_id < ? AND status IN (5, 6, 7) ORDER BY job_id LIMIT ?"
# What the database's pages hold, and the files beside it.
USED_BYTES = """
SELECT ((SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count))
       * (SELECT page_size FROM pragma_page_size),
       (SELECT coalesce(sum(file_bytes), 0) FROM jobs WHERE file_bytes > 0)
"""
STORE_ID = "SELECT store_id FROM store"
SET_STORE_ID = "UPDATE store SET store_id = ?"
ALL_JOBS = f"SELECT number, {_RECORD} FROM jobs WHERE number > ? ORDER BY number LIMIT ?"
RESULT_FILES = "SELECT result_file, file_bytes FROM jobs WHERE result_file IS NOT NULL"

# What the start compares: all that jobs are found by, and what their checksums are of.
WHOLE_ROW = (
    "number",
    "job_id",
    "principal",
    "request_id",
    "request_hash",
    "backend_name",
    "create_time",
    "status",
    "sequence",
    "attempt",
    "crashes",
    "cancel_reason",
    "sweep_time",
    "job",
    "events",
    "result_file",
    "message_size",
    "file_bytes",
    "message",
    "origin_sum",
    "state_sum",
    "result_sum",
)
_MESSAGE = "coalesce(result, (SELECT data FROM payloads p WHERE p.job_id = jobs.job_id AND kind = 'result'))"
WHOLE_ROWS = f"""
SELECT {", ".join(_MESSAGE if name == "message" else name for name in WHOLE_ROW)}
FROM jobs WHERE number > ? ORDER BY number LIMIT ?
"""
PRINCIPALS = "SELECT DISTINCT principal FROM jobs LIMIT ?"
ID_OF = "SELECT job_id FROM jobs WHERE number = ?"
LABELS_OF = "SELECT job_id, key, value FROM labels WHERE job_id IN (SELECT value FROM json_each(?))"
DELETE_STRAY_LABELS = "DELETE FROM labels WHERE job_id NOT IN (SELECT job_id FROM jobs)"


_CHANGING = ["status", "sequence", "attempt", "crashes", "cancel_reason", "job", "events", "state_sum"]


def mend_row(columns: Sequence[str]) -> str:
    """Other values of these columns of one row."""
    return f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in columns)} WHERE number = ?"


@functools.cache
def insert_jobs(count: int) -> str:
    """Return new jobs, but for those whose (principal, request_id) is taken."""
    return f"""
INSERT INTO jobs (job_id, principal, request_id, request_hash, backend_name, create_time, status, sequence,
                  attempt, crashes, job, events, spec, result, result_file, message_size, file_bytes,
                  sweep_time, origin_sum, state_sum, spec_sum, result_sum)
{_values(count, 22)}
ON CONFLICT (principal, request_id) DO NOTHING
"""


@functools.cache
def update_jobs(count: int) -> str:
    """Live jobs' newer states, but for those that are final in the store or of a later attempt there."""
    return _update(count, _CHANGING)


@functools.cache
def finish_jobs(count: int) -> str:
    """Return the same for final states. The spec goes (one that lies in payloads by a trigger), the result
    comes.
    """
    ending = ["result", "result_file", "message_size", "file_bytes", "sweep_time", "result_sum"]
    return _update(count, [*_CHANGING, *ending], "spec = NULL", "spec_sum = NULL")


def _update(count: int, columns: list[str], *more: str) -> str:
    changes = [f"{name} = new.column{number}" for number, name in enumerate(columns, start=1)]
    return f"""
UPDATE jobs SET {", ".join([*changes, *more])}
FROM ({_values(count, len(columns) + 1)}) AS new
WHERE jobs.job_id = new.column{len(columns) + 1}
  AND jobs.attempt <= new.column{columns.index("attempt") + 1} AND jobs.status NOT IN (5, 6, 7)
"""


def _values(rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"VALUES {', '.join([row] * rows)}"


def list_jobs(job_filter: JobFilter, limit: int) -> tuple[str, list[object]]:
    """Return the statement and its arguments for one page.

    Each filter leads to an index that is in the order of the page already: the jobs' ids, those of the first
    label, those of a principal (whose page then costs nothing for the jobs of others), or those of each
    status, which are then merged.
    """
    arguments: list[object] = []
    if job_filter.labels or job_filter.principal is not None or not job_filter.statuses:
        selects = [_select(job_filter, job_filter.statuses, arguments)]
    else:
        selects = [_select(job_filter, (status,), arguments) for status in sorted(set(job_filter.statuses))]
    return f"{' UNION ALL '.join(selects)} ORDER BY 1 DESC LIMIT ?", [*arguments, limit]


def _select(job_filter: JobFilter, statuses: Sequence[int], arguments: list[object]) -> str:
    """Return a page's jobs without their order; appends to the arguments."""
    table = "jobs"
    key = "jobs.job_id"
    conditions: list[str] = []
    for position, (name, value) in enumerate(sorted(job_filter.labels.items())):
        alias = f"label{position}"
        if position == 0:
            # CROSS JOIN keeps this order of the tables.
            table, key = f"labels AS {alias} CROSS JOIN jobs USING (job_id)", f"{alias}.job_id"
            conditions.append(f"{alias}.key = ? AND {alias}.value = ?")
        else:
            conditions.append(
                f"EXISTS (SELECT 1 FROM labels AS {alias} WHERE {alias}.key = ? AND {alias}.value = ?"
                f" AND {alias}.job_id = jobs.job_id)"
            )
        arguments += [name, value]
    if len(statuses) == 1 and not job_filter.labels and job_filter.principal is None:
        conditions.append("status = ?")
    elif statuses:
        # The plus keeps the index by status out of it.
        conditions.append(f"+status IN ({', '.join('?' * len(statuses))})")
    arguments += statuses
    for condition, argument in (
        ("backend_name = ?", job_filter.backend_name or None),
        ("principal = ?", job_filter.principal),
        ("create_time >= ?", job_filter.create_time_from),
        ("create_time < ?", job_filter.create_time_before),
        (f"{key} >= ?", job_filter.from_job_id),
        (f"{key} < ?", job_filter.before_job_id),
    ):
        if argument is not None:
            conditions.append(condition)
            arguments.append(argument)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {key}, {RECORD} FROM {table} {where}"
