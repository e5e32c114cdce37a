"""Every statement that the store runs, by name.

Statuses 5, 6 and 7 are the final ones (CANCELLED, DONE, ERROR).
"""

from __future__ import annotations

from collections.abc import Sequence

from ._interface import JobFilter

__all__ = [
    "DELETE_JOB",
    "DELETE_LABELS",
    "DELETE_PAYLOAD",
    "DELETE_PAYLOADS",
    "DUE_JOBS",
    "FIND_JOB",
    "FIND_REQUEST",
    "FIND_RESULT",
    "FINISH_JOB",
    "INSERT_JOB",
    "INSERT_LABEL",
    "INSERT_PAYLOAD",
    "LIVE_JOBS",
    "LOAD_SPEC",
    "RESULT_FILES",
    "SWEEP_JOB",
    "SWEEP_RESULT",
    "UPDATE_JOB",
    "list_jobs",
]

_STATE = "status, sequence, attempt, crashes, cancel_reason, job, events"
_RECORD = f"job_id, {_STATE}"

# A new job; none when its (principal, request_id) is taken.
INSERT_JOB = """
INSERT INTO jobs (job_id, principal, request_id, request_hash, backend_name, create_time, status, sequence,
                  attempt, crashes, job, events, spec)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, 0, 0, ?, ?, ?)
ON CONFLICT (principal, request_id) DO NOTHING
"""

INSERT_LABEL = "INSERT INTO labels (key, value, job_id) VALUES (?, ?, ?)"
INSERT_PAYLOAD = "INSERT INTO payloads (job_id, kind, data) VALUES (?, ?, ?)"
DELETE_PAYLOAD = "DELETE FROM payloads WHERE job_id = ? AND kind = ?"
DELETE_PAYLOADS = "DELETE FROM payloads WHERE job_id = ?"
DELETE_LABELS = "DELETE FROM labels WHERE job_id = ?"

# A live job's newer state; none when the stored one is final or of a later attempt.
UPDATE_JOB = """
UPDATE jobs SET status = ?, sequence = ?, attempt = ?, crashes = ?, cancel_reason = ?, job = ?, events = ?
WHERE job_id = ? AND attempt <= ? AND status NOT IN (5, 6, 7)
"""

# The same for the final state: the spec goes, the result comes.
FINISH_JOB = """
UPDATE jobs SET status = ?, sequence = ?, attempt = ?, crashes = ?, cancel_reason = ?, job = ?, events = ?,
                spec = NULL, result = ?, result_file = ?, message_size = ?, sweep_time = ?
WHERE job_id = ? AND attempt <= ? AND status NOT IN (5, 6, 7)
"""

# Fewer events of a final job.
SWEEP_JOB = "UPDATE jobs SET events = ?, sweep_time = ? WHERE job_id = ? AND status IN (5, 6, 7)"
# No result any more; names the file that is to be removed after the commit.
SWEEP_RESULT = "UPDATE jobs SET result = NULL, result_file = NULL, message_size = 0 WHERE job_id = ?"

DELETE_JOB = "DELETE FROM jobs WHERE job_id = ? AND status IN (5, 6, 7)"

FIND_JOB = f"SELECT {_RECORD} FROM jobs WHERE job_id = ?"
FIND_REQUEST = "SELECT job_id, request_hash FROM jobs WHERE principal = ? AND request_id = ?"
# Positive, so that the index by status is used.
LIVE_JOBS = f"SELECT {_RECORD} FROM jobs WHERE status IN (1, 2, 3, 4) ORDER BY job_id"
DUE_JOBS = f"SELECT {_RECORD} FROM jobs WHERE sweep_time <= ? ORDER BY sweep_time LIMIT ?"
LOAD_SPEC = """
SELECT coalesce(spec, (SELECT data FROM payloads WHERE payloads.job_id = jobs.job_id AND kind = 'spec'))
FROM jobs WHERE job_id = ?
"""
FIND_RESULT = """
SELECT result_file, message_size,
       coalesce(result, (SELECT data FROM payloads WHERE payloads.job_id = jobs.job_id AND kind = 'result'))
FROM jobs WHERE job_id = ?
"""
RESULT_FILES = "SELECT result_file FROM jobs WHERE result_file IS NOT NULL"


def list_jobs(job_filter: JobFilter, limit: int) -> tuple[str, list[object]]:
    """The statement and its arguments for one page.

    Each filter leads to an index that is in the order of the page already: the jobs' ids, those of the first
    label, or those of each status, which are then merged.
    """
    arguments: list[object] = []
    if job_filter.labels or not job_filter.statuses:
        selects = [_select(job_filter, job_filter.statuses, arguments)]
    else:
        selects = [_select(job_filter, (status,), arguments) for status in sorted(set(job_filter.statuses))]
    return f"{' UNION ALL '.join(selects)} ORDER BY 1 DESC LIMIT ?", [*arguments, limit]


def _select(job_filter: JobFilter, statuses: Sequence[int], arguments: list[object]) -> str:
    """A page's jobs without their order; appends to the arguments."""
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
    if len(statuses) == 1 and not job_filter.labels:
        conditions.append("status = ?")
    elif statuses:
        conditions.append(f"status IN ({', '.join('?' * len(statuses))})")
    arguments += statuses
    for condition, argument in (
        ("backend_name = ?", job_filter.backend_name or None),
        ("create_time >= ?", job_filter.create_time_from),
        ("create_time < ?", job_filter.create_time_before),
        (f"{key} >= ?", job_filter.from_job_id),
        (f"{key} < ?", job_filter.before_job_id),
    ):
        if argument is not None:
            conditions.append(condition)
            arguments.append(argument)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {key}, {_STATE} FROM {table} {where}"
