"""One attempt at a job, on a thread of the scheduler: from its turn in the queue to the update that ends it.

The attempt never waits for the commit of its RUNNING event: the final state is committed a moment later, in
the same order, and holds it. Only a job that is read from the store again does, since it may be what has
stopped the server: its attempt must be on disk before it gets the chance to do so once more.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, StoreBusyError, exceeds_memory, internal_error
from basicaer.service.execution._interface import (
    ExecutionOutcome,
    Executor,
    GivenUpError,
    Patience,
    PreparedJob,
)
from basicaer.service.store import JobStore, StagedResult, UpdateJob, Write
from basicaer.service.telemetry import bind
from basicaer.v1 import error_reason_pb2, job_pb2, result_pb2
from basicaer.v1.job_pb2 import JobStatus

from . import _states
from ._clock import seconds_to_nanoseconds, set_timestamp
from ._entry import JobEntry
from ._lifecycle import Lifecycle
from ._tag import Tag

__all__ = ["Ending", "Runner", "cancelled_error"]

_log = logging.getLogger(__name__)

# Until a full disk is tried again, in seconds.
_RETRY_DELAY = 1.0


class Ending(NamedTuple):
    """What is committed beside a job's final state."""

    result: StagedResult | None
    sweep_time: int | None


class _Limit(NamedTuple):
    """How long an attempt may take, and who says so."""

    seconds: float
    by_server: bool

    @classmethod
    def of(cls, prepared: PreparedJob, config: Config) -> _Limit:
        servers = math.inf if config.max_run_time is None else config.max_run_time
        own = math.inf if prepared.max_run_time is None else prepared.max_run_time
        return cls(min(servers, own), servers <= own)

    def exceeded(self) -> ServiceError:
        whose = "the most that the server allows" if self.by_server else "its option max_run_time"
        return ServiceError(
            error_reason_pb2.ERROR_REASON_TIME_LIMIT_EXCEEDED,
            f"The job ran for longer than {self.seconds:g} s, {whose}."
            " Submit it in parts, or with fewer shots.",
            metadata={"max_run_time": f"{self.seconds:g}"},
        )


class _Staged(NamedTuple):
    result: StagedResult
    message: bytes
    parts_bytes: int


