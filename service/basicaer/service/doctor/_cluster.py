"""The servers and workers that share a database: whether all that is needed is there, and fits together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from basicaer.service.doctor._finding import Finding

__all__ = ["Part", "cluster"]

_START = "Start 'basicaer work', or 'basicaer serve' without --no-run-jobs, with this --database."


class Part(NamedTuple):
    """A server, or a worker."""

    name: str
    # Where it takes calls; "" when it takes none.
    address: str
    version: str
    # Jobs that it runs at once, and the memory that all of them may take.
    workers: int
    memory_bytes: int
    # How long its lease still lasts, in seconds; None when that isn't known.
    lease: float | None = None
    # Over how many nodes it may spread a job.
    max_nodes: int = 1

    def __str__(self) -> str:
        shown = f"{self.name} ({self.version}"
        if self.address:
            shown += f", at {self.address}"
        if self.lease is not None:
            shown += f", lease {self.lease:.1f} s" if self.lease > 0 else ", its lease has ended"
        return f"{shown})"


def cluster(
    parts: Sequence[Part], waiting: int = 0, largest_bytes: int = 0, most_nodes: int = 1
) -> Iterator[Finding]:
    """Yield what there is to say of those who share a database, in which so many jobs wait, of which the
    largest needs so much memory, and one so many nodes.
    """
    check = "members"
    there = [part for part in parts if part.lease is None or part.lease > 0]
    callers = [part for part in there if part.address]
    runners = [part for part in there if part.workers]
    seen = f"{len(callers)} take calls, {len(runners)} run jobs"
    if parts:
        seen += f": {', '.join(map(str, parts))}"
    if not runners and (waiting or there):
        waits = f"{waiting:,} jobs wait, and " if waiting else ""
        yield Finding.failed(check, f"{seen}; {waits}nobody runs jobs", _START)
    elif runners and not callers:
        yield Finding.warning(
            check, f"{seen}; nobody takes calls", "Start 'basicaer serve' with this --database."
        )
    else:
        yield Finding.ok(check, seen)
    versions = sorted({part.version for part in there})
    if len(versions) > 1:
        yield Finding.warning(
            check,
            f"they are of versions {', '.join(versions)}",
            "That is for the time of an upgrade: bring all of them to the newest.",
        )
    if runners:
        most = max(part.memory_bytes for part in runners)
        promising = [part.name for part in callers if part.memory_bytes > most]
        if promising:
            yield Finding.warning(
                check,
                f"{', '.join(promising)} accept jobs that nobody could hold: more than {most:,} bytes",
                f"Give them --max-memory-bytes {most}, which the largest of those has that run jobs.",
            )
        if largest_bytes > most:
            yield Finding.warning(
                check,
                f"a job waits that needs {largest_bytes:,} bytes, and nobody has more than {most:,}",
                "Start 'basicaer work' on a larger machine, or cancel it.",
            )
        spreads = max(part.max_nodes for part in runners)
        if most_nodes > spreads:
            yield Finding.warning(
                check,
                f"a job waits that is spread over {most_nodes} nodes, and nobody runs jobs over more than"
                f" {spreads}",
                f"Start 'basicaer work --executor ray://HOST:PORT --max-nodes {most_nodes}', or cancel it.",
            )
