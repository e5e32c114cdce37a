"""How writes become statements: one for each kind of write in a round, however many there are.

A round is as much of a group as doesn't depend on the order within it: inserts, then updates, then ends. The
statements tell which rows they have taken, so that nothing has to be done twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from basicaer.service.errors import ServiceError, StoreBusyError
from basicaer.service.store._interface import (
    Barrier,
    DeleteJob,
    InsertJob,
    JobRecord,
    Probe,
    Reclaim,
    SweepJob,
    UpdateJob,
    Write,
)
from basicaer.service.store._sums import no_result_sum, state_sum
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._results import attempt_of, object_id_of
from basicaer.service.store.postgresql._rows import (
    columns,
    existing,
    finish_row,
    insert_row,
    record,
    text,
    update_row,
)
from basicaer.service.store.postgresql._session import Connection
from basicaer.service.store.postgresql.objects import statements as objects
from basicaer.service.store.postgresql.sharing.statements import IS_MEMBER

__all__ = ["Discard", "Item", "rounds", "run"]


@dataclass(frozen=True, slots=True)
class Discard:
    """The chunks of an attempt whose result isn't committed."""

    job_id: str
    attempt: int
    file: str


Item: TypeAlias = Write | Discard


@dataclass(slots=True)
class _Round:
    inserts: list[InsertJob] = field(default_factory=list)
    # Of each job the last update, and those before it, which it holds.
    updates: dict[str, list[UpdateJob]] = field(default_factory=dict)
    # Any other write has a round of its own.
    other: Item | None = None

    @property
    def statements(self) -> int:
        finals = {writes[-1].final for writes in self.updates.values()}
        apart = any(_in_chunks(write) for write in self.inserts)
        return bool(self.inserts) + 2 * apart + len(finals) + 2 * (self.other is not None)

    def takes(self, write: Item) -> bool:
        """Whether a write is now part of this round."""
        if isinstance(write, InsertJob):
            self.inserts.append(write)
        elif isinstance(write, UpdateJob):
            before = self.updates.setdefault(write.job_id, [])
            if before and (before[-1].final or before[-1].attempt != write.attempt):
                return False
            before.append(write)
        elif isinstance(write, Reclaim):
            # The database takes care of that by itself.
            write.more = False
        elif isinstance(write, Barrier):
            pass
        elif self.inserts or self.updates:
            return False
        else:
            self.other = write
        return True


def rounds(group: Sequence[Item]) -> list[_Round]:
    """Divide a group."""
    made = [_Round()]
    for write in group:
        if made[-1].other is not None or not made[-1].takes(write):
            made.append(_Round())
            made[-1].takes(write)
    return made


async def run(connection: Connection, group: Sequence[Item], server: int) -> None:
    """Write a group in one transaction, and fill in what became of each. If it fails, nothing has happened.
    `server` is this server's number, or 0 when it has never had one.

    Raises:
        Exception: As asyncpg does.
    """
    parts = rounds(group)
    if sum(part.statements for part in parts) <= 1:
        # One statement is a transaction of its own.
        for part in parts:
            await _run(connection, part, server)
        return
    async with connection.transaction():
        for part in parts:
            await _run(connection, part, server)


async def _run(connection: Connection, part: _Round, server: int) -> None:
    if part.other is not None:
        await _run_other(connection, part.other)
    if part.inserts:
        inserts = [write for write in part.inserts if await _has_result(connection, write, server)]
        if inserts:
            await _insert(connection, inserts)
    updates = part.updates.values()
    await _update(connection, [writes for writes in updates if not writes[-1].final])
    await _finish(connection, [writes for writes in updates if writes[-1].final])


async def _update(connection: Connection, updates: Sequence[Sequence[UpdateJob]]) -> None:
    if updates:
        rows = [update_row(writes[-1]) for writes in updates]
        await _note(connection, updates, await connection.fetch(_sql.UPDATE_JOBS, *columns(rows)))


async def _finish(connection: Connection, updates: Sequence[Sequence[UpdateJob]]) -> None:
    if updates:
        rows = [finish_row(writes[-1]) for writes in updates]
        await _note(connection, updates, await connection.fetch(_sql.FINISH_JOBS, *columns(rows)))


