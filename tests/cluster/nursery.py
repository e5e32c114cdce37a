"""`basicaer` with a defect that the chaos run has to find: `python -m tests.cluster.nursery PLANT serve …`.

The service knows nothing of this: the process patches itself before it begins.
"""

from __future__ import annotations

import sys

from basicaer.service.cli import main
from basicaer.service.store.postgresql.sharing import lease, statements

__all__ = ["PLANTS"]


def _renew_after_the_end() -> None:
    """A lease that has ended goes on, and its server doesn't look at the clock."""
    lease.Lease._reckon = lambda self, asked: None  # type: ignore[method-assign]
    statements.RENEW = """
    INSERT INTO servers (number, lease_until, running, running_bytes, name, role, address, version, workers,
                         memory_bytes)
    VALUES ($1, clock_timestamp() + $2::interval, $3, $4, 'risen', 'work', '', '', 1, 1)
    ON CONFLICT (number) DO UPDATE SET lease_until = excluded.lease_until RETURNING number
    """


PLANTS = {
    "renew-after-the-end": _renew_after_the_end,
}

if __name__ == "__main__":
    PLANTS[sys.argv.pop(1)]()
    main()
