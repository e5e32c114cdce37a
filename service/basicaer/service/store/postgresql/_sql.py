"""Every statement that the store runs, by name.

Statuses 5, 6 and 7 are the final ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from basicaer.service.store._interface import JobFilter
from basicaer.service.store._sums import RECORD

__all__ = [
    "ADOPT_CHUNKS",
    "ALL_JOBS",
    "CHUNKS",
    "CHUNK_SIZES",
    "CLEAR_CHUNKS",
    "COUNT_JOBS",
    "DELETE_JOBS",
    "DISCARD",
    "DUE_JOBS",
    "FINAL",
    "FIND_JOB",
    "FIND_JOB_TO_CHANGE",
    "FIND_REQUEST",
    "FIND_RESULT",
    "FINISH_JOBS",
    "INSERT_FINAL_JOBS",
    "INSERT_JOBS",
    "INSERT_JOBS_WITH_LABELS",
    "LIVE_JOBS",
    "LOAD_SPEC",
    "MADE",
    "OLDEST_FILES",
    "OLD_JOBS",
    "PROBE",
    "RESULT_OF",
    "SET_ASIDE",
    "STANDING",
    "SWEEP_JOB",
    "SWEEP_RESULT",
    "UNDO_INSERTS",
    "UPDATE_JOBS",
    "list_jobs",
]

FINAL = (5, 6, 7)
_RECORD = f"job_id, {RECORD}, fence, owner"

_TYPES = {
    "job_id": "bytea",
    "principal": "bytea",
    "request_id": "bytea",
    "request_hash": "bytea",
    "backend_name": "bytea",
    "create_time": "bigint",
    "status": "integer",
    "sequence": "bigint",
    "attempt": "integer",
    "crashes": "integer",
    "cancel_reason": "bytea",
    "job": "bytea",
    "events": "bytea",
    "spec": "bytea",
    "result": "bytea",
    "result_file": "bytea",
    "message_size": "bigint",
    "file_bytes": "bigint",
    "sweep_time": "bigint",
    "origin_sum": "bigint",
    "state_sum": "bigint",
    "spec_sum": "bigint",
    "result_sum": "bigint",
    "required_bytes": "bigint",
    "nodes": "integer",
    "fence": "bigint",
    "released": "boolean",
}
_INSERTED = [name for name in _TYPES if name not in ("cancel_reason", "fence", "released")]
_CHANGING = ["status", "sequence", "attempt", "crashes", "cancel_reason", "job", "events", "state_sum"]
_ENDING = ["result", "result_file", "message_size", "file_bytes", "sweep_time", "result_sum"]


def _unnest(columns: Sequence[str], first: int = 1) -> str:
    """Rows out of a parameter for each column."""
    arrays = [f"${number}::{_TYPES[name]}[]" for number, name in enumerate(columns, start=first)]
    return f"unnest({', '.join(arrays)})"


# Where a job waits: behind its caller's jobs, and before the second ones of those callers who have more.
_TURN = """
CASE WHEN new.status IN (5, 6, 7) THEN NULL ELSE row_number() OVER (
    PARTITION BY new.principal, new.status IN (5, 6, 7) ORDER BY new.job_id
) + greatest(
    (SELECT coalesce(max(turn), -1) FROM jobs
     WHERE principal = new.principal AND turn IS NOT NULL AND owner IS NULL),
    (SELECT coalesce(min(turn), 0) - 1 FROM jobs WHERE turn IS NOT NULL AND owner IS NULL)
) END
"""
_NEW = f"FROM {_unnest(_INSERTED)} AS new ({', '.join(_INSERTED)})"
_MADE = "ON CONFLICT (principal, request_id) DO NOTHING RETURNING job_id"
# New jobs, but for those whose (principal, request_id) is taken; which were made. The first is for final
# ones, which wait nowhere.
INSERT_FINAL_JOBS = f"INSERT INTO jobs ({', '.join(_INSERTED)}) SELECT * {_NEW} {_MADE}"
INSERT_JOBS = f"INSERT INTO jobs ({', '.join(_INSERTED)}, turn) SELECT new.*, {_TURN} {_NEW} {_MADE}"
_LABELS = len(_INSERTED) + 1
INSERT_JOBS_WITH_LABELS = f"""
WITH made AS ({INSERT_JOBS}),
labelled AS (
    INSERT INTO labels (key, value, job_id)
    SELECT key, value, job_id
    FROM unnest(${_LABELS}::bytea[], ${_LABELS + 1}::bytea[], ${_LABELS + 2}::bytea[])
         AS label (key, value, job_id)
    JOIN made USING (job_id)
)
SELECT job_id FROM made
"""


def _update(columns: list[str], *more: str) -> str:
    given = ["job_id", *columns[:8], "fence", "released", *columns[8:]]
    changes = [f"{name} = new.{name}" for name in columns]
    # A state that is there already is written again: it may be of a commit whose answer was lost.
    return f"""
