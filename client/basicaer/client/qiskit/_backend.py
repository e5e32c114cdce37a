"""A server's backend as Qiskit's BackendV2, and the jobs that it makes as JobV1."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import qiskit
from basicaer.client import _errors as errors
from basicaer.client._errors import CircuitError
from basicaer.client._status import JobEvent
from basicaer.client._status import JobStatus as PlainStatus
from basicaer.client.conversion._frames import set_metadata
from basicaer.client.conversion._unbound import Unbound
from basicaer.client.conversion.from_qiskit import CircuitWithInputs, ConversionError, circuit_to_program
from basicaer.client.jobs import _provider as plain
from basicaer.client.jobs._handles import Itself
from basicaer.client.jobs._provider import BasicAerJob as PlainJob
from basicaer.client.qiskit import _notebook
from basicaer.client.qiskit._binds import bound_programs
from basicaer.client.qiskit._errors import both, translated
from basicaer.client.qiskit._labels import noise_of_programs, with_error_places
from basicaer.client.qiskit._result import qiskit_result
from basicaer.client.qiskit._run_options import default_options, server_options
from basicaer.client.qiskit._target import build_target
from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.result import Result
from qiskit.transpiler import Target

__all__ = ["BasicAerBackend", "BasicAerJob"]


class _Name(str):
    """A backend's name for Qiskit 0.46, where code may call `backend.name()` or read `backend.name`."""

    def __call__(self) -> str:
        return str(self)


