"""The database, when there is one beside the server: whether it can be used, and what it holds is whole."""

from __future__ import annotations

from collections.abc import Iterator

from basicaer.service.config import Config
from basicaer.service.doctor._cluster import Part, cluster
from basicaer.service.doctor._finding import Finding
from basicaer.service.doctor._store import Progress, damage
from basicaer.service.errors import DataDirectoryError

__all__ = ["SKEW", "database"]

# Clocks of two machines that differ by more make tokens and certificates fail, and times of jobs strange
# (seconds).
SKEW = 5.0


def database(config: Config, progress: Progress) -> Iterator[Finding]:
    """Whether it can be reached, is new enough, keeps what it acknowledges, and holds what was stored."""
    check = "database"
    try:
        from basicaer.service.store.postgresql import LEAST_VERSION, examine_database
    except ImportError as error:
        yield Finding.failed(check, f"{error.name} is missing", "pip install 'basicaer[postgresql]'")
        return
    try:
        found = examine_database(config.database, progress)
    except (DataDirectoryError, ValueError) as error:
        yield Finding.failed(check, str(error), "Look after --database, and after the database itself.")
        return
    seen = f"{found.shown}, PostgreSQL {found.version}"
    if found.version < LEAST_VERSION:
        yield Finding.failed(check, seen, f"{LEAST_VERSION} or newer is needed.")
        return
    if found.unknown:
        yield Finding.failed(
            check,
            f"{seen}, was written by a later version of BasicAer (revision {found.revision})",
            "Start that version, or bring back a backup from before it.",
        )
        return
    if found.unsafe:
        yield Finding.failed(
            check,
            f"{seen}, may lose what it has acknowledged: {', '.join(found.unsafe)} is off",
            "Set that to on.",
        )
    elif not found.private:
        yield Finding.warning(
            check,
            f"{seen}, is reached without TLS: the network reads programs and results along",
            "Add sslmode=verify-full to --database.",
        )
    elif not found.page_sums:
        yield Finding.warning(
            check,
            f"{seen}, doesn't look for damaged pages",
            "Stop it, and turn that on with pg_checksums --enable.",
        )
    else:
        yield Finding.ok(check, seen)
    if found.revision is None:
        yield Finding.ok("store", "there is none yet")
        return
    if found.attendance is not None:
        yield _clocks(found.attendance.clock)
        yield from cluster(
            [
                Part(
                    member.name,
                    member.address,
                    member.version,
                    member.workers,
                    member.memory_bytes,
                    max_nodes=member.max_nodes,
                    lease=lease,
                )
                for member, lease in found.attendance.members
            ],
            found.attendance.waiting,
            found.attendance.largest_bytes,
            found.attendance.most_nodes,
        )
    else:
        yield Finding.warning(
            "schema",
            f"the tables are those of an earlier version (revision {found.revision})",
            "The first server of this version that starts brings them up to date: keep a backup from before.",
        )
    seen = f"{found.jobs:,} jobs were compared with their checksums"
    yield damage("store", seen, found.damaged) if found.damaged else Finding.ok("store", seen)


def _clocks(ahead: float) -> Finding:
    """Leases are reckoned by the database's clock alone; ids and times of jobs are by the servers'."""
    if abs(ahead) > SKEW:
        which = "ahead of" if ahead > 0 else "behind"
        return Finding.warning(
            "clocks",
            f"the database's is {abs(ahead):.0f} s {which} this machine's",
            "Run chrony on both machines.",
        )
    return Finding.ok("clocks", "this machine's and the database's agree")
