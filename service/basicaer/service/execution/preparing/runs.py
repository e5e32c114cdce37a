"""One program of a job as it is to be run: for which rows of its inputs, how often, and for which
estimates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.programs import PreparedProgram
from basicaer.service.parsing import ProgramFault, text_of
from basicaer.service.wire import Columns
from basicaer.v1 import error_reason_pb2, job_pb2

__all__ = ["Estimation", "ProgramRun", "read_run"]

_Rows = npt.NDArray[np.float64]
# Of an integer: as many bits as a register has.
_MOST_WORDS = 1_563
_UNSIGNED = (sim.ClassicalKind.UINT, sim.ClassicalKind.BIT, sim.ClassicalKind.BOOL)

_Integers = npt.NDArray[Any]
_Indices = npt.NDArray[np.uint32]
_Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Estimation:
    """Which expectation values are wanted: of rows[i] the observable indices[i], or everything when these are
    None.

    `precision` is the standard deviation of the noise that is added to each. `by` are the inputs by which
    derivatives are wanted, as places among the circuit's inputs; None when none are.
    """

    rows: _Indices | None
    indices: _Indices | None
    precision: float
    by: _Places | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ProgramRun:
    """A program with what the job says of it. `values` has a row for each simulation; None without inputs.

    `integers` are columns of integers, by the names of inputs whose values there are not exact.
    """

    program: PreparedProgram
    values: _Rows | None
    shots: int
    estimation: Estimation | None
    integers: Mapping[str, _Integers] = field(default_factory=dict)

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

    @property
    def num_derivatives(self) -> int:
        """How many derivatives it gives."""
        if self.estimation is None or self.estimation.by is None:
            return 0
        return self.num_values * len(self.estimation.by)

    def row(self, row: int) -> tuple[_Rows, dict[str, int]]:
        """Return the inputs' values of a row, and those that are integers by their names."""
        if self.values is None:
            raise AssertionError("a circuit with inputs was accepted without values")
        return self.values[row], {name: int(column[row]) for name, column in self.integers.items()}

    def circuit(self, row: int) -> sim.ValidCircuit:
        """Return the circuit with the values of a row.

        Raises:
            SimulationFailed: A parameter has no finite value.
        """
        circuit = self.program.circuit
        if not isinstance(circuit, sim.Template):
            return circuit
        return circuit.bind(*self.row(row))

    @property
    def inputs_bytes(self) -> int:
        """How many bytes the inputs' values take, about."""
        if self.values is None:
            return 0
        return self.values.nbytes + sum(column.nbytes for column in self.integers.values())


def read_run(
    source: job_pb2.Program,
    index: int,
    program: PreparedProgram,
    backend: Backend,
    settings: Settings,
    columns: Columns,
    *,
    max_shots: int,
) -> ProgramRun:
    """Check what program `index` says beside its circuit.

    Raises:
        ServiceError: PROGRAM_INVALID, with the field.
    """
    try:
        values, integers = _values(source, program, columns)
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
        return ProgramRun(program, values, shots, None, integers)
    try:
        rows = 1 if values is None else len(values)
        estimation = _estimation(source.estimation, rows, program.num_observables, columns)
        if source.estimation.gradient:
            estimation = replace(estimation, by=_differentiated(source, program, settings))
    except ProgramFault as fault:
        raise fault.to_service_error(index, "estimation") from None
    if not program.circuit.program(from_zero=settings.initial is None, threads=settings.threads).is_random:
        shots = 1
    return ProgramRun(program, values, shots, estimation, integers)


