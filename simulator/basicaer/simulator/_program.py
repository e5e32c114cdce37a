"""Turns a valid circuit into steps, and finds which measurements can wait until the end.

A measurement of the outermost block waits when nothing acts on its qubit afterwards, and nothing reads or
writes its classical bit. When all of them can wait, and no reset is random, one run serves all shots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._classical import Path, Scope
from basicaer.simulator._deferral import find_deferral
from basicaer.simulator._engine import Segment
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._gates import Parameters
from basicaer.simulator._layout import CONTROL_FLOW, LOOP_JUMPS, NO_EFFECT, Layout, Offsets
from basicaer.simulator._operations import Block, Initialize, Operation, Save
from basicaer.simulator._ordering import GATE, MEASURE, OTHER, RESET, ordered
from basicaer.simulator._steps import (
    DynamicGateStep,
    ForStep,
    GateStep,
    IfStep,
    JumpStep,
    MeasureStep,
    PrepareStep,
    ResetStep,
    SaveStep,
    Step,
    Steps,
    StoreStep,
    SwitchStep,
    WhileStep,
)

_Mask = npt.NDArray[np.bool_]
_Indices = npt.NDArray[np.uint32]

_R = 2.0**-0.5
_LETTERS = {
    "0": (1.0, 0.0),
    "1": (0.0, 1.0),
    "+": (_R, _R),
    "-": (_R, -_R),
    "r": (_R, _R * 1j),
    "l": (_R, _R * -1j),
}
# A kind of instructions beside those of `_ordering`; runs of all but the last of them become one step each.
_IDLE = OTHER + 1


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A circuit as steps.

    `tail` has the measurements that wait until the end. `random_at` is the first instruction of the outermost
    block with a random outcome before that, and `waits_at` the first one of the tail; None when there is
    none. `gates` counts the gates of one run, where loops of unknown length count as one turn. `saves` are
    all that the table has.
    """

    num_qubits: int
    num_clbits: int
    global_phase: float
    scope: Scope
    steps: Steps
    tail: MeasureStep
    random_at: int | None
    waits_at: int | None
    gates: float
    saves: tuple[Save, ...]

    @property
    def is_random(self) -> bool:
        """Whether a step has a random outcome, so that shots may part before the tail."""
        return self.random_at is not None


def compile_circuit(circuit: Circuit, *, from_zero: bool, as_matrix: bool = False) -> Program:
    """The program of a valid circuit.

    `from_zero` says that all qubits start in 0, which makes resets at the beginning void. `as_matrix`
    compiles for states that hold a matrix (see `State.identity`): the circuit's qubit q is qubit `num_qubits
    + q` of the state.

    Raises `CircuitError` when the circuit has inputs: they have to get values first.
    """
    unbound = [variable.name for variable in circuit.variables if variable.is_input]
    if unbound:
        names = ", ".join(unbound[:8]) + (", …" if len(unbound) > 8 else "")
        raise CircuitError(f"the circuit has inputs without values: {names}; bind them first", ("variables",))
    return _Compiler(circuit, from_zero, circuit.num_qubits if as_matrix else 0).program()


