"""Removes what is kept for a time only: results past their expiry, and the events of jobs that ended long
ago.
"""

from __future__ import annotations

import asyncio
import logging
import time

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.store import JobRecord, JobStore, SweepJob
from basicaer.v1 import job_pb2

from ._clock import nanoseconds, seconds_to_nanoseconds
from ._entry import last_event
from ._registry import Registry
from ._tag import Tag

__all__ = ["Sweeper"]

_log = logging.getLogger(__name__)

# Jobs at a time, so that others' writes get in between.
_BATCH = 100


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
        """Removes what has expired at `now`, in nanoseconds since the epoch.

        Raises:
            ServiceError: STORE_BUSY.
        """
        loop = asyncio.get_running_loop()
        while records := await self._store.due_jobs(now, _BATCH):
            futures = []
            for record in records:
                future: asyncio.Future[None] = loop.create_future()
                self._store.write(self._thin(record, now, Tag(future=future)))
                futures.append(future)
            await asyncio.gather(*futures)
            for record in records:
                self._registry.forget(record.job_id)

    def _thin(self, record: JobRecord, now: int, tag: Tag) -> SweepJob:
        job = job_pb2.Job.FromString(record.job)
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
            tag=tag,
        )
