"""The jobs in memory of a server that isn't alone: its own, which it has a lease of, and those that somebody
here follows.

Of its own the memory is the truth, as long as the lease lasts; of all others it is the store, which is asked
whenever a caller wants to know. What is remembered of those is for their watchers alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.jobs._registry import Registry, check_id
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.damage import read_entry, read_job
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.stimuli import CancelWon, KeepingTimes
from basicaer.service.store import (
    Claim,
    DamagedJob,
    InsertJob,
    JobRecord,
    Seen,
    SharedStore,
    UpdateJob,
    damaged,
)
from basicaer.v1 import job_pb2

__all__ = ["SharedRegistry"]

# A sequence that none is after.
_LAST = 2**62
# How long what was heard of a run's progress is told to who asks, in seconds.
_FRESH = 2.0


class SharedRegistry(Registry):
    """Use `share` before anything else."""

    def share(self, shared: SharedStore, keeping: KeepingTimes) -> None:
        """Ask this store."""
        self._shared = shared
        self._keeping = keeping
        # How far jobs are that other servers run, and when that was heard.
        self._elsewhere: dict[str, tuple[float, bytes]] = {}

    async def find(self, job_id: str) -> JobEntry:
        entry = self.live.get(job_id)
        if entry is not None and entry.held and entry.committed:
            return entry
        check_id(job_id)
        record = await self._store.find(job_id)
        if record is None:
            raise JobNotFoundError(job_id)
        job = read_job(record)
        assert isinstance(record, JobRecord)
        # Meanwhile it may have been accepted or claimed here.
        entry = self.live.get(job_id)
        if entry is None:
            entry = read_entry(record)
            entry.machine.settled = True
        elif entry.held:
            entry.publish(record.sequence, record.status, record.job)
        else:
            entry.read_again(record, job)
        if not entry.held:
            await self._add_passing(entry, record)
        return entry

    async def _add_passing(self, entry: JobEntry, record: JobRecord) -> None:
        """Add what the store doesn't know, or not as such."""
        if entry.status == states.RUNNING:
            heard, progress = self._elsewhere.get(entry.job_id, (0.0, b""))
            if time.monotonic() - heard < _FRESH:
                entry.elsewhere = job_pb2.Progress.FromString(progress)
        elif entry.status == states.QUEUED and not record.owned:
            positions = await self._shared.positions([entry.job_id])
            entry.position = positions.get(entry.job_id, 0)

    def follow(self, entry: JobEntry) -> JobEntry:
        if entry.final:
            return entry
        return self.live.setdefault(entry.job_id, entry)

    def hold(self, claim: Claim) -> JobEntry:
        """Return a job that is this server's from now on, which waits.

        Raises:
            DamagedJobError: It can't be taken up.
        """
        before = self.live.get(claim.job_id)
        if before is None or before.spent:
            entry = read_entry(claim.record)
            for watch in tuple(before.watchers or ()) if before is not None else ():
                watch.move_to(entry)
        else:
            entry = before
            job = read_job(claim.record)
            assert isinstance(claim.record, JobRecord)
            head = entry.machine.head
            if (head.sequence, head.cancel_requested) != (job.sequence, job.cancel_requested):
                entry.read_again(claim.record, job)
        with entry.lock:
            entry.machine.fence = claim.fence
            entry.machine.settled = False
        entry.held = entry.spent = True
        self.live[claim.job_id] = entry
        return entry

    def held(self) -> list[JobEntry]:
        """Return the jobs that are this server's."""
        return [entry for entry in self.live.values() if entry.held]

    def let_go(self, entry: JobEntry) -> None:
        """Take note that a job isn't this server's any more: whatever still runs of it changes nothing."""
        with entry.lock:
            entry.machine.settled = True
            control = entry.machine.control
        if control is not None:
            control.cancel()
        entry.held = False

    def committed(self, entry: JobEntry, write: InsertJob | UpdateJob) -> None:
        super().committed(entry, write)
        if isinstance(write, UpdateJob) and (write.final or write.released):
            entry.held = False

    def lost(self, entry: JobEntry, write: UpdateJob, error: ServiceError) -> None:
        if write.cancelled_for is not None:
            self._mover.move(entry, CancelWon(write.cancelled_for, time.time_ns(), self._keeping))
            return
        # It has other hands by now, or none; whoever follows it here is told by `heard`.
        if write.result is not None:
            self._store.discard_result(write.result)
        if entry.held:
            self.let_go(entry)

    # What other servers have done

    def seen(self, job_ids: Sequence[str]) -> dict[str, Seen]:
        """Return what is known of these jobs here, of those that anything is known of."""
        known = {}
        for job_id in job_ids:
            entry = self.live.get(job_id)
            if entry is None or not entry.committed:
                continue
            cancelled = entry.machine.cancel_reason is not None
            if entry.held:
                known[job_id] = Seen(_LAST, cancelled, entry.machine.fence)
            else:
                known[job_id] = Seen(entry.committed, cancelled)
        return known

    def heard(self, record: JobRecord | DamagedJob) -> None:
        """Take note of a job's stored state."""
        entry = self.live.get(record.job_id)
        if entry is None:
            return
        if isinstance(record, DamagedJob):
            self.gone(record.job_id)
            return
        if entry.held and record.fence > entry.machine.fence:
            self.let_go(entry)
        if not entry.held:
            entry.read_again(record, read_job(record))
            if entry.final:
                self._drop(entry)
        elif record.cancel_reason is not None and record.fence == entry.machine.fence:
            self._mover.move(entry, CancelWon(record.cancel_reason, time.time_ns(), self._keeping))

    def gone(self, job_id: str) -> None:
        """Take note that a job's row is damaged, or gone."""
        entry = self.live.get(job_id)
        if entry is not None:
            self.let_go(entry)
            self._drop(entry)
            entry.lose(damaged(job_id))

    def progress(self, job_id: str, progress: bytes) -> JobEntry | None:
        """Take note of how far a job is elsewhere, and return it, if somebody here follows it."""
        now = time.monotonic()
        self._elsewhere[job_id] = (now, progress)
        entry = self.live.get(job_id)
        if entry is None or entry.held or entry.status != states.RUNNING:
            return None
        entry.elsewhere = job_pb2.Progress.FromString(progress)
        return entry

    def tidy(self) -> None:
        """Forget what nobody follows."""
        for entry in list(self.live.values()):
            if entry.committed and not entry.held and entry.prepared is None and not entry.watchers:
                self._drop(entry)
        old = time.monotonic() - _FRESH
        self._elsewhere = {job_id: told for job_id, told in self._elsewhere.items() if told[0] > old}
