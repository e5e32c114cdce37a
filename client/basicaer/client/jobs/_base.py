"""What the sync and the asyncio client share: all but the waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

from basicaer.client import _errors as errors
from basicaer.client._status import (
    JobEvent,
    JobStatus,
    Progress,
    event_from_job,
    progress_from_message,
    status_from_message,
)
from basicaer.client._structures import struct_from_dict, struct_to_dict
from basicaer.client._texts import Encoded
from basicaer.client._times import given_seconds
from basicaer.client.jobs._handles import Itself
from basicaer.client.jobs._options import Options
from basicaer.client.jobs._programs import programs_from
from basicaer.client.jobs._requests import get_request
from basicaer.client.jobs._server_info import Limits
from basicaer.client.results._methods import method_name
from basicaer.client.results._result import Result
from basicaer.client.transport._retry import Deadline
from basicaer.client.transport._watch import Notice, WatchFlow
from basicaer.v1 import job_pb2, job_service_pb2, result_pb2
from google.protobuf.message import DecodeError

__all__ = [
    "DEFAULT_MAX_OUTAGE",
    "DEFAULT_TIMEOUT",
    "SHORTEST_WAIT",
    "BackendBase",
    "JobBase",
    "large_parts",
    "only_backend",
    "part_of",
    "progress_of",
    "queue_position_of",
    "result_from_bytes",
    "select_backends",
    "tick_of",
]

# How long (seconds) a call may take with its repetitions, and a wait may be without its server.
DEFAULT_TIMEOUT = 30.0
DEFAULT_MAX_OUTAGE = 600.0
# A callback every 0 seconds would leave no time for anything else.
SHORTEST_WAIT = 0.01

B = TypeVar("B", bound="BackendBase")


class BackendBase:
    """A backend as the server describes it. Attributes have the names of Qiskit's BackendV2."""

    version = 2  # of Qiskit's interface, as in BackendV2; the software's is `backend_version`

    def __init__(self, info: job_service_pb2.BackendInfo, limits: Limits, max_outage: float | None) -> None:
        self._max_outage = max_outage
        self._info = info
        self._limits = limits
        self._options = Options()

    @property
    def name(self) -> str:
        """The backend's name."""
        return self._info.name

    @property
    def description(self) -> str:
        """What it computes."""
        return self._info.description

    @property
    def backend_version(self) -> str:
        """The server's version."""
        return self._info.version

    @property
    def num_qubits(self) -> int:
        """The most qubits that fit in the server's memory."""
        return self._info.max_qubits

    @property
    def max_shots(self) -> int:
        """The most shots of a program."""
        return self._limits.max_shots

    @property
    def max_circuits(self) -> int:
        """The most programs of a job."""
        return self._limits.max_programs

    @property
    def operation_names(self) -> list[str]:
        """The gates and other operations that circuits may name."""
        return [gate.name for gate in self._info.gates]

    @property
    def methods(self) -> list[str]:
        """What `method` may be; empty where a backend has one way alone."""
        names = (method_name(number) for number in self._info.methods)
        return [name for name in names if name]

    @property
    def basis_gates(self) -> list[str]:
        """The same as `operation_names`."""
        return self.operation_names

    @property
    def options(self) -> Options:
        """The options that `run` uses unless it's given others."""
        return self._options

    def set_options(self, **fields: Any) -> None:
        """Change the options that later runs use.

        Raises:
            OptionInvalidError: For a name that isn't an option.
        """
        self._options = self._options.updated(fields)

    def configuration(self) -> SimpleNamespace:
        """Return the facts under the names of Qiskit's BackendConfiguration."""
        return SimpleNamespace(
            backend_name=self.name,
            backend_version=self.backend_version,
            n_qubits=self.num_qubits,
            basis_gates=self.basis_gates,
            coupling_map=None,
            simulator=True,
            local=False,
            conditional=True,
            open_pulse=False,
            memory=True,
            max_shots=self.max_shots,
            max_experiments=self.max_circuits,
            description=self.description,
        )

    @Encoded(errors.OptionInvalidError)
    def _spec(
        self,
        programs: Any,
        labels: Mapping[str, str] | None,
        metadata: Mapping[str, Any] | None,
        options: Mapping[str, Any],
    ) -> job_pb2.JobSpec:
        """Return what a job is to do.

        Raises:
            CircuitError: A program is none.
            OptionInvalidError: An option is none, or has no such value.
        """
        given = {name: value for name, value in options.items() if value is not None}
        message = self._options.updated(given).to_message()
        if message.seed_stream and all(option.name != "seed_stream" for option in self._info.options):
            raise errors.OptionInvalidError(
                "seed_simulator is that of a batch's later experiment, which this server can't repeat alone; "
                "give a number below 2^64, or upgrade the server.",
                reason="OPTION_INVALID",
                metadata={"field": "options.seed_simulator"},
            )
        return job_pb2.JobSpec(
            backend_name=self.name,
            programs=programs_from(programs),
            options=message,
            labels=labels or {},
            metadata=struct_from_dict(metadata) if metadata else None,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.name!r})>"


