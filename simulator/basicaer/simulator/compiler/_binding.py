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
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import Expression, VariableRef
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Operation, Variable
from basicaer.simulator.classical._conversions import Memory, Value
from basicaer.simulator.classical._scope import Path, Scope
from basicaer.simulator.compiler._deferral import expressions_of
from basicaer.simulator.compiler._input_values import NO_INTEGERS, Integers, Rows, rows_of, typed
from basicaer.simulator.compiler._noise_steps import NoisyStep
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.compiler._steps import (
    ForStep,
    GateStep,
    IfStep,
    Step,
    Steps,
    SwitchStep,
    WhileStep,
)
from basicaer.simulator.compiler._valid import Runnable, ValidCircuit, validated
from basicaer.simulator.compiler._wires import Wires, find_wires

_Positions = npt.NDArray[np.int64]


class Template(Runnable):
    """A valid circuit whose inputs get values again and again. Threads may share it.

    Its program is what those of all rows have in common; its gates' parameters are numbers of parameters.

    `circuit` is the circuit without its inputs' terms and expressions: its parameters mean nothing. `inputs`
    are the input variables, in the circuit's order.

    Raises `CircuitError` when the circuit is not valid.
    """

    __slots__ = (
        "_computed",
        "_expressions",
        "_factors",
        "_inputs",
        "_parameters",
        "_read",
        "_sources",
        "_targets",
    )

    def __init__(self, circuit: Circuit | ValidCircuit) -> None:
        super().__init__()
        valid = validated(circuit)
        whole = valid.circuit
        self._inputs = [number for number, variable in enumerate(whole.variables) if variable.is_input]
        numbering = _Numbering(whole, frozenset(self._inputs))
        self.circuit = numbering.circuit
        self.is_noisy = valid.is_noisy
        self._parameters: Rows = np.concatenate(numbering.parameters)
        self._targets: _Positions = np.concatenate(numbering.targets)
        self._factors: Rows = np.concatenate(numbering.factors)
        places = {number: place for place, number in enumerate(self._inputs)}
        self._sources: _Positions = np.array(
            [places[number] for number in np.concatenate(numbering.sources).tolist()], dtype=np.int64
        )
        self._expressions = numbering.computed
        self._computed = self._evaluations()
        # Most inputs are part of gates' parameters alone; only what an expression reads has to have a value.
        self._read = [
            (number, places[number], self.circuit.variables[number])
            for number in self._inputs
            if number in numbering.read
        ]

    def _evaluations(self) -> list[tuple[_Positions, Callable[[Memory], float]]]:
        circuit = self.circuit
        scope = Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables)
        return [(places, scope.parameter(value, path)) for places, value, path in self._expressions]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._computed = self._evaluations()

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """The input variables."""
        return tuple(self.circuit.variables[number] for number in self._inputs)

    def _find_wires(self, from_zero: bool, as_matrix: bool) -> Wires:
        return find_wires(self.circuit, from_zero=from_zero, as_matrix=as_matrix, has_parameters=False)

    def rows(
        self, names: Sequence[str], values: npt.ArrayLike, integers: Mapping[str, Integers] = NO_INTEGERS
    ) -> Rows:
        """Rows of values for `bind`, of shape (rows, inputs), from columns in the order of `names`.

        `integers` are columns of further inputs, whose values may be too large for floats: int64, uint64 or
        object. `bind` takes those of a row beside it.

        Raises `OptionError` unless these are the names of the inputs, each once, and the values fit their
        types.
        """
        return rows_of(self.inputs, names, values, integers)

    def bind(self, row: Rows, integers: Mapping[str, int] = NO_INTEGERS) -> ValidCircuit:
        """Return the circuit with the inputs' values from one of `rows` and of its integers, ready to run.

        Raises `SimulationFailed` when a gate's parameter has no finite value, even where the gate is not
        reached.
        """
        values = self._typed(row, integers)
        return _BoundCircuit(self, self._computed_parameters(row, values), values)

    def parameters(self, row: Rows, integers: Mapping[str, int] = NO_INTEGERS) -> Rows:
        """Return the values of all parameters, whose numbers the template's program has. Raises as `bind`."""
        return self._computed_parameters(row, self._typed(row, integers))

    @property
    def num_parameters(self) -> int:
        """How many numbers of parameters there are."""
        return len(self._parameters)

    @property
    def input_variables(self) -> list[tuple[int, Variable]]:
        """The numbers of the input variables, and what they are."""
        return [(number, self.circuit.variables[number]) for number in self._inputs]

    @property
    def terms(self) -> tuple[_Positions, _Positions, Rows]:
        """What is linear in inputs: numbers of parameters, places among `inputs`, and factors."""
        return self._targets, self._sources, self._factors

    @property
    def expressions(self) -> list[tuple[_Positions, Expression, Path]]:
        """Expressions that read inputs alone, each with the numbers of the parameters that it is."""
        return self._expressions

    def variables(self, row: Rows, integers: Mapping[str, int] = NO_INTEGERS) -> Memory:
        """Return the variables with a row's inputs, for expressions."""
        values = self._typed(row, integers)
        return Memory(0, [values.get(number, 0) for number in range(len(self.circuit.variables))])

    def place_of(self, variable: int) -> int:
        """Return which of `inputs` a variable is."""
        return self._inputs.index(variable)

    def _typed(self, row: Rows, integers: Mapping[str, int]) -> dict[int, Value]:
        return {
            number: typed(integers.get(variable.name, float(row[place])), variable)
            for number, place, variable in self._read
        }

    def _computed_parameters(self, row: Rows, values: Mapping[int, Value]) -> Rows:
        parameters = self._parameters.copy()
        # What overflows is told below, as what an expression gives is.
        with np.errstate(over="ignore", invalid="ignore"):
            np.add.at(parameters, self._targets, self._factors * row[self._sources])
        if self._computed:
            memory = Memory(0, [values.get(number, 0) for number in range(len(self.circuit.variables))])
            for positions, evaluate in self._computed:
                parameters[positions] = evaluate(memory)
        if not np.isfinite(parameters).all():
            worst = parameters[~np.isfinite(parameters)][0]
            raise SimulationFailed(f"a gate's parameter became {worst}")
        return parameters


