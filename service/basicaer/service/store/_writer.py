"""The one thread that writes to the database: whatever has been handed over is one transaction, and one sync
to disk.

A write that fails must not take its group with it, and savepoints around each would cost as much as the
writes. So a group is tried as a whole, and when that fails it is rolled back and its writes are committed one
by one, each on its own account. Updates that may wait (`UpdateJob.lazy`) are held back for some milliseconds,
since the next state of a small job is there by then and holds theirs.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence

from basicaer.service.errors import ServiceError, StoreBusyError, internal_error

from ._interface import Barrier, InsertJob, Listener, Observer, UpdateJob, Write
from ._statements import Statements

__all__ = ["Writer"]

_log = logging.getLogger(__name__)

# Writes in a transaction at most, so that those who wait for the first don't wait for all of a burst.
_GROUP = 256
# How long a lazy update is held back, in seconds.
_LAZINESS = 0.002
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
        self,
        connection: sqlite3.Connection,
        listener: Listener,
        remove_file: Callable[[str], None],
        observe: Observer,
    ) -> None:
        """Starts the thread, which owns the connection from now on. `remove_file` removes a result's file by
        name.
        """
        self._observe = observe
        self._execute = connection.execute
        self._connection = connection
        self._listener = listener
        self._remove_file = remove_file
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._lazy: dict[str, UpdateJob] = {}
        self._lazy_deadline = 0.0
        self._statements = Statements(connection)
        # Files of results whose commit failed since the last one that didn't.
        self._doubtful: set[str] = set()
        self._discarded: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, write: Write) -> None:
        """Hands a write over."""
        self._queue.put(write)

    def remove_file(self, name: str) -> None:
        """Removes a result's file that nothing refers to, now or after the next commit.

        A commit that failed because the disk couldn't sync may still come true, if the process dies before it
        has written something else in its place. So the files of that commit stay until then.
        """
        if name in self._doubtful:
            self._discarded.put(name)
        else:
            self._remove_file(name)

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
                began = time.perf_counter()
                self._commit_group(group)
                failed = sum(write.error is not None for write in group)
                self._observe(time.perf_counter() - began, len(group), failed)
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
        locked: sqlite3.Error | None = None
        if len(group) > 1:
            try:
                if self._commit(self._statements.together, group) or self._commit(
                    self._statements.separately, group
                ):
                    return
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                    # Each of the writes would only wait in vain once more.
                    locked = error
        for write in group:
            try:
                if locked is not None:
                    raise locked
                self._commit(self._statements.separately, (write,))
            except sqlite3.Error as error:
                if not isinstance(write, Barrier):
                    write.error = _service_error(error)
                if isinstance(write, InsertJob | UpdateJob) and write.result and write.result.file:
                    self._doubtful.add(write.result.file)

    def _commit(self, run: Callable[[Sequence[Write]], bool], group: Sequence[Write]) -> bool:
        """Writes a group in one transaction; if that fails, or `run` returns False, nothing has happened."""
        removable = self._statements.removable
        try:
            self._execute("BEGIN IMMEDIATE")
            done = run(group)
            self._execute("COMMIT" if done else "ROLLBACK")
        except sqlite3.Error:
            removable.clear()
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            raise
        for name in removable:
            self._remove_file(name)
        removable.clear()
        if done and self._doubtful:
            self._doubtful = set()
            self._remove_discarded()
        return done

    def _remove_discarded(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._remove_file(self._discarded.get_nowait())


def _service_error(error: sqlite3.Error) -> ServiceError:
    """What a failure of SQLite means to callers: come again later, or a defect of ours."""
    if error.sqlite_errorcode & 0xFF in _BUSY_CODES:
        _log.warning("the store can't commit: %s", error)
        return StoreBusyError(str(error))
    _log.error("a write to the store failed", exc_info=error)
    return internal_error()
