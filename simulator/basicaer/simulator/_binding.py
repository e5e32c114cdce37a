"""Gives the inputs of a circuit their values: it is checked and compiled once, and bound for each row of
values.

A program is compiled for a circuit whose parameters are replaced by their own numbers, 0, 1, 2, and so on
through all blocks. To bind a row is then to compute all parameters at once, and to look them up in each
segment of gates. Gates whose expressions read inputs alone become plain gates, whose parameters are computed
beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._classical import Scope
from basicaer.simulator._compiled import CompiledCircuit, Programs, compiled
from basicaer.simulator._conversions import Memory, Value, fits, turn
from basicaer.simulator._deferral import expressions_of
from basicaer.simulator._engine import Segment
from basicaer.simulator._errors import OptionError, SimulationFailed
from basicaer.simulator._expressions import ClassicalKind, VariableRef
from basicaer.simulator._layout import Layout
from basicaer.simulator._operations import Block, Operation, Variable
from basicaer.simulator._program import Program, compile_circuit
from basicaer.simulator._steps import ForStep, GateStep, IfStep, Step, Steps, SwitchStep, WhileStep

Rows = npt.NDArray[np.float64]
_Positions = npt.NDArray[np.int64]


class Template(Programs):
    """A valid circuit whose inputs get values again and again. Threads may share it.

    Its program is what those of all rows have in common; its gates' parameters are numbers of parameters.

    `circuit` is the circuit without its inputs' terms and expressions: its parameters mean nothing. `inputs`
    are the input variables, in the circuit's order.

    Raises `CircuitError` when the circuit is not valid.
    """

    __slots__ = (
        "_computed",
        "_factors",
        "_inputs",
        "_parameters",
        "_read",
        "_sources",
        "_targets",
        "circuit",
    )

    def __init__(self, circuit: Circuit | CompiledCircuit) -> None:
        super().__init__()
        whole = compiled(circuit).circuit
        self._inputs = [number for number, variable in enumerate(whole.variables) if variable.is_input]
        numbering = _Numbering(whole, frozenset(self._inputs))
        self.circuit = numbering.circuit
        self._parameters: Rows = np.concatenate(numbering.parameters)
        self._targets: _Positions = np.concatenate(numbering.targets)
        self._factors: Rows = np.concatenate(numbering.factors)
        places = {number: place for place, number in enumerate(self._inputs)}
        self._sources: _Positions = np.array(
            [places[number] for number in np.concatenate(numbering.sources).tolist()], dtype=np.int64
        )
        self._computed = numbering.computed
        # Most inputs are part of gates' parameters alone; only what an expression reads has to have a value.
        self._read = [
            (number, places[number], self.circuit.variables[number])
            for number in self._inputs
            if number in numbering.read
        ]

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """The input variables."""
        return tuple(self.circuit.variables[number] for number in self._inputs)

    def _compile(self, from_zero: bool, as_matrix: bool, threads: int | None) -> Program:
        return compile_circuit(self.circuit, from_zero=from_zero, as_matrix=as_matrix)

    def rows(self, names: Sequence[str], values: npt.ArrayLike) -> Rows:
        """Rows of values for `bind`, of shape (rows, inputs), from columns in the order of `names`.

        Raises `OptionError` unless `names` are those of the inputs, each once, and `values` fit their types.
        """
        inputs = self.inputs
        known = [variable.name for variable in inputs]
        places = {name: place for place, name in enumerate(names)}
        if len(places) != len(names):
            twice = next(name for place, name in enumerate(names) if places[name] != place)
            raise OptionError("names", f"the input {twice!r} is given twice")
        for name in sorted(places.keys() ^ set(known)):
            message = (
                f"the circuit has no input {name!r}" if name in places else f"the input {name!r} is missing"
            )
            raise OptionError("names", message)
        table = np.array(values, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(names):
            raise OptionError("values", f"the shape is {table.shape}; give rows of {len(names)} values")
        table = np.ascontiguousarray(table[:, [places[name] for name in known]])
        if not np.isfinite(table).all():
            row, column = np.argwhere(~np.isfinite(table))[0].tolist()
            raise OptionError(
                "values",
                f"the input {known[column]!r} is {table[row, column]} in row {row}; give finite numbers",
            )
        for column, variable in enumerate(inputs):
            if variable.type.kind is not ClassicalKind.FLOAT:
                for row, value in enumerate(table[:, column].tolist()):
                    if not _suits(value, variable):
                        raise OptionError(
                            "values",
                            f"the input {variable.name!r} of type {variable.type} is {value} in row {row}",
                        )
        return table

    def bind(self, row: Rows) -> CompiledCircuit:
        """The circuit with the inputs' values from one of `rows`, ready to run.

        Raises `SimulationFailed` when a gate's parameter has no finite value, even where the gate is not
        reached.
        """
        parameters = self._parameters.copy()
        # What overflows is told below, as what an expression gives is.
        with np.errstate(over="ignore", invalid="ignore"):
            np.add.at(parameters, self._targets, self._factors * row[self._sources])
        values = {number: _typed(float(row[place]), variable) for number, place, variable in self._read}
        if self._computed:
            memory = Memory(0, [values.get(number, 0) for number in range(len(self.circuit.variables))])
            for positions, evaluate in self._computed:
                parameters[positions] = evaluate(memory)
        if not np.isfinite(parameters).all():
            worst = parameters[~np.isfinite(parameters)][0]
            raise SimulationFailed(f"a gate's parameter became {worst}")
        return _BoundCircuit(self, parameters, values)


def bind(circuit: Circuit | CompiledCircuit, values: Mapping[str, float]) -> CompiledCircuit:
    """`circuit` with the values of its inputs, by their names. To bind many rows, keep a `Template`.

    Raises `CircuitError` when the circuit is not valid, `OptionError` when the values don't fit its inputs,
    and `SimulationFailed` when a gate's parameter has no finite value.
    """
    template = Template(circuit)
    return template.bind(template.rows(list(values), [list(values.values())])[0])


class _BoundCircuit(CompiledCircuit):
    """A circuit that needs no check of its own, since its template was checked.

    Its program is the template's, with this circuit's parameters and first values.
    """

    __slots__ = ("_parameters", "_template")

    def __init__(self, template: Template, parameters: Rows, values: Mapping[int, Value]) -> None:
        self._template = template
        self._parameters = parameters
        Programs.__init__(self)
        numbered = template.circuit
        self.circuit = Circuit(
            numbered.num_qubits,
            numbered.num_clbits,
            name=numbered.name,
            global_phase=numbered.global_phase,
            metadata=numbered.metadata,
            quantum_registers=numbered.quantum_registers,
            classical_registers=numbered.classical_registers,
            variables=[
                replace(variable, is_input=False, value=values[number]) if number in values else variable
                for number, variable in enumerate(numbered.variables)
            ],
            operations=[
                _with_blocks(operation, self._filled) if any(True for _ in operation.blocks()) else operation
                for operation in numbered.operations
            ],
            body=self._filled(numbered.body),
        )

    def _compile(self, from_zero: bool, as_matrix: bool, threads: int | None) -> Program:
        shared = self._template.program(from_zero=from_zero, as_matrix=as_matrix, threads=threads)
        circuit = self.circuit
        return replace(
            shared,
            scope=Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables),
            steps=tuple(self._step(step) for step in shared.steps),
        )

    def _filled(self, block: Block) -> Block:
        """A block with parameters in the place of their numbers."""
        if not len(block.parameters):
            return block
        return Block(
            block.operations, block.qubits, block.clbits, self._parameters[block.parameters.astype(np.intp)]
        )

    def _steps(self, steps: Steps) -> Steps:
        return tuple(self._step(step) for step in steps)

    def _step(self, step: Step) -> Step:
        match step:
            case GateStep():
                segment = step.segment
                if not len(segment.block.parameters):
                    return step
                filled = self._filled(segment.block)
                return GateStep(Segment(segment.num_qubits, segment.operations, segment.layout, filled))
            case IfStep():
                return IfStep(step.condition, self._steps(step.then_steps), self._steps(step.else_steps))
            case WhileStep():
                return WhileStep(step.condition, self._steps(step.body))
            case ForStep():
                return ForStep(step.values, step.count, step.variable, self._steps(step.body))
            case SwitchStep():
                return SwitchStep(
                    step.selector, tuple((values, self._steps(steps)) for values, steps in step.cases)
                )
        return step


class _Numbering:
    """A circuit with numbers for parameters, and where the parameters of each number come from.

    `read` are the variables that expressions read. `parameters` are what the circuit gives, `targets`,
    `sources` (variables) and `factors` the terms; `computed` has, for each value that an expression gives,
    all the parameters that it is.
    """

    def __init__(self, circuit: Circuit, inputs: frozenset[int]) -> None:
        self.parameters: list[Rows] = [np.zeros(0)]
        self.targets: list[_Positions] = [np.zeros(0, np.int64)]
        self.sources: list[_Positions] = [np.zeros(0, np.int64)]
        self.factors: list[Rows] = [np.zeros(0)]
        self.computed: list[tuple[_Positions, Callable[[Memory], float]]] = []
        self._count = 0
        self._scope = Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables)
        self.read = {
            variable
            for operation in circuit.operations
            for expression in expressions_of(operation)
            for variable in self._scope.variables_of(expression)
        }
        self._before = Layout(circuit.operations)
        fixed = inputs - _written(circuit)
        table = [self._plain(operation, fixed) for operation in circuit.operations]
        self._after = Layout(table)
        self._plain_now = {
            number: old.parameter_expressions
            for number, (old, new) in enumerate(zip(circuit.operations, table, strict=True))
            if old is not new
        }
        self._positions: dict[int, list[_Positions]] = {number: [] for number in self._plain_now}
        operations = [
            _with_blocks(operation, self._numbered) if any(True for _ in operation.blocks()) else operation
            for operation in table
        ]
        body = self._numbered(circuit.body)
        for number, expressions in self._plain_now.items():
            first = np.concatenate([np.zeros(0, np.int64), *self._positions[number]])
            for place, expression in enumerate(expressions):
                evaluate = self._scope.parameter(expression, ("operations", number))
                self.computed.append((first + place, evaluate))
        self.circuit = Circuit(
            circuit.num_qubits,
            circuit.num_clbits,
            name=circuit.name,
            global_phase=circuit.global_phase,
            metadata=circuit.metadata,
            quantum_registers=circuit.quantum_registers,
            classical_registers=circuit.classical_registers,
            variables=[replace(variable, is_input=False) for variable in circuit.variables],
            operations=operations,
            body=body,
        )

    def _plain(self, operation: Operation, fixed: frozenset[int]) -> Operation:
        """The operation, as a plain gate if its parameters depend on inputs alone that nothing writes."""
        expressions = operation.parameter_expressions
        if not expressions or any(
            self._scope.reads(expression) or not self._scope.variables_of(expression) <= fixed
            for expression in expressions
        ):
            return operation
        return replace(operation, parameter_expressions=())

    def _numbered(self, block: Block) -> Block:
        """The block with the numbers of its parameters, to which those of new plain gates are added."""
        parameters = block.parameters
        targets = block.term_parameters.astype(np.int64)
        new = np.isin(block.operations, list(self._plain_now)) if self._plain_now else np.zeros(0, np.bool_)
        if new.any():
            times = self._after.parameters[block.operations[new]]
            inserted = np.repeat(self._before.offsets(block).parameters[:-1][new], times)
            parameters = np.insert(parameters, inserted, 0.0)
            targets += np.searchsorted(inserted, targets, side="right")
            starts = self._count + self._after.offsets(block).parameters[:-1]
            for number, found in self._positions.items():
                found.append(starts[block.operations == number])
        self.parameters.append(parameters)
        self.targets.append(self._count + targets)
        self.sources.append(block.term_variables.astype(np.int64))
        self.factors.append(block.term_factors)
        numbers = np.arange(self._count, self._count + len(parameters), dtype=np.float64)
        self._count += len(parameters)
        return Block(block.operations, block.qubits, block.clbits, numbers)


def _written(circuit: Circuit) -> set[int]:
    """The variables that something in the circuit may write."""
    written = {
        operation.store.target.index
        for operation in circuit.operations
        if operation.store is not None and isinstance(operation.store.target, VariableRef)
    }
    loops = (operation.for_loop for operation in circuit.operations)
    return written | {loop.variable for loop in loops if loop is not None and loop.variable is not None}


def _with_blocks(operation: Operation, change: Callable[[Block], Block]) -> Operation:
    """The operation with `change` applied to each of its blocks."""
    choice, loop, turns, switch = (
        operation.if_else,
        operation.while_loop,
        operation.for_loop,
        operation.switch_case,
    )
    if choice is not None:
        other = None if choice.else_block is None else change(choice.else_block)
        choice = replace(choice, then_block=change(choice.then_block), else_block=other)
    if loop is not None:
        loop = replace(loop, body=change(loop.body))
    if turns is not None:
        turns = replace(turns, body=change(turns.body))
    if switch is not None:
        switch = replace(switch, cases=tuple(replace(case, body=change(case.body)) for case in switch.cases))
    return replace(operation, if_else=choice, while_loop=loop, for_loop=turns, switch_case=switch)


def _suits(value: float, variable: Variable) -> bool:
    """Whether a finite number is a value of the variable's type, which is not float."""
    kind = variable.type.kind
    if kind is ClassicalKind.ANGLE:
        return True
    if kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
        return value in (0.0, 1.0)
    return value.is_integer() and fits(int(value), variable.type)


def _typed(value: float, variable: Variable) -> Value:
    """The value of a variable from a number that suits its type."""
    kind = variable.type.kind
    if kind is ClassicalKind.FLOAT:
        return value
    if kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
        return bool(value)
    if kind is ClassicalKind.ANGLE:
        return turn(value, variable.type.bits)
    return int(value)
