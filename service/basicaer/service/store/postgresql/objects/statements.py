"""The statements of results in an object store."""

from __future__ import annotations

__all__ = [
    "ABANDON",
    "ADOPT",
    "BEGIN",
    "DISCARD",
    "DOOM",
    "DOOMED",
    "END",
    "FIND",
    "FORGET",
    "IS_THERE",
    "REMOVED",
    "SERVICE_ID",
]

_NAME = "convert_to('-' || objects.attempt || '.' || objects.object_id, 'UTF8')"
# Its job's result is another one.
_UNNAMED = f"""
NOT EXISTS (
    SELECT FROM jobs WHERE jobs.job_id = objects.job_id AND jobs.result_file = objects.job_id || {_NAME}
)
"""

SERVICE_ID = "SELECT service_id FROM store"
BEGIN = """
INSERT INTO objects (job_id, attempt, server, part_bytes) VALUES ($1, $2, $3, $4) RETURNING object_id
"""
# Not when it was taken for nobody's meanwhile.
END = """
UPDATE objects SET size = $2, sums = $3, sums_sum = $4 WHERE object_id = $1 AND doom_time IS NULL
RETURNING object_id
"""
ABANDON = "UPDATE objects SET server = 0 WHERE object_id = $1"
DISCARD = f"{ABANDON} AND {_UNNAMED}"
ADOPT = """
UPDATE objects SET server = $2 WHERE object_id = $1 AND doom_time IS NULL AND size IS NOT NULL
RETURNING object_id
"""
FIND = "SELECT part_bytes, size, sums, sums_sum FROM objects WHERE object_id = $1"
IS_THERE = "SELECT FROM objects LIMIT 1"

# As chunks are: of servers that are gone, once all that they ran has other hands. A migration has a day.
DOOM = f"""
UPDATE objects SET doom_time = clock_timestamp()
WHERE doom_time IS NULL AND server <> ALL (SELECT number FROM servers)
AND (server >= 0 OR create_time < clock_timestamp() - interval '1 day')
AND NOT EXISTS (SELECT FROM jobs WHERE jobs.owner = objects.server)
AND {_UNNAMED}
"""
# An object that was never finished is looked for twice: a server that was frozen may write one more.
DOOMED = """
SELECT object_id, size IS NOT NULL OR remove_time IS NOT NULL AS for_good FROM objects
WHERE doom_time IS NOT NULL AND (remove_time IS NULL OR remove_time < clock_timestamp() - interval '10 min')
ORDER BY doom_time LIMIT $1
"""
REMOVED = "UPDATE objects SET remove_time = clock_timestamp() WHERE object_id = $1"
FORGET = "DELETE FROM objects WHERE object_id = $1"
