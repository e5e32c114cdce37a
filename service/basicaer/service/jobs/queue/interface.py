"""What the scheduler asks of a queue, the order of the jobs that wait; and what whoever lets jobs in asks of
all that wait, which may be in a database that several servers share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from basicaer.service.jobs.model.entry import JobEntry

__all__ = ["Backlog", "JobQueue"]


class Backlog(Protocol):
    """How many jobs wait. What several servers share may be old by a moment."""

    @property
    def has_room(self) -> bool:
        """Whether a small job that came now would start at once."""

    @property
    def waiting_count(self) -> int:
        """How many jobs wait."""

    def waiting_of(self, principal: str) -> int:
        """How many jobs of a principal wait."""

    def waiting_by_principal(self) -> Mapping[str, int]:
        """How many jobs of each principal wait, of those who have some."""


class JobQueue(Protocol):
    """The jobs that wait. Principals take turns, and each one's jobs are first come, first served.

    The scheduler calls it with its lock held, so calls come one at a time, and none may wait: what asks
    another machine does so beforehand. Only `len`, `waiting_of` and `version` are also asked without the
    lock, for a number that may be old by a moment.
    """

    @property
    def version(self) -> int:
        """Another number whenever positions may have changed, but for the end of the queue."""

    def add(self, entries: Sequence[JobEntry]) -> None:
        """Put jobs at the end, and give each its position: how many jobs are ahead of it."""

    def take(self, free_bytes: int) -> JobEntry | None:
        """Take out the job that starts next, which needs no more memory than is free; None when none can.

        It is the first, or one behind it that fits where the first doesn't; but only a bounded number may go
        past the first, then none can start before it.
        """

    def remove(self, entry: JobEntry) -> bool:
        """Take a job out that isn't to start; False when it isn't in it (any more)."""

    def in_order(self) -> Iterator[JobEntry]:
        """Return the jobs in the order in which they would start if all fitted."""

    def waiting_of(self, principal: str) -> int:
        """How many jobs of a principal wait."""

    def waiting_by_principal(self) -> Mapping[str, int]:
        """How many jobs of each principal wait, of those who have some; the caller's own."""

    def __contains__(self, entry: object) -> bool:
        """Whether a job waits."""

    def __len__(self) -> int:
        """How many jobs wait."""
