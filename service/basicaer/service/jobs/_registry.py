"""The jobs that are in memory, and what their readers see of what the store has committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Self

from basicaer.service.callers import Caller
from basicaer.service.config import Config
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.jobs._telemetry import JobTelemetry
from basicaer.service.jobs.model.damage import DamagedJobError, check_visible, read_entry
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import Retired
from basicaer.service.store import InsertJob, JobStore, UpdateJob

__all__ = ["Registry", "check_id"]

_log = logging.getLogger(__name__)

# Characters of an id; the server's own have fewer.
_MOST_ID = 128


def check_id(job_id: str) -> None:
    """Refuse an id of which the store needn't be asked.

    Raises:
        JobNotFoundError: It is too long for one.
    """
    if len(job_id) > _MOST_ID:
        raise JobNotFoundError(job_id)


class Registry:
    """Live jobs by their id, and the jobs that finished lately; a `CommitListener`."""

    def __init__(
        self,
        store: JobStore,
        *,
        finished_cache_bytes: int,
        max_inline_result_bytes: int,
        accepted: Callable[[Sequence[JobEntry]], None],
        telemetry: JobTelemetry,
        mover: Mover,
    ) -> None:
        """Begin empty; `accepted` is called on any thread as soon as new jobs are committed."""
        self._store = store
        self._accepted = accepted
        self._telemetry = telemetry
        self._mover = mover
        self._max_inline = max_inline_result_bytes
        self.live: dict[str, JobEntry] = {}
        self._finished: dict[str, JobEntry] = {}
        self._free_bytes = finished_cache_bytes

    @classmethod
    def of(
        cls,
        store: JobStore,
        config: Config,
        accepted: Callable[[Sequence[JobEntry]], None],
        telemetry: JobTelemetry,
        mover: Mover,
    ) -> Self:
        """Begin empty, as a server's configuration wants it."""
        return cls(
            store,
            finished_cache_bytes=config.finished_cache_bytes,
            max_inline_result_bytes=config.max_inline_result_bytes,
            accepted=accepted,
            telemetry=telemetry,
            mover=mover,
        )

    async def find(self, job_id: str) -> JobEntry:
        """Return a job that readers may see.

        Raises:
            JobNotFoundError: There is none of this id.
            DamagedJobError: It is damaged.
        """
        entry = self.live.get(job_id) or self._finished.get(job_id)
        if entry is None:
            check_id(job_id)
            record = await self._store.find(job_id)
            # Meanwhile it may have been accepted, or have become final.
            entry = self.live.get(job_id) or self._finished.get(job_id)
            if entry is None:
                if record is None:
                    raise JobNotFoundError(job_id)
                entry = read_entry(record)
                if entry.final:
                    self._keep(entry)
        if entry.committed == 0:
            raise JobNotFoundError(job_id)
        return entry

    async def find_for(self, caller: Caller, job_id: str) -> JobEntry:
        """Return a job that a caller may see. Another's job and one that isn't there can't be told apart.

        Raises:
            JobNotFoundError: There is none of this id that the caller may see.
            DamagedJobError: It is damaged.
        """
        try:
            entry = await self.find(job_id)
        except DamagedJobError as error:
            check_visible(error, caller)
            raise
        if not caller.may_see(entry.principal):
            raise JobNotFoundError(job_id)
        return entry

    def forget(self, job_id: str) -> None:
        """Drop what is remembered of a finished job, which was changed or deleted in the store."""
        entry = self._finished.pop(job_id, None)
        if entry is not None:
            self._free_bytes += entry.size_bytes

    async def inline_result(self, entry: JobEntry) -> bytes | None:
        """Return a final job's result, serialized, if it has one that is small enough to be sent along."""
        message = entry.machine.result_message
        if message is None:
            stored = await self._store.open_result(entry.job_id)
            if stored is None:
                return None
            message = stored.message
            stored.close()
            if len(message) > self._max_inline:
                return None
        return message

    def follow(self, entry: JobEntry) -> JobEntry:
        """Return the object of the same job that its readers are to hold on to."""
        return entry

    def waiting(self, entries: Sequence[JobEntry]) -> None:
        """Lets new jobs run."""
        self._accepted(entries)

    def committed(self, entry: JobEntry, write: InsertJob | UpdateJob) -> None:
        """Show readers a job's newest state."""
        if type(write) is InsertJob:
            self._telemetry.accepted(entry)
        entry.publish(write.sequence, write.status, write.job)
        if write.final:
            self._telemetry.finished(entry)
            self._retire(entry)

    def refused(self, entry: JobEntry, write: InsertJob) -> None:
        """Forgets a job of which nobody knows."""
        self._drop(entry)
        if write.result is not None:
            self._store.discard_result(write.result)

    def lost(self, entry: JobEntry, write: UpdateJob, error: ServiceError) -> None:
        """End what follows a job whose stored state is gone."""
        # Another server on the same store could have done that, but the lock keeps it out.
        _log.error("job %s: its row in the store is damaged or gone", write.job_id)
        self._drop(entry)
        entry.lose(error)
        if write.result is not None:
            self._store.discard_result(write.result)

    def _retire(self, entry: JobEntry) -> None:
        self._drop(entry)
        entry.prepared = None
        self._mover.move(entry, Retired())
        self._keep(entry)

    def _drop(self, entry: JobEntry) -> None:
        if self.live.get(entry.job_id) is entry:
            del self.live[entry.job_id]

    def _keep(self, entry: JobEntry) -> None:
        self._finished[entry.job_id] = entry
        self._free_bytes -= entry.size_bytes
        while self._free_bytes < 0 and self._finished:
            self.forget(next(iter(self._finished)))