UPDATE jobs SET {", ".join([*changes, *more])}
FROM {_unnest(given)} AS new ({", ".join(given)})
WHERE jobs.job_id = new.job_id AND jobs.fence = new.fence AND jobs.attempt <= new.attempt
      AND (jobs.cancel_reason IS NULL OR new.cancel_reason IS NOT NULL)
      AND (jobs.status NOT IN (5, 6, 7) OR (jobs.sequence, jobs.state_sum) = (new.sequence, new.state_sum))
RETURNING jobs.job_id
"""


# Live jobs' newer states, but for those that are final in the store, of a later attempt there, or in other
# hands; or cancelled, while the update knows nothing of that.
UPDATE_JOBS = _update(_CHANGING, "owner = CASE WHEN new.released THEN NULL ELSE jobs.owner END")
# The same for final states. The spec goes, the result comes.
FINISH_JOBS = _update([*_CHANGING, *_ENDING], "spec = NULL", "spec_sum = NULL", "owner = NULL", "turn = NULL")
# Why updates weren't taken.
STANDING = "SELECT job_id, fence, cancel_reason FROM jobs WHERE job_id = ANY($1::bytea[])"

# Fewer events of a final job.
SWEEP_JOB = """
UPDATE jobs SET events = $2, sweep_time = $3, job = $4, state_sum = $5
WHERE job_id = $1 AND status IN (5, 6, 7)
"""
# Leaves a damaged job as it is, and doesn't look at it again.
SET_ASIDE = "UPDATE jobs SET sweep_time = NULL WHERE job_id = $1"
SWEEP_RESULT = """
WITH gone AS (DELETE FROM chunks WHERE job_id = $1),
left_over AS (UPDATE objects SET server = 0 WHERE job_id = $1)
UPDATE jobs SET result = NULL, result_file = NULL, message_size = 0, file_bytes = NULL, result_sum = $2
WHERE job_id = $1
"""


def _delete(condition: str) -> str:
    """Return what removes those of some jobs of which a condition holds, with all that is theirs."""
    return f"""
