"""Checked programs of jobs that wait: kept as far as there is memory, else read again at their turn."""

from __future__ import annotations

from collections.abc import Iterator

from basicaer.service.jobs.model.entry import JobEntry

__all__ = ["KeptPrograms"]


class KeptPrograms:
    """Those of one server. Whoever has it sees to it that one thread at a time does."""

    def __init__(self, most_bytes: int) -> None:
        self._free_bytes = most_bytes
        self._sizes: dict[str, int] = {}

    def __iter__(self) -> Iterator[str]:
        """Give the ids of the jobs whose programs are counted."""
        return iter(tuple(self._sizes))

    def keep(self, entry: JobEntry) -> None:
        """Count a waiting job's programs, or let go of them."""
        prepared = entry.prepared
        if prepared is None:
            return
        if prepared.size_bytes <= self._free_bytes:
            self._free_bytes -= prepared.size_bytes
            self._sizes[entry.job_id] = prepared.size_bytes
        else:
            # It will be the last of those here to run, so it is the one to be read again.
            entry.prepared = None

    def forget(self, job_id: str) -> None:
        """Take note that a job doesn't wait any more."""
        self._free_bytes += self._sizes.pop(job_id, 0)
