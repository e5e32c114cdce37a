"""The jobs that are in memory, and the road by which what the store has committed reaches their readers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from basicaer.service.callers import Caller
from basicaer.service.errors import JobNotFoundError, internal_error
from basicaer.service.store import InsertJob, JobStore, UpdateJob, Write
from basicaer.v1 import result_pb2

from ._entry import JobEntry
from ._lifecycle import Lifecycle
from ._pulse import Pulse
from ._tag import Tag

__all__ = ["Registry"]

_log = logging.getLogger(__name__)

# Until a job's state that couldn't be committed is handed over again, in seconds.
_RETRY_DELAY = 1.0
# About what a finished job holds in memory beside its messages.
_ENTRY_BYTES = 4096


class Registry:
    """Live jobs by their id, and the jobs that finished lately."""

    def __init__(
        self,
        store: JobStore,
        *,
        finished_cache_bytes: int,
        max_inline_result_bytes: int,
        accepted: Callable[[Sequence[JobEntry]], None],
        lifecycle: Lifecycle,
        pulse: Pulse,
    ) -> None:
        """`accepted` is called on the store's thread as soon as new jobs are committed."""
        self._store = store
        self._accepted = accepted
        self._lifecycle = lifecycle
        self._pulse = pulse
        self._max_inline = max_inline_result_bytes
        self._loop = asyncio.get_running_loop()
        self.live: dict[str, JobEntry] = {}
        self._finished: dict[str, JobEntry] = {}
        self._free_bytes = finished_cache_bytes

    async def find(self, job_id: str) -> JobEntry:
        """A job that readers may see.

        Raises:
            JobNotFoundError: There is none of this id.
        """
        entry = self.live.get(job_id) or self._finished.get(job_id)
        if entry is None:
            record = await self._store.find(job_id)
            # Meanwhile it may have been accepted, or have become final.
            entry = self.live.get(job_id) or self._finished.get(job_id)
            if entry is None:
                if record is None:
                    raise JobNotFoundError(job_id)
                entry = JobEntry.from_record(record)
                if entry.final:
                    self._keep(entry)
        if entry.committed == 0:
            raise JobNotFoundError(job_id)
        return entry

    async def find_for(self, caller: Caller, job_id: str) -> JobEntry:
        """A job that a caller may see. Another's job and one that isn't there can't be told apart.

        Raises:
            JobNotFoundError: There is none of this id that the caller may see.
        """
        entry = await self.find(job_id)
        if not caller.may_see(entry.principal):
            raise JobNotFoundError(job_id)
        return entry

    def forget(self, job_id: str) -> None:
        """Drops what is remembered of a finished job, which was changed or deleted in the store."""
        entry = self._finished.pop(job_id, None)
        if entry is not None:
            self._free_bytes += _size(entry)

    async def inline_result(self, entry: JobEntry) -> result_pb2.Result | None:
        """A final job's result, if it has one whose message is small enough to be sent along."""
        message = entry.result_message
        if message is None:
            stored = await self._store.open_result(entry.job_id)
            if stored is None:
                return None
            message = stored.message
            stored.close()
            if len(message) > self._max_inline:
                return None
        return result_pb2.Result.FromString(message)

    def on_commit(self, writes: Sequence[Write]) -> None:
        """Takes a group back from the store. On the store's thread."""
        accepted: list[JobEntry] = []
        for write in writes:
            tag = write.tag
            assert isinstance(tag, Tag)
            if (
                type(write) is InsertJob
                and write.error is None
                and write.existing is None
                and not write.final
            ):
                assert tag.entry is not None
                accepted.append(tag.entry)
            if tag.signal is not None:
                tag.signal.put(write)
        if accepted:
            self._accepted(accepted)
        self._pulse.listen(writes)
        self._loop.call_soon_threadsafe(self._publish, writes)

    def _publish(self, writes: Sequence[Write]) -> None:
        for write in writes:
            tag = write.tag
            assert isinstance(tag, Tag)
            if type(write) is UpdateJob:
                self._publish_update(write, tag)
            elif type(write) is InsertJob:
                self._publish_insert(write, tag)
            if tag.future is not None and not tag.future.done():
                if write.error is None:
                    tag.future.set_result(None)
                else:
                    tag.future.set_exception(write.error)

    def _publish_insert(self, write: InsertJob, tag: Tag) -> None:
        entry = tag.entry
        assert entry is not None
        if write.error is None and write.existing is None:
            self._lifecycle.accepted(entry)
            entry.publish(write.sequence, write.status, write.job)
            if write.final:
                self._lifecycle.finished(entry)
                self._retire(entry)
            return
        del self.live[write.job_id]
        if write.result is not None:
            self._store.discard_result(write.result)

    def _publish_update(self, write: UpdateJob, tag: Tag) -> None:
        entry = tag.entry
        assert entry is not None
        if write.error is not None:
            if tag.signal is None:
                self._loop.call_later(_RETRY_DELAY, self._retry, write, entry)
        elif not write.applied:
            # Only another server on the same store could have done that, and the lock keeps it out.
            _log.error("job %s: attempt %d was overtaken in the store", write.job_id, write.attempt)
            if tag.future is not None and not tag.future.done():
                tag.future.set_exception(internal_error(write.job_id))
        else:
            entry.publish(write.sequence, write.status, write.job)
            if write.final:
                self._lifecycle.finished(entry)
                self._retire(entry)

    def _retry(self, write: UpdateJob, entry: JobEntry) -> None:
        """Hands a failed update over again, unless a newer one has gone since."""
        with entry.lock:
            if entry.latest is write:
                write.error = None
                write.lazy = False
                self._store.write(write)

    def _retire(self, entry: JobEntry) -> None:
        self.live.pop(entry.job_id, None)
        entry.prepared = entry.control = entry.latest = None
        self._keep(entry)

    def _keep(self, entry: JobEntry) -> None:
        self._finished[entry.job_id] = entry
        self._free_bytes -= _size(entry)
        while self._free_bytes < 0 and self._finished:
            self.forget(next(iter(self._finished)))


def _size(entry: JobEntry) -> int:
    return _ENTRY_BYTES + len(entry.visible) + len(entry.events) + len(entry.result_message or b"")