def _values(
    source: job_pb2.Program, program: PreparedProgram, columns: Columns
) -> tuple[_Rows | None, Mapping[str, _Integers]]:
    """Return the rows of values in the order of the circuit's inputs, None for a circuit without any; and
    the columns of those that are integers.
    """
    template = program.circuit
    if isinstance(template, sim.ValidCircuit) and not source.HasField("inputs"):
        return None, {}
    inputs = source.inputs
    lists = ("values", "integers")
    if isinstance(template, sim.ValidCircuit):
        if inputs.names or inputs.integer_names or any(columns.length(inputs, name) for name in lists):
            text = text_of(source)
            what = "the circuit" if text is None else text[0].title
            raise ProgramFault(f"{what} has no inputs; leave them out", path="names")
        return None, {}
    names, integer_names = list(inputs.names), list(inputs.integer_names)
    if not names and not integer_names:
        known = ", ".join(variable.name for variable in template.inputs[:8])
        raise ProgramFault(f"the circuit has inputs, and there are no values for them: {known}", path="names")
    values = _table(columns.numbers(inputs, "values", np.float64), len(names), "values")
    words = inputs.words_per_integer or 1
    if words > _MOST_WORDS:
        raise ProgramFault(f"{words:,}; the most is {_MOST_WORDS:,}", path="words_per_integer")
    numbers = _table(columns.numbers(inputs, "integers", np.uint64), len(integer_names) * words, "integers")
    if not names:
        values = np.empty((len(numbers), 0))
    kinds = {variable.name: variable.type.kind for variable in template.inputs}
    integers = {
        name: _integers(numbers[:, place * words : (place + 1) * words], kinds.get(name))
        for place, name in enumerate(integer_names)
    }
    if len(integers) != len(integer_names):
        raise ProgramFault("an input is given twice", path="integer_names")
    try:
        return template.rows(names, values, integers), integers
    except sim.OptionError as error:
        raise ProgramFault(error.message, path=error.option) from None


def _table(values: npt.NDArray[Any], width: int, path: str) -> npt.NDArray[Any]:
    """Return values as rows of so many."""
    if not width:
        if len(values):
            raise ProgramFault(f"{len(values):,} values of no names", path=path)
        return values.reshape(0, 0)
    if not len(values) or len(values) % width:
        message = f"{len(values):,} values; give rows of {width:,}, as many as there are names"
        raise ProgramFault(message, path=path)
    return values.reshape(-1, width)


def _integers(words: npt.NDArray[np.uint64], kind: sim.ClassicalKind | None) -> _Integers:
    """Return a column of integers from rows of words: without a sign where the input's type has none."""
    has_sign = kind not in _UNSIGNED
    if words.shape[1] == 1:
        column = np.ascontiguousarray(words[:, 0])
        return column.view(np.int64) if has_sign else column
    little = np.ascontiguousarray(words, dtype="<u8")
    return np.array(
        [int.from_bytes(row.tobytes(), "little", signed=has_sign) for row in little], dtype=object
    )


def _differentiated(source: job_pb2.Program, program: PreparedProgram, settings: Settings) -> _Places:
    """Return by which inputs derivatives are wanted."""
    if settings.initial is not None:
        raise ProgramFault(
            "derivatives are of circuits that begin in 0; let the circuit initialize its qubits instead of "
            "options.initial_statevector",
            path="gradient",
        )
    template = program.circuit
    if not isinstance(template, sim.Template):
        raise AssertionError("a gradient was accepted of a circuit without inputs")
    places = {variable.name: place for place, variable in enumerate(template.inputs)}
    return np.array([places[name] for name in source.inputs.names], dtype=np.intp)


def _estimation(message: job_pb2.Estimation, rows: int, observables: int, columns: Columns) -> Estimation:
    if not (math.isfinite(message.precision) and message.precision >= 0.0):
        raise ProgramFault(f"{message.precision}; give a finite number from 0", path="precision")
    pairs = [columns.numbers(message, name, np.uint32) for name in ("rows", "indices")]
    if not len(pairs[0]) and not len(pairs[1]):
        return Estimation(None, None, message.precision)
    if len(pairs[0]) != len(pairs[1]):
        raise ProgramFault(
            f"there are {len(pairs[0]):,} rows and {len(pairs[1]):,} indices; give as many", path="indices"
        )
    for name, numbers, count in (("rows", pairs[0], rows), ("indices", pairs[1], observables)):
        if int(numbers.max()) >= count:
            first = int(np.argmax(numbers >= count))
            raise ProgramFault(
                f"{numbers[first]} is out of range; there are {count:,}", path=f"{name}[{first}]"
            )
    return Estimation(pairs[0], pairs[1], message.precision)
