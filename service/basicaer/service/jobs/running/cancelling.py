"""How a job is stopped for its caller: at once if it waits, and within a moment if it runs."""

from __future__ import annotations

import asyncio
import time

from basicaer.service.jobs.events.watch import Watch, follow
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.refusals import draining
from basicaer.service.jobs.model.stimuli import CancelAsked, KeepingTimes
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.v1 import job_pb2

__all__ = ["cancel_job"]


async def cancel_job(
    entry: JobEntry, reason: str, scheduler: Scheduler, mover: Mover, keeping: KeepingTimes
) -> job_pb2.Job:
    """Asks a job to stop, and waits until that is committed. If it returns with `cancel_requested` and no
    final status, the job will be CANCELLED.

    Raises:
        ServiceError: STORE_BUSY, DRAINING.
    """
    if entry.final:
        return entry.snapshot()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = scheduler.remove(entry)
    asked = CancelAsked(reason, time.time_ns(), keeping, waiting)
    if mover.move(entry, asked, future=future).update is None:
        # Its end is about to be committed. The truth about the cancellation is known then.
        await follow(Watch(entry, job_pb2.Job(), entry.committed, heartbeat=None))
        if not entry.final:
            # The end couldn't be committed before the server stops; the next one knows nothing of it.
            raise draining()
        return entry.snapshot()
    await future
    return entry.snapshot()
