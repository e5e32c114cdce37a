"""The jobs of one server: accepts them, decides when each runs, records what becomes of it, and tells
readers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from basicaer.service.callers import ANYONE, Caller
from basicaer.service.config import Config
from basicaer.service.errors import JobNotFoundError, ServiceError, option_invalid
from basicaer.service.execution._interface import Executor
from basicaer.service.jobs._registry import Registry
from basicaer.service.jobs._shares import Share, shares
from basicaer.service.jobs._store_health import StoreHealth
from basicaer.service.jobs._telemetry import JobTelemetry
from basicaer.service.jobs.events.committed import LocalFeed
from basicaer.service.jobs.events.interface import CommittedFeed
from basicaer.service.jobs.events.passing import PassingEvents
from basicaer.service.jobs.events.watch import Watch, first_cursor, follow, heartbeat_seconds
from basicaer.service.jobs.intake.admission import Admission
from basicaer.service.jobs.intake.arrivals import Arrivals
from basicaer.service.jobs.intake.intake import Intake
from basicaer.service.jobs.kept.listing import MOST_PAGE_BYTES, job_filter, listed, page_size
from basicaer.service.jobs.kept.reading import (
    ResultReading,
    check_readable,
    chunk_size,
    open_part,
    unavailable,
)
from basicaer.service.jobs.kept.retention import Sweeper
from basicaer.service.jobs.model.clock import JobClock
from basicaer.service.jobs.model.damage import DamagedJobError
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.refusals import not_final
from basicaer.service.jobs.model.stimuli import KeepingTimes
from basicaer.service.jobs.queue.interface import Backlog
from basicaer.service.jobs.queue.local import LocalQueue
from basicaer.service.jobs.queue.scheduler import Scheduler
from basicaer.service.jobs.running.cancelling import cancel_job
from basicaer.service.jobs.running.draining import stop_running
from basicaer.service.jobs.running.limits import TimeLimit
from basicaer.service.jobs.running.recovery import recovered
from basicaer.service.jobs.running.runner import Runner
from basicaer.service.jobs.sharing.cluster import Cluster, Round
from basicaer.service.store import Barrier, DeleteJob, JobStore, Member
from basicaer.service.telemetry import Telemetry
from basicaer.service.vital import Vital
from basicaer.service.wire import WireSpec
from basicaer.v1 import job_pb2, job_service_pb2

__all__ = ["JobManager", "Submission"]

_MAX_WAIT = 60.0
_MAX_REASON = 256


class Submission(NamedTuple):
    """An accepted job, and whether an earlier call with the same request id had made it."""

    job: job_pb2.Job
    duplicate: bool


class JobManager:
    """All of the service's behaviour behind the contract's RPCs. Lives on one event loop.

    Each method acts for a caller, by default for one who may do everything: a caller's jobs are its own, and
    another's look as if they weren't there.

    The messages that it returns are the caller's own, except for those that `PublishedEvent` shares.
    """

    def __init__(
        self,
        store: JobStore,
        executor: Executor,
        config: Config,
        telemetry: Telemetry | None = None,
        on_storing: Callable[[bool], None] = lambda storing: None,
        vital: Vital | None = None,
        role: str = "serve",
    ) -> None:
        """`on_storing` is told, on the loop, when the store can't commit any more, and when it can again.
        `role` is as what other servers on the same store see this one, see `Member`.
        """
        vital = vital or Vital()
        self._store = store
        self._config = config
        self._vital = vital
        self._telemetry = job_telemetry = JobTelemetry(telemetry or Telemetry())
        self._mover = mover = Mover(store)
        arrivals = Arrivals()
        self._runner = runner = Runner(store, executor, config, job_telemetry, mover, arrivals.any)
        self._scheduler = scheduler = Scheduler(
            runner.run,
            LocalQueue(config.max_overtakes),
            workers=config.workers,
            max_memory_bytes=config.max_memory_bytes,
            prepared_cache_bytes=config.prepared_cache_bytes,
            vital=vital,
        )
        health = StoreHealth(store, on_storing)
        self._feed: CommittedFeed = LocalFeed(store, mover, health)
        self._cluster: Cluster | None = None
        backlog: Backlog = scheduler
        if store.shared is None:
            registry: Registry = Registry.of(store, config, scheduler.add, job_telemetry, mover)
        else:
            self._cluster = its = Cluster(
                store, store.shared, config, job_telemetry, mover, scheduler, role, executor
            )
            registry, backlog = its.registry, its.backlog
        self._registry, self._backlog = registry, backlog
        intake = Intake(store, executor, config, JobClock(), registry, runner, backlog)
        self._admission = Admission(store, intake, registry, backlog, config, vital, arrivals)
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="result-reader")
        # What goes on for ever, by the names that a defect is told under.
        self._rounds: dict[str, Round] = {
            "news": PassingEvents(scheduler, config.progress_interval).run,
            "sweeper": Sweeper(store, registry, config).run,
            "timelimit": TimeLimit(scheduler, mover).run,
            "pulse": health.run,
        }
        self._draining = self._closed = False

    async def start(self, address: str = "") -> None:
        """Open the store, take up the jobs that it holds, and begin to run them. `address` is where this
        server takes calls, for other servers on the same store.

        Raises:
            DataDirectoryError: Another server uses the store's directory, or it isn't one of ours.
        """
        await self._feed.open(self._registry)
        taken_up = await self._take_up() if self._cluster is None else []
        self._scheduler.start()
        self._scheduler.add(taken_up)
        if self._cluster is not None:
            self._rounds.update(self._cluster.join(address))
        self._admission.start()
        self._tasks = [self._vital.task(name, run()) for name, run in self._rounds.items()]

    async def _take_up(self) -> list[JobEntry]:
        taken_up = recovered(await asyncio.to_thread(self._store.live_jobs), self._mover, self._config)
        self._registry.live.update((entry.job_id, entry) for entry in taken_up)
        if taken_up:
            await self._feed.commit(Barrier())
        return [entry for entry in taken_up if not entry.machine.settled]

    async def drain(self, grace: float | None = None) -> None:
        """Stop: refuse new jobs, start none, and wait up to `grace` seconds (else `config.drain_grace`)
        for those that run.

        What still runs then is interrupted, and starts anew with the next server. At the end all watches end.
        """
        if self._draining:
            return
        self._draining = True
        self._admission.shut()
        grace = self._config.drain_grace if grace is None else grace
        await stop_running(self._scheduler, self._runner, self._mover, grace)
        self._admission.stop()
        await self._feed.commit(Barrier())
        if self._cluster is not None:
            await self._cluster.shared.leave()
        for entry in self._registry.live.values():
            entry.close()

    async def close(self) -> None:
        """Drains without grace if that hasn't been done, then closes the store. Idempotent."""
        if self._closed:
            return
        self._closed = True
        await self.drain(0.0)
        await self._vital.cancel(*self._tasks)
        await asyncio.to_thread(self._store.close)
        self._readers.shutdown(wait=False)

    async def submit(
        self, spec: job_pb2.JobSpec | WireSpec, request_id: str = "", *, caller: Caller = ANYONE
    ) -> Submission:
        """Accept a job; when this returns, it survives a crash. The spec must not be changed until then.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        entry, accepted = await self._admit(spec, request_id, caller)
        job = entry.snapshot() if accepted is None else entry.accepted(accepted)
        return Submission(job, accepted is None)

    async def validate(self, spec: job_pb2.JobSpec | WireSpec) -> job_pb2.Job:
        """Check as `submit` does, and store nothing. The job has no id.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        try:
            job = await self._admission.check(WireSpec.of(spec))
        except ServiceError as error:
            self._telemetry.refused(error)
            raise
        self._telemetry.answered("validated")
        return job

    async def run(
        self,
        spec: job_pb2.JobSpec | WireSpec,
        request_id: str = "",
        *,
        heartbeat_interval: float | None = None,
        caller: Caller = ANYONE,
        brief: bool = False,
    ) -> Watch:
        """`submit`, then a watch of what follows, whose last event comes with the result.

        For a duplicate that is final already, the final event is told again; and for any job when `brief`.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        heartbeat = heartbeat_seconds(heartbeat_interval)
        entry, accepted = await self._admit(spec, request_id, caller)
        entry = self._registry.follow(entry)
        load = self._registry.inline_result
        if accepted is not None and not (brief and entry.final):
            # It may be running, or even done, but the stream tells its story from the start.
            job = entry.accepted(accepted)
            return Watch(entry, job, job.sequence, heartbeat=heartbeat, load_result=load)
        job = entry.snapshot()
        cursor = job.sequence - 1 if entry.final else job.sequence
        return Watch(entry, job, cursor, heartbeat=heartbeat, load_result=load, duplicate=accepted is None)

    async def watch(
        self,
        job_id: str,
        after_sequence: int | None = None,
        *,
        heartbeat_interval: float | None = None,
        caller: Caller = ANYONE,
    ) -> Watch:
        """Return a job's events: those after `after_sequence`, or those still to come when it is None.

        `heartbeat_interval` is in seconds, 30 when None.

        Raises:
            ServiceError: JOB_NOT_FOUND, EVENTS_COMPACTED, OPTION_INVALID.
        """
        heartbeat = heartbeat_seconds(heartbeat_interval)
        entry = self._registry.follow(await self._registry.find_for(caller, job_id))
        cursor = first_cursor(entry, after_sequence)
        return Watch(entry, entry.snapshot(), cursor, heartbeat=heartbeat)

    async def get(
        self, job_id: str, *, wait: float = 0.0, if_sequence_after: int = 0, caller: Caller = ANYONE
    ) -> job_pb2.Job:
        """Return a job. With `wait`, up to so many seconds later: once it is past `if_sequence_after`, or
        final.

        Raises:
            ServiceError: JOB_NOT_FOUND, OPTION_INVALID.
        """
        if not 0.0 <= wait <= _MAX_WAIT:
            raise option_invalid("wait", f"wait is 0 to {_MAX_WAIT:g} seconds, not {wait:g}.")
        entry = await self._registry.find_for(caller, job_id)
        if not wait:
            return entry.snapshot()
        watch = Watch(self._registry.follow(entry), job_pb2.Job(), entry.committed, heartbeat=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await follow(watch, past=if_sequence_after)
        return watch.entry.snapshot()

    async def list_jobs(
        self, request: job_service_pb2.ListJobsRequest, *, caller: Caller = ANYONE
    ) -> job_service_pb2.ListJobsResponse:
        """Return a page of the jobs that a caller may see, the newest first.

        Raises:
            ServiceError: BAD_PAGE_TOKEN, OPTION_INVALID.
        """
        size = page_size(request)
        records = await self._store.list_jobs(job_filter(request, caller), size + 1, MOST_PAGE_BYTES)
        return listed(records, size, request, caller, self._registry.live)

    async def cancel(self, job_id: str, reason: str = "", *, caller: Caller = ANYONE) -> job_pb2.Job:
        """Asks a job to stop. If it returns with `cancel_requested` and no final status, it will be
        CANCELLED.

        Raises:
            ServiceError: JOB_NOT_FOUND, OPTION_INVALID, STORE_BUSY, DRAINING.
        """
        if len(reason) > _MAX_REASON:
            raise option_invalid("reason", f"A reason has at most {_MAX_REASON} characters.")
        entry = await self._registry.find_for(caller, job_id)
        keeping = KeepingTimes.of(self._config)
        if self._cluster is not None:
            return await self._cluster.cancel(entry, reason, keeping)
        return await cancel_job(entry, reason, self._scheduler, self._mover, keeping)

    async def delete(self, job_id: str, *, caller: Caller = ANYONE) -> None:
        """Remove a final job with its events and result.

        Raises:
            ServiceError: JOB_NOT_FOUND, JOB_NOT_FINAL, STORE_BUSY.
        """
        try:
            entry = await self._registry.find_for(caller, job_id)
        except DamagedJobError as error:
            if error.principal is None and not caller.admin:
                raise
            await self._feed.commit(DeleteJob(job_id=job_id, damaged=True))
            return
        if not entry.final:
            raise not_final(job_id, entry.status)
        write = await self._feed.commit(DeleteJob(job_id=job_id))
        self._registry.forget(job_id)
        if not write.applied:
            raise JobNotFoundError(job_id)

    async def read_result(
        self, request: job_service_pb2.ReadResultRequest, *, caller: Caller = ANYONE
    ) -> ResultReading:
        """Open one part of a result for reading.

        Raises:
            ServiceError: As ReadResult's comment lists.
        """
        chunk_size(request)
        entry = await self._registry.find_for(caller, request.job_id)
        check_readable(entry)
        message = entry.machine.result_message
        if message is not None and not entry.machine.has_parts:
            return open_part(request, message, None, self._readers)
        stored = await self._store.open_result(request.job_id)
        if stored is None:
            raise unavailable(entry)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._readers, open_part, request, stored.message, stored, self._readers
            )
        except BaseException:
            stored.close()
            raise

    async def members(self) -> Sequence[Member]:
        """Return the servers that share the store, this one among them; none when it is this one's alone.

        Raises:
            ServiceError: STORE_BUSY.
        """
        return () if self._cluster is None else await self._cluster.shared.members()

    def shares(self, caller: Caller) -> Sequence[Share]:
        """Return whose jobs wait and run, as far as a caller may see."""
        return shares(caller, self._backlog.waiting_by_principal(), self._scheduler.running())

    @property
    def queued_jobs(self) -> int:
        """Jobs that wait."""
        return self._backlog.waiting_count

    @property
    def running_jobs(self) -> int:
        """Jobs that run."""
        return self._scheduler.running_count

    @property
    def long_checks(self) -> int:
        """Jobs that are being checked for long."""
        return self._admission.long_checks

    @property
    def admitted_bytes(self) -> int:
        """Memory that was set aside for the jobs that run."""
        return sum(entry.required_bytes for entry in self._scheduler.running())

    @property
    def prepared_bytes(self) -> int:
        """About how much memory programs hold that are being checked, wait, or run."""
        prepared = [entry.prepared for entry in self._registry.live.values()]
        held = sum(program.size_bytes for program in prepared if program is not None)
        return held + self._admission.large_bytes

    async def _admit(
        self, spec: job_pb2.JobSpec | WireSpec, request_id: str, caller: Caller
    ) -> tuple[JobEntry, bytes | None]:
        try:
            entry, accepted = await self._admission.admit(WireSpec.of(spec), request_id, caller.principal)
        except ServiceError as error:
            self._telemetry.refused(error)
            raise
        if accepted is None:
            self._telemetry.answered("duplicate")
        return entry, accepted