WITH gone AS (DELETE FROM jobs WHERE job_id = ANY($1::bytea[]) AND {condition} RETURNING job_id),
labelled AS (DELETE FROM labels USING gone WHERE labels.job_id = gone.job_id),
chunked AS (DELETE FROM chunks USING gone WHERE chunks.job_id = gone.job_id),
left_over AS (UPDATE objects SET server = 0 FROM gone WHERE objects.job_id = gone.job_id)
SELECT job_id FROM gone
"""


# Final jobs, or ($2) whatever their status is.
DELETE_JOBS = _delete("($2::boolean OR status IN (5, 6, 7))")
# Those of these jobs that were made.
MADE = "SELECT job_id FROM jobs WHERE job_id = ANY($1::bytea[])"
# Jobs whose insertion was told to have failed, unless a call with their request id can find them, or a server
# has had them.
UNDO_INSERTS = _delete("request_id IS NULL AND fence = 0")
# The chunks of one attempt, unless they are its job's.
DISCARD = """
DELETE FROM chunks WHERE job_id = $1 AND attempt = $2
AND NOT EXISTS (SELECT FROM jobs WHERE jobs.job_id = $1 AND jobs.result_file = $3)
"""
# Chunks of a job that is about to be inserted are this server's from now on; how many there are.
ADOPT_CHUNKS = """
WITH adopted AS (UPDATE chunks SET server = $3 WHERE job_id = $1 AND attempt = $2 RETURNING number)
SELECT count(*) FROM adopted
"""
# Those that were to be written anew.
CLEAR_CHUNKS = "DELETE FROM chunks WHERE job_id = $1 AND attempt = $2"
PROBE = "UPDATE store SET server = server"

FIND_JOB = f"SELECT {_RECORD} FROM jobs WHERE job_id = $1"
FIND_JOB_TO_CHANGE = f"{FIND_JOB} FOR UPDATE"
FIND_REQUEST = """
SELECT job_id, principal, request_id, request_hash, backend_name, create_time, origin_sum
FROM jobs WHERE principal = $1 AND request_id = $2
"""
LIVE_JOBS = f"SELECT {_RECORD} FROM jobs WHERE status IN (1, 2, 3, 4) ORDER BY job_id"
DUE_JOBS = f"SELECT {_RECORD} FROM jobs WHERE sweep_time <= $1 ORDER BY sweep_time LIMIT $2"
LOAD_SPEC = "SELECT spec, spec_sum FROM jobs WHERE job_id = $1"
FIND_RESULT = """
SELECT result_file, message_size, file_bytes, result, result_sum FROM jobs WHERE job_id = $1
"""
RESULT_OF = "SELECT result_file FROM jobs WHERE job_id = $1"
CHUNKS = """
SELECT number, data, data_sum FROM chunks
WHERE job_id = $1 AND attempt = $2 AND number BETWEEN $3 AND $4 ORDER BY number
"""
CHUNK_SIZES = """
SELECT coalesce(sum(octet_length(data)), 0)::bigint FROM chunks WHERE job_id = $1 AND attempt = $2
"""
OLDEST_FILES = f"SELECT {_RECORD} FROM jobs WHERE file_bytes > 0 ORDER BY job_id LIMIT $1"
OLD_JOBS = f"SELECT {_RECORD} FROM jobs WHERE job_id < $1 AND status IN (5, 6, 7) ORDER BY job_id LIMIT $2"
# Of what the rows hold, not of their pages: those are the database's to reuse.
USED_BYTES = """
SELECT coalesce(sum(octet_length(job) + octet_length(events) + coalesce(octet_length(spec), 0)
                    + coalesce(octet_length(result), 0) + 512), 0)::bigint,
       coalesce(sum(file_bytes), 0)::bigint
FROM jobs
"""
COUNT_JOBS = "SELECT count(*) FROM jobs"
ALL_JOBS = f"SELECT {_RECORD}, spec, spec_sum FROM jobs WHERE job_id > $1 ORDER BY job_id LIMIT $2"


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
    arguments.append(limit)
    # Each part has an order and an end of its own, or it would be read as a whole and sorted.
    newest = f"ORDER BY 1 DESC LIMIT ${len(arguments)}"
    if len(selects) == 1:
        return f"{selects[0]} {newest}", arguments
    parts = " UNION ALL ".join(f"({select} {newest})" for select in selects)
    return f"{parts} {newest}", arguments


def _select(job_filter: JobFilter, statuses: Sequence[int], arguments: list[object]) -> str:
    """Return a page's jobs without their order; appends to the arguments."""

    def given(argument: object) -> str:
        arguments.append(argument.encode() if isinstance(argument, str) else argument)
        return f"${len(arguments)}"

    table, key = "jobs", "jobs.job_id"
    conditions: list[str] = []
    for position, (name, value) in enumerate(sorted(job_filter.labels.items())):
        alias = f"label{position}"
        its = f"{alias}.key = {given(name)} AND {alias}.value = {given(value)}"
        if position == 0:
            table, key = f"labels AS {alias} JOIN jobs USING (job_id)", f"{alias}.job_id"
            conditions.append(its)
        else:
            conditions.append(
                f"EXISTS (SELECT FROM labels AS {alias} WHERE {its} AND {alias}.job_id = label0.job_id)"
            )
    if len(statuses) == 1 and not job_filter.labels and job_filter.principal is None:
        conditions.append(f"status = {given(statuses[0])}")
    elif statuses:
        # The sum keeps the index by status out of it.
        conditions.append(f"status + 0 = ANY({given(list(statuses))}::integer[])")
    for condition, argument in (
        ("backend_name =", job_filter.backend_name or None),
        ("principal =", job_filter.principal),
        ("create_time >=", job_filter.create_time_from),
        ("create_time <", job_filter.create_time_before),
        (f"{key} >=", job_filter.from_job_id),
        (f"{key} <", job_filter.before_job_id),
    ):
        if argument is not None:
            conditions.append(f"{condition} {given(argument)}")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {key}, {RECORD}, fence, owner FROM {table} {where}"
