"""How writes become statements.

Each statement lets go of the interpreter's lock and has to get it back, which under load takes far longer
than the statement: the writer's first version, with a statement or two for each write, made jobs wait for 4
ms where a group takes 0.5 ms. So a group is written with one statement for each kind of write. Such a
statement doesn't tell which of its rows were refused (a request id that is taken, a job that is final); then
the group is rolled back, and each gets its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from basicaer.service.store._interface import (
    Barrier,
    DamagedJob,
    DeleteJob,
    InsertJob,
    JobRecord,
    Probe,
    Reclaim,
    StagedResult,
    SweepJob,
    UpdateJob,
    Write,
)
from basicaer.service.store._sums import (
    existing_job,
    fits,
    inserted_sums,
    no_result_sum,
    read_record,
    request_doubtful,
    result_sum,
    staged_sum,
    state_sum,
    updated_sum,
)
from basicaer.service.store.sqlite import _sql
from basicaer.service.store.sqlite._rows import rows
from basicaer.service.store.sqlite._schema import PROBE

__all__ = ["Statements"]

# A spec or a serialized result up to this size lies in its job's row, a larger one beside it.
_INLINE_BYTES = 32 * 1024
# Rows of one statement. Each number of rows is a statement of its own, all of which the connection caches.
_ROWS = 32
# Pages that are given back at a time, while others' commits wait.
_RECLAIMED_PAGES = 1_000


class Statements:
    """Runs the statements of writes on a connection, within a transaction of the caller's."""

    def __init__(self, connection: sqlite3.Connection, doubtful: Mapping[str, str]) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._execute_many = connection.executemany
        self._doubtful = doubtful
        # Files that nothing refers to any more once the transaction is committed.
        self.removable: list[str] = []

    def together(self, group: Sequence[Write]) -> bool:
        """Write a whole group; False when it must be rolled back, and written one by one."""
        inserts: list[InsertJob] = []
        updates: dict[str, UpdateJob] = {}
        ends: dict[str, UpdateJob] = {}
        for write in group:
            if isinstance(write, UpdateJob):
                if write.job_id in ends:
                    return False
                if write.final:
                    updates.pop(write.job_id, None)
                    ends[write.job_id] = write
                else:
                    updates[write.job_id] = write
            elif isinstance(write, InsertJob):
                if write.request_id in self._doubtful:
                    return False
                inserts.append(write)
            elif not isinstance(write, Barrier):
                return False
        if not (
            self._each(_sql.insert_jobs, [_insert_row(write) for write in inserts])
            and self._each(_sql.update_jobs, [_update_row(write) for write in updates.values()])
            and self._each(_sql.finish_jobs, [_finish_row(write) for write in ends.values()])
        ):
            return False
        self._add_labels(inserts)
        self._add_payloads([*inserts, *ends.values()])
        return True

    def separately(self, group: Sequence[Write]) -> bool:
        """Write one after the other, and fills in what became of each. Returns True."""
        for write in group:
            self._write(write)
        return True

    def _write(self, write: Write) -> None:
        if isinstance(write, InsertJob):
            if write.request_id in self._doubtful:
                self._check_doubtful(write)
            if self._each(_sql.insert_jobs, [_insert_row(write)]):
                write.existing = None
                self._add_labels([write])
                self._add_payloads([write])
            else:
                row = self._execute(_sql.FIND_REQUEST, (write.principal, write.request_id)).fetchone()
                write.existing = existing_job(row)
        elif isinstance(write, UpdateJob):
            if write.final:
                write.applied = self._each(_sql.finish_jobs, [_finish_row(write)])
                if write.applied:
                    self._add_payloads([write])
            else:
                write.applied = self._each(_sql.update_jobs, [_update_row(write)])
        elif isinstance(write, SweepJob):
            self._sweep(write)
        elif isinstance(write, DeleteJob):
            self._delete(write)
        elif isinstance(write, Probe):
            self._execute(PROBE)
        elif isinstance(write, Reclaim):
            self._reclaim(write)

    def _check_doubtful(self, write: InsertJob) -> None:
        """Refuses a job that may have been made already.

        Raises:
            ServiceError: CHECKSUM_MISMATCH.
        """
        assert write.request_id is not None
        same = self._execute(_sql.FIND_REQUEST, (write.principal, write.request_id)).fetchone()
        if same is None and self._execute(_sql.FIND_JOB, (self._doubtful[write.request_id],)).fetchone():
            raise request_doubtful()

    def _each(self, statement: Callable[[int], str], rows: Sequence[Sequence[object]]) -> bool:
        """Whether a statement has taken all rows."""
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            cursor = self._execute(statement(len(some)), list(chain.from_iterable(some)))
            if cursor.rowcount != len(some):
                return False
        return True

    def _add_labels(self, inserts: Sequence[InsertJob]) -> None:
        rows = [(*label, write.job_id) for write in inserts for label in write.labels.items()]
        if rows:
            self._execute_many(_sql.INSERT_LABEL, rows)

    def _add_payloads(self, writes: Sequence[InsertJob | UpdateJob]) -> None:
        rows = []
        for write in writes:
            spec = write.spec if isinstance(write, InsertJob) else None
            message = write.result.message if write.result else None
            for kind, data in (("spec", spec), ("result", message)):
                if data is not None and len(data) > _INLINE_BYTES:
                    rows.append((write.job_id, kind, data))
        if rows:
            self._execute_many(_sql.INSERT_PAYLOAD, rows)

    def _sweep(self, write: SweepJob) -> None:
        record = self._record(write.job_id)
        if not isinstance(record, JobRecord) or write.set_aside:
            self._execute(_sql.SET_ASIDE, (write.job_id,))
            return
        job = record.job if write.job is None else write.job
        changed = state_sum(
            record.job_id,
            record.status,
            record.sequence,
            record.attempt,
            record.crashes,
            record.cancel_reason,
            job,
            write.events,
        )
        self._execute(_sql.SWEEP_JOB, (write.events, write.sweep_time, job, changed, write.job_id))
        if write.drop_result:
            self._note_file(write.job_id)
            none = no_result_sum(write.job_id)
            self._execute(_sql.SWEEP_RESULT, (none, write.job_id))
            self._execute(_sql.DELETE_RESULT, (write.job_id,))

    def _delete(self, write: DeleteJob) -> None:
        self._note_file(write.job_id)
        statement = _sql.DELETE_DAMAGED if write.damaged else _sql.DELETE_JOB
        write.applied = self._execute(statement, (write.job_id,)).rowcount == 1
        if write.applied:
            self._execute(_sql.DELETE_PAYLOADS, (write.job_id,))
            self._execute(_sql.DELETE_LABELS, (write.job_id,))

    def _reclaim(self, write: Reclaim) -> None:
        (free,) = self._execute(_sql.FREE_PAGES).fetchone()
        for _ in range(min(free, _RECLAIMED_PAGES)):
            self._execute(_sql.RECLAIM_PAGE)
        write.more = free > _RECLAIMED_PAGES

    def _record(self, job_id: str) -> JobRecord | DamagedJob | None:
        found = rows(self._connection, _sql.FIND_JOB, (job_id,))
        return read_record(found[0]) if found else None

    def _note_file(self, job_id: str) -> None:
        # The name of another job's file must not come of damage.
        for file, *others, its_sum in rows(self._connection, _sql.FIND_RESULT, (job_id,)):
            if file is not None and fits(result_sum, (job_id, file, *others), its_sum):
                self.removable.append(file)


