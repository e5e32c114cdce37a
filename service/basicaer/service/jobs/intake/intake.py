"""How a job gets in: its request is checked on a thread, and goes from there to the store without another
stop. A caller that goes away before has no job: its request is left, wherever it is.

The request id makes acceptance exactly-once: the store refuses a second job with the same (principal, request
id) in the transaction that would insert it, so that a call costs no look-up beforehand. Only when a call is
refused for another reason is an earlier job looked for, since the repetition of an accepted call must not
fail because, say, the queue has become full in the meantime.

A job that would start at once, and that takes no longer than its way to another thread, is run right here,
before it is committed, and then needs one commit instead of two. Nobody can tell: nothing is known of a job
before it is accepted, and a result that isn't committed, because of a crash or since the job exists already,
has never been.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, internal_error
from basicaer.service.execution._acceptance import accept
from basicaer.service.execution._interface import (
    Executor,
    GivenUpError,
    Patience,
    PreparedJob,
    TakesLongError,
)
from basicaer.service.jobs._registry import Registry
from basicaer.service.jobs.model.clock import JobClock, set_timestamp
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.jobs.model.stimuli import Accepted, Stored
from basicaer.service.jobs.queue.interface import Backlog
from basicaer.service.jobs.running.runner import Runner
from basicaer.service.store import ExistingJob, InsertJob, JobStore
from basicaer.service.telemetry import TraceContext, bind, current_trace
from basicaer.service.wire import WireSpec, fingerprint
from basicaer.v1 import error_reason_pb2, job_pb2

__all__ = ["Arrival", "Intake", "same_request"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrival:
    """A spec on its way in, and whoever waits for it on the loop."""

    # None once nobody waits: it may be large, and the thread whose turn it is may be busy for long.
    spec: WireSpec | None
    request_id: str
    principal: str
    # Gets None once `job` or `write` is there, or the error. Done earlier when nobody waits any more.
    future: asyncio.Future[None]
    # Of a job that was only checked.
    job: job_pb2.Job | None = None
    # Of a job that was handed to the store: how, and the serialized Job as it was when it was accepted.
    write: InsertJob | None = None
    accepted: bytes = b""
    # The span of the call, when it is traced.
    trace: TraceContext | None = field(default_factory=current_trace)


class Intake:
    """Checks specs and hands jobs to the store. `check` and `accept` run on the validation threads.

    Both are called without patience first, and raise TakesLongError, having done nothing, when that isn't
    enough.
    """

    def __init__(
        self,
        store: JobStore,
        executor: Executor,
        config: Config,
        clock: JobClock,
        registry: Registry,
        runner: Runner,
        backlog: Backlog,
    ) -> None:
        self._store = store
        self._runner = runner
        self._backlog = backlog
        self._executor = executor
        self._max_memory_bytes = config.max_memory_bytes
        self._max_metadata_bytes = config.max_metadata_bytes
        self._most_result_bytes = config.most_result_bytes
        self._clock = clock
        self._live = registry.live

    def check(self, arrival: Arrival, patience: Patience | None) -> None:
        """Make `arrival.job` out of the spec, without an id, or find out what is wrong with it.

        Raises:
            TakesLongError: It is to be called again, with patience.
        """
        bind(arrival.principal)
        spec = arrival.spec
        if spec is None:
            return
        try:
            arrival.job, _ = self._prepare(spec, arrival.request_id, patience)
        except (TakesLongError, GivenUpError):
            raise
        except Exception as error:
            self._fail(arrival, error)
        else:
            _tell(arrival.future)

    def accept(self, arrival: Arrival, patience: Patience | None) -> None:
        """Hands a new job to the store, or finds out what is wrong with it.

        Raises:
            TakesLongError: It is to be called again, with patience.
        """
        bind(arrival.principal)
        asked = arrival.spec
        if asked is None:
            return
        try:
            job, prepared = self._prepare(asked, arrival.request_id, patience)
            if arrival.future.done():
                return
            spec = asked.serialized()
            job.job_id, time_ns = self._clock.next()
            set_timestamp(job.create_time, time_ns)
            entry = JobEntry(job, arrival.principal, arrival.trace)
            machine = entry.machine
            machine.handle(Accepted(time_ns))
            arrival.accepted = job.SerializeToString()
            if prepared is not None and prepared.quick and self._backlog.has_room:
                self._runner.run_at_once(entry, prepared)
            else:
                entry.prepared = prepared
            final = machine.final
            arrival.write = write = InsertJob(
                job_id=job.job_id,
                principal=arrival.principal,
                request_id=arrival.request_id or None,
                request_hash=asked.hashed or fingerprint(spec),
                backend_name=job.backend_name,
                create_time=time_ns,
                status=job.status,
                labels=job.labels,
                job=job.SerializeToString() if final else arrival.accepted,
                events=machine.events,
                spec=None if final else spec,
                sequence=job.sequence,
                attempt=job.attempt,
                final=final,
                result=machine.result,
                sweep_time=machine.sweep_time,
                nodes=entry.nodes,
                required_bytes=job.required_bytes,
                tag=Recipients(entry, arrival.future),
            )
            machine.handle(Stored())
            self._live[job.job_id] = entry
            self._store.write(write)
        except (TakesLongError, GivenUpError):
            raise
        except Exception as error:
            self._fail(arrival, error)

    def _prepare(
        self, spec: WireSpec, request_id: str, patience: Patience | None
    ) -> tuple[job_pb2.Job, PreparedJob | None]:
        """Return the job, and what is needed to run it, unless that is to be read again."""
        prepared = None
        if spec.is_apart:
            job = self._executor.check_apart(spec.serialized(), patience)
        else:
            job, prepared = accept(
                spec.message,
                lambda: self._executor.prepare(spec.message, patience, spec.columns, spec.size),
                max_memory_bytes=self._max_memory_bytes,
                max_metadata_bytes=self._max_metadata_bytes,
                most_result_bytes=self._most_result_bytes,
            )
        job.request_id = request_id
        return job, prepared

    def _fail(self, arrival: Arrival, error: Exception) -> None:
        if not isinstance(error, ServiceError):
            _log.error("a job couldn't be checked", exc_info=error)
            error = internal_error()
        _tell(arrival.future, error)


def same_request(existing: ExistingJob, request_id: str, request_hash: bytes) -> str:
    """Return the id of the job that an earlier call with the same request id has made.

    Raises:
        ServiceError: REQUEST_ID_REUSED: that call had another spec.
    """
    if existing.request_hash != request_hash:
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_REQUEST_ID_REUSED,
            f"The request id {request_id!r} belongs to job {existing.job_id}, which has another spec."
            " Use a new id for a new job.",
            metadata={"request_id": request_id, "job_id": existing.job_id},
        )
    return existing.job_id


def _tell(future: asyncio.Future[None], error: ServiceError | None = None) -> None:
    """Lets whoever waits on the loop know that the check is over."""
    future.get_loop().call_soon_threadsafe(_finish, future, error)


def _finish(future: asyncio.Future[None], error: ServiceError | None = None) -> None:
    # The caller may have gone away meanwhile.
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
