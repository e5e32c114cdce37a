"""What the jobs layer asks of whatever runs simulations: in this process' threads today, on a cluster later.

The jobs layer owns the threads, the order and the memory; an executor turns a spec into something checked,
and something checked into a result. All methods of `Executor` block, and are called on threads of the jobs
layer, never on the event loop's. The jobs layer makes one control for each attempt, and may call it from any
thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from basicaer.service.parsing import UNBOUNDED, GivenUpError, Patience, TakesLongError
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic
from basicaer.v1.job_pb2 import JobStatus

__all__ = [
    "UNBOUNDED",
    "ExecutionControl",
    "ExecutionLostError",
    "ExecutionOutcome",
    "Executor",
    "GivenUpError",
    "Patience",
    "PreparedJob",
    "ResultPart",
    "ServiceExecutor",
    "TakesLongError",
]


class ExecutionLostError(Exception):
    """An attempt is gone with where it ran, and nobody will ever tell its outcome: the job starts anew."""


class ExecutionControl(Protocol):
    """Stops one attempt at a job, and tells how far it is. Thread-safe."""

    def cancel(self) -> None:
        """Asks the attempt to stop; `Executor.execute` then returns soon, with the status CANCELLED."""

    def progress(self) -> job_pb2.Progress:
        """How far the attempt is; a new message. Cheap, since it is called ten times a second."""


class PreparedJob(Protocol):
    """A spec that was checked and can be run. Immutable: a job that was interrupted is run again from it."""

    @property
    def nodes(self) -> int:
        """On how many nodes it runs at once, each with a part of its states."""

    @property
    def required_bytes(self) -> int:
        """The most memory that running it takes on each node, its result included; a number of any size."""

    @property
    def result_bytes(self) -> int:
        """What its result takes beside its message, at least; a number of any size."""

    @property
    def size_bytes(self) -> int:
        """About how much memory it holds while it waits."""

    @property
    def num_programs(self) -> int:
        """How many programs it has."""

    @property
    def warnings(self) -> Sequence[Diagnostic]:
        """What is doubtful in the texts of its programs, at most `MOST_DIAGNOSTICS`."""

    @property
    def shots(self) -> int:
        """How often each program is run."""

    @property
    def max_run_time(self) -> float | None:
        """How long the job itself lets an attempt run, in seconds."""

    @property
    def quick(self) -> bool:
        """Whether running it certainly takes no longer than about a millisecond, and next to no memory."""

    def memory_advice(self, available: int) -> str:
        """Sentences for a job that needs more than `available` bytes: what needs them, and what to do."""

    def new_control(self) -> ExecutionControl:
        """Return a control for one attempt; it is then given to `Executor.execute`."""


@dataclass(frozen=True, slots=True)
class ResultPart:
    """An array of a result that is too large to lie in the Result message.

    `part` is the `Array.part` that describes it; `data` are its bytes, C-contiguous, little-endian: anything
    with the buffer protocol, such as a numpy array. It must not change afterwards.
    """

    part: str
    data: memoryview


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """How an attempt ended.

    `status` is DONE (every program has a result), ERROR (`error` says why) or CANCELLED. `result` has
    `backend_name`, `backend_version` and `success`; the jobs layer fills in `job_id`, `end_time`,
    `time_taken` and `etag`. It is None when no program has been run; for CANCELLED it is not looked at. Its
    `programs` are in `entries`: bytes that follow the others of the message, in pieces that may share memory.
    Arrays are described in `result` with their checksum, and either lie in `Array.data` (as long as the whole
    message stays within `Config.max_inline_result_bytes`) or in `parts`, in the order of their descriptions.
    """

    status: JobStatus.ValueType
    result: result_pb2.Result | None = None
    parts: Sequence[ResultPart] = ()
    error: job_pb2.JobError | None = None
    entries: Sequence[bytes] = ()


class Executor(Protocol):
    """Checks jobs and runs them. Methods are called from several threads at once.

    `execute` is only given what this executor's own `prepare` and `new_control` returned.
    """

    @property
    def largest_bytes(self) -> int:
        """The most memory that one job may take on a node."""

    @property
    def max_nodes(self) -> int:
        """On how many nodes one job may run here."""

    def nodes(self) -> Sequence[job_service_pb2.Node]:
        """Return the machines on which jobs run beside this one, as they were seconds ago. Cheap."""

    def prepare(
        self,
        spec: job_pb2.JobSpec,
        patience: Patience | None = UNBOUNDED,
        columns: Columns = NO_COLUMNS,
        size: int = 0,
    ) -> PreparedJob:
        """Check everything about a spec but its labels and metadata, and make it ready to run.

        `columns` are the long lists that the message lacks, and `size` is how many bytes the spec had on the
        wire, where that is known.

        The spec is not changed, and not kept. Without patience it is left when a program takes longer to
        parse than a moment; with it, it ends within 0.1 s of the patience's end, parsing included.

        Raises:
            ServiceError: PROGRAM_INVALID, PROGRAM_TOO_LARGE, OPTION_INVALID, BACKEND_NOT_FOUND, or
                JOB_EXCEEDS_MEMORY when the programs alone do. That the job fits in memory is for the jobs
                layer to check, from `required_bytes`.
            TakesLongError: `patience` is None, and it takes longer than a moment.
            GivenUpError: Nobody waits for it any more.
        """

    def check_apart(self, spec: bytes | memoryview, patience: Patience | None = UNBOUNDED) -> job_pb2.Job:
        """Check everything about a spec, given as bytes, in another process: the job that it is, without
        what its acceptance gives it. It is for specs of so many messages that to make them would hold up all
        other calls. To run the job, `prepare` it.

        Raises:
            ServiceError: As `prepare`, or OPTION_INVALID for its labels, metadata, or bytes that are none.
            TakesLongError: `patience` is None.
            GivenUpError: Nobody waits for it any more.
        """

    def execute(self, prepared: PreparedJob, control: ExecutionControl, *, job_id: str) -> ExecutionOutcome:
        """Run all programs. A program's failure is in the outcome; another exception means a defect.

        Raises:
            ExecutionLostError: Where it ran is gone.
        """


class ServiceExecutor(Executor, Protocol):
    """What the process of a service asks of its executor beside."""

    def backends(self) -> list[job_service_pb2.BackendInfo]:
        """Return what ListBackends answers."""

    def warm_up(self, on_compile: Callable[[str], None] | None = None) -> None:
        """Load whatever the first job would have to wait for; `on_compile` is called, with the processor's
        name, before that takes half a minute because kernels are compiled.
        """

    def watch(self) -> None:
        """Return when it is closed, or at once when it can't be cut off from where it runs jobs.

        Raises:
            Exception: It is cut off for good, and the process must end: it would keep its jobs for nothing.
        """

    def close(self) -> None:
        """End what it has started. Who waits for a check gets GivenUpError. Idempotent."""
