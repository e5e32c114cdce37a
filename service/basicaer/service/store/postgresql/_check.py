"""Looks at a database as a server would, and compares all of it with its checksums; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import google_crc32c
from basicaer.service.errors import DataDirectoryError
from basicaer.service.store._interface import DamagedJob
from basicaer.service.store._sums import fits, result_sum, spec_sum
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._address import Address
from basicaer.service.store.postgresql._results import attempt_of, object_id_of
from basicaer.service.store.postgresql._rows import record, text
from basicaer.service.store.postgresql._session import Connection, connect
from basicaer.service.store.postgresql._tables import REVISIONS, tables_of
from basicaer.service.store.postgresql.sharing.attendance import Attendance, attendance

__all__ = ["Examination", "examine_database"]

_BATCH = 100
# What a database must not be set to, if what it has acknowledged is to survive the machine's crash.
_SAFE = ("fsync", "full_page_writes")
_SIZE_OF_OBJECTS = "SELECT size FROM objects WHERE object_id = $1"


@dataclass(slots=True)
class Examination:
    """What was found."""

    shown: str
    version: int = 0
    # The revision of the tables; None when there are none yet.
    revision: str | None = None
    # Settings of the database that lose what it has acknowledged.
    unsafe: list[str] = field(default_factory=list)
    # Whether it finds its own damaged pages; and whether the connection is encrypted, or stays on the
    # machine.
    page_sums: bool = True
    private: bool = True
    # Whether the tables are of a later version, which this one can't use.
    unknown: bool = False
    # Who shares the database; None unless the tables are of this version, or a later one that fits.
    attendance: Attendance | None = None
    jobs: int = 0
    # Jobs of which something is damaged.
    damaged: list[str] = field(default_factory=list)


def examine_database(database: str, progress: Callable[[int, int], None]) -> Examination:
    """Look at a database; `progress` is told how many jobs of how many were looked at.

    Raises:
        DataDirectoryError: It can't be reached or read.
    """
    address = Address.of(database)
    found = Examination(address.shown)
    try:
        asyncio.run(_examine(address, found, progress))
    except Exception as error:
        raise DataDirectoryError(
            f"The database {address.shown} can't be read: {str(error).strip() or type(error).__name__}"
        ) from error
    return found


async def _examine(address: Address, found: Examination, progress: Callable[[int, int], None]) -> None:
    connection = await connect(address)
    try:
        found.version = connection.get_server_version().major
        found.unsafe = [name for name in _SAFE if await connection.fetchval(f"SHOW {name}") == "off"]
        found.page_sums = await connection.fetchval("SHOW data_checksums") == "on"
        found.private = await connection.fetchval(
            "SELECT ssl OR client_addr IS NULL OR client_addr <<= '127.0.0.0/8' OR client_addr = '::1'"
            " FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()"
        )
        tables = await tables_of(connection)
        if tables is None:
            return
        found.revision, found.unknown = tables.revision, not tables.usable
        if tables.revision == REVISIONS[-1] or (tables.later and tables.usable):
            found.attendance = await attendance(connection)
            await _compare(connection, found, progress)
    finally:
        await connection.close()


async def _compare(connection: Connection, found: Examination, progress: Callable[[int, int], None]) -> None:
    total = await connection.fetchval(_sql.COUNT_JOBS)
    last = b""
    while rows := await connection.fetch(_sql.ALL_JOBS, last, _BATCH):
        for *row, spec, its_spec_sum in rows:
            last = row[0]
            job = record(row)
            job_id = job.job_id
            well = not isinstance(job, DamagedJob)
            if spec is None or its_spec_sum is None:
                well = well and (spec, its_spec_sum) == (None, None)
            else:
                well = well and fits(spec_sum, (job_id, spec), its_spec_sum)
            if not (well and await _is_result_well(connection, job_id)):
                found.damaged.append(job_id)
        found.jobs += len(rows)
        progress(found.jobs, max(total, found.jobs))


async def _is_result_well(connection: Connection, job_id: str) -> bool:
    row = await connection.fetchrow(_sql.FIND_RESULT, job_id.encode(errors="surrogateescape"))
    if row is None:
        return True
    name, message_size, size, message, its_sum = row
    file = text(name)
    if not fits(result_sum, (job_id, file, message_size, size, message), its_sum):
        return False
    if file is None:
        return True
    if object_id := object_id_of(file):
        # The objects are compared when they are read.
        return await connection.fetchval(_SIZE_OF_OBJECTS, object_id) == size  # type: ignore[no-any-return]
    # One at a time: a result may be large.
    seen = number = 0
    while chunks := await connection.fetch(_sql.CHUNKS, job_id.encode(), attempt_of(file), number, number):
        ((_, data, data_sum),) = chunks
        if google_crc32c.value(data) != data_sum:
            return False
        seen += len(data)
        number += 1
    return bool(seen == size)
