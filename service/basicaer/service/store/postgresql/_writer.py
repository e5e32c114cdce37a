"""The one task that writes: whatever has been handed over is one transaction, as in the embedded store.

When the connection is lost amid a group, nobody knows whether it was committed. Once there is a connection
again, what the lost one was sent is decided: jobs that are there were inserted, and the rest of the group is
written again, since a state that is there already can be written once more. Should that take too long, the
writes have failed for those who wait. Jobs of such inserts are removed later, if no server has had them and
no repeated call could find them: their callers were told that there are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from basicaer.service.errors import RETRY_AFTER, ServiceError, StoreBusyError
from basicaer.service.store._interface import (
    Barrier,
    DeleteJob,
    ExistingJob,
    InsertJob,
    Listener,
    Observer,
    Probe,
    SweepJob,
    UpdateJob,
    Write,
)
from basicaer.service.store.postgresql import _sql
from basicaer.service.store.postgresql._errors import is_away, is_in_doubt, service_error
from basicaer.service.store.postgresql._loop import Loop
from basicaer.service.store.postgresql._rows import existing
from basicaer.service.store.postgresql._session import Connection, Session
from basicaer.service.store.postgresql._statements import Discard, Item, run
from basicaer.service.store.postgresql.sharing.sharing import Sharing
from basicaer.service.vital import Vital
from basicaer.v1 import error_reason_pb2

__all__ = ["Writer"]

_log = logging.getLogger(__name__)

# Writes in a transaction at most, so that those who wait for the first don't wait for all of a burst.
_GROUP = 256
# How long a lazy update is held back, and how long one tries to find out what became of a group (seconds).
_LAZINESS = 0.002
_DOUBT = 4.0
_RETRY = 0.1
# What can be written again without another effect.
_REPEATABLE = (InsertJob, UpdateJob, Barrier, Probe, Discard)


@dataclass(frozen=True, slots=True)
class _Question:
    """Which job has a request id; asked in the order of the writes, so that none in doubt is told."""

    principal: str
    request_id: str
    answer: asyncio.Future[ExistingJob | None]


class _End:
    """The last that is handed over."""


class Writer:
    """Commits writes in groups on the store's loop, and hands each group back to the listener."""

    def __init__(
        self, loop: Loop, session: Session, sharing: Sharing, listener: Listener, observe: Observer
    ) -> None:
        self._loop = loop
        self._sharing = sharing
        self._session = session
        self._listener = listener
        self._observe = observe
        self._arrived: deque[Item | _Question | _End] = deque()
        self._waking = False
        self._wake = asyncio.Event()
        self._lazy: dict[str, UpdateJob] = {}
        self._lazy_deadline = 0.0
        self._ended = False
        # Whether the last group couldn't be committed, since the database is away.
        self._away = False
        # Jobs that were to be inserted by groups of which nobody knows whether they were committed.
        self._doubtful: list[bytes] = []
        # The present group, until the listener has been told of it.
        self._untold: list[Write] = []

    def start(self, vital: Vital) -> None:
        """Begin, on a thread that waits for the task, and ends by a defect when it does."""
        self._thread = vital.thread("store-writer", self._follow)

    def write(self, item: Item | _Question | _End) -> None:
        """Hand something over. Thread-safe."""
        self._arrived.append(item)
        if not self._waking:
            self._waking = True
            self._loop.soon(self._wake.set)

    async def find_request(self, principal: str, request_id: str) -> ExistingJob | None:
        """Return the job that has a request id, after all that was handed over before. On the store's loop.

        Raises:
            ServiceError: STORE_BUSY, CHECKSUM_MISMATCH.
        """
        answer: asyncio.Future[ExistingJob | None] = asyncio.get_running_loop().create_future()
        self.write(_Question(principal, request_id, answer))
        return await answer

    def close(self) -> None:
        """Commit what was handed over, then end."""
        self.write(_End())
        self._thread.join()

    def _follow(self) -> None:
        try:
            self._loop.call(self._run())
        except BaseException:
            # Whoever waits for a write gets to know; so do those that come later.
            self._loop.soon(self._begin_refusing)
            raise

    async def _run(self) -> None:
        while not self._ended:
            group, questions = await self._collect()
            writes = [item for item in group if not isinstance(item, Discard)]
            self._untold = writes
            if group:
                began = time.perf_counter()
                await self._commit_group(group)
                if writes:
                    failed = sum(write.error is not None for write in writes)
                    self._observe(time.perf_counter() - began, len(writes), failed)
                    self._untold = []
                    self._listener(writes)
                    self._tell_others(writes)
            for question in questions:
                await self._answer(question)

    async def _collect(self) -> tuple[list[Item], list[_Question]]:
        """Wait for the next group, and for what is asked after it."""
        group: list[Item] = []
        questions: list[_Question] = []
        lazy = self._lazy
        while True:
            self._waking = False
            self._wake.clear()
            while self._arrived and len(group) < _GROUP:
                item = self._arrived.popleft()
                if isinstance(item, _End):
                    self._ended = True
                elif isinstance(item, _Question):
                    questions.append(item)
                    break
                elif isinstance(item, UpdateJob) and item.lazy:
                    if not lazy:
                        self._lazy_deadline = time.monotonic() + _LAZINESS
                    lazy[item.job_id] = item
                else:
                    if isinstance(item, UpdateJob):
                        lazy.pop(item.job_id, None)
                    group.append(item)
            if lazy and (self._ended or time.monotonic() >= self._lazy_deadline):
                group.extend(lazy.values())
                lazy.clear()
            if group or questions or self._ended:
                return group, questions
            with contextlib.suppress(TimeoutError):
                timeout = max(self._lazy_deadline - time.monotonic(), 0.0) if lazy else None
                async with asyncio.timeout(timeout):
                    await self._wake.wait()

    async def _answer(self, question: _Question) -> None:
        answer: ExistingJob | None = None
        error: ServiceError | None = None
        try:
            connection = await self._ready()
            row = await connection.fetchrow(
                _sql.FIND_REQUEST, question.principal.encode(), question.request_id.encode()
            )
            answer = None if row is None else existing(row)
        except Exception as failure:
            error = service_error(failure)
        if question.answer.done():
            return
        if error is None:
            question.answer.set_result(answer)
        else:
            question.answer.set_exception(error)

    async def _commit_group(self, group: Sequence[Item]) -> None:
        if all(isinstance(item, Barrier) for item in group):
            return
        failure = await self._commit(group)
        if failure is None or is_away(failure) or len(group) == 1:
            self._fail(group, failure)
            return
        for place, item in enumerate(group):
            failure = await self._commit((item,))
            if failure is not None and is_away(failure):
                # Each of the others would only wait in vain once more.
                self._fail(group[place:], failure)
                return
            self._fail((item,), failure)

    def _fail(self, group: Sequence[Item], failure: Exception | None) -> None:
        if failure is None:
            return
        error = service_error(failure)
        if is_away(failure) and not self._away:
            self._away = True
            _log.warning("the store can't commit: %s", error.message)
        for item in group:
            if not isinstance(item, (Barrier, Discard)):
                item.error = error

    def _tell_others(self, writes: Sequence[Write]) -> None:
        bell = self._sharing.bell
        bell_rings = any(
            (isinstance(write, InsertJob) and not write.final)
            or (isinstance(write, UpdateJob) and write.released)
            for write in writes
            if write.error is None
        )
        changed = [
            write.job_id
            for write in writes
            if isinstance(write, (UpdateJob, DeleteJob, SweepJob)) and write.error is None
        ]
        if changed:
            bell.tell_changed(changed)
        if bell_rings:
            bell.tell_waiting()

    async def _commit(self, group: Sequence[Item]) -> Exception | None:
        """Write a group in one transaction; why that failed."""
        until = 0.0
        inserted: set[str] = set()
        while True:
            failure, doubtful = await self._try(group, inserted)
            if failure is None:
                self._away = False
                return None
            if until == 0.0 and doubtful and all(isinstance(item, _REPEATABLE) for item in group):
                until = time.monotonic() + _DOUBT
                inserted = {item.job_id for item in group if isinstance(item, InsertJob)}
            if time.monotonic() >= until or not is_away(failure):
                if until or doubtful:
                    self._doubtful += [item.job_id.encode() for item in group if isinstance(item, InsertJob)]
                return failure
            await asyncio.sleep(_RETRY)

    async def _try(self, group: Sequence[Item], inserted: set[str]) -> tuple[Exception | None, bool]:
        """Write a group once; why that failed, and whether it may have come true nevertheless. Those of
        `inserted` may be there already.
        """
        try:
            connection = await self._ready()
        except Exception as error:
            return error if is_away(error) else StoreBusyError(
                f"no connection with the database: {error}"
            ), False
        try:
            if inserted:
                rows = await connection.fetch(_sql.MADE, [job_id.encode() for job_id in inserted])
                made = {row[0].decode() for row in rows}
                group = [item for item in group if not (isinstance(item, InsertJob) and item.job_id in made)]
            await run(connection, group, self._sharing.last_number)
        except Exception as error:
            doubtful = is_in_doubt(error)
            if doubtful:
                self._session.drop()
            return error, doubtful
        return None, False

    async def _ready(self) -> Connection:
        """Return the connection, with nothing in doubt any more.

        Raises:
            Exception: It can't be made now.
        """
        connection = await self._session.get()
        if self._doubtful:
            gone = await connection.fetch(_sql.UNDO_INSERTS, self._doubtful)
            if gone:
                _log.info("%d jobs were removed whose submission had failed", len(gone))
            self._doubtful = []
        return connection

    def _begin_refusing(self) -> None:
        self._refusing = asyncio.create_task(self._refuse())

    async def _refuse(self) -> None:
        """Fails a group that may or may not have been committed, and all that is still handed over."""
        refused: list[Write] = [*self._untold, *self._lazy.values()]
        while True:
            for write in refused:
                if not isinstance(write, Barrier):
                    write.error = _failed()
            if refused:
                with contextlib.suppress(Exception):
                    self._listener(refused)
            refused = []
            self._waking = False
            self._wake.clear()
            if not self._arrived:
                await self._wake.wait()
            while self._arrived:
                item = self._arrived.popleft()
                if isinstance(item, _Question):
                    if not item.answer.done():
                        item.answer.set_exception(_failed())
                elif not isinstance(item, (Discard, _End)):
                    refused.append(item)


def _failed() -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_STORE_BUSY,
        "The store has failed by a defect, and the server is about to end. Call again; with the same request"
        " id no job is made twice.",
        retry_after=RETRY_AFTER,
    )
