"""The jobs of one server: accepts them, decides when each runs, records what becomes of it, and tells
readers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from basicaer.service.callers import ANYONE, Caller
from basicaer.service.config import Config
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.execution._interface import Executor
from basicaer.service.store import Barrier, DeleteJob, JobRecord, JobStore
from basicaer.service.telemetry import Telemetry
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2
from basicaer.v1.job_pb2 import JobStatus

from . import _states
from ._admission import Admission
from ._clock import JobClock
from ._draining import stop_running
from ._entry import JobEntry
from ._intake import Intake
from ._lifecycle import Lifecycle
from ._limits import TimeLimit
from ._listing import job_filter, page_size, page_token
from ._news import News
from ._pulse import Pulse
from ._reading import ResultReading, check_readable, chunk_size, open_part, unavailable
from ._recovery import recover
from ._refusals import draining, option_invalid
from ._registry import Registry
from ._retention import Sweeper
from ._runner import Runner
from ._scheduler import Scheduler
from ._tag import Tag
from ._watch import Watch, first_cursor, follow, heartbeat_seconds

__all__ = ["JobManager", "Submission"]

_WriteT = TypeVar("_WriteT", Barrier, DeleteJob)

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
    ) -> None:
        """`on_storing` is told, on the loop, when the store can't commit any more, and when it can again."""
        self._lifecycle = Lifecycle(telemetry or Telemetry())
        self._on_storing = on_storing
        self._store = store
        self._executor = executor
        self._config = config
        self._draining = False
        self._closed = False

    async def start(self) -> None:
        """Opens the store, takes up the jobs that it holds, and begins to run them.

        Raises:
            DataDirectoryError: Another server uses the store's directory, or it isn't one of ours.
        """
        config = self._config
        self._loop = asyncio.get_running_loop()
        self._runner = Runner(self._store, self._executor, config, self._lifecycle)
        pulse = Pulse(self._store, self._on_storing)
        self._registry = Registry(
            self._store,
            finished_cache_bytes=config.finished_cache_bytes,
            max_inline_result_bytes=config.max_inline_result_bytes,
            accepted=lambda entries: self._scheduler.add(entries),
            lifecycle=self._lifecycle,
            pulse=pulse,
        )
        await asyncio.to_thread(self._store.open, self._registry.on_commit)
        waiting = await self._recover(await asyncio.to_thread(self._store.live_jobs))
        self._scheduler = Scheduler(
            self._runner.run,
            workers=config.workers,
            max_memory_bytes=config.max_memory_bytes,
            max_overtakes=config.max_overtakes,
            prepared_cache_bytes=config.prepared_cache_bytes,
        )
        self._scheduler.add(waiting)
        intake = Intake(
            self._store,
            self._executor,
            config,
            JobClock(),
            self._registry,
            self._runner,
            self._scheduler,
        )
        self._admission = Admission(self._store, intake, self._registry, self._scheduler, config)
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="result-reader")
        news = News(self._scheduler, config.progress_interval)
        sweeper = Sweeper(self._store, self._registry, config)
        time_limit = TimeLimit(self._scheduler)
        parts = (news, sweeper, time_limit, pulse)
        self._tasks = [asyncio.create_task(part.run()) for part in parts]

    async def drain(self, grace: float | None = None) -> None:
        """Stops: refuses new jobs, starts none, and waits up to `grace` seconds (else `config.drain_grace`)
        for those that run.

        What still runs then is interrupted, and starts anew with the next server. At the end all watches end.
        """
        if self._draining:
            return
        self._draining = True
        self._admission.shut()
        await stop_running(
            self._scheduler, self._runner, self._config.drain_grace if grace is None else grace
        )
        self._admission.stop()
        await self._write(lambda tag: Barrier(tag=tag))
        for entry in self._registry.live.values():
            entry.closed = True
            entry.wake()

    async def close(self) -> None:
        """Drains without grace if that hasn't been done, then closes the store. Idempotent."""
        if self._closed:
            return
        self._closed = True
        await self.drain(0.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._store.close)
        self._readers.shutdown(wait=False)

    async def submit(
        self, spec: job_pb2.JobSpec, request_id: str = "", *, caller: Caller = ANYONE
    ) -> Submission:
        """Accepts a job; when this returns, it survives a crash. The spec must not be changed until then.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        entry, accepted = await self._admit(spec, request_id, caller)
        if accepted is None:
            return Submission(entry.snapshot(), True)
        return Submission(_accepted_job(entry, accepted), False)

    async def validate(self, spec: job_pb2.JobSpec) -> job_pb2.Job:
        """Checks as `submit` does, and stores nothing. The job has no id.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        try:
            job = await self._admission.check(spec)
        except ServiceError as error:
            self._lifecycle.refused(error)
            raise
        self._lifecycle.answered("validated")
        return job

    async def run(
        self,
        spec: job_pb2.JobSpec,
        request_id: str = "",
        *,
        heartbeat_interval: float | None = None,
        caller: Caller = ANYONE,
    ) -> Watch:
        """`submit`, then a watch of what follows, whose last event comes with the result.

        For a duplicate that is final already, the final event is told again.

        Raises:
            ServiceError: As SubmitJob's comment lists.
        """
        heartbeat = heartbeat_seconds(heartbeat_interval)
        entry, accepted = await self._admit(spec, request_id, caller)
        load_result = self._registry.inline_result
        if accepted is not None:
            # It may be running, or even done, but the stream tells its story from the start.
            job = _accepted_job(entry, accepted)
            return Watch(entry, job, job.sequence, heartbeat=heartbeat, load_result=load_result)
        job = entry.snapshot()
        cursor = job.sequence - 1 if entry.final else job.sequence
        return Watch(entry, job, cursor, heartbeat=heartbeat, load_result=load_result, duplicate=True)

    async def watch(
        self,
        job_id: str,
        after_sequence: int | None = None,
        *,
        heartbeat_interval: float | None = None,
        caller: Caller = ANYONE,
    ) -> Watch:
        """A job's events: those after `after_sequence`, or those still to come when it is None.

        `heartbeat_interval` is in seconds, 30 when None.

        Raises:
            ServiceError: JOB_NOT_FOUND, EVENTS_COMPACTED, OPTION_INVALID.
        """
        heartbeat = heartbeat_seconds(heartbeat_interval)
        entry = await self._registry.find_for(caller, job_id)
        cursor = first_cursor(entry, after_sequence)
        return Watch(entry, entry.snapshot(), cursor, heartbeat=heartbeat)

    async def get(
        self, job_id: str, *, wait: float = 0.0, if_sequence_after: int = 0, caller: Caller = ANYONE
    ) -> job_pb2.Job:
        """A job. With `wait`, up to so many seconds later: once it is past `if_sequence_after`, or final.

        Raises:
            ServiceError: JOB_NOT_FOUND, OPTION_INVALID.
        """
        if not 0.0 <= wait <= _MAX_WAIT:
            raise option_invalid("wait", f"wait is 0 to {_MAX_WAIT:g} seconds, not {wait:g}.")
        entry = await self._registry.find_for(caller, job_id)
        if wait:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await follow(entry, past=if_sequence_after)
        return entry.snapshot()

    async def list_jobs(
        self, request: job_service_pb2.ListJobsRequest, *, caller: Caller = ANYONE
    ) -> job_service_pb2.ListJobsResponse:
        """A page of the jobs that a caller may see, the newest first.

        Raises:
            ServiceError: BAD_PAGE_TOKEN, OPTION_INVALID.
        """
        size = page_size(request)
        records = await self._store.list_jobs(job_filter(request, caller), size + 1)
        response = job_service_pb2.ListJobsResponse()
        for record in records[:size]:
            entry = self._registry.live.get(record.job_id)
            if entry is not None and entry.committed == record.sequence:
                # The same state, and what passes besides.
                response.jobs.append(entry.snapshot())
            else:
                response.jobs.append(job_pb2.Job.FromString(record.job))
        if len(records) > size:
            response.next_page_token = page_token(request, caller, records[size - 1].job_id)
        return response

    async def cancel(self, job_id: str, reason: str = "", *, caller: Caller = ANYONE) -> job_pb2.Job:
        """Asks a job to stop. If it returns with `cancel_requested` and no final status, it will be
        CANCELLED.

        Raises:
            ServiceError: JOB_NOT_FOUND, OPTION_INVALID, STORE_BUSY, DRAINING.
        """
        if len(reason) > _MAX_REASON:
            raise option_invalid("reason", f"A reason has at most {_MAX_REASON} characters.")
        entry = await self._registry.find_for(caller, job_id)
        if entry.final:
            return entry.snapshot()
        future: asyncio.Future[None] = self._loop.create_future()
        waiting = self._scheduler.remove(entry)
        with entry.lock:
            ended = entry.head.status in _states.FINAL
            if not ended:
                if entry.cancel_reason is None:
                    entry.cancel_reason = reason
                    entry.head.cancel_requested = True
                if entry.control is not None:
                    entry.control.cancel()
                if not waiting:
                    self._store.write(entry.update(Tag(entry, future)))
        if ended:
            # Its end is about to be committed. The truth about the cancellation is known then.
            await follow(entry)
            if not entry.final:
                # The end couldn't be committed before the server stops; the next one knows nothing of it.
                raise draining()
            return entry.snapshot()
        if waiting:
            self._runner.end(entry, _states.CANCELLED, tag=Tag(entry, future))
        await future
        return entry.snapshot()

    async def delete(self, job_id: str, *, caller: Caller = ANYONE) -> None:
        """Removes a final job with its events and result.

        Raises:
            ServiceError: JOB_NOT_FOUND, JOB_NOT_FINAL, STORE_BUSY.
        """
        entry = await self._registry.find_for(caller, job_id)
        if not entry.final:
            status = JobStatus.Name(entry.status).removeprefix("JOB_STATUS_")
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_JOB_NOT_FINAL,
                f"The job is {status}; only a final one can be deleted. Cancel it first.",
                metadata={"job_id": job_id, "status": status},
            )
        write = await self._write(lambda tag: DeleteJob(job_id=job_id, tag=tag))
        self._registry.forget(job_id)
        if not write.applied:
            raise JobNotFoundError(job_id)

    async def read_result(
        self, request: job_service_pb2.ReadResultRequest, *, caller: Caller = ANYONE
    ) -> ResultReading:
        """Opens one part of a result for reading.

        Raises:
            ServiceError: As ReadResult's comment lists.
        """
        chunk_size(request)
        entry = await self._registry.find_for(caller, request.job_id)
        check_readable(entry)
        if entry.result_message is not None and not entry.has_parts:
            return open_part(request, entry.result_message, None, self._readers)
        stored = await self._store.open_result(request.job_id)
        if stored is None:
            raise unavailable(entry)
        try:
            return await self._loop.run_in_executor(
                self._readers, open_part, request, stored.message, stored, self._readers
            )
        except BaseException:
            stored.close()
            raise

    @property
    def queued_jobs(self) -> int:
        """Jobs that wait."""
        return self._scheduler.waiting_count

    @property
    def running_jobs(self) -> int:
        """Jobs that run."""
        return self._scheduler.running_count

    @property
    def admitted_bytes(self) -> int:
        """Memory that was set aside for the jobs that run."""
        return sum(entry.required_bytes for entry in self._scheduler.running())

    async def _admit(
        self, spec: job_pb2.JobSpec, request_id: str, caller: Caller
    ) -> tuple[JobEntry, bytes | None]:
        try:
            entry, accepted = await self._admission.admit(spec, request_id, caller.principal)
        except ServiceError as error:
            self._lifecycle.refused(error)
            raise
        if accepted is None:
            self._lifecycle.answered("duplicate")
        return entry, accepted

    async def _write(self, make: Callable[[Tag], _WriteT]) -> _WriteT:
        """Hands a write to the store, and waits until it is committed."""
        future: asyncio.Future[None] = self._loop.create_future()
        write = make(Tag(future=future))
        self._store.write(write)
        await future
        return write

    async def _recover(self, records: Sequence[JobRecord]) -> list[JobEntry]:
        """Takes up the jobs of an earlier server, and commits what has become of them."""
        waiting = []
        for record in records:
            entry = recover(record, self._runner, self._config)
            self._registry.live[entry.job_id] = entry
            if not entry.settled:
                waiting.append(entry)
        if records:
            await self._write(lambda tag: Barrier(tag=tag))
        return waiting


def _accepted_job(entry: JobEntry, accepted: bytes) -> job_pb2.Job:
    """The job as it was when it was accepted, whatever has become of it in the meantime."""
    job = job_pb2.Job.FromString(accepted)
    job.queue_position = entry.position
    return job
