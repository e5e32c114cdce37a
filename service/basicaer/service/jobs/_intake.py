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
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, exceeds_memory, internal_error
from basicaer.service.execution._interface import (
    Executor,
    GivenUpError,
    Patience,
    PreparedJob,
    TakesLongError,
)
from basicaer.service.store import ExistingJob, InsertJob, JobStore
from basicaer.service.telemetry import TraceContext, bind, current_trace
from basicaer.v1 import error_reason_pb2, job_pb2

from . import _states
from ._clock import JobClock, set_timestamp
from ._entry import JobEntry
from ._refusals import option_invalid
from ._registry import Registry
from ._runner import Runner
from ._scheduler import Scheduler
from ._tag import Tag

__all__ = ["Arrival", "Intake", "same_request", "spec_hash"]

_log = logging.getLogger(__name__)

_MAX_LABELS = 32
_MAX_LABEL_LENGTH = 63


@dataclass(slots=True)
class Arrival:
    """A spec on its way in, and whoever waits for it on the loop."""

    # None once nobody waits: it may be large, and the thread whose turn it is may be busy for long.
    spec: job_pb2.JobSpec | None
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
        scheduler: Scheduler,
    ) -> None:
        self._store = store
        self._runner = runner
        self._scheduler = scheduler
        self._executor = executor
        self._max_memory_bytes = config.max_memory_bytes
        self._clock = clock
        self._live = registry.live
        self._loop = asyncio.get_running_loop()

    def check(self, arrival: Arrival, patience: Patience | None) -> None:
        """Makes `arrival.job` out of the spec, without an id, or finds out what is wrong with it.

        Raises:
            TakesLongError: It is to be called again, with patience.
        """
        bind(arrival.principal)
        spec = arrival.spec
        if spec is None:
            return
        try:
            arrival.job = _job(spec, arrival.request_id, self._prepare(spec, patience))
        except (TakesLongError, GivenUpError):
            raise
        except Exception as error:
            self._fail(arrival, error)
        else:
            self._loop.call_soon_threadsafe(_finish, arrival.future)

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
            prepared = self._prepare(asked, patience)
            if arrival.future.done():
                return
            job = _job(asked, arrival.request_id, prepared)
            spec = asked.SerializeToString(deterministic=True)
            job.job_id, time_ns = self._clock.next()
            set_timestamp(job.create_time, time_ns)
            entry = JobEntry(job, arrival.principal)
            entry.trace = arrival.trace
            entry.move(_states.QUEUED, time_ns)
            arrival.accepted = job.SerializeToString()
            ending = None
            if prepared.quick and self._scheduler.has_room:
                ending = self._runner.run_at_once(entry, prepared)
            else:
                entry.prepared = prepared
            arrival.write = write = InsertJob(
                job_id=job.job_id,
                principal=arrival.principal,
                request_id=arrival.request_id or None,
                request_hash=_fingerprint(spec),
                backend_name=job.backend_name,
                create_time=time_ns,
                status=job.status,
                labels=asked.labels,
                job=job.SerializeToString() if ending else arrival.accepted,
                events=entry.events,
                spec=None if ending else spec,
                sequence=job.sequence,
                attempt=job.attempt,
                final=ending is not None,
                result=ending.result if ending else None,
                sweep_time=ending.sweep_time if ending else None,
                tag=Tag(entry, arrival.future),
            )
            self._live[job.job_id] = entry
            self._store.write(write)
        except (TakesLongError, GivenUpError):
            raise
        except Exception as error:
            self._fail(arrival, error)

    def _prepare(self, spec: job_pb2.JobSpec, patience: Patience | None) -> PreparedJob:
        _check_labels(spec.labels)
        prepared = self._executor.prepare(spec, patience)
        if prepared.required_bytes > self._max_memory_bytes:
            raise exceeds_memory(prepared.required_bytes, self._max_memory_bytes)
        return prepared

    def _fail(self, arrival: Arrival, error: Exception) -> None:
        if not isinstance(error, ServiceError):
            _log.error("a job couldn't be checked", exc_info=error)
            error = internal_error()
        self._loop.call_soon_threadsafe(_finish, arrival.future, error)


def _fingerprint(spec: bytes) -> bytes:
    return hashlib.blake2b(spec, digest_size=16).digest()


def spec_hash(spec: job_pb2.JobSpec) -> bytes:
    """What tells one spec from another, as `InsertJob.request_hash` has it."""
    return _fingerprint(spec.SerializeToString(deterministic=True))


def same_request(existing: ExistingJob, request_id: str, request_hash: bytes) -> str:
    """The id of the job that an earlier call with the same request id has made.

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


def _check_labels(labels: Mapping[str, str]) -> None:
    if not labels:
        return
    if len(labels) > _MAX_LABELS:
        raise option_invalid("spec.labels", f"A job has at most {_MAX_LABELS} labels, not {len(labels)}.")
    for key, value in labels.items():
        if not key or len(key) > _MAX_LABEL_LENGTH or len(value) > _MAX_LABEL_LENGTH:
            raise option_invalid(
                "spec.labels",
                f"A label's key has 1 to {_MAX_LABEL_LENGTH} characters and its value at most as many;"
                f" {key[:_MAX_LABEL_LENGTH]!r} breaks that.",
            )


def _job(spec: job_pb2.JobSpec, request_id: str, prepared: PreparedJob) -> job_pb2.Job:
    job = job_pb2.Job(
        backend_name=spec.backend_name,
        status=_states.INITIALIZING,
        num_programs=prepared.num_programs,
        shots=prepared.shots,
        required_bytes=prepared.required_bytes,
        request_id=request_id,
    )
    if spec.labels:
        job.labels.update(spec.labels)
    if spec.HasField("metadata"):
        job.metadata.CopyFrom(spec.metadata)
    return job


def _finish(future: asyncio.Future[None], error: ServiceError | None = None) -> None:
    # The caller may have gone away meanwhile.
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