def bind(circuit: Circuit | ValidCircuit, values: Mapping[str, float]) -> ValidCircuit:
    """`circuit` with the values of its inputs, by their names. To bind many rows, keep a `Template`.

    Raises `CircuitError` when the circuit is not valid, `OptionError` when the values don't fit its inputs,
    and `SimulationFailed` when a gate's parameter has no finite value.
    """
    template = Template(circuit)
    return template.bind(template.rows(list(values), [list(values.values())])[0])


class _BoundCircuit(ValidCircuit):
    """A circuit that needs no check of its own, since its template was checked.

    Its program is the template's, with this circuit's parameters and first values.
    """

    __slots__ = ("_parameters", "_template")

    def __init__(self, template: Template, parameters: Rows, values: Mapping[int, Value]) -> None:
        self._template = template
        self._parameters = parameters
        Runnable.__init__(self)
        self.is_noisy = template.is_noisy
        numbered = template.circuit
        self.circuit = numbered.replaced(
            variables=[
                replace(variable, is_input=False, value=values[number]) if number in values else variable
                for number, variable in enumerate(numbered.variables)
            ],
            operations=[operation.with_blocks(self._filled) for operation in numbered.operations],
            body=self._filled(numbered.body),
        )

    def _find_wires(self, from_zero: bool, as_matrix: bool) -> Wires:
        return self._template.wires(from_zero=from_zero, as_matrix=as_matrix)

    def _compile(self, from_zero: bool, as_matrix: bool, mixed: bool, threads: int | None) -> StepProgram:
        shared = self._template.program(
            from_zero=from_zero, as_matrix=as_matrix, mixed=mixed, threads=threads
        )
        circuit = self.circuit
        return replace(
            shared,
            scope=Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables),
            steps=tuple(self._step(step) for step in shared.steps),
        )

    def _filled(self, block: Block) -> Block:
        """Return a block with parameters in the place of their numbers."""
        if not len(block.parameters):
            return block
        return Block(
            block.operations, block.qubits, block.clbits, self._parameters[block.parameters.astype(np.intp)]
        )

    def _steps(self, steps: Steps) -> Steps:
        return tuple(self._step(step) for step in steps)

    def _step(self, step: Step) -> Step:
        match step:
            case GateStep() | NoisyStep():
                segment = step.segment
                if not len(segment.block.parameters):
                    return step
                return replace(step, segment=replace(segment, block=self._filled(segment.block)))
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
    `sources` (variables) and `factors` the terms; `computed` has each expression, with
    all the parameters that its value is.
    """

    def __init__(self, circuit: Circuit, inputs: frozenset[int]) -> None:
        self.parameters: list[Rows] = [np.zeros(0)]
        self.targets: list[_Positions] = [np.zeros(0, np.int64)]
        self.sources: list[_Positions] = [np.zeros(0, np.int64)]
        self.factors: list[Rows] = [np.zeros(0)]
        self.computed: list[tuple[_Positions, Expression, Path]] = []
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
        operations = [operation.with_blocks(self._numbered) for operation in table]
        body = self._numbered(circuit.body)
        for number, expressions in self._plain_now.items():
            first = np.concatenate([np.zeros(0, np.int64), *self._positions[number]])
            for place, expression in enumerate(expressions):
                self.computed.append((first + place, expression, ("operations", number)))
        self.circuit = circuit.replaced(
            variables=[replace(variable, is_input=False) for variable in circuit.variables],
            operations=operations,
            body=body,
        )

    def _plain(self, operation: Operation, fixed: frozenset[int]) -> Operation:
        """Return the operation, as a plain gate if its parameters depend on inputs alone that nothing
        writes.
        """
        expressions = operation.parameter_expressions
        if not expressions or any(
            any(self._scope.reads(expression)) or not self._scope.variables_of(expression) <= fixed
            for expression in expressions
        ):
            return operation
        return replace(operation, parameter_expressions=())

    def _numbered(self, block: Block) -> Block:
        """Return the block with the numbers of its parameters, to which those of new plain gates are
        added.
        """
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
    """Return the variables that something in the circuit may write."""
    written = {
        operation.store.target.index
        for operation in circuit.operations
        if operation.store is not None and isinstance(operation.store.target, VariableRef)
    }
    loops = (operation.for_loop for operation in circuit.operations)
    return written | {loop.variable for loop in loops if loop is not None and loop.variable is not None}