def _insert_row(write: InsertJob) -> tuple[object, ...]:
    return (
        write.job_id,
        write.principal,
        write.request_id,
        write.request_hash,
        write.backend_name,
        write.create_time,
        write.status,
        write.sequence,
        write.attempt,
        0,
        write.job,
        write.events,
        _inline(write.spec),
        *_result(write.result),
        write.sweep_time,
        *inserted_sums(write),
    )


def _update_row(write: UpdateJob) -> tuple[object, ...]:
    return (*_state(write), write.job_id)


def _finish_row(write: UpdateJob) -> tuple[object, ...]:
    ending = (*_result(write.result), write.sweep_time, staged_sum(write.job_id, write.result))
    return (*_state(write), *ending, write.job_id)


def _result(result: StagedResult | None) -> tuple[object, ...]:
    if result is None:
        return (None, None, 0, None)
    return (_inline(result.message), result.file, result.message_size, result.file_bytes)


def _inline(data: bytes | memoryview | None) -> bytes | memoryview | None:
    return data if data is not None and len(data) <= _INLINE_BYTES else None


def _state(write: UpdateJob) -> tuple[object, ...]:
    return (
        write.status,
        write.sequence,
        write.attempt,
        write.crashes,
        write.cancel_reason,
        write.job,
        write.events,
        updated_sum(write),
    )