class _Compiler:
    def __init__(self, circuit: Circuit, from_zero: bool, shift: int) -> None:
        self._circuit = circuit
        self._from_zero = from_zero
        self._state_qubits = circuit.num_qubits + shift
        self._shift = np.uint32(shift)
        self._table = circuit.operations
        self._layout = Layout(self._table)
        self._scope = Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables)
        self._kinds = np.array([_kind(operation) for operation in self._table], dtype=np.int64)
        # For each operation: its step if it is control flow, its gates, and whether it or a part of it is
        # random.
        self._flow: dict[int, Step] = {}
        self._gates = np.array(
            [op.name in GATES or op.name == "unitary" for op in self._table], dtype=np.float64
        )
        self._random = np.array(
            [op.name in ("measure", "reset", "initialize") for op in self._table], dtype=np.bool_
        )

    def program(self) -> Program:
        circuit, body = self._circuit, self._circuit.body
        for index, operation in enumerate(self._table):
            if operation.name in CONTROL_FLOW:
                step = self._control_flow(operation, ("operations", index))
                self._flow[index] = step
                inner = [block.operations for _, block in operation.blocks()]
                turns = float(step.count) if isinstance(step, ForStep) else 1.0
                self._gates[index] = turns * sum(float(self._gates[used].sum()) for used in inner)
                self._random[index] = any(bool(self._random[used].any()) for used in inner)
        sizes = (circuit.num_qubits, circuit.num_clbits)
        deferral = find_deferral(body, self._table, self._layout, self._scope, sizes, self._from_zero)
        offsets = self._layout.offsets(body)
        waits, kept = deferral.waits, ~(deferral.waits | deferral.void)
        return Program(
            num_qubits=circuit.num_qubits,
            num_clbits=circuit.num_clbits,
            global_phase=float(circuit.global_phase),
            scope=self._scope,
            steps=self._steps(self._select(body, kept), deferral.fresh[kept]),
            tail=MeasureStep(
                qubits=body.qubits[offsets.qubits[:-1][waits]] + self._shift,
                clbits=body.clbits[offsets.clbits[:-1][waits]],
            ),
            random_at=_first(self._random[body.operations] & kept & ~deferral.fresh),
            waits_at=_first(waits),
            gates=float(self._gates[body.operations].sum()),
            saves=tuple(op.save for op in self._table if op.save is not None),
        )

    def _select(self, block: Block, kept: _Mask) -> Block:
        """The instructions of `block` that are `kept`."""
        if kept.all():
            return block
        offsets = self._layout.offsets(block)
        return Block(
            operations=block.operations[kept],
            qubits=block.qubits[np.repeat(kept, np.diff(offsets.qubits))],
            clbits=block.clbits[np.repeat(kept, np.diff(offsets.clbits))],
            parameters=block.parameters[np.repeat(kept, np.diff(offsets.parameters))],
        )

    def _steps(self, block: Block, fresh: _Mask | None = None) -> Steps:
        """The steps of a block; `fresh` marks the instructions that act on qubits still in 0."""
        active = self._kinds[block.operations] != _IDLE
        if fresh is not None:
            fresh = fresh[active]
        block = self._select(block, active)
        if not len(block):
            return ()
        kinds = self._kinds[block.operations]
        offsets = self._layout.offsets(block)
        if ((kinds == MEASURE) | (kinds == RESET)).any():
            order = np.array(
                ordered(kinds.tolist(), block.qubits, offsets.qubits, block.clbits, offsets.clbits)
            )
            block, kinds = _permuted(block, offsets, order), kinds[order]
            fresh = None if fresh is None else fresh[order]
            offsets = self._layout.offsets(block)
        # A step begins where the kind changes, and at each instruction that is a step of its own.
        borders = ((kinds[1:] != kinds[:-1]) | (kinds[1:] == OTHER)).nonzero()[0] + 1
        steps: list[Step] = []
        for start, stop in pairwise((0, *borders.tolist(), len(block))):
            qubits = block.qubits[offsets.qubits[start] : offsets.qubits[stop]] + self._shift
            clbits = block.clbits[offsets.clbits[start] : offsets.clbits[stop]]
            parameters = block.parameters[offsets.parameters[start] : offsets.parameters[stop]]
            operations = block.operations[start:stop]
            if kinds[start] == GATE:
                steps.append(GateStep(self._segment(Block(operations, qubits, parameters=parameters))))
            elif kinds[start] == MEASURE:
                steps.append(MeasureStep(qubits, clbits))
            elif kinds[start] == RESET:
                steps.append(ResetStep(qubits))
            else:
                is_fresh = fresh is not None and bool(fresh[start])
                steps.extend(self._other(int(operations[0]), qubits, clbits, parameters, is_fresh))
        return tuple(steps)

    def _segment(self, block: Block) -> Segment:
        return Segment(
            num_qubits=self._state_qubits,
            operations=self._table,
            layout=self._layout,
            block=block,
        )

    def _other(
        self, index: int, qubits: _Indices, clbits: _Indices, parameters: Parameters, is_fresh: bool
    ) -> list[Step]:
        """The steps of an instruction that is not part of a run."""
        operation = self._table[index]
        path = ("operations", index)
        steps: list[Step] = []
        if operation.name in CONTROL_FLOW:
            steps.append(self._flow[index])
        elif operation.name in LOOP_JUMPS:
            steps.append(JumpStep(leaves=operation.name == "break_loop"))
        elif operation.store is not None:
            steps.append(StoreStep(self._scope.store(operation.store, path)))
        elif operation.save is not None:
            steps.append(SaveStep(operation.save, tuple(qubits.tolist())))
        elif operation.name == "measure":
            steps.append(MeasureStep(qubits, clbits))
        elif operation.name == "reset":
            steps.append(ResetStep(qubits))
        elif operation.initialize is not None:
            if not is_fresh:
                steps.append(ResetStep(qubits))
            steps.append(_prepare(operation.initialize, tuple(qubits.tolist())))
        elif operation.parameter_expressions:
            steps.append(self._dynamic_gate(operation, qubits, path))
        else:
            alone = np.array([index], dtype=np.uint32)
            steps.append(GateStep(self._segment(Block(alone, qubits, parameters=parameters))))
        if operation.condition is None:
            return steps
        return [IfStep(self._scope.condition(operation.condition, path), tuple(steps))]

    def _dynamic_gate(self, operation: Operation, qubits: _Indices, path: Path) -> Step:
        expressions = operation.parameter_expressions
        plain = replace(operation, condition=None, parameter_expressions=(), num_parameters=len(expressions))
        layout = Layout((plain,))

        def segment(values: list[float]) -> Segment:
            block = Block(np.zeros(1, np.uint32), qubits, parameters=np.array(values, dtype=np.float64))
            return Segment(self._state_qubits, (plain,), layout, block)

        return DynamicGateStep(tuple(self._scope.parameter(value, path) for value in expressions), segment)

    def _control_flow(self, operation: Operation, path: Path) -> Step:
        """The step of an operation whose blocks hold only operations before it."""
        if operation.if_else is not None:
            choice = operation.if_else
            other = choice.else_block
            return IfStep(
                self._scope.condition(choice.condition, path),
                self._steps(choice.then_block),
                () if other is None else self._steps(other),
            )
        if operation.while_loop is not None:
            loop = operation.while_loop
            return WhileStep(self._scope.condition(loop.condition, path), self._steps(loop.body))
        if operation.for_loop is not None:
            turns = operation.for_loop
            return ForStep(turns.values, _length(turns.values), turns.variable, self._steps(turns.body))
        if operation.switch_case is None:
            raise AssertionError(f"{operation.name} was validated without its payload")
        switch = operation.switch_case
        return SwitchStep(
            self._scope.selector(switch.target, path),
            tuple(
                (None if case.is_default else frozenset(case.values), self._steps(case.body))
                for case in switch.cases
            ),
        )


