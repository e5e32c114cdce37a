"""A job is stopped for its caller, whichever server has it.

The wish is written into the job's row first: whoever has the job can commit nothing any more that knows
nothing of it. So it holds as soon as it is acknowledged, also when that server is frozen or about to end the
job; that it stops at once is another matter, and told by news.
"""

from __future__ import annotations

import time

from basicaer.service.errors import JobNotFoundError, StoreBusyError
from basicaer.service.jobs.model.damage import read_entry
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.stimuli import CancelAsked, KeepingTimes
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.store import JobRecord, JobStore, SharedStore
from basicaer.v1 import job_pb2

__all__ = ["cancel_shared"]

# How often the job may change meanwhile; it has a handful of states.
_TRIES = 20


async def cancel_shared(
    entry: JobEntry,
    reason: str,
    *,
    store: JobStore,
    shared: SharedStore,
    registry: SharedRegistry,
    keeping: KeepingTimes,
) -> job_pb2.Job:
    """Ask a job to stop, as `cancel_job` does.

    Raises:
        ServiceError: JOB_NOT_FOUND, STORE_BUSY, CHECKSUM_MISMATCH.
    """
    job_id = entry.job_id
    for _ in range(_TRIES):
        record = await store.find(job_id)
        if record is None:
            raise JobNotFoundError(job_id)
        stored = read_entry(record)
        assert isinstance(record, JobRecord)
        if stored.final or record.cancel_reason is not None:
            return stored.snapshot()
        asked = CancelAsked(reason, time.time_ns(), keeping, waiting=not record.owned)
        update = stored.machine.handle(asked).update
        assert update is not None
        if await shared.amend(record, update):
            stored.publish(update.sequence, update.status, update.job)
            followed = await store.find(job_id)
            if followed is not None:
                registry.heard(followed)
            return stored.snapshot()
    raise StoreBusyError(f"job {job_id} changed each time")
