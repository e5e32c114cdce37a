"""The queue of one process.

A job that doesn't fit now waits at the front; smaller ones behind it may start meanwhile, but only a bounded
number of them: then nothing starts until enough memory has come free. So a large job's wait is bounded, and
the machine doesn't idle for it at once.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence

from basicaer.service.jobs.model.entry import JobEntry

__all__ = ["LocalQueue"]

# How far behind the front a job that fits is looked for.
_WINDOW = 128


class LocalQueue:
    """A `JobQueue` in memory."""

    def __init__(self, max_overtakes: int) -> None:
        """At most `max_overtakes` jobs go past one while it is the first."""
        self._max_overtakes = max_overtakes
        self._ready: dict[str, JobEntry] = {}
        # The same jobs by their principals; the principal whose turn it is comes first.
        self._of: OrderedDict[str, OrderedDict[str, JobEntry]] = OrderedDict()
        # How many went past a job while it was the first.
        self._overtaken: dict[str, int] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Another number whenever positions may have changed, but for the end of the queue."""
        return self._version

    def add(self, entries: Sequence[JobEntry]) -> None:
        """Put jobs at the end."""
        for entry in entries:
            own = self._of.setdefault(entry.principal, OrderedDict())
            # Ahead are all of its principal's, and as many of each other's, with one for the turn.
            entry.position = len(own) + sum(
                min(len(waiting), len(own) + 1)
                for principal, waiting in self._of.items()
                if principal != entry.principal
            )
            own[entry.job_id] = entry
            self._ready[entry.job_id] = entry

    def take(self, free_bytes: int) -> JobEntry | None:
        """Take out the job that starts next; None when none can."""
        first = next(self.in_order(), None)
        if first is None:
            return None
        chosen: JobEntry | None = first
        if first.required_bytes > free_bytes:
            overtaken = self._overtaken.get(first.job_id, 0)
            if overtaken >= self._max_overtakes:
                return None
            behind = itertools.islice(self.in_order(), 1, _WINDOW)
            chosen = next((entry for entry in behind if entry.required_bytes <= free_bytes), None)
            if chosen is None:
                return None
            self._overtaken[first.job_id] = overtaken + 1
        assert chosen is not None
        self._take(chosen)
        if chosen.principal in self._of:
            self._of.move_to_end(chosen.principal)
        return chosen

    def remove(self, entry: JobEntry) -> bool:
        """Take a job out that isn't to start; False when it isn't in it (any more)."""
        if entry.job_id not in self._ready:
            return False
        self._take(entry)
        return True

    def in_order(self) -> Iterator[JobEntry]:
        """Return the jobs in the order in which they would start if all fitted."""
        turns = [iter(waiting.values()) for waiting in self._of.values()]
        while turns:
            still = []
            for turn in turns:
                entry = next(turn, None)
                if entry is not None:
                    yield entry
                    still.append(turn)
            turns = still

    def waiting_of(self, principal: str) -> int:
        """How many jobs of a principal wait."""
        return len(self._of.get(principal, ()))

    def waiting_by_principal(self) -> Mapping[str, int]:
        """How many jobs of each principal wait, of those who have some; the caller's own."""
        return {principal: len(waiting) for principal, waiting in self._of.items()}

    def __contains__(self, entry: object) -> bool:
        return isinstance(entry, JobEntry) and entry.job_id in self._ready

    def __len__(self) -> int:
        return len(self._ready)

    def _take(self, entry: JobEntry) -> None:
        del self._ready[entry.job_id]
        own = self._of[entry.principal]
        del own[entry.job_id]
        if not own:
            del self._of[entry.principal]
        self._overtaken.pop(entry.job_id, None)
        entry.position = 0
        self._version += 1