class JobBase(Itself):
    """What is known of a job without asking: it stays true, since nothing final changes."""

    version = 1

    def __init__(
        self, backend: BackendBase, job_id: str | None, result: Result | None = None, **metadata: Any
    ) -> None:
        """Make a handle, which costs no call; a job_id of None is for a job that `submit` will send.

        `metadata` is what the caller wants to keep beside the job; without any, it's that of the submission.
        """
        self._backend = backend
        self._job_id = job_id
        self._result = result
        self.metadata: dict[str, Any] = metadata
        # What of the circuits' metadata couldn't travel, by their programs.
        self._circuit_metadata: dict[int, dict[str, Any]] = {}
        self._request: job_service_pb2.SubmitJobRequest | None = None
        self._job: job_pb2.Job | None = None
        # The latest change of status that any call has told of, and the final one.
        self._seen: JobEvent | None = None
        self._final: JobEvent | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles are made of: the id and the backend; before it's submitted, what it will
        submit.
        """
        request = self._request if self._job_id is None else None
        names = ("metadata", "_circuit_metadata")
        state = {name: getattr(self, name) for name in names} | {"_request": request}
        return type(self), (self._backend, self._job_id), state

    def job_id(self) -> str:
        """Return the id by which any client finds the job again.

        Raises:
            JobError: Before the job is submitted.
        """
        if self._job_id is None:
            raise errors.JobError("The job has no id before it is submitted.")
        return self._job_id

    def _to_submit(self) -> job_service_pb2.SubmitJobRequest:
        if self._job_id is not None or self._request is None:
            raise errors.JobError("The job was submitted already.")
        return self._request

    def _accept(self, job: job_pb2.Job) -> job_pb2.Job:
        """Take in what the server says of the job."""
        if self._job is None and not self.metadata:
            self.metadata = struct_to_dict(job.metadata)
        event = event_from_job(job)
        self._note(event)
        self._job_id = job.job_id
        self._job = job
        return job

    def _note(self, notice: Notice) -> JobStatus | None:
        """Take in what a watch says; return the status that it tells."""
        if isinstance(notice, JobEvent) and notice.status is not None:
            if self._seen is None or notice.sequence > self._seen.sequence:
                self._seen = notice
            if notice.status.final:
                self._final = notice
        return notice.status

    def _flow(
        self,
        deadline: Deadline,
        after_sequence: int | None,
        *,
        strict: bool = False,
        tick: float | None = None,
        begun: job_pb2.Job | None = None,
    ) -> WatchFlow:
        """Return how to wait for the job; for the arguments see `WatchFlow`."""
        return WatchFlow(
            self.job_id(),
            deadline,
            after_sequence=after_sequence,
            strict=strict,
            tick=tick,
            begun=begun,
            max_outage=self._backend._max_outage,
        )

    def _begun(self, latest: job_pb2.Job) -> job_pb2.Job:
        """Return where a wait begins that goes on with a stream: at its latest word, or at a later one that
        another call has heard.
        """
        if self._seen is not None and self._seen.status and self._seen.sequence > latest.sequence:
            latest.sequence = self._seen.sequence
            latest.status = job_pb2.JobStatus.Value(f"JOB_STATUS_{self._seen.status.name}")
        return latest

    def _known_status(self) -> JobStatus | None:
        """Return the status where it needs no call."""
        if self._job_id is None:
            return JobStatus.INITIALIZING
        if self._final is not None:
            return self._final.status
        return None if self._result is None else JobStatus.DONE

    def _get_request(self) -> job_service_pb2.GetJobRequest:
        return get_request(self.job_id())

    def _cancelled_by(self, job: job_pb2.Job) -> bool:
        """Whether the job is, or will be, CANCELLED."""
        status = status_from_message(self._accept(job).status)
        return status is JobStatus.CANCELLED or (job.cancel_requested and not status.final)

    def _timeout_error(self) -> errors.JobTimeoutError:
        return errors.JobTimeoutError(f"Timeout while waiting for job {self.job_id()}.")

    def _check_done(self) -> None:
        """Raise JobFailedError or JobCancelledError, with the server's cause, if the job ended so."""
        if self._final is not None and self._final.error is not None:
            raise self._final.error

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self._backend.name!r}, {self._job_id!r})>"


