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
from collections.abc import Callable
from typing import NamedTuple

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, StoreBusyError, exceeds_memory, internal_error
from basicaer.service.execution._interface import (
    ExecutionLostError,
    ExecutionOutcome,
    Executor,
    GivenUpError,
    Patience,
    PreparedJob,
)
from basicaer.service.housekeeping import short_turns
from basicaer.service.jobs._telemetry import JobTelemetry
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.clock import set_timestamp
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import (
    CheckStarted,
    Crashed,
    Ended,
    HandedBack,
    KeepingTimes,
    Staged,
    Started,
    Stopped,
    WriteFailed,
)
from basicaer.service.jobs.running.recovery import too_many_attempts
from basicaer.service.store import JobStore, UpdateJob, Write, damaged
from basicaer.service.telemetry import bind
from basicaer.service.wire import read_spec
from basicaer.v1 import error_reason_pb2, job_pb2
from basicaer.v1.job_pb2 import JobStatus

__all__ = ["Runner"]

_log = logging.getLogger(__name__)

# Until a full disk is tried again, in seconds.
_RETRY_DELAY = 1.0


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


class Runner:
    """Runs jobs. `run` is called on several threads at once; the other methods anywhere."""

    def __init__(
        self,
        store: JobStore,
        executor: Executor,
        config: Config,
        telemetry: JobTelemetry,
        mover: Mover,
        others: Callable[[], bool],
    ) -> None:
        """`others` tells whether calls wait for their job's acceptance."""
        self._store = store
        self._executor = executor
        self._config = config
        self._telemetry = telemetry
        self._mover = mover
        self._others = others
        self._keeping = KeepingTimes.of(config)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """From now on an attempt that can't commit gives up, instead of trying again."""
        self._stopping.set()

    def run(self, entry: JobEntry) -> None:
        """Run a job to its end, whatever that is."""
        bind(entry.principal, entry.job_id)
        try:
            self._run(entry)
        except Exception as error:
            _log.exception("job %s failed by a defect", entry.job_id)
            self._end(entry, states.ERROR, _job_error(error, entry, self._config))

    def run_at_once(self, entry: JobEntry, prepared: PreparedJob) -> None:
        """Run a job that nobody knows of yet.

        Raises:
            StoreBusyError: There is no room for its result now.
            ServiceError: RESULT_TOO_LARGE.
        """
        bind(entry.principal, entry.job_id)
        machine = entry.machine
        machine.handle(Started(time.time_ns()))
        self._telemetry.started(entry)
        try:
            outcome = self._executor.execute(prepared, prepared.new_control(), job_id=entry.job_id)
        except Exception as error:
            _log.exception("job %s failed by a defect", entry.job_id)
            outcome = ExecutionOutcome(states.ERROR, error=_job_error(error, entry, self._config))
        now = time.time_ns()
        staged = self._stage(entry, outcome, now)
        machine.handle(Ended(outcome.status, now, self._keeping, outcome.error, staged))

    def hand_back(self, entry: JobEntry) -> None:
        """Leaves an interrupted job to the next server, as QUEUED; or ends it, if it was cancelled."""
        self._mover.move(entry, HandedBack(time.time_ns(), self._keeping))

    def _end(self, entry: JobEntry, status: JobStatus.ValueType, error: job_pb2.JobError) -> None:
        self._mover.move(entry, Ended(status, time.time_ns(), self._keeping, error))

    def _run(self, entry: JobEntry) -> None:
        prepared = entry.prepared or self._prepare_again(entry)
        if prepared is None:
            return
        control = prepared.new_control()
        limit = _Limit.of(prepared, self._config)
        started = Started(time.time_ns(), control, time.monotonic() + limit.seconds)
        if self._mover.move(entry, started).update is None:
            self.hand_back(entry)
            return
        self._telemetry.started(entry)
        try:
            outcome = self._executor.execute(prepared, control, job_id=entry.job_id)
        except ExecutionLostError as error:
            self._start_anew(entry, error)
            return
        entry.prepared = None
        self._conclude(entry, outcome, limit)

    def _start_anew(self, entry: JobEntry, error: ExecutionLostError) -> None:
        """Give a job back whose attempt is gone; or end it, when that has happened too often."""
        machine = entry.machine
        self._mover.move(entry, Crashed())
        if machine.crashes >= self._config.max_attempts and not machine.unwanted:
            self._end(entry, states.ERROR, too_many_attempts(entry).to_job_error())
            return
        _log.warning("job %s starts anew: %s", entry.job_id, error)
        self.hand_back(entry)

    def _conclude(self, entry: JobEntry, outcome: ExecutionOutcome, limit: _Limit) -> None:
        if outcome.status == states.CANCELLED:
            # Asked by the caller, by a server that is stopping, or by the time limit.
            too_late = limit.exceeded().to_job_error()
            self._mover.move(entry, Stopped(time.time_ns(), self._keeping, too_late))
            return
        while True:
            try:
                now = time.time_ns()
                staged = self._stage(entry, outcome, now)
            except StoreBusyError as error:
                _log.warning("a result can't be stored: %s", error.message)
                if entry.machine.cancel_reason is not None or self._stopping.wait(_RETRY_DELAY):
                    self.hand_back(entry)
                    return
            except ServiceError as error:
                # Its size has shown only now.
                self._end(entry, states.ERROR, error.to_job_error())
                return
            else:
                self._mover.move(entry, Ended(outcome.status, now, self._keeping, outcome.error, staged))
                return

    def _prepare_again(self, entry: JobEntry) -> PreparedJob | None:
        """Read and check a job whose programs aren't in memory; None when there is nothing left to run."""
        if not self._begin_check(entry):
            self.hand_back(entry)
            return None
        # It was accepted once, so it may take as long as it takes.
        patience = Patience(lambda: entry.machine.unwanted, others=self._others)
        try:
            with short_turns():
                stored = read_spec(self._load_spec(entry.job_id), patience.work)
                return self._executor.prepare(stored.message, patience, stored.columns, stored.size)
        except GivenUpError:
            self.hand_back(entry)
            return None
        except ServiceError as error:
            # It was accepted once: an earlier version of this server was less strict, or the spec is damaged.
            self._end(entry, states.ERROR, error.to_job_error())
            return None

    def _load_spec(self, job_id: str) -> bytes:
        """Read a spec, as soon as that is possible.

        Raises:
            ServiceError: CHECKSUM_MISMATCH.
            GivenUpError: The server stops before.
        """
        while True:
            try:
                spec = self._store.load_spec(job_id)
            except StoreBusyError:
                if self._stopping.wait(_RETRY_DELAY):
                    raise GivenUpError from None
                continue
            if spec is None:
                raise damaged(job_id, "spec")
            return spec

    def _begin_check(self, entry: JobEntry) -> bool:
        """Wait until it is committed that the job is VALIDATING; False when it is left before."""
        signal: queue.SimpleQueue[Write] = queue.SimpleQueue()
        todo = self._mover.move(entry, CheckStarted(time.time_ns()), signal=signal)
        while todo.update is not None:
            update = signal.get()
            assert isinstance(update, UpdateJob)
            if update.error is None:
                # Otherwise it has other hands by now, or was cancelled from elsewhere, which is told too.
                return update.applied
            if self._stopping.wait(_RETRY_DELAY):
                return False
            # Unless it was cancelled meanwhile.
            todo = self._mover.move(entry, WriteFailed(update))
        return False

    def _stage(self, entry: JobEntry, outcome: ExecutionOutcome, time_ns: int) -> Staged | None:
        result = outcome.result
        if result is None:
            return None
        head = entry.machine.head
        result.job_id = entry.job_id
        set_timestamp(result.end_time, time_ns)
        started = head.start_time
        result.time_taken = (time_ns - started.seconds * 1_000_000_000 - started.nanos) / 1e9
        result.etag = f"{head.attempt}-{time_ns:x}"
        pieces: list[bytes] = [result.SerializeToString(), *outcome.entries]
        size = sum(map(len, pieces))
        message = None
        if size <= self._config.max_inline_result_bytes:
            message = b"".join(pieces)
            pieces = [message]
        parts = _buffers(outcome)
        # Two servers may be at what each of them takes for the first attempt, but never under one fence.
        number = entry.machine.fence or head.attempt
        staged = self._store.stage_result(entry.job_id, number, pieces, parts)
        return Staged(staged, message, size, sum(part.nbytes for part in parts))


def _buffers(outcome: ExecutionOutcome) -> list[memoryview]:
    return [memoryview(part.data).cast("B") for part in outcome.parts]


def _job_error(error: Exception, entry: JobEntry, config: Config) -> job_pb2.JobError:
    if isinstance(error, MemoryError):
        return exceeds_memory(entry.required_bytes, config.max_memory_bytes).to_job_error()
    return internal_error(entry.job_id).to_job_error()
