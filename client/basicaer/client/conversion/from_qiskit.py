"""A Qiskit `QuantumCircuit` as the contract's `Circuit`: what the client sends, and what the service makes of
OpenQASM.

Nothing of Qiskit is imported: its objects are told apart by their attributes and the names of their classes,
which serves every version from 0.46 on. Gates are copied into columns; a gate that the service doesn't know
is expanded by its definition. What it will expand to is counted first, each definition once, so that a small
program that stands for 10^9 gates is refused at once.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

from basicaer.client.conversion._controls import append_controlled
from basicaer.client.conversion._definitions import CircuitTooLargeError, Definitions
from basicaer.client.conversion._expressions import (
    ConversionError,
    classical_type,
    condition_to_proto,
    store_to_proto,
)
from basicaer.client.conversion._flow import append_choice, flow_to_proto
from basicaer.client.conversion._frames import (
    Columns,
    Frame,
    Names,
    NotLocalError,
    Table,
    registers_to_proto,
    set_metadata,
)
from basicaer.client.conversion._operations import (
    GATE_SHAPES,
    Kind,
    NestingTooDeepError,
    OperationReader,
)
from basicaer.client.conversion._parameters import PLAIN_NUMBERS, Term, linear_values, parameters_to_proto
from basicaer.client.conversion._saves import save_to_proto
from basicaer.client.conversion._simple import append_delay, append_simple
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "CircuitTooLargeError",
    "CircuitWithInputs",
    "ConversionError",
    "NestingTooDeepError",
    "circuit_to_program",
    "circuit_to_proto",
]

# What stands in columns without a conversion: gates that act on qubits, and numbers.
_COLUMN_NAMES = GATE_SHAPES.keys() - {"global_phase"}
_SLICE = 256


@dataclasses.dataclass(frozen=True, slots=True)
class CircuitWithInputs:
    """A converted circuit, and the names that its inputs have in `Program.inputs`.

    `names` has them by what Qiskit knows them by: an unbound `Parameter`, or an input variable's `expr.Var`.
    """

    message: pb.Circuit
    names: dict[Any, str]


def circuit_to_proto(circuit: Any, *, max_instructions: int | None = None) -> pb.Circuit:
    """Convert a `qiskit.QuantumCircuit`, which is not changed.

    Args:
        circuit: The circuit. Its parameters must be bound.
        max_instructions: The most instructions that its definitions may expand to; None for no limit.

    Raises:
        ConversionError: Something in it can't be run: an unbound parameter, a gate without a definition, a
            stretch. CircuitTooLargeError: It expands to more instructions than allowed. NestingTooDeepError:
            Its definitions or blocks are nested too deeply, or contain themselves.
    """
    return _Converter(max_instructions, takes_inputs=False).convert(circuit).message


def circuit_to_program(circuit: Any, *, metadata: bool = True) -> CircuitWithInputs:
    """Convert a `qiskit.QuantumCircuit` whose unbound parameters and input variables become inputs.

    An input is named as its parameter, unless another name of the circuit is the same. Without `metadata`,
    that of the circuit, which may be anything, is left out.

    Raises:
        ConversionError: As by `circuit_to_proto`, but for parameters without a value.
    """
    return _Converter(None, takes_inputs=True).convert(circuit, metadata=metadata)


class _Run:
    """Standard gates that follow one another, from instruction `start` on, in Qiskit's own terms."""

    __slots__ = ("names", "qubits", "start", "values")

    def __init__(self, start: int) -> None:
        self.start = start
        self.names: list[str] = []
        self.qubits: list[Any] = []
        self.values: list[Any] = []


