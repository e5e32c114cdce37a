"""Reads a whole store and compares all of it with its checksums; changes nothing, and needs no lock."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from basicaer.service.errors import ServiceError
from basicaer.service.store._interface import DamagedJob
from basicaer.service.store._sums import fits, read_record, result_sum, spec_sum
from basicaer.service.store.sqlite import _sql
from basicaer.service.store.sqlite._aside import Aside
from basicaer.service.store.sqlite._files import ResultFile
from basicaer.service.store.sqlite._identity import DATABASE, Identity
from basicaer.service.store.sqlite._open_files import OpenFiles
from basicaer.service.store.sqlite._rows import rows
from basicaer.service.store.sqlite._schema import REVISIONS, unusable

__all__ = ["StoreReport", "check_store"]

_BATCH = 500
_PIECE = 16 << 20


@dataclass(slots=True)
class StoreReport:
    """What was found; complete once `check_store` has ended."""

    jobs: int = 0
    # What SQLite says of the file's structure.
    structure: list[str] = field(default_factory=list)
    # Jobs of which something is damaged, and those whose result's file is missing.
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    # Files of results that are set aside, and their bytes.
    set_aside: int = 0
    set_aside_bytes: int = 0


def check_store(directory: Path, report: StoreReport) -> Iterator[tuple[int, int]]:
    """Fill a report; yields how many jobs of how many were looked at.

    Raises:
        DataDirectoryError: The database can't be read at all.
    """
    aside = Aside(directory).files()
    report.set_aside = len(aside)
    for path in aside:
        with contextlib.suppress(OSError):
            report.set_aside_bytes += path.stat().st_size
    if Identity(directory).check():
        # There is none yet.
        return
    path = directory / DATABASE
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        try:
            yield from _check(connection, directory, report)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise unusable(path, error) from error


def _check(connection: sqlite3.Connection, directory: Path, report: StoreReport) -> Iterator[tuple[int, int]]:
    found = rows(connection, "PRAGMA integrity_check(3)", ())
    report.structure = [str(line) for (line,) in found if line != "ok"]
    ((revision,),) = rows(connection, "SELECT version_num FROM alembic_version", ())
    if revision != REVISIONS[-1]:
        # Its next start gives it checksums.
        return
    ((total,),) = rows(connection, "SELECT count(*) FROM jobs", ())
    last = -(2**63)
    while batch := rows(connection, _sql.ALL_JOBS, (last, _BATCH)):
        for number, *record in batch:
            last = number
            _check_job(connection, directory, report, record)
        report.jobs += len(batch)
        yield report.jobs, max(total, report.jobs)


def _check_job(
    connection: sqlite3.Connection, directory: Path, report: StoreReport, record: list[object]
) -> None:
    job = read_record(record)
    job_id = job.job_id
    well = not isinstance(job, DamagedJob)
    for spec, its_sum in rows(connection, _sql.LOAD_SPEC, (job_id,)):
        if spec is None or its_sum is None:
            well = well and (spec, its_sum) == (None, None)
        else:
            well = well and fits(spec_sum, (job_id, spec), its_sum)
    for *of_result, its_sum in rows(connection, _sql.FIND_RESULT, (job_id,)):
        if not fits(result_sum, (job_id, *of_result), its_sum):
            well = False
        elif of_result[0] is not None:
            file, message_size, file_bytes, message = of_result
            try:
                _read_file(directory / "results" / file, message, message_size, file_bytes or 0)
            except FileNotFoundError:
                report.missing.append(job_id)
            except (OSError, ServiceError):
                well = False
    if not well:
        report.damaged.append(job_id)


def _read_file(path: Path, message: bytes | None, message_size: int, size: int) -> None:
    """Compare a result's file with its checksums.

    Raises:
        OSError, ServiceError: It can't be read, or it is damaged.
    """
    result = ResultFile(OpenFiles(), path, message, message_size, size)
    try:
        for offset in range(0, size, _PIECE):
            result.read_checked(offset, _PIECE)
    finally:
        result.close()
