"""Removes what is kept for a time only: results past their expiry, the events of jobs that ended long ago,
and at last the jobs themselves; and the oldest of them earlier when all together take too much room.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.jobs._registry import Registry
from basicaer.service.jobs.model.clock import id_floor, nanoseconds, seconds_to_nanoseconds, set_timestamp
from basicaer.service.jobs.model.damage import DamagedJobError, read_job
from basicaer.service.jobs.model.event import last_event
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.store import DamagedJob, DeleteJob, JobRecord, JobStore, Reclaim, SweepJob

__all__ = ["Sweeper"]

_log = logging.getLogger(__name__)

# Jobs at a time, so that others' writes get in between.
_BATCH = 100
# The same when there is too little room, so that no more goes than must.
_FEW = 20


class Sweeper:
    """Looks for jobs whose time has come, now and then."""

    def __init__(self, store: JobStore, registry: Registry, config: Config) -> None:
        self._store = store
        self._registry = registry
        self._config = config

    async def run(self) -> None:
        """Sweeps for ever."""
        while True:
            try:
                await self.sweep(time.time_ns())
            except ServiceError as error:
                _log.warning("old results couldn't be removed: %s", error.message)
            except Exception:
                _log.exception("old results couldn't be removed")
            await asyncio.sleep(self._config.sweep_interval)

    async def sweep(self, now: int) -> None:
        """Remove what has expired at `now`, in nanoseconds since the epoch.

        Raises:
            ServiceError: STORE_BUSY.
        """
        while records := await self._store.due_jobs(now, _BATCH):
            await self._commit([self._thin(record, now) for record in records])
        await self._remove_old_jobs(now)
        await self._make_room(now)
        reclaim = Reclaim(more=True)
        while reclaim.more:
            await self._commit([reclaim])

    async def _remove_old_jobs(self, now: int) -> None:
        if self._config.job_retention is None:
            return
        end = now - seconds_to_nanoseconds(self._config.job_retention)
        # A job that ended before was made before.
        while records := await self._store.old_jobs(id_floor(end), _BATCH):
            ended = [record for record in records if _end(record) <= end]
            await self._commit([_delete(record) for record in ended])
            if len(ended) < len(records):
                # One that ran for long keeps those behind it a little longer, no more.
                return

    async def _make_room(self, now: int) -> None:
        limit = self._config.max_stored_bytes
        while limit is not None and sum(used := await self._store.used_bytes()) > limit:
            rows, files = used
            if files > rows and (records := await self._store.oldest_files(_FEW)):
                await self._commit([_without_result(record, now) for record in records])
            elif records := await self._store.old_jobs(id_floor(now), _BATCH):
                # Small results lie in the jobs' rows: to remove them alone would free no page.
                await self._commit([_delete(record) for record in records])
            else:
                # What is left are jobs that wait or run.
                return

    async def _commit(self, writes: Sequence[SweepJob | DeleteJob | Reclaim]) -> None:
        loop = asyncio.get_running_loop()
        futures = []
        for write in writes:
            future: asyncio.Future[None] = loop.create_future()
            write.tag = Recipients(future=future)
            self._store.write(write)
            futures.append(future)
        await asyncio.gather(*futures)
        for write in writes:
            if not isinstance(write, Reclaim):
                self._registry.forget(write.job_id)

    def _thin(self, record: JobRecord | DamagedJob, now: int) -> SweepJob:
        try:
            job = read_job(record)
        except DamagedJobError:
            return SweepJob(
                job_id=record.job_id, events=b"", sweep_time=None, drop_result=False, set_aside=True
            )
        assert isinstance(record, JobRecord)
        pending = []
        drop_result = False
        events = record.events
        if job.HasField("result_expire_time"):
            expiry = nanoseconds(job.result_expire_time)
            drop_result = expiry <= now
            pending.append(expiry)
        if self._config.event_retention is not None:
            expiry = nanoseconds(job.end_time) + seconds_to_nanoseconds(self._config.event_retention)
            if expiry <= now:
                events = last_event(events)
            pending.append(expiry)
        return SweepJob(
            job_id=record.job_id,
            events=events,
            drop_result=drop_result,
            sweep_time=min((expiry for expiry in pending if expiry > now), default=None),
        )


def _end(record: JobRecord | DamagedJob) -> int:
    """When a job ended; of a damaged one it isn't known, and its id says that it is old."""
    try:
        return nanoseconds(read_job(record).end_time)
    except DamagedJobError:
        return 0


def _delete(record: JobRecord | DamagedJob) -> DeleteJob:
    return DeleteJob(job_id=record.job_id, damaged=isinstance(record, DamagedJob))


def _without_result(record: JobRecord | DamagedJob, now: int) -> SweepJob | DeleteJob:
    """Drop a result before its time, which the job then say; and all events but the last one. A damaged job
    goes as a whole.
    """
    try:
        job = read_job(record)
    except DamagedJobError:
        return _delete(record)
    assert isinstance(record, JobRecord)
    set_timestamp(job.result_expire_time, now)
    return SweepJob(
        job_id=record.job_id,
        events=last_event(record.events),
        sweep_time=None,
        drop_result=True,
        job=job.SerializeToString(),
    )
