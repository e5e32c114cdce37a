"""Who is there, as one sees it who isn't a server, and changes nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from basicaer.service.store._shared import Member
from basicaer.service.store.postgresql._session import Connection
from basicaer.service.store.postgresql.sharing import statements as _sql

__all__ = ["Attendance", "attendance"]


@dataclass(frozen=True, slots=True)
class Attendance:
    """The servers that share a database, and what waits for them."""

    # The longest there first, each with how long its lease still lasts, in seconds: less than 0 when it has
    # ended and nobody has seen it yet.
    members: Sequence[tuple[Member, float]]
    # By how much the database's clock is at least ahead of this machine's, or behind it when that is less
    # than 0, in seconds.
    clock: float
    # Jobs that wait, the memory that the largest of them needs, and the most nodes that one needs.
    waiting: int
    largest_bytes: int
    most_nodes: int


async def attendance(connection: Connection) -> Attendance:
    """Look at a database whose tables are of this version.

    Raises:
        Exception: As asyncpg does.
    """
    asked = time.time()
    clock: float = await connection.fetchval(_sql.CLOCK)
    answered = time.time()
    waiting, largest, nodes = await connection.fetchrow(_sql.WAITING_AT_ALL)
    members = []
    for row in await connection.fetch(_sql.LEASES):
        fields = dict(row)
        lease = fields.pop("lease")
        members.append((Member(**fields), lease))
    ahead = max(clock - answered, 0.0) + min(clock - asked, 0.0)
    return Attendance(members, ahead, waiting, largest, nodes)
