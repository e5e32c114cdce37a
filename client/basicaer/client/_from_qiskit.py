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
from typing import Any

from basicaer.client._qiskit_expressions import (
    ConversionError,
    classical_type,
    condition_to_proto,
    is_expression,
    store_to_proto,
)
from basicaer.client._qiskit_flow import flow_to_proto
from basicaer.client._qiskit_frames import (
    Columns,
    Frame,
    Names,
    NotLocalError,
    Table,
    registers_to_proto,
    set_metadata,
)
from basicaer.client._qiskit_operations import (
    FLOW_NAMES,
    GATE_SHAPES,
    CircuitTooLargeError,
    Kind,
    NestingTooDeepError,
    OperationReader,
)
from basicaer.client._qiskit_parameters import PLAIN_NUMBERS, Term, linear_values, parameters_to_proto, real
from basicaer.client._qiskit_saves import save_to_proto
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
    """Converts a `qiskit.QuantumCircuit`, which is not changed.

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
    """Converts a `qiskit.QuantumCircuit` whose unbound parameters and input variables become inputs.

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
        self._reader = OperationReader(max_instructions)
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
        qubits, clbits = list(range(circuit.num_qubits)), list(range(circuit.num_clbits))
        frame = Frame(self._names, circuit, qubits, clbits, 0, local=False)
        for index, register in enumerate(circuit.cregs):
            self._names.registers.setdefault(tuple(frame.clbits(register)), index)
        columns = Columns()
        self._fill(columns, circuit, frame)
        result = pb.Circuit(
            name=circuit.name or "",
            global_phase=columns.phase,
            num_qubits=len(qubits),
            num_clbits=len(clbits),
            quantum_registers=registers_to_proto(circuit.qregs, circuit.qubits),
            classical_registers=registers_to_proto(circuit.cregs, circuit.clbits),
            variables=self._names.table,
            operations=self._table.entries,
            body=columns.to_proto(),
        )
        if circuit.metadata and metadata:
            set_metadata(result, circuit.metadata)
        table = self._names.table
        return CircuitWithInputs(
            result, {identity: table[index].name for identity, index in self._names.inputs.items()}
        )

    def _reserve(self, instructions: int) -> None:
        self._instructions += instructions
        if self._max_instructions is not None and self._instructions > self._max_instructions:
            raise CircuitTooLargeError(self._max_instructions, self._instructions)

    # --- Instructions ---------------------------------------------------------------------------------------

    def _fill(self, columns: Columns, circuit: Any, frame: Frame) -> None:
        """Appends all instructions of a Qiskit circuit. The loop is what a gate costs."""
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
        """Appends standard gates from the run's start to `stop`; one by one, if some need a closer look."""
        # A dict keeps the order of the first appearance, so that equal circuits give equal bytes.
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
        self._append_choice(columns, condition_to_proto(condition, frame), guarded, None)

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
        elif kind is Kind.GATE:
            self._append_named(columns, name, qubits, operation.params, frame)
        elif kind is Kind.COMPOSITE:
            self._append_definition(columns, operation, qubits, clbits, frame)
        elif kind is Kind.SIMPLE:
            sizes = {"num_qubits": len(qubits), "num_clbits": len(clbits)}
            index = self._table.index((name, len(qubits)), name=name, **sizes)
            columns.append(index, qubits, clbits, [])
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
            self._append_delay(columns, operation, qubits, frame)
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
        """Appends a gate of the table, perhaps with extra controls (`num_controls` and `control_state`)."""
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
        """Expands a gate by its definition. Equal gates are expanded once, and then copied."""
        # It has been counted as one instruction.
        total = self._instructions - 1 + self._reader.count(operation)
        if self._max_instructions is not None and total > self._max_instructions:
            raise CircuitTooLargeError(self._max_instructions, total)
        definition = operation.definition
        key = (self._reader.identity(operation), *self._names.bound_parameters.values())
        if key not in self._templates:
            reserved = self._instructions
            bits = list(range(len(qubits))), list(range(len(clbits)))
            local = Frame(self._names, definition, *bits, frame.depth + 1, local=True)
            expanded = Columns()
            self._templates[key] = expanded
            try:
                self._fill(expanded, definition, local)
            except NotLocalError:
                self._templates[key] = None
            self._instructions = reserved
        template = self._templates[key]
        if template is not None:
            self._reserve(len(template.operations) - 1)
            columns.append_renumbered(template, qubits, clbits)
        else:
            inner = Frame(self._names, definition, qubits, clbits, frame.depth + 1, frame.local)
            self._fill(columns, definition, inner)

    def _append_delay(self, columns: Columns, operation: Any, qubits: list[int], frame: Frame) -> None:
        (duration,) = operation.params
        if is_expression(duration):
            raise ConversionError("a delay's duration is an expression; give it as a number")
        if getattr(duration, "parameters", None):
            raise ConversionError("a delay's duration is a parameter; give it as a number")
        index = self._table.index(
            ("delay", len(qubits), operation.unit),
            name="delay",
            num_qubits=len(qubits),
            num_parameters=1,
            unit=operation.unit,
        )
        columns.append(index, qubits, [], [real(duration)])

    # --- Control flow ---------------------------------------------------------------------------------------

    def _append_flow(
        self, columns: Columns, operation: Any, qubits: list[int], clbits: list[int], frame: Frame
    ) -> None:
        def block(circuit: Any) -> Columns:
            inner = Columns()
            self._fill(
                inner, circuit, Frame(self._names, circuit, qubits, clbits, frame.depth + 1, local=False)
            )
            if inner.phase:
                # In a block the phase belongs to the branch that is taken, so that it becomes an instruction.
                phase = self._table.index(("global_phase",), name="global_phase", num_parameters=1)
                inner.operations.insert(0, phase)
                inner.parameters.insert(0, inner.phase)
                inner.terms = [term._replace(position=term.position + 1) for term in inner.terms]
            return inner

        if operation.name == "if_else":
            then_block, else_block = (None if part is None else block(part) for part in operation.params[:2])
            assert then_block is not None
            condition = condition_to_proto(operation.condition, frame)
            self._append_choice(columns, condition, then_block, else_block)
            return
        columns.operations.append(self._table.add(flow_to_proto(operation, self._names, frame, block)))

    def _append_choice(
        self, columns: Columns, condition: pb.Expression, then_block: Columns, else_block: Columns | None
    ) -> None:
        """Appends if and else. One plain instruction becomes that instruction with a condition."""
        if else_block is None and len(then_block.operations) == 1:
            only = self._table.entries[then_block.operations[0]]
            if only.name not in FLOW_NAMES and not only.HasField("condition"):
                guarded = pb.Operation()
                guarded.CopyFrom(only)
                guarded.condition.CopyFrom(condition)
                bits = then_block.qubits, then_block.clbits
                columns.append(self._table.intern(guarded), *bits, then_block.parameters, then_block.terms)
                return
        choice = pb.IfElse(condition=condition, then_block=then_block.to_proto())
        if else_block is not None:
            choice.else_block.CopyFrom(else_block.to_proto())
        columns.operations.append(self._table.add(pb.Operation(name="if_else", if_else=choice)))

    # --- Small parts ----------------------------------------------------------------------------------------

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
        """Appends an instruction whose operation has more than a name; equal ones share an entry."""
        operation = pb.Operation(num_qubits=len(qubits), **fields)
        columns.append(self._table.intern(operation), qubits, [], [])