class BasicAerJob(Itself, JobV1):
    """A job on a server. Any thread may use it, and none of its methods polls.

    Every method that asks the server may raise QiskitError when that can't be reached, which says nothing
    about the job.
    """

    def __init__(
        self, backend: BasicAerBackend, job: PlainJob, metadata: Sequence[Any] | None = None
    ) -> None:
        """Take the client's job, and the circuits' metadata, one for each experiment, where it's known."""
        super().__init__(backend, job.job_id(), **job.metadata)
        self._client = job
        self._circuit_metadata = metadata
        self._qiskit_result: Result | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.backend(), self._client, self._circuit_metadata)

    @property
    def client(self) -> PlainJob:
        """The same job without Qiskit: events, single arrays, labels, deletion."""
        return self._client

    def submit(self) -> None:
        """Do nothing but raise JobError, since `backend.run` has submitted the job."""
        with translated():
            raise errors.JobError("The job was submitted already.")

    def status(self) -> JobStatus:
        """Return where the job stands."""
        with translated():
            return _status(self._client.status())

    def cancel(self) -> bool:
        """Ask for the job to be stopped; return True only if it is, or will be, CANCELLED."""
        with translated():
            return self._client.cancel()

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus, BasicAerJob], object] | None = None,
    ) -> None:
        """Wait until the job is CANCELLED, DONE or ERROR, and raise for none of these.

        `callback(job_id, status, job)` is called at once on each change to a status that isn't final, and at
        least every `wait` seconds.

        Raises:
            JobTimeoutError: After `timeout` seconds.
        """
        called = None
        if callback is not None:

            def called(job_id: str, status: PlainStatus, job: PlainJob) -> None:
                callback(job_id, _status(status), self)

        with translated():
            self._client.wait_for_final_state(timeout, wait, called)

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the job, and return its result, which is read once and kept.

        When only some of the circuits failed, there is a result of the others: its `success` is False, and
        its `status` and that of each failed experiment tell the cause.

        Raises:
            JobTimeoutError: After `timeout` seconds.
            JobError: With the server's cause when the job was cancelled, or no circuit of it succeeded.
        """
        if self._qiskit_result is None:
            with translated():
                self._qiskit_result = qiskit_result(
                    self._read(timeout),
                    self._circuit_metadata,
                    counts="memory" in self.backend()._option_names,
                )
        return self._qiskit_result

    def _read(self, timeout: float | None) -> Any:
        try:
            return self._client.result(timeout)
        except errors.JobFailedError as failure:
            try:
                partial = self._client.partial_result(timeout)
            except errors.PreconditionError:
                raise failure from None
            if not any(experiment.success for experiment in partial.results):
                raise
            return partial

    def error_message(self) -> str | None:
        """Return why the job failed or was cancelled; None when it did neither."""
        with translated():
            error = self._client.error()
        return None if error is None else both(error).message

    def queue_position(self) -> int | None:
        """Return how many jobs are ahead of it; None unless it waits."""
        with translated():
            return self._client.queue_position()

    def events(self, timeout: float | None = None) -> Generator[JobEvent, None, None]:
        """Yield what happens to the job up to its final event: changes of status, progress, its place.

        Raises:
            JobTimeoutError: After `timeout` seconds.
        """
        with translated():
            yield from self._client.events(timeout=timeout)

    def _repr_html_(self) -> str:
        view = _notebook.current_view(self)
        return view.markup(str(self.backend()), self.job_id())

    def _ipython_display_(self) -> None:
        """Show the job in a notebook, where it stays up to date."""
        _notebook.show_live(self)

    def __repr__(self) -> str:
        return f"<BasicAerJob({str(self.backend())!r}, {self.job_id()!r})>"


class BasicAerBackend(BackendV2):
    """A backend of a server: `run` submits circuits to it. It has no width and no coupling map."""

    def __init__(self, provider: Any, backend: plain.BasicAerBackend) -> None:
        self._client = backend
        self._option_names = {option.name for option in backend._info.options}
        name = backend.name
        super().__init__(
            provider=provider,
            name=_Name(name) if qiskit.__version__.startswith("0.") else name,
            description=backend.description,
            backend_version=backend.backend_version,
        )
        self._options = default_options(name, self._option_names)
        self._target: Target | None = None
        self._basis: list[str] | None = None

    @classmethod
    def _default_options(cls) -> Options:
        # Which options there are is for each server's backend to say; the constructor sets them.
        return Options()

    @property
    def target(self) -> Target:
        """The gates and instructions that run natively, or of gates those that Aer's `noise_model` has."""
        return self._target_of(getattr(getattr(self._options, "noise_model", None), "basis_gates", None))

    def _target_of(self, basis: list[str] | None) -> Target:
        """Return the target with all gates, or of these those in `basis`."""
        if self._target is None or basis != self._basis:
            gates = set(self._client.operation_names)
            unitary_only = "initial_unitary" in self._option_names
            self._target = build_target(self.description, gates, unitary_only=unitary_only, only=basis)
            self._basis = basis
        return self._target

    @property
    def max_circuits(self) -> int:
        """The most circuits of a job."""
        return self._client.max_circuits

    @property
    def max_qubits(self) -> int:
        """The most qubits that fit in the server's memory.

        `num_qubits` is None, as the target has no width.
        """
        return self._client.num_qubits

    def configuration(self) -> SimpleNamespace:
        """Return the facts under the names of BackendV1's configuration."""
        return self._client.configuration()

    def properties(self) -> None:
        """Return None, as a simulator has no calibration."""

    def status(self) -> SimpleNamespace:
        """Return what BackendV1's status says: name, version, operational, pending_jobs, status_msg.

        Raises:
            QiskitError: The server can't be reached.
        """
        with translated():
            info = self._client.provider.server_info()
        return SimpleNamespace(
            backend_name=str(self.name),
            backend_version=self.backend_version,
            operational=True,
            pending_jobs=info.queued_jobs,
            status_msg="",
        )

    def run(
        self,
        run_input: Any,
        *,
        parameter_binds: Any = None,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> BasicAerJob:
        """Submit a circuit, or a list of them, as one job, and return it once the server has stored it.

        Options are those of `backend.options`; a None means the default, and one that the backend doesn't
        have is warned of and ignored. `parameter_binds` gives values to unbound parameters and input
        variables, in Aer's form or that of `execute` (see `_binds`). `labels`, `metadata`, `request_id` and
        `timeout` are those of the client's own backend.

        Raises:
            QiskitError: It is also the client's CircuitError, OptionInvalidError, ProgramInvalidError,
                JobExceedsMemoryError, QueueFullError or TransportError.
        """
        chosen = server_options(self._option_names, self._options, options)
        with translated():
            circuits = _as_list(run_input)
            model = chosen.get("noise_model")
            if model is not None:
                circuits = [with_error_places(circuit, model) for circuit in circuits]
            programs = bound_programs([Unbound(circuit, _convert) for circuit in circuits], parameter_binds)
            sent = [program for those in programs for program in those]
            if model is not None:
                chosen["noise_model"] = noise_of_programs(model, sent)
            job = self._client.run(
                sent,
                labels=labels,
                metadata=metadata,
                request_id=request_id,
                timeout=timeout,
                **chosen,
            )
        kept = []
        for circuit, those in zip(circuits, programs, strict=True):
            for program in those:
                names = len(program.inputs.names)
                kept += [circuit.metadata or {}] * (len(program.inputs.values) // names if names else 1)
        return BasicAerJob(self, job, metadata=kept)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what copies and pickles are made of: the connection is shared, the options are a copy's
        own.
        """
        return type(self), (self._provider, self._client), {"_options": copy.copy(self._options)}

    def __str__(self) -> str:
        return str(self.name)

    def __repr__(self) -> str:
        return f"<BasicAerBackend({str(self.name)!r})>"


def _as_list(run_input: Any) -> list[Any]:
    if (
        hasattr(run_input, "data")
        or isinstance(run_input, str | bytes)
        or not isinstance(run_input, Iterable)
    ):
        return [run_input]
    circuits = list(run_input)
    if not circuits:
        raise CircuitError("There is no circuit to run.")
    return circuits


def _convert(circuit: Any) -> CircuitWithInputs:
    """Convert a circuit; metadata that isn't JSON stays here, where the job's result finds it."""
    if not isinstance(circuit, QuantumCircuit):
        raise CircuitError(
            f"A QuantumCircuit is needed, not a {type(circuit).__name__}. Programs of other kinds, "
            "such as OpenQASM 2 text, run by provider.client.get_backend(name).run(program); Qiskit makes a "
            "circuit of a text with QuantumCircuit.from_qasm_str(text)."
        )
    try:
        converted = circuit_to_program(circuit, metadata=False)
    except TypeError as error:
        raise CircuitError(str(error)) from None
    if circuit.metadata:
        try:
            set_metadata(converted.message, circuit.metadata)
        except ConversionError:
            converted.message.ClearField("metadata")
    return converted


def _status(status: PlainStatus) -> JobStatus:
    return JobStatus[status.name]
