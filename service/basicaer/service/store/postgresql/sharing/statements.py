"""The statements of servers that share a database: leases, claims, and what is to be told.

A statement that gives jobs to a server holds the server's row meanwhile, and finds none when its lease has
ended; who removes servers whose lease has ended waits for that row. So a job is never given to who is gone.
"""

from __future__ import annotations

from basicaer.service.store._sums import RECORD

__all__ = [
    "AMEND",
    "AMEND_END",
    "CLAIM",
    "CLOCK",
    "EXPIRED",
    "FRONT",
    "IS_MEMBER",
    "JOIN",
    "LEASES",
    "LEAVE",
    "LET_GO",
    "MEMBERS",
    "MINE",
    "NEWER",
    "NOTIFY",
    "NUMBER",
    "ORPHANS",
    "POSITIONS",
    "RELEASE",
    "RENEW",
    "STRAY_CHUNKS",
    "TELL_CHANGED",
    "WAITING",
    "WAITING_AT_ALL",
]

_WAITS = "turn IS NOT NULL AND owner IS NULL"
_CHANGED = "job_id, " + RECORD
_GIVEN = ", ".join(f"jobs.{name.strip()}" for name in _CHANGED.split(","))

NUMBER = "UPDATE store SET epoch = epoch + 1, server = $1 RETURNING epoch"
# Not when the tables are of a later version by now, which this one can't use.
JOIN = """
INSERT INTO servers
    (number, name, role, address, version, workers, memory_bytes, max_nodes, lease_until, revision)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + $9::interval, $10 FROM store
WHERE compatible_since COLLATE "C" <= $10 RETURNING number
"""
# Not when it has ended: from then on its jobs are anybody's.
RENEW = """
UPDATE servers
SET lease_until = clock_timestamp() + $2::interval, running = $3, running_bytes = $4, nodes = $5
WHERE number = $1 AND lease_until > clock_timestamp() RETURNING number
"""
EXPIRED = "DELETE FROM servers WHERE lease_until < clock_timestamp() RETURNING number, name"
LET_GO = "UPDATE jobs SET owner = NULL, fence = fence + 1 WHERE owner = $1 AND status = 2"
LEAVE = "DELETE FROM servers WHERE number = $1"
_MEMBER = """
    number, name, role, address, version, workers, memory_bytes, max_nodes, running, running_bytes, nodes,
    extract(epoch FROM clock_timestamp() - since)::double precision AS seconds"""
MEMBERS = f"SELECT {_MEMBER} FROM servers WHERE lease_until > clock_timestamp() ORDER BY number"
LEASES = f"""
SELECT {_MEMBER}, extract(epoch FROM lease_until - clock_timestamp())::double precision AS lease
FROM servers ORDER BY number
"""
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::double precision"
IS_MEMBER = "SELECT number FROM servers WHERE number = $1 AND lease_until > clock_timestamp() FOR KEY SHARE"


def _runs_there(first: int) -> str:
    """Return the condition of what a server can run at all, whose `Capacity` is in three parameters."""
    node_bytes, max_nodes, its_bytes = (f"${number}" for number in range(first, first + 3))
    return (
        f"{_WAITS} AND required_bytes <= {its_bytes} AND nodes <= {max_nodes}"
        f" AND required_bytes / nodes <= {node_bytes}"
    )


# The first that wait, as many as fit together.
CLAIM = f"""
WITH me AS ({IS_MEMBER}),
first AS MATERIALIZED (
    SELECT job_id, turn, required_bytes FROM jobs WHERE {_runs_there(2)} AND required_bytes <= $5
    ORDER BY turn, job_id LIMIT $6 FOR UPDATE SKIP LOCKED
),
fitting AS (
    SELECT job_id, turn, sum(required_bytes) OVER (ORDER BY turn, job_id) AS bytes FROM first
)
UPDATE jobs SET owner = me.number, fence = fence + 1
FROM me, fitting WHERE jobs.job_id = fitting.job_id AND fitting.bytes <= $5
RETURNING {_GIVEN}, jobs.fence, jobs.turn
"""
ORPHANS = f"""
WITH me AS ({IS_MEMBER}),
lost AS MATERIALIZED (
    SELECT job_id FROM jobs
    WHERE owner IS NOT NULL AND NOT EXISTS (SELECT FROM servers WHERE number = jobs.owner)
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE jobs SET owner = me.number, fence = fence + 1
FROM me, lost WHERE jobs.job_id = lost.job_id
RETURNING {_GIVEN}, jobs.fence, jobs.turn
"""
MINE = f"SELECT {_GIVEN}, fence, turn FROM jobs WHERE owner = $1"
RELEASE = """
UPDATE jobs SET owner = NULL FROM unnest($1::bytea[], $2::bigint[]) AS mine (job_id, fence)
WHERE jobs.job_id = mine.job_id AND jobs.fence = mine.fence AND jobs.owner IS NOT NULL
"""
FRONT = f"""
SELECT job_id, required_bytes FROM jobs WHERE {_runs_there(1)}
ORDER BY turn, job_id LIMIT 1
"""

_SEEN = "job_id = $1 AND fence = $2 AND sequence = $3 AND state_sum = $4 AND (owner IS NOT NULL) = $5"
_STATE = """
    status = $6, sequence = $7, attempt = $8, crashes = $9, cancel_reason = $10, job = $11, events = $12,
    state_sum = $13"""
# A state that was made of the one that was seen, if it is still that one.
AMEND = f"UPDATE jobs SET {_STATE} WHERE {_SEEN} RETURNING job_id"
AMEND_END = f"""
UPDATE jobs SET {_STATE}, sweep_time = $14, result_sum = $15, spec = NULL, spec_sum = NULL, turn = NULL
WHERE {_SEEN} RETURNING job_id
"""

NEWER = f"""
SELECT seen.job_id, jobs.job_id IS NULL, {_GIVEN}, jobs.fence, jobs.owner
FROM unnest($1::bytea[], $2::bigint[], $3::boolean[], $4::bigint[])
     AS seen (job_id, sequence, cancelled, fence)
LEFT JOIN jobs ON jobs.job_id = seen.job_id
WHERE jobs.job_id IS NULL OR jobs.sequence > seen.sequence
      OR (jobs.cancel_reason IS NOT NULL) <> seen.cancelled
      OR (seen.fence >= 0 AND jobs.fence <> seen.fence)
"""
# By the index alone, which is in this order.
POSITIONS = f"""
SELECT job_id, place - 1 FROM (
    SELECT job_id, row_number() OVER (ORDER BY turn, job_id) AS place FROM jobs WHERE {_WAITS}
) AS waiting WHERE job_id = ANY($1::bytea[])
"""
WAITING_AT_ALL = f"""
SELECT count(*), coalesce(max(required_bytes), 0), coalesce(max(nodes), 1) FROM jobs WHERE {_WAITS}
"""
WAITING = f"SELECT principal, count(*) FROM jobs WHERE {_WAITS} GROUP BY principal"

# Of those that are gone, once all that they ran has other hands: until then they might still commit it.
STRAY_CHUNKS = """
DELETE FROM chunks WHERE server <> ALL (SELECT number FROM servers)
AND NOT EXISTS (SELECT FROM jobs WHERE jobs.owner = chunks.server)
AND NOT EXISTS (
    SELECT FROM jobs WHERE jobs.job_id = chunks.job_id
    AND jobs.result_file = chunks.job_id || convert_to('-' || chunks.attempt, 'UTF8')
)
"""

NOTIFY = "SELECT pg_notify($1, line) FROM unnest($2::text[]) AS line"
TELL_CHANGED = "SELECT pg_notify($1, $2)"