def progress_of(job: job_pb2.Job) -> Progress | None:
    """Return how far a job is; None unless it's running."""
    return progress_from_message(job.progress) if job.HasField("progress") else None


def queue_position_of(job: job_pb2.Job) -> int | None:
    """Return how many jobs are ahead; None unless the job waits."""
    return job.queue_position if job.HasField("queue_position") else None


def tick_of(wait: float) -> float | None:
    """Return how long there may be no callback (seconds), from what a caller gave.

    Raises:
        OptionInvalidError: It's no time.
    """
    seconds = given_seconds("wait", wait)
    return None if seconds is None else max(seconds, SHORTEST_WAIT)


def select_backends(
    backends: Iterable[B],
    name: str | None,
    filters: Callable[[B], bool] | None,
    attributes: Mapping[str, Any],
) -> list[B]:
    """Return the backends that have the name and the attributes, and that pass the filter."""
    return [
        backend
        for backend in backends
        if (name is None or backend.name == name)
        and all(getattr(backend, key, None) == value for key, value in attributes.items())
        and (filters is None or filters(backend))
    ]


def only_backend(fits: Sequence[B], name: str | None, available: Iterable[B]) -> B:
    """Return the one backend that fits.

    Raises:
        BackendNotFoundError: None or several do.
    """
    if len(fits) == 1:
        return fits[0]
    names = ", ".join(backend.name for backend in available)
    what = "More than one backend matches the criteria" if fits else "No backend matches the criteria"
    raise errors.BackendNotFoundError(
        f"{what}{f' (name {name!r})' if name else ''}; the server has: {names}.",
        reason="BACKEND_NOT_FOUND",
        metadata={"backend_name": name or "", "available": names},
    )


def large_parts(message: result_pb2.Result) -> list[str]:
    """Return the parts of a result that aren't inside its message."""
    return [
        array.part
        for program in message.programs
        for array in program.arrays
        if len(array.data) != array.size_bytes
    ]


def result_from_bytes(data: bytes) -> result_pb2.Result:
    """Return the message of the part "result".

    Raises:
        ProtocolError: It can't be read.
    """
    try:
        return result_pb2.Result.FromString(data)
    except DecodeError:
        raise errors.ProtocolError("The server sent a result that can't be read.") from None


def part_of(message: result_pb2.Result, experiment: int, name: str) -> result_pb2.Array:
    """Return the description of an experiment's array.

    Raises:
        ResultError: There is none.
    """
    if -len(message.programs) <= experiment < len(message.programs):
        for array in message.programs[experiment].arrays:
            if array.name == name:
                return array
    raise errors.ResultError(f'No {name} for experiment "{experiment}"')
