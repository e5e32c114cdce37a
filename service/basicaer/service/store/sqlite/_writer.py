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
from collections.abc import Callable, Mapping, Sequence

from basicaer.service.errors import RETRY_AFTER, ServiceError, StoreBusyError, internal_error
from basicaer.service.store._interface import Barrier, InsertJob, Listener, Observer, UpdateJob, Write
from basicaer.service.store._sums import database_damaged
from basicaer.service.store.sqlite._statements import Statements
from basicaer.service.vital import Vital
from basicaer.v1 import error_reason_pb2

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
        vital: Vital,
        doubtful: Mapping[str, str],
    ) -> None:
        """Start the thread, which owns the connection from now on. `remove_file` removes a result's file by
        name. No job is made with a request id that is `doubtful`: a damaged job's, which may be the same.
        """
        self._observe = observe
        self._execute = connection.execute
        self._connection = connection
        self._listener = listener
        self._remove_file = remove_file
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._lazy: dict[str, UpdateJob] = {}
        self._lazy_deadline = 0.0
        self._statements = Statements(connection, doubtful)
        # Files of results whose commit failed since the last one that didn't.
        self._doubtful: set[str] = set()
        self._discarded: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stopping = False
        # The present group, until the listener has been told of it.
        self._untold: list[Write] = []
        self._thread = vital.thread("store-writer", self._run)

    def write(self, write: Write) -> None:
        """Hands a write over."""
        self._queue.put(write)

    def remove_file(self, name: str) -> None:
        """Remove a result's file that nothing refers to, now or after the next commit.

        A commit that failed because the disk couldn't sync may still come true, if the process dies before it
        has written something else in its place. So the files of that commit stay until then.
        """
        if name in self._doubtful:
            self._discarded.put(name)
        else:
            self._remove_file(name)

    def close(self, done: Callable[[], None]) -> None:
        """Commit what was handed over, then end the thread and close the connection. `done` is called as
        soon as the database holds all that was committed, without its log.
        """
        self._queue.put(None)
        self._thread.join()
        # Closing does the same, and removes the log; but whoever looks for that must know before it goes.
        with contextlib.suppress(sqlite3.Error):
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
        done()
        self._connection.close()

    def _run(self) -> None:
        try:
            while not self._stopping:
                group: list[Write] = []
                self._untold = group
                self._stopping = self._collect(group)
                if group:
                    self._handle(group)
        except BaseException:
            # A defect, after which nothing is certain of the connection. Whoever waits for a write gets to
            # know; those that come later are looked after by a thread that the end of this one doesn't touch.
            threading.Thread(target=self._refuse, name="store-refuser", daemon=True).start()
            raise

    def _handle(self, group: Sequence[Write]) -> None:
        began = time.perf_counter()
        self._commit_group(group)
        failed = sum(write.error is not None for write in group)
        self._observe(time.perf_counter() - began, len(group), failed)
        self._untold = []
        self._listener(group)

    def _refuse(self) -> None:
        """Fails a group that may or may not have been committed, and all that is still handed over."""
        # Nor is it certain that nothing refers to a file.
        self._remove_file = _leave
        refused: list[Write] = [*self._untold, *self._lazy.values()]
        while not self._stopping:
            for write in refused:
                if not isinstance(write, Barrier):
                    write.error = _failed()
            with contextlib.suppress(Exception):
                self._listener(refused)
            write_or_end = self._queue.get()
            self._stopping = write_or_end is None
            refused = [] if write_or_end is None else [write_or_end]

    def _collect(self, group: list[Write]) -> bool:
        """Wait for the next group; True when it is the last one."""
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
        locked: Exception | None = None
        if len(group) > 1:
            try:
                if self._commit(self._statements.together, group) or self._commit(
                    self._statements.separately, group
                ):
                    return
            except Exception as error:
                if _code(error) == sqlite3.SQLITE_BUSY:
                    # Each of the writes would only wait in vain once more.
                    locked = error
        for write in group:
            try:
                if locked is not None:
                    raise locked
                self._commit(self._statements.separately, (write,))
            except Exception as error:
                # Whatever it is (an integer beyond 64 bits, a text that has no UTF-8, no memory), it is this
                # write's alone.
                if not isinstance(write, Barrier):
                    write.error = _service_error(error)
                if isinstance(write, InsertJob | UpdateJob) and write.result and write.result.file:
                    self._doubtful.add(write.result.file)

    def _commit(self, run: Callable[[Sequence[Write]], bool], group: Sequence[Write]) -> bool:
        """Write a group in one transaction; if that fails, or `run` returns False, nothing has happened."""
        removable = self._statements.removable
        try:
            if self._connection.in_transaction:
                # Of an earlier group, which couldn't be rolled back then.
                self._execute("ROLLBACK")
            self._execute("BEGIN IMMEDIATE")
            done = run(group)
            self._execute("COMMIT" if done else "ROLLBACK")
        except BaseException:
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


def _leave(name: str) -> None:
    """Remove nothing."""


def _failed() -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_STORE_BUSY,
        "The store has failed by a defect, and the server is about to end. Call again; with the same request"
        " id no job is made twice.",
        retry_after=RETRY_AFTER,
    )


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 when it isn't SQLite's error, but, say, of Python's side of it."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _service_error(error: Exception) -> ServiceError:
    """Return what a failed write means to callers: come again later, or a defect of ours."""
    if isinstance(error, ServiceError):
        return error
    if _code(error) in _BUSY_CODES or isinstance(error, MemoryError):
        _log.warning("the store can't commit: %s", error)
        return StoreBusyError(str(error) or "no memory")
    if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        _log.error("the database is damaged: %s", error)
        return database_damaged(error)
    _log.error("a write to the store failed", exc_info=error)
    return internal_error()
