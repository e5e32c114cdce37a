"""The store: whether all that it holds is what was stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from basicaer.service.config import Config
from basicaer.service.doctor._finding import Finding
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store import StoreReport, check_store

__all__ = ["Progress", "damage", "store"]

# Told how many jobs of how many were looked at.
Progress = Callable[[int, int], None]

# Jobs that are named in a finding.
_NAMED = 3


def store(config: Config, progress: Progress) -> Finding:
    """Whether the database and the results are whole, row by row and file by file."""
    check, directory = "store", config.data_dir
    report = StoreReport()
    try:
        if not directory.is_dir():
            return Finding.ok(check, "there is none yet")
        for done, total in check_store(directory, report):
            progress(done, total)
    except DataDirectoryError as error:
        return Finding.failed(check, str(error), "Do as it says.")
    except OSError as error:
        return Finding.failed(
            check,
            f"{error.filename or directory} can't be read: {error.strerror}",
            "Mend that; it doesn't mean that anything is lost.",
        )
    if report.structure:
        return Finding.failed(
            check,
            f"the database is damaged: {'; '.join(report.structure)}",
            "Stop the server, look after the disk, and bring back a backup.",
        )
    seen = f"{report.jobs:,} jobs were compared with their checksums"
    if report.damaged:
        return damage(check, seen, report.damaged)
    if report.missing:
        return Finding.warning(
            check,
            f"{seen}: the results' files of {len(report.missing):,} are missing ({_names(report.missing)})",
            f"Bring them back to {directory / 'results'} from a backup, or delete these jobs. The next"
            " start looks for them in set-aside/, too.",
        )
    if report.set_aside:
        return Finding.warning(
            check,
            f"{seen}; {report.set_aside:,} results ({report.set_aside_bytes / 2**20:.1f} MiB) that the"
            f" database didn't know are in {directory / 'set-aside'}",
            "If the database is an older backup, bring the newer one back: the next start takes them from"
            " there. Else they are what crashes left: remove them.",
        )
    return Finding.ok(check, seen)


def damage(check: str, seen: str, job_ids: Sequence[str]) -> Finding:
    """Return what to do about damaged jobs."""
    return Finding.failed(
        check,
        f"{seen}: {len(job_ids):,} are damaged ({_names(job_ids)})",
        "Look after the disk. Delete these jobs (basicaer delete ID) and submit them again, or bring back"
        " a backup.",
    )


def _names(job_ids: Sequence[str]) -> str:
    more = ", …" if len(job_ids) > _NAMED else ""
    return ", ".join(job_ids[:_NAMED]) + more