def _permuted(block: Block, offsets: Offsets, order: npt.NDArray[np.int64]) -> Block:
    """The instructions of `block` in another order."""

    def places(ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        sizes = np.diff(ends)[order]
        # By how far an instruction's operands move; those of the new column's start are at 0, 1, ...
        found: npt.NDArray[np.int64] = np.repeat(ends[:-1][order] - np.cumsum(sizes) + sizes, sizes)
        found += np.arange(ends[-1])
        return found

    return Block(
        operations=block.operations[order],
        qubits=block.qubits[places(offsets.qubits)],
        clbits=block.clbits[places(offsets.clbits)],
        parameters=block.parameters[places(offsets.parameters)],
    )


def _first(mask: _Mask) -> int | None:
    return int(np.argmax(mask)) if mask.any() else None


def _kind(operation: Operation) -> int:
    if operation.name in NO_EFFECT:
        return _IDLE
    if operation.condition is not None or operation.parameter_expressions:
        return OTHER
    if operation.name in GATES or operation.name == "unitary":
        return GATE
    return {"measure": MEASURE, "reset": RESET}.get(operation.name, OTHER)


def _length(values: range | tuple[int, ...]) -> int:
    """How many values there are; `len` fails for ranges of more than 2^63."""
    if isinstance(values, range):
        distance = values.stop - values.start
        return max(0, -(-distance // values.step))
    return len(values)


def _prepare(initialize: Initialize, qubits: tuple[int, ...]) -> PrepareStep:
    """The step that gives `qubits`, which are in 0, their state; product states qubit by qubit."""
    if initialize.amplitudes is not None:
        return PrepareStep(((qubits, np.asarray(initialize.amplitudes, dtype=np.complex128)),))
    label = initialize.label
    if label is None:
        label = f"{initialize.basis_state:0{len(qubits)}b}" if qubits else ""
    return PrepareStep(
        tuple(
            ((qubit,), np.array(_LETTERS[letter], dtype=np.complex128))
            for qubit, letter in zip(qubits, reversed(label), strict=True)
            if letter != "0"
        )
    )
