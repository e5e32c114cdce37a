"""All that a server does because it isn't alone, put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeAlias

from basicaer.service import process_name, version
from basicaer.service.config import Config
from basicaer.service.execution._interface import Executor
from basicaer.service.jobs._telemetry import JobTelemetry
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import Interrupted, KeepingTimes
from basicaer.service.jobs.queue.programs import KeptPrograms
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.service.jobs.sharing.backlog import SharedBacklog
from basicaer.service.jobs.sharing.cancelling import cancel_shared
from basicaer.service.jobs.sharing.claiming import Claimer
from basicaer.service.jobs.sharing.following import Following
from basicaer.service.jobs.sharing.orphans import Orphans
from basicaer.service.jobs.sharing.passing import SharedPassing
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.jobs.sharing.sweeping import SharedSweeper
from basicaer.service.store import Capacity, JobStore, Load, Member, SharedStore
from basicaer.v1 import job_pb2, job_service_pb2

__all__ = ["Cluster", "Round"]

Round: TypeAlias = Callable[[], Coroutine[object, object, None]]
"""What goes on for ever."""


class Cluster:
    """One server's part in a service of several. Lives on the event loop."""

    def __init__(
        self,
        store: JobStore,
        shared: SharedStore,
        config: Config,
        telemetry: JobTelemetry,
        mover: Mover,
        scheduler: Scheduler,
        role: str,
        executor: Executor,
    ) -> None:
        """`role` is as in `Member`; `executor` is what runs jobs here."""
        largest, spreads = executor.largest_bytes, executor.max_nodes
        capacity = Capacity(largest, spreads, min(largest * spreads, config.max_memory_bytes))
        self.shared = shared
        self._store = store
        self._config = config
        self._mover = mover
        self._scheduler = scheduler
        self._role = role
        self._executor = executor
        self._programs = KeptPrograms(config.prepared_cache_bytes)
        self.backlog = SharedBacklog(shared, scheduler, runs_jobs=config.run_jobs)
        # What others finish or delete is not remembered.
        forgetful = dataclasses.replace(config, finished_cache_bytes=0)
        self.registry = registry = SharedRegistry.of(store, forgetful, self._accepted, telemetry, mover)
        registry.share(shared, KeepingTimes.of(config))
        self._claimer = Claimer(shared, registry, scheduler, self.backlog, config, capacity)
        self._orphans = Orphans(shared, registry, mover, config)
        self._sweeper = SharedSweeper(store, shared, registry, config)
        self._passing = SharedPassing(scheduler, config.progress_interval, shared, registry)

    def join(self, address: str) -> dict[str, Round]:
        """Take a lease, and return what is to go on for ever, by name. `address` is where calls are taken."""
        following = Following(
            self.shared,
            self.registry,
            waiting=self._claimer.wake,
            passing=self._passing.hear,
            lost=self._stop_running,
        )
        config = self._config
        member = Member(
            role=self._role,
            name=process_name(),
            address=address,
            version=version(),
            workers=config.workers if config.run_jobs else 0,
            memory_bytes=config.max_memory_bytes,
            max_nodes=self._executor.max_nodes,
        )
        self.shared.join(member, self._load, following)
        rounds: dict[str, Round] = {
            "following": following.run,
            "orphans": self._orphans.run,
            "backlog": self.backlog.run,
            "news": self._passing.run,
            "sweeper": self._sweeper.run,
        }
        if config.run_jobs:
            rounds["claims"] = self._claimer.run
        return rounds

    async def cancel(self, entry: JobEntry, reason: str, keeping: KeepingTimes) -> job_pb2.Job:
        """Ask a job to stop, see `cancel_shared`.

        Raises:
            ServiceError: JOB_NOT_FOUND, STORE_BUSY, CHECKSUM_MISMATCH.
        """
        return await cancel_shared(
            entry, reason, store=self._store, shared=self.shared, registry=self.registry, keeping=keeping
        )

    def _load(self) -> Load:
        running = self._scheduler.running()
        nodes = job_service_pb2.Member(nodes=self._executor.nodes())
        return Load(len(running), sum(entry.required_bytes for entry in running), nodes.SerializeToString())

    def _accepted(self, entries: Sequence[JobEntry]) -> None:
        """Hear of new jobs that wait. On the store's thread."""
        self.backlog.add(entries)
        # Another server may be the one to run a job, and reads it again.
        for job_id in self._programs:
            job = self.registry.live.get(job_id)
            if job is None or job.held or job.prepared is None:
                self._programs.forget(job_id)
        for entry in entries:
            self._programs.keep(entry)
        self._claimer.wake()

    def _stop_running(self) -> None:
        """Stop what may not be this server's any more."""
        for entry in self._scheduler.waiting():
            if self._scheduler.remove(entry):
                self.registry.let_go(entry)
        for entry in self._scheduler.running():
            self._mover.move(entry, Interrupted())
