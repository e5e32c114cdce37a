"""Whose jobs a server is busy with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from basicaer.service.callers import Caller
from basicaer.service.jobs.model.entry import JobEntry

__all__ = ["MOST_SHARES", "Share", "shares"]

MOST_SHARES = 1_000
"""Of how many principals an answer tells."""


class Share(NamedTuple):
    """How many jobs of a principal wait, and how many run."""

    principal: str
    waiting: int
    running: int


def shares(caller: Caller, waiting: Mapping[str, int], running: Iterable[JobEntry]) -> Sequence[Share]:
    """Return the shares that a caller may see of those who have jobs, the largest first.

    `waiting` has the number of jobs that wait by their principals. Jobs of nobody in particular are nobody's
    share: where callers have no names there are none.
    """
    runs = Counter(entry.principal for entry in running)
    found = [
        Share(principal, waiting.get(principal, 0), runs[principal])
        for principal in {*waiting, *runs}
        if principal and caller.may_see(principal)
    ]
    found.sort(key=lambda share: (-share.waiting - share.running, share.principal))
    return found[:MOST_SHARES]
