"""The feed of a store that only this process writes to: what it has committed comes back on its thread, and
goes on to the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TypeVar

from basicaer.service.errors import internal_error
from basicaer.service.jobs._store_health import StoreHealth
from basicaer.service.jobs.events.interface import CommitListener
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.jobs.model.stimuli import WriteFailed
from basicaer.service.store import Barrier, DeleteJob, InsertJob, JobStore, UpdateJob, Write, damaged

__all__ = ["LocalFeed"]

_log = logging.getLogger(__name__)

_WriteT = TypeVar("_WriteT", Barrier, DeleteJob)

# Until a job's state that couldn't be committed is handed over again, in seconds.
_RETRY_DELAY = 1.0


class LocalFeed:
    """A `CommittedFeed` of one process."""

    def __init__(self, store: JobStore, mover: Mover, health: StoreHealth) -> None:
        """`health` hears of each group, before the listener does."""
        self._store = store
        self._mover = mover
        self._health = health

    async def open(self, listener: CommitListener) -> None:
        """Open the store, and tell from now on, on this event loop.

        Raises:
            DataDirectoryError: Another server uses the store, or it isn't one of ours.
        """
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._store.open, self._take_back)

    async def commit(self, write: _WriteT) -> _WriteT:
        """Hands a write over, and waits until it is committed.

        Raises:
            ServiceError: STORE_BUSY: it couldn't be.
        """
        future: asyncio.Future[None] = self._loop.create_future()
        write.tag = Recipients(future=future)
        self._store.write(write)
        await future
        return write

    def _take_back(self, writes: Sequence[Write]) -> None:
        """Take a group back from the store. On the store's thread."""
        waiting: list[JobEntry] = []
        for write in writes:
            recipients = _recipients(write)
            if type(write) is InsertJob and _inserted(write) and not write.final:
                assert recipients.entry is not None
                waiting.append(recipients.entry)
            if recipients.signal is not None:
                recipients.signal.put(write)
        try:
            if waiting:
                self._listener.waiting(waiting)
        finally:
            # Whatever is wrong with us, they are committed, and somebody waits for them.
            self._loop.call_soon_threadsafe(self._tell, writes)

    def _tell(self, writes: Sequence[Write]) -> None:
        try:
            self._health.listen(writes)
        except Exception:
            _log.exception("whether the store commits couldn't be told")
        for write in writes:
            recipients = _recipients(write)
            entry, future = recipients.entry, recipients.future
            error: Exception | None = write.error
            try:
                if entry is not None and type(write) is UpdateJob:
                    error = self._tell_update(entry, write, recipients) or error
                elif entry is not None and type(write) is InsertJob:
                    if _inserted(write):
                        self._listener.committed(entry, write)
                    else:
                        self._listener.refused(entry, write)
            except Exception:
                # This write's alone: others wait for the rest of the group.
                _log.exception("a commit couldn't be told")
                error = internal_error(entry.job_id if entry is not None else "")
            if future is not None and not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    def _tell_update(self, entry: JobEntry, write: UpdateJob, recipients: Recipients) -> Exception | None:
        """Tells of an update; what who waits for it is to get instead of its success."""
        if write.error is not None:
            if recipients.signal is None:
                # Unless a newer one has gone since.
                self._loop.call_later(_RETRY_DELAY, self._mover.move, entry, WriteFailed(write))
            return None
        if write.applied:
            self._listener.committed(entry, write)
            return None
        error = damaged(write.job_id)
        self._listener.lost(entry, write, error)
        return error


def _recipients(write: Write) -> Recipients:
    assert isinstance(write.tag, Recipients)
    return write.tag


def _inserted(write: InsertJob) -> bool:
    return write.error is None and write.existing is None