async def _note(
    connection: Connection, updates: Sequence[Sequence[UpdateJob]], taken: Sequence[Sequence[bytes]]
) -> None:
    job_ids = {row[0].decode() for row in taken}
    refused = []
    for writes in updates:
        for write in writes:
            write.applied = write.job_id in job_ids
            write.cancelled_for = None
            if not write.applied:
                refused.append(write)
    if not refused:
        return
    keys = list({write.job_id.encode() for write in refused})
    standing = {text(row[0]): row[1:] for row in await connection.fetch(_sql.STANDING, keys)}
    for write in refused:
        fence, reason = standing.get(write.job_id, (None, None))
        if fence == write.fence and reason is not None and write.cancel_reason is None:
            write.cancelled_for = text(reason)


def _in_chunks(write: InsertJob) -> bool:
    return write.result is not None and write.result.file is not None


async def _has_result(connection: Connection, write: InsertJob, server: int) -> bool:
    """Whether a new job's result is there until its insertion is committed, should it lie in chunks: another
    server may have taken this one for dead, and removed them.
    """
    if not server or write.result is None or write.result.file is None:
        return True
    is_member = await connection.fetchval(IS_MEMBER, server) is not None
    if is_member and await _adopt(connection, write.job_id, write.result.file, server):
        return True
    write.error = StoreBusyError("this server's lease had ended")
    return False


async def _adopt(connection: Connection, job_id: str, file: str, server: int) -> bool:
    if object_id := object_id_of(file):
        return await connection.fetchval(objects.ADOPT, object_id, server) is not None
    return bool(await connection.fetchval(_sql.ADOPT_CHUNKS, job_id.encode(), attempt_of(file), server))


async def _insert(connection: Connection, inserts: Sequence[InsertJob]) -> None:
    arguments = columns(map(insert_row, inserts))
    labels = list(_labels(inserts))
    if labels:
        rows = await connection.fetch(_sql.INSERT_JOBS_WITH_LABELS, *arguments, *columns(labels))
    else:
        all_final = all(write.final for write in inserts)
        statement = _sql.INSERT_FINAL_JOBS if all_final else _sql.INSERT_JOBS
        rows = await connection.fetch(statement, *arguments)
    made = {row[0].decode() for row in rows}
    for write in inserts:
        write.existing = write.error = None
        if write.job_id in made:
            continue
        assert write.request_id is not None
        row = await connection.fetchrow(
            _sql.FIND_REQUEST, write.principal.encode(), write.request_id.encode()
        )
        assert row is not None
        try:
            write.existing = existing(row)
        except ServiceError as error:
            # It is this write's alone.
            write.error = error


def _labels(inserts: Sequence[InsertJob]) -> Iterator[tuple[bytes, bytes, bytes]]:
    for write in inserts:
        for key, value in write.labels.items():
            yield key.encode(), value.encode(), write.job_id.encode()


async def _run_other(connection: Connection, write: Item) -> None:
    match write:
        case SweepJob():
            await _sweep(connection, write)
        case DeleteJob():
            gone = await connection.fetch(_sql.DELETE_JOBS, [write.job_id.encode()], write.damaged)
            write.applied = len(gone) == 1
        case Discard() if object_id := object_id_of(write.file):
            await connection.execute(objects.DISCARD, object_id)
        case Discard():
            await connection.execute(_sql.DISCARD, write.job_id.encode(), write.attempt, write.file.encode())
        case Probe():
            await connection.execute(_sql.PROBE)
        case _:
            raise TypeError(f"{write!r} is no write of this store's")


async def _sweep(connection: Connection, write: SweepJob) -> None:
    job_id = write.job_id.encode()
    row = await connection.fetchrow(_sql.FIND_JOB_TO_CHANGE, job_id)
    stored = None if row is None else record(row)
    if not isinstance(stored, JobRecord) or write.set_aside:
        await connection.execute(_sql.SET_ASIDE, job_id)
        return
    job = stored.job if write.job is None else write.job
    changed = state_sum(
        stored.job_id,
        stored.status,
        stored.sequence,
        stored.attempt,
        stored.crashes,
        stored.cancel_reason,
        job,
        write.events,
    )
    await connection.execute(_sql.SWEEP_JOB, job_id, write.events, write.sweep_time, job, changed)
    if write.drop_result:
        await connection.execute(_sql.SWEEP_RESULT, job_id, no_result_sum(write.job_id))