class Runner:
    """Runs jobs. `run` is called on several threads at once; the other methods anywhere."""

    def __init__(self, store: JobStore, executor: Executor, config: Config, lifecycle: Lifecycle) -> None:
        self._store = store
        self._executor = executor
        self._config = config
        self._lifecycle = lifecycle
        self._stopping = threading.Event()

    def stop(self) -> None:
        """From now on an attempt that can't commit gives up, instead of trying again."""
        self._stopping.set()

    def run(self, entry: JobEntry) -> None:
        """Runs a job to its end, whatever that is."""
        bind(entry.principal, entry.job_id)
        try:
            self._run(entry)
        except Exception as error:
            _log.exception("job %s failed by a defect", entry.job_id)
            self.end(entry, _states.ERROR, error=_job_error(error, entry, self._config))

    def end(
        self,
        entry: JobEntry,
        status: JobStatus.ValueType,
        *,
        error: job_pb2.JobError | None = None,
        result: result_pb2.Result | None = None,
        parts: Sequence[memoryview] = (),
        tag: Tag | None = None,
    ) -> None:
        """Makes a job final, if it isn't. A cancellation that was acknowledged comes before all else."""
        now = time.time_ns()
        staged: _Staged | None = None
        if result is not None:
            staged = self._stage(entry, result, parts, now)
        with entry.lock:
            if entry.settled:
                kept = None
            else:
                if entry.cancel_reason is not None:
                    status, error = _states.CANCELLED, cancelled_error(entry.cancel_reason)
                kept = staged if status != _states.CANCELLED else None
                sweep_time = self._settle(entry, status, error, kept, now)
                result_kept = kept.result if kept else None
                self._store.write(entry.update(tag or Tag(entry), result=result_kept, sweep_time=sweep_time))
        if staged is not None and kept is None:
            self._store.discard_result(staged.result)

    def run_at_once(self, entry: JobEntry, prepared: PreparedJob) -> Ending:
        """Runs a job that nobody knows of yet; what is to be committed with its final state.

        Raises:
            StoreBusyError: There is no room for its result now.
        """
        bind(entry.principal, entry.job_id)
        entry.move(_states.RUNNING, time.time_ns())
        self._lifecycle.started(entry)
        try:
            outcome = self._executor.execute(prepared, prepared.new_control(), job_id=entry.job_id)
        except Exception as error:
            _log.exception("job %s failed by a defect", entry.job_id)
            outcome = ExecutionOutcome(_states.ERROR, error=_job_error(error, entry, self._config))
        now = time.time_ns()
        staged = None
        if outcome.result is not None:
            staged = self._stage(entry, outcome.result, _buffers(outcome), now)
        sweep_time = self._settle(entry, outcome.status, outcome.error, staged, now)
        return Ending(staged.result if staged else None, sweep_time)

    def _settle(
        self,
        entry: JobEntry,
        status: JobStatus.ValueType,
        error: job_pb2.JobError | None,
        staged: _Staged | None,
        now: int,
    ) -> int | None:
        """Moves a job to its final status; when the sweeper has something to do with it."""
        config, head = self._config, entry.head
        sweep_time = None
        if config.event_retention is not None:
            sweep_time = now + seconds_to_nanoseconds(config.event_retention)
        if staged is not None:
            head.result_size_bytes = len(staged.message) + staged.parts_bytes
            if len(staged.message) <= config.max_inline_result_bytes:
                entry.result_message = staged.message
                entry.has_parts = staged.parts_bytes > 0
            if config.result_retention is not None:
                expiry = now + seconds_to_nanoseconds(config.result_retention)
                set_timestamp(head.result_expire_time, expiry)
                sweep_time = expiry if sweep_time is None else min(sweep_time, expiry)
        entry.move(status, now, error)
        return sweep_time

    def queue_again(self, entry: JobEntry) -> None:
        """Moves a job back to QUEUED that an earlier server was at. The caller puts it into the queue."""
        with entry.lock:
            entry.move(_states.QUEUED, time.time_ns())
            self._store.write(entry.update(Tag(entry)))

    def hand_back(self, entry: JobEntry) -> None:
        """Leaves an interrupted job to the next server, as QUEUED; or ends it, if it was cancelled."""
        with entry.lock:
            if entry.settled:
                return
            if entry.cancel_reason is None:
                entry.settled = True
                if entry.head.status != _states.QUEUED:
                    entry.move(_states.QUEUED, time.time_ns())
                    self._store.write(entry.update(Tag(entry)))
                return
        self.end(entry, _states.CANCELLED)

    def _run(self, entry: JobEntry) -> None:
        prepared = entry.prepared or self._prepare_again(entry)
        if prepared is None:
            return
        control = prepared.new_control()
        limit = _Limit.of(prepared, self._config)
        with entry.lock:
            started = not (entry.settled or entry.interrupted or entry.cancel_reason is not None)
            if started:
                entry.control = control
                entry.deadline = time.monotonic() + limit.seconds
                entry.move(_states.RUNNING, time.time_ns())
                self._store.write(entry.update(Tag(entry), lazy=True))
        if not started:
            self.hand_back(entry)
            return
        self._lifecycle.started(entry)
        outcome = self._executor.execute(prepared, control, job_id=entry.job_id)
        entry.prepared = None
        self._conclude(entry, outcome, limit)

    def _conclude(self, entry: JobEntry, outcome: ExecutionOutcome, limit: _Limit) -> None:
        if outcome.status == _states.CANCELLED:
            # Asked by the caller, by a server that is stopping, or by the time limit.
            if entry.overdue and entry.cancel_reason is None:
                self.end(entry, _states.ERROR, error=limit.exceeded().to_job_error())
            else:
                self.hand_back(entry)
            return
        parts = _buffers(outcome)
        while True:
            try:
                self.end(entry, outcome.status, error=outcome.error, result=outcome.result, parts=parts)
                return
            except StoreBusyError as error:
                _log.warning("a result can't be stored: %s", error.message)
                if entry.cancel_reason is not None or self._stopping.wait(_RETRY_DELAY):
                    self.hand_back(entry)
                    return

    def _prepare_again(self, entry: JobEntry) -> PreparedJob | None:
        """Reads and checks a job whose programs aren't in memory; None when there is nothing left to run."""
        signal: queue.SimpleQueue[Write] = queue.SimpleQueue()
        with entry.lock:
            if entry.settled or entry.interrupted or entry.cancel_reason is not None:
                update = None
            else:
                entry.move(_states.VALIDATING, time.time_ns())
                update = entry.update(Tag(entry, signal=signal))
        if update is None or not self._commit(update, signal):
            self.hand_back(entry)
            return None
        spec = self._store.load_spec(entry.job_id)
        if spec is None:
            raise RuntimeError(f"job {entry.job_id} has lost its spec")
        # It was accepted once, so it may take as long as it takes.
        patience = Patience(lambda: entry.interrupted or entry.cancel_reason is not None)
        try:
            return self._executor.prepare(job_pb2.JobSpec.FromString(spec), patience)
        except GivenUpError:
            self.hand_back(entry)
            return None
        except ServiceError as error:
            # It was accepted once: an earlier version of this server was less strict.
            self.end(entry, _states.ERROR, error=error.to_job_error())
            return None

    def _commit(self, update: UpdateJob, signal: queue.SimpleQueue[Write]) -> bool:
        """Waits until an update is committed; False when the server stops before."""
        while True:
            self._store.write(update)
            if signal.get().error is None:
                return True
            if self._stopping.wait(_RETRY_DELAY):
                return False
            update.error = None

    def _stage(
        self, entry: JobEntry, result: result_pb2.Result, parts: Sequence[memoryview], time_ns: int
    ) -> _Staged:
        head = entry.head
        result.job_id = entry.job_id
        set_timestamp(result.end_time, time_ns)
        started = head.start_time
        result.time_taken = (time_ns - started.seconds * 1_000_000_000 - started.nanos) / 1e9
        result.etag = f"{head.attempt}-{time_ns:x}"
        message = result.SerializeToString()
        staged = self._store.stage_result(entry.job_id, head.attempt, message, parts)
        return _Staged(staged, message, sum(part.nbytes for part in parts))


def _buffers(outcome: ExecutionOutcome) -> list[memoryview]:
    return [memoryview(part.data).cast("B") for part in outcome.parts]


def cancelled_error(reason: str) -> job_pb2.JobError:
    """What a cancelled job says about why it ended."""
    return job_pb2.JobError(
        reason=error_reason_pb2.ERROR_REASON_CANCELLED_BY_USER,
        message=f"The job was cancelled by a call of CancelJob{f': {reason}' if reason else '.'}",
        metadata={"reason": reason} if reason else {},
    )


def _job_error(error: Exception, entry: JobEntry, config: Config) -> job_pb2.JobError:
    if isinstance(error, MemoryError):
        return exceeds_memory(entry.required_bytes, config.max_memory_bytes).to_job_error()
    return internal_error(entry.job_id).to_job_error()
