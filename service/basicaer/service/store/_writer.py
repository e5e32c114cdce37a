"""The one thread that writes to the database: whatever has been handed over is one transaction, and one sync
to disk.

A write that fails must not take its group with it, and savepoints around each would cost as much as the
writes. So a group is tried as a whole, and when that fails it is rolled back and its writes are committed one
by one, each on its own account. Updates that may wait (`UpdateJob.lazy`) are held back for some milliseconds,
since the next state of a small job is there by then and holds theirs.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence

from basicaer.service.errors import ServiceError, StoreBusyError, internal_error

from . import _sql
from ._interface import Barrier, DeleteJob, ExistingJob, InsertJob, Listener, SweepJob, UpdateJob, Write

__all__ = ["Writer"]

_log = logging.getLogger(__name__)

# Writes in a transaction at most, so that those who wait for the first don't wait for all of a burst.
_GROUP = 256
# How long a lazy update is held back, in seconds.
_LAZINESS = 0.002
# A spec or a serialized result up to this size lies in its job's row, a larger one beside it.
_INLINE_BYTES = 32 * 1024

# Primary result codes that say that the store is full or locked, not that the statement is wrong.
_BUSY_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)


class Writer:
    """Commits writes in groups on a thread of its own, and hands each group back to the listener."""

    def __init__(
        self, connection: sqlite3.Connection, listener: Listener, remove_file: Callable[[str], None]
    ) -> None:
        """Starts the thread, which owns the connection from now on. `remove_file` removes a result's file by
        name.
        """
        self._execute = connection.execute
        self._connection = connection
        self._listener = listener
        self._remove_file = remove_file
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._lazy: dict[str, UpdateJob] = {}
        self._lazy_deadline = 0.0
        # Files that nothing refers to once the present transaction is committed.
        self._removable: list[str] = []
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, write: Write) -> None:
        """Hands a write over."""
        self._queue.put(write)

    def close(self) -> None:
        """Commits what was handed over, then ends the thread and closes the connection."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group: list[Write] = []
            stopping = self._collect(group)
            if group:
                self._commit_group(group)
                try:
                    self._listener(group)
                except Exception:
                    _log.exception("a listener of the store failed")

    def _collect(self, group: list[Write]) -> bool:
        """Waits for the next group; True when it is the last one."""
        lazy = self._lazy
        timeout = max(self._lazy_deadline - time.monotonic(), 0.0) if lazy else None
        try:
            write = self._queue.get(timeout=timeout)
            while write is not None:
                if isinstance(write, UpdateJob):
                    if write.lazy:
                        if not lazy:
                            self._lazy_deadline = time.monotonic() + _LAZINESS
                        lazy[write.job_id] = write
                    else:
                        lazy.pop(write.job_id, None)
                        group.append(write)
                else:
                    group.append(write)
                if len(group) >= _GROUP:
                    return False
                write = self._queue.get_nowait()
        except queue.Empty:
            if not lazy or time.monotonic() < self._lazy_deadline:
                return False
            stopping = False
        else:
            stopping = True
        group.extend(lazy.values())
        lazy.clear()
        return stopping

    def _commit_group(self, group: Sequence[Write]) -> None:
        error = self._commit(group)
        if error is None:
            return
        if len(group) == 1 or error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            # Alone, or locked out: trying the others would only add their waits to this one's.
            service_error = _service_error(error)
            for write in group:
                if not isinstance(write, Barrier):
                    write.error = service_error
            return
        for write in group:
            error = self._commit((write,))
            if error is not None and not isinstance(write, Barrier):
                write.error = _service_error(error)

    def _commit(self, group: Sequence[Write]) -> sqlite3.Error | None:
        """Commits a group as one transaction, or nothing of it and says why."""
        try:
            self._execute("BEGIN IMMEDIATE")
            for write in group:
                if isinstance(write, UpdateJob):
                    self._update(write)
                elif isinstance(write, InsertJob):
                    self._insert(write)
                elif isinstance(write, SweepJob):
                    self._sweep(write)
                elif isinstance(write, DeleteJob):
                    self._delete(write)
            self._execute("COMMIT")
        except sqlite3.Error as error:
            self._removable.clear()
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            return error
        for name in self._removable:
            self._remove_file(name)
        self._removable.clear()
        return None

    def _insert(self, write: InsertJob) -> None:
        inline = len(write.spec) <= _INLINE_BYTES
        write.existing = None
        cursor = self._execute(
            _sql.INSERT_JOB,
            (
                write.job_id,
                write.principal,
                write.request_id,
                write.request_hash,
                write.backend_name,
                write.create_time,
                write.status,
                write.job,
                write.events,
                write.spec if inline else None,
            ),
        )
        if cursor.rowcount == 0:
            row = self._execute(_sql.FIND_REQUEST, (write.principal, write.request_id)).fetchone()
            write.existing = ExistingJob(*row)
            return
        if not inline:
            self._execute(_sql.INSERT_PAYLOAD, (write.job_id, "spec", write.spec))
        for key, value in write.labels.items():
            self._execute(_sql.INSERT_LABEL, (key, value, write.job_id))

    def _update(self, write: UpdateJob) -> None:
        state = (
            write.status,
            write.sequence,
            write.attempt,
            write.crashes,
            write.cancel_reason,
            write.job,
            write.events,
        )
        key = (write.job_id, write.attempt)
        if not write.final:
            write.applied = self._execute(_sql.UPDATE_JOB, state + key).rowcount == 1
            return
        result = write.result
        message = result.message if result else None
        inline = message if message is not None and len(message) <= _INLINE_BYTES else None
        placed = (inline, result.file, result.message_size) if result else (None, None, 0)
        cursor = self._execute(_sql.FINISH_JOB, (*state, *placed, write.sweep_time, *key))
        write.applied = cursor.rowcount == 1
        if write.applied:
            self._execute(_sql.DELETE_PAYLOAD, (write.job_id, "spec"))
            if message is not None and inline is None:
                self._execute(_sql.INSERT_PAYLOAD, (write.job_id, "result", message))

    def _sweep(self, write: SweepJob) -> None:
        self._execute(_sql.SWEEP_JOB, (write.events, write.sweep_time, write.job_id))
        if write.drop_result:
            self._note_file(write.job_id)
            self._execute(_sql.SWEEP_RESULT, (write.job_id,))
            self._execute(_sql.DELETE_PAYLOAD, (write.job_id, "result"))

    def _delete(self, write: DeleteJob) -> None:
        self._note_file(write.job_id)
        write.applied = self._execute(_sql.DELETE_JOB, (write.job_id,)).rowcount == 1
        if write.applied:
            self._execute(_sql.DELETE_PAYLOADS, (write.job_id,))
            self._execute(_sql.DELETE_LABELS, (write.job_id,))

    def _note_file(self, job_id: str) -> None:
        row = self._execute(_sql.FIND_RESULT, (job_id,)).fetchone()
        if row is not None and row[0] is not None:
            self._removable.append(row[0])


def _service_error(error: sqlite3.Error) -> ServiceError:
    """What a failure of SQLite means to callers: come again later, or a defect of ours."""
    if error.sqlite_errorcode & 0xFF in _BUSY_CODES:
        _log.warning("the store can't commit: %s", error)
        return StoreBusyError(str(error))
    _log.error("a write to the store failed", exc_info=error)
    return internal_error()