class _Converter:
    """One conversion."""

    def __init__(self, max_instructions: int | None, *, takes_inputs: bool) -> None:
        self._max_instructions = max_instructions
        self._instructions = 0
        self._table = Table()
        self._templates: dict[object, Columns | None] = {}
        self._reader = OperationReader()
        self._definitions = Definitions(self._reader, max_instructions)
        self._names = Names(takes_inputs)

    def convert(self, circuit: Any, *, metadata: bool = True) -> CircuitWithInputs:
        if not hasattr(circuit, "data") or not hasattr(circuit, "qregs"):
            raise TypeError(f"a qiskit.QuantumCircuit is needed, not a {type(circuit).__name__}")
        variables = list(getattr(circuit, "iter_input_vars", tuple)())
        if variables and not self._names.takes_inputs:
            names = ", ".join(repr(var.name) for var in variables)
            raise ConversionError(f"the input variable {names} has no value; declare it with add_var instead")
        for var in variables:
            index = self._names.add_input(var, var.name, classical_type(var.type))
            self._names.variables[var.var] = index
        bits = [*range(circuit.num_qubits)], [*range(circuit.num_clbits)]
        frame = Frame(self._names, circuit, *bits, 0, local=False)
        for index, register in enumerate(circuit.cregs):
            self._names.registers.setdefault(tuple(frame.clbits(register)), index)
        columns = Columns()
        self._fill(columns, circuit, frame)
        self._table.drop_unused(columns)
        # What no gate uses can be given values too. Before Qiskit 2, loops have their parameters among these.
        for parameter in circuit.parameters - self._names.loop_parameters:
            self._names.parameter(parameter)
        result = pb.Circuit(
            name=circuit.name or "",
            global_phase=columns.phase,
            num_qubits=circuit.num_qubits,
            num_clbits=circuit.num_clbits,
            quantum_registers=registers_to_proto(circuit.qregs, circuit.qubits),
            classical_registers=registers_to_proto(circuit.cregs, circuit.clbits),
            variables=self._names.table,
            operations=self._table.entries,
            body=columns.to_proto(),
        )
        if circuit.metadata and metadata:
            set_metadata(result, circuit.metadata)
        inputs = self._names.inputs.items()
        return CircuitWithInputs(result, {key: result.variables[index].name for key, index in inputs})

    def _reserve(self, instructions: int) -> None:
        self._instructions += instructions
        if self._max_instructions is not None and self._instructions > self._max_instructions:
            raise CircuitTooLargeError(self._max_instructions, self._instructions)

    # --- Instructions ---------------------------------------------------------------------------------------

    def _fill(self, columns: Columns, circuit: Any, frame: Frame) -> None:
        """Append all instructions of a Qiskit circuit. The loop is what a gate costs."""
        self._declare(circuit)
        data = circuit.data
        self._reserve(len(data))
        self._add_phase(columns, circuit.global_phase, frame)
        # Qiskit 2 tells a standard gate without making its object; before, the gate may have a condition.
        kind = type(data[0]) if len(data) else None
        if not hasattr(kind, "is_standard_gate") or hasattr(kind, "condition"):
            self._append_all(columns, data, 0, len(data), frame)
            return
        # Runs of standard gates are gathered as they are, and then translated at one stroke.
        run = _Run(0)
        names, qubits, values = run.names, run.qubits, run.values
        # A slice is a list, which is read at twice the rate of Qiskit's own sequence.
        slices = (data[start : start + _SLICE] for start in range(0, len(data), _SLICE))
        for number, instruction in enumerate(itertools.chain.from_iterable(slices)):
            if instruction.is_standard_gate():
                names.append(instruction.name)
                qubits += instruction.qubits
                values += instruction.params
                continue
            self._append_run(columns, data, run, number, frame)
            self._append_all(columns, data, number, number + 1, frame)
            run = _Run(number + 1)
            names, qubits, values = run.names, run.qubits, run.values
        self._append_run(columns, data, run, len(data), frame)

    def _append_run(self, columns: Columns, data: Any, run: _Run, stop: int, frame: Frame) -> None:
        """Append standard gates from the run's start to `stop`; one by one, if some need a closer look."""
        # A dict keeps the order, so that equal circuits give equal bytes.
        distinct = dict.fromkeys(run.names)
        values: tuple[list[float], list[Term]] | None = None
        if distinct.keys() <= _COLUMN_NAMES:
            is_plain = set(map(type, run.values)) <= PLAIN_NUMBERS
            values = (run.values, []) if is_plain else linear_values(run.values, frame)
        if values is None:
            self._append_all(columns, data, run.start, stop, frame)
            return
        index_of = {name: self._table.gate(name, *GATE_SHAPES[name]) for name in distinct}
        columns.operations.extend(map(index_of.__getitem__, run.names))
        columns.qubits.extend(map(frame.qubits.__getitem__, run.qubits))
        columns.append_parameters(*values)

    def _append_all(self, columns: Columns, data: Any, start: int, stop: int, frame: Frame) -> None:
        for number in range(start, stop):
            instruction = data[number]
            operation = instruction.operation
            try:
                self._append(
                    columns,
                    operation,
                    [frame.qubits[qubit] for qubit in instruction.qubits],
                    frame.clbits(instruction.clbits),
                    frame,
                )
            except ConversionError as error:
                error.within(f"instruction {number} ({operation.name})")
                raise

    def _append(
        self, columns: Columns, operation: Any, qubits: list[int], clbits: list[int], frame: Frame
    ) -> None:
        kind = self._reader.kind(operation)
        condition = self._reader.condition(operation)
        if condition is None or kind is Kind.FLOW:
            self._append_unconditionally(columns, operation, kind, qubits, clbits, frame)
            return
        guarded = Columns()
        self._append_unconditionally(guarded, operation, kind, qubits, clbits, frame)
        guarded.settle(self._table)
        append_choice(columns, self._table, condition_to_proto(condition, frame), guarded, None)

    def _append_unconditionally(
        self,
        columns: Columns,
        operation: Any,
        kind: Kind,
        qubits: list[int],
        clbits: list[int],
        frame: Frame,
    ) -> None:
        name = operation.name
        if kind is Kind.GATE and name == "global_phase":
            self._add_phase(columns, operation.params[0], frame)
        elif kind is Kind.WAIT:
            self._append_named(columns, "id", qubits, [], frame)
        elif kind is Kind.GATE:
            self._append_named(columns, name, qubits, operation.params, frame)
        elif kind is Kind.COMPOSITE:
            self._append_definition(columns, operation, qubits, clbits, frame)
        elif kind is Kind.CONTROLLED_COMPOSITE:
            self._append_controlled_composite(columns, operation, qubits, frame)
        elif kind is Kind.SIMPLE:
            first = len(columns.operations)
            append_simple(columns, self._table, operation, qubits, clbits)
            self._reserve(len(columns.operations) - first - 1)
        elif kind is Kind.CONTROLLED:
            self._append_controlled(columns, operation, qubits, frame)
        elif kind is Kind.FLOW:
            frame.leave_local()
            self._append_flow(columns, operation, qubits, clbits, frame)
        elif kind is Kind.BOX:
            body = operation.blocks[0]
            self._fill(columns, body, Frame(self._names, body, qubits, clbits, frame.depth + 1, frame.local))
        elif kind is Kind.STORE:
            lvalue, rvalue = operation.params
            self._append_own(columns, [], name=name, store=store_to_proto(lvalue, rvalue, frame))
        elif kind is Kind.DELAY:
            append_delay(columns, self._table, operation, qubits, frame)
        elif kind is Kind.INITIALIZE:
            self._append_own(columns, qubits, name=name, initialize=self._reader.initialize(operation))
        elif kind is Kind.MATRIX:
            self._append_own(columns, qubits, name="unitary", matrix=self._reader.matrix(operation))
        elif kind is Kind.SAVE:
            self._append_own(columns, qubits, name="save", save=save_to_proto(operation))
        else:
            self._append(columns, self._reader.resolved(operation), qubits, clbits, frame)

    def _append_named(
        self, columns: Columns, name: str, qubits: list[int], values: Any, frame: Frame, **controls: int
    ) -> None:
        """Append a gate of the table, perhaps with extra controls (`num_controls` and `control_state`)."""
        parameters, terms, expressions = parameters_to_proto(values, frame)
        if expressions:
            self._append_own(columns, qubits, name=name, parameter_expressions=expressions, **controls)
            return
        index = self._table.gate(name, len(qubits), len(values), **controls)
        columns.append(index, qubits, [], parameters, terms)

    def _append_controlled(self, columns: Columns, operation: Any, qubits: list[int], frame: Frame) -> None:
        count, state, base = self._reader.controls(operation)
        controls: dict[str, int] = {"num_controls": count}
        if state != (1 << count) - 1:
            controls["control_state"] = state
        if base.name in GATE_SHAPES:
            self._append_named(columns, base.name, qubits, base.params, frame, **controls)
            return
        matrix = self._reader.matrix(base)
        self._append_own(columns, qubits, name="unitary", matrix=matrix, **controls)

    def _append_definition(
        self, columns: Columns, operation: Any, qubits: list[int], clbits: list[int], frame: Frame
    ) -> None:
        """Expand a gate by its definition. Equal gates are expanded once, and then copied."""
        self._check_length(operation)
        _, key, body = self._definitions.of(operation)
        depth = frame.depth + 1

        def expand(columns: Columns) -> None:
            bits = [*range(len(qubits))], [*range(len(clbits))]
            self._fill(columns, body, Frame(self._names, body, *bits, depth, local=True))

        template = self._template(key, expand)
        if template is not None:
            self._reserve(len(template.operations) - 1)
            columns.append_renumbered(template, qubits, clbits)
        else:
            self._instructions -= 1
            self._fill(columns, body, Frame(self._names, body, qubits, clbits, depth, frame.local))

    def _append_controlled_composite(
        self, columns: Columns, operation: Any, qubits: list[int], frame: Frame
    ) -> None:
        """Expand a gate that has controls before it: each of its instructions gets them."""
        self._check_length(operation)
        count, base = operation.num_ctrl_qubits, operation.base_gate

        def expand(columns: Columns) -> None:
            plain, inner = Columns(), Frame(self._names, None, [], [], frame.depth + 1, local=True)
            self._append(plain, base, list(range(count, operation.num_qubits)), [], inner)
            append_controlled(columns, plain, self._table, count, operation.ctrl_state)

        template = self._template(id(operation), expand)
        if template is None:
            raise ConversionError(f"{base.name!r} can't have controls, as it has control flow")
        self._reserve(len(template.operations) - 1)
        columns.append_renumbered(template, qubits, [])

    def _check_length(self, operation: Any) -> None:
        # It has been counted as one instruction.
        total = self._instructions - 1 + self._definitions.count(operation)
        if self._max_instructions is not None and total > self._max_instructions:
            raise CircuitTooLargeError(self._max_instructions, total)

    def _template(self, identity: object, expand: Callable[[Columns], None]) -> Columns | None:
        """Return what `expand` appends for bits from 0 on, made once; None if that can't be renumbered."""
        key = (identity, *self._names.bound_parameters.values())
        if key not in self._templates:
            reserved = self._instructions
            made = self._templates[key] = Columns()
            # What is expanded takes the place of one instruction that has been counted.
            self._instructions -= 1
            try:
                expand(made)
            except NotLocalError:
                self._templates[key] = None
                self._table.may_have_unused = True
            self._instructions = reserved
        return self._templates[key]

    # --- Control flow ---------------------------------------------------------------------------------------

    def _append_flow(
        self, columns: Columns, operation: Any, qubits: list[int], clbits: list[int], frame: Frame
    ) -> None:
        def block(circuit: Any) -> Columns:
            inner = Columns()
            reach = Frame(self._names, circuit, qubits, clbits, frame.depth + 1, local=False)
            self._fill(inner, circuit, reach)
            inner.settle(self._table)
            return inner

        if operation.name == "if_else":
            then_block, else_block = (None if part is None else block(part) for part in operation.params[:2])
            assert then_block is not None
            condition = condition_to_proto(operation.condition, frame)
            append_choice(columns, self._table, condition, then_block, else_block)
            return
        columns.operations.append(self._table.add(flow_to_proto(operation, self._names, frame, block)))

    def _declare(self, circuit: Any) -> None:
        for var in getattr(circuit, "iter_declared_vars", tuple)():
            self._names.variables[var.var] = self._names.add_variable(var.name, classical_type(var.type))

    def _add_phase(self, columns: Columns, value: Any, frame: Frame) -> None:
        numbers, terms, expressions = parameters_to_proto([value], frame)
        if terms or expressions:
            self._append_named(columns, "global_phase", [], [value], frame)
        else:
            columns.phase += numbers[0]

    def _append_own(self, columns: Columns, qubits: list[int], **fields: Any) -> None:
        """Append an instruction whose operation has more than a name; equal ones share an entry."""
        operation = pb.Operation(num_qubits=len(qubits), **fields)
        columns.append(self._table.intern(operation), qubits, [], [])
