"""One program of a job as it is to be run: for which rows of its inputs, how often, and for which
estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution._preparation import PreparedProgram
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import error_reason_pb2, job_pb2

__all__ = ["Estimation", "ProgramRun", "read_run"]

_Rows = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Estimation:
    """Which expectation values are wanted: of rows[i] the observable indices[i], or everything when these are
    None.

    `precision` is the standard deviation of the noise that is added to each.
    """

    rows: _Indices | None
    indices: _Indices | None
    precision: float


@dataclass(frozen=True, slots=True, eq=False)
class ProgramRun:
    """A program with what the job says of it. `values` has a row for each simulation; None without inputs."""

    program: PreparedProgram
    values: _Rows | None
    shots: int
    estimation: Estimation | None

    @property
    def simulations(self) -> int:
        """How often the circuit is simulated, each time for all its shots."""
        return 1 if self.values is None else len(self.values)

    @property
    def entries(self) -> int:
        """How many entries of the result it gives."""
        return 1 if self.estimation is not None else self.simulations

    @property
    def num_values(self) -> int:
        """How many expectation values it gives."""
        if self.estimation is None:
            return 0
        if self.estimation.rows is not None:
            return len(self.estimation.rows)
        return self.simulations * self.program.num_observables

    def circuit(self, row: int) -> sim.CompiledCircuit:
        """The circuit with the values of a row.

        Raises:
            SimulationFailed: A parameter has no finite value.
        """
        circuit = self.program.circuit
        if not isinstance(circuit, sim.Template):
            return circuit
        if self.values is None:
            raise AssertionError("a circuit with inputs was accepted without values")
        return circuit.bind(self.values[row])


def read_run(
    source: job_pb2.Program,
    index: int,
    program: PreparedProgram,
    backend: Backend,
    settings: Settings,
    *,
    max_shots: int,
) -> ProgramRun:
    """Checks what program `index` says beside its circuit.

    Raises:
        ServiceError: PROGRAM_INVALID, with the field.
    """
    try:
        values = _values(source, program)
    except ProgramFault as fault:
        raise fault.to_service_error(index, "inputs") from None
    shots = settings.shots
    if source.HasField("shots"):
        if not 1 <= source.shots <= max_shots:
            message = f"programs[{index}].shots: {source.shots} is not allowed; give 1 to {max_shots:,} shots"
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_OPTION_INVALID,
                message,
                metadata={"program_index": str(index), "field": f"programs[{index}].shots"},
                field=f"programs[{index}].shots",
            )
        if backend.task is Task.SHOTS:
            shots = source.shots
    if not source.HasField("estimation"):
        return ProgramRun(program, values, shots, None)
    try:
        rows = 1 if values is None else len(values)
        estimation = _estimation(source.estimation, rows, program.num_observables)
    except ProgramFault as fault:
        raise fault.to_service_error(index, "estimation") from None
    if not program.circuit.program(from_zero=settings.initial is None, threads=settings.threads).is_random:
        shots = 1
    return ProgramRun(program, values, shots, estimation)


def _values(source: job_pb2.Program, program: PreparedProgram) -> _Rows | None:
    """The rows of values in the order of the circuit's inputs; None for a circuit without any."""
    template = program.circuit
    if isinstance(template, sim.CompiledCircuit) and not source.HasField("inputs"):
        return None
    inputs = source.inputs
    if isinstance(template, sim.CompiledCircuit):
        if inputs.names or inputs.values:
            what = "OpenQASM 2 has no inputs" if source.HasField("openqasm2") else "the circuit has no inputs"
            raise ProgramFault(f"{what}; leave them out", path="names")
        return None
    names = list(inputs.names)
    if not names:
        known = ", ".join(variable.name for variable in template.inputs[:8])
        raise ProgramFault(f"the circuit has inputs, and there are no values for them: {known}", path="names")
    values = np.array(inputs.values[:], dtype=np.float64)
    if not len(values) or len(values) % len(names):
        message = f"{len(values):,} values; give rows of {len(names):,}, as many as there are names"
        raise ProgramFault(message, path="values")
    try:
        return template.rows(names, values.reshape(-1, len(names)))
    except sim.OptionError as error:
        raise ProgramFault(error.message, path=error.option) from None


def _estimation(message: job_pb2.Estimation, rows: int, observables: int) -> Estimation:
    if not (math.isfinite(message.precision) and message.precision >= 0.0):
        raise ProgramFault(f"{message.precision}; give a finite number from 0", path="precision")
    if not message.rows and not message.indices:
        return Estimation(None, None, message.precision)
    if len(message.rows) != len(message.indices):
        raise ProgramFault(
            f"there are {len(message.rows):,} rows and {len(message.indices):,} indices; give as many",
            path="indices",
        )
    columns = []
    for name, column, count in (("rows", message.rows, rows), ("indices", message.indices, observables)):
        numbers = np.array(column[:], dtype=np.uint32)
        if int(numbers.max()) >= count:
            first = int(np.argmax(numbers >= count))
            raise ProgramFault(
                f"{numbers[first]} is out of range; there are {count:,}", path=f"{name}[{first}]"
            )
        columns.append(numbers)
    return Estimation(columns[0], columns[1], message.precision)
