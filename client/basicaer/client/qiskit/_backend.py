"""A server's backend as Qiskit's BackendV2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import qiskit
from basicaer.client import _provider as plain
from basicaer.client._errors import CircuitError
from basicaer.client._from_qiskit import CircuitWithInputs, ConversionError, circuit_to_program
from basicaer.client._qiskit_frames import set_metadata
from basicaer.client.qiskit._binds import bound_programs
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit._job import BasicAerJob
from basicaer.client.qiskit._run_options import default_options, server_options
from basicaer.client.qiskit._target import build_target
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

__all__ = ["BasicAerBackend"]


class _Name(str):
    """A backend's name for Qiskit 0.46, where code may call `backend.name()` or read `backend.name`."""

    def __call__(self) -> str:
        return str(self)


class BasicAerBackend(BackendV2):  # type: ignore[misc]  # Qiskit has no types
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

    @classmethod
    def _default_options(cls) -> Options:
        # Which options there are is for each server's backend to say; the constructor sets them.
        return Options()

    @property
    def target(self) -> Target:
        """The gates and instructions that run natively."""
        if self._target is None:
            gates = set(self._client.operation_names)
            self._target = build_target(
                self.description, gates, unitary_only="initial_unitary" in self._option_names
            )
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
        """Returns the facts under the names of BackendV1's configuration."""
        return self._client.configuration()

    def properties(self) -> None:
        """Returns None, as a simulator has no calibration."""

    def status(self) -> SimpleNamespace:
        """Returns what BackendV1's status says: name, version, operational, pending_jobs, status_msg.

        Raises: QiskitError when the server can't be reached.
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
        """Submits a circuit, or a list of them, as one job, and returns it once the server has stored it.

        Options are those of `backend.options`; a None means the default, and one that the backend doesn't
        have is warned of and ignored. `parameter_binds` gives values to unbound parameters and input
        variables, in Aer's form or that of `execute` (see `_binds`). `labels`, `metadata`, `request_id` and
        `timeout` are those of the client's own backend.

        Raises: QiskitError, which is also the client's CircuitError, OptionInvalidError, ProgramInvalidError,
        JobExceedsMemoryError, QueueFullError or TransportError.
        """
        chosen = server_options(self._option_names, self._options, options)
        with translated():
            circuits = _as_list(run_input)
            converted = [_convert(circuit) for circuit in circuits]
            programs = bound_programs(converted, parameter_binds)
            job = self._client.run(
                programs,
                labels=labels,
                metadata=metadata,
                request_id=request_id,
                timeout=timeout,
                **chosen,
            )
        kept = []
        for circuit, program in zip(circuits, programs, strict=True):
            names = len(program.inputs.names)
            kept += [circuit.metadata or {}] * (len(program.inputs.values) // names if names else 1)
        return BasicAerJob(self, job, metadata=kept)

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
    """Converts a circuit; metadata that isn't JSON stays here, where the job's result finds it."""
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
