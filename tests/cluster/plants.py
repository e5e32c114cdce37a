"""Defects that the chaos run has to find. The service knows nothing of them: a process patches itself.

What is patched knows its process, so it is imported by the process that has the defect, and no earlier.
"""

from __future__ import annotations

import math
import re

__all__ = ["PLANTS", "REACHED_BY"]


def _parameters(statement: str) -> set[str]:
    return set(re.findall(r"\$\d+", statement))


def _renew_after_the_end() -> None:
    """A lease that has ended goes on, and its server doesn't look at the clock."""
    from basicaer.service.store.postgresql.sharing import lease, statements

    renew = """
    INSERT INTO servers (number, lease_until, running, running_bytes, nodes, name, role, address, version,
                         workers, memory_bytes)
    VALUES ($1, clock_timestamp() + $2::interval, $3, $4, $5, 'risen', 'work', '', '', 1, 1::bigint << 40)
    ON CONFLICT (number) DO UPDATE SET lease_until = excluded.lease_until RETURNING number
    """
    # With another number of them it would fail each time, and be no defect but a service that is down.
    assert _parameters(renew) == _parameters(statements.RENEW)
    statements.RENEW = renew
    lease.Lease._reckon = lambda self, asked: None  # type: ignore[method-assign]


def _write_without_the_fence() -> None:
    """Whoever once had a job goes on writing it."""
    from basicaer.service.store.postgresql import _sql

    fence = " AND jobs.fence = new.fence"
    for name in ("UPDATE_JOBS", "FINISH_JOBS"):
        statement = getattr(_sql, name)
        assert fence in statement
        setattr(_sql, name, statement.replace(fence, ""))


def _notify_without_catch_up() -> None:
    """What a server isn't told of it never looks for."""
    from basicaer.service.jobs.sharing import following

    following._LOOK = math.inf
    following.Following.missed = lambda self: None  # type: ignore[method-assign]


PLANTS = {
    "renew-after-the-end": _renew_after_the_end,
    "write-without-the-fence": _write_without_the_fence,
    "notify-without-catch-up": _notify_without_catch_up,
}

# The faults that each shows itself by. They come more often than others when it is planted.
_OUTLIVES_ITS_LEASE = frozenset({"freeze a worker", "cut a worker off", "swallow what goes to a worker"})
REACHED_BY = {
    "renew-after-the-end": _OUTLIVES_ITS_LEASE,
    "write-without-the-fence": _OUTLIVES_ITS_LEASE,
    "notify-without-catch-up": frozenset({"end what listens"}),
}
