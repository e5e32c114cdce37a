"""Turns a valid circuit into steps, and finds which measurements can wait until the end.

A measurement of the outermost block waits when nothing acts on its qubit afterwards, and nothing reads or
writes its classical bit. When all of them can wait, and no reset is random, one run serves all shots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._outcomes import Readout
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import Parameters
from basicaer.simulator.circuit._layout import CONTROL_FLOW, LOOP_JUMPS, NO_EFFECT, Layout
from basicaer.simulator.circuit._operations import Block, Operation, Save
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.classical._scope import Path, Scope
from basicaer.simulator.compiler._deferral import find_deferral
from basicaer.simulator.compiler._drawing import Drawing
from basicaer.simulator.compiler._noise_steps import ReadoutStep
from basicaer.simulator.compiler._ordering import GATE, MEASURE, OTHER, READOUT, RESET, ordered, permuted
from basicaer.simulator.compiler._replacing import reduced_block, reduced_table, selected, without_resets
from basicaer.simulator.compiler._steps import (
    DynamicGateStep,
    ForStep,
    GateStep,
    IfStep,
    JumpStep,
    MeasureStep,
    ResetStep,
    SaveStep,
    Step,
    Steps,
    StoreStep,
    SwitchStep,
    WhileStep,
    prepare_step,
    set_steps,
)
from basicaer.simulator.compiler._wires import Wires, find_wires

_Mask = npt.NDArray[np.bool_]
_Indices = npt.NDArray[np.uint32]
_Numbers = npt.NDArray[np.int64]

# A kind of instructions beside those of `_ordering`; runs of all but the last of them become one step each.
_IDLE = OTHER + 1


@dataclass(frozen=True, slots=True, eq=False)
class StepProgram:
    """A circuit as steps.

    Qubits of steps are those of the state: the circuit's wires, or what `_wires` has for the others. `tail`
    has the measurements that wait until the end, and `readout` what they write. `random_at` is the first
    instruction of the outermost block with a random outcome before that, and `waits_at` the first one of the
    tail; None when there is none. `gates` counts the gates of one run, where loops of unknown length count as
    one turn. `saves` are all that the table has. `told` are the readout errors that come after the tail.
    """

    wires: Wires
    num_clbits: int
    global_phase: float
    scope: Scope
    steps: Steps
    tail: MeasureStep
    readout: Readout
    random_at: int | None
    waits_at: int | None
    gates: float
    saves: tuple[Save, ...]
    told: tuple[ReadoutStep, ...] = ()

    @property
    def is_random(self) -> bool:
        """Whether a step has a random outcome, so that shots may part before the tail."""
        return self.random_at is not None


def compile_circuit(
    circuit: Circuit,
    wires: Wires | None = None,
    *,
    from_zero: bool,
    as_matrix: bool = False,
    mixed: bool = False,
) -> StepProgram:
    """Return the program of a valid circuit, for states of its `wires`.

    `from_zero` says that all qubits start in 0, which makes resets at the beginning void. `as_matrix`
    compiles for states that hold a matrix (see `State.identity`): of k wires, wire w is qubit k + w of the
    state. States that are `mixed` take channels and resets as they take gates; for others, what channels and
    resets do is drawn.

    Raises `CircuitError` when the circuit has inputs: they have to get values first.
    """
    unbound = [variable.name for variable in circuit.variables if variable.is_input]
    if unbound:
        names = ", ".join(unbound[:8]) + (", …" if len(unbound) > 8 else "")
        raise CircuitError(f"the circuit has inputs without values: {names}; bind them first", ("variables",))
    if wires is None:
        wires = find_wires(circuit, from_zero=from_zero, as_matrix=as_matrix, has_parameters=True)
    shift = wires.count if as_matrix else 0
    return _Compiler(circuit, wires, from_zero and not as_matrix, shift, mixed).program()


class _Compiler:
    def __init__(self, circuit: Circuit, wires: Wires, from_zero: bool, shift: int, mixed: bool) -> None:
        self._circuit = circuit
        self._wires = wires
        self._from_zero = from_zero
        self._state_qubits = wires.count + shift
        self._shift = np.uint32(shift)
        self._table = circuit.operations
        self._layout = Layout(self._table)
        self._run_table = reduced_table(self._table, self._layout, wires)
        self._run_layout = self._layout if self._run_table is self._table else Layout(self._run_table)
        self._scope = Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables)
        self._mixed = mixed
        is_noisy = any(operation.channel is not None for operation in self._table)
        self._drawing = Drawing(self._run_table) if is_noisy and not mixed else None
        self._kinds = np.array([_kind(operation, mixed) for operation in self._table], dtype=np.int64)
        # For each operation: its step if it is control flow, its gates, and whether it or a part of it is
        # random.
        self._flow: dict[int, Step] = {}
        self._gates = np.array(
            [op.name in GATES or op.name == "unitary" for op in self._table], dtype=np.float64
        )
        random = ("measure", "readout_error", *(() if mixed else ("reset", "initialize", "channel")))
        self._random = np.array([op.name in random for op in self._table], dtype=np.bool_)

    def program(self) -> StepProgram:
        circuit, body = self._circuit, self._circuit.body
        pause = current_pause()
        for index, operation in enumerate(self._table):
            if operation.name in CONTROL_FLOW:
                pause()
                step = self._control_flow(operation, ("operations", index))
                self._flow[index] = step
                inner = [block.operations for _, block in operation.blocks()]
                turns = float(step.count) if isinstance(step, ForStep) else 1.0
                self._gates[index] = turns * sum(float(self._gates[used].sum()) for used in inner)
                self._random[index] = any(bool(self._random[used].any()) for used in inner)
        sizes = (circuit.num_qubits, circuit.num_clbits)
        deferral = find_deferral(body, self._table, self._layout, self._scope, sizes, self._from_zero)
        offsets = self._layout.offsets(body)
        pause()
        waits, told = deferral.waits, deferral.told
        kept = ~(waits | deferral.void | told)
        numbers = np.arange(len(body))
        tail = MeasureStep(
            qubits=self._measured(body.qubits[offsets.qubits[:-1][waits]], numbers[waits]),
            clbits=body.clbits[offsets.clbits[:-1][waits]],
        )
        return StepProgram(
            wires=self._wires,
            num_clbits=circuit.num_clbits,
            global_phase=float(circuit.global_phase),
            scope=self._scope,
            steps=self._steps(selected(self._layout, body, kept), deferral.fresh[kept], numbers[kept]),
            tail=tail,
            readout=Readout(
                tail.qubits.tolist(), tail.clbits.tolist(), self._wires.count, circuit.num_clbits
            ),
            random_at=_first(self._random[body.operations] & kept & ~deferral.fresh),
            waits_at=_first(waits | told),
            gates=float(self._gates[body.operations].sum()),
            saves=tuple(op.save for op in self._table if op.save is not None),
            told=tuple(
                _misread(
                    self._table[body.operations[number]],
                    body.clbits[offsets.clbits[number] : offsets.clbits[number + 1]],
                )
                for number in np.flatnonzero(told).tolist()
            ),
        )

    def _steps(self, block: Block, fresh: _Mask | None = None, numbers: _Numbers | None = None) -> Steps:
        """Return the steps of a block.

        Of the outermost block, `fresh` marks the instructions that act on qubits still in 0, and `numbers`
        are the instructions' own.
        """
        pause = current_pause()
        active = self._kinds[block.operations] != _IDLE
        if fresh is not None:
            fresh = fresh[active]
        numbers = np.full(int(active.sum()), -1) if numbers is None else numbers[active]
        block = selected(self._layout, block, active)
        if not len(block):
            return ()
        pause()
        kinds = self._kinds[block.operations]
        pause()
        offsets = self._layout.offsets(block)
        pause()
        if ((kinds == MEASURE) | (kinds == RESET)).any():
            order = np.array(
                ordered(kinds.tolist(), block.qubits, offsets.qubits, block.clbits, offsets.clbits)
            )
            block, kinds = permuted(block, offsets, order), kinds[order]
            fresh = None if fresh is None else fresh[order]
            numbers = numbers[order]
            offsets = self._layout.offsets(block)
        # A step begins where the kind changes, and at each instruction that is a step of its own.
        borders = ((kinds[1:] != kinds[:-1]) | (kinds[1:] >= READOUT)).nonzero()[0] + 1
        steps: list[Step] = []
        for start, stop in pairwise((0, *borders.tolist(), len(block))):
            pause()
            qubits = block.qubits[offsets.qubits[start] : offsets.qubits[stop]]
            clbits = block.clbits[offsets.clbits[start] : offsets.clbits[stop]]
            parameters = block.parameters[offsets.parameters[start] : offsets.parameters[stop]]
            operations = block.operations[start:stop]
            if kinds[start] == GATE:
                gates = Block(operations, qubits, parameters=parameters)
                steps.extend(self._gate_step(gates, numbers[start:stop]))
            elif kinds[start] == MEASURE:
                steps.append(MeasureStep(self._measured(qubits, numbers[start:stop]), clbits))
            elif kinds[start] == RESET:
                steps.append(ResetStep(self._placed(qubits)))
            else:
                is_fresh = fresh is not None and bool(fresh[start])
                own = (qubits, clbits, parameters)
                steps.extend(self._other(int(operations[0]), own, int(numbers[start]), is_fresh))
        return tuple(steps)

    def _placed(self, qubits: _Indices) -> _Indices:
        """Return the qubits of the state, or the number for a qubit in 0."""
        if self._wires.is_whole:
            return qubits + self._shift
        return self._wires.places[qubits] + self._shift

    def _measured(self, qubits: _Indices, numbers: _Numbers) -> _Indices:
        """Return the same for measurements, with the number for a qubit in 1 as well."""
        placed = self._placed(qubits)
        ones = self._wires.tracked.ones
        if ones:
            is_one = np.array([number in ones for number in numbers.tolist()], dtype=np.bool_)
            placed[is_one & (placed == self._wires.count)] += np.uint32(1)
        return placed

    def _gate_step(self, block: Block, numbers: _Numbers) -> list[Step]:
        """Return the step of a run of gates; none when nothing is left of them."""
        if self._wires.tracked.replaced:
            block = reduced_block(block, numbers, self._layout, self._wires.tracked)
        if self._mixed and not self._wires.is_whole:
            block = without_resets(block, self._run_table, self._run_layout, self._wires)
        if not len(block):
            return []
        placed = Block(block.operations, self._placed(block.qubits), parameters=block.parameters)
        if self._drawing is not None and self._drawing.has_channels(placed):
            return list(self._drawing.steps(placed, self._state_qubits))
        return [GateStep(Segment(self._state_qubits, self._run_table, self._run_layout, placed))]

    def _save(self, save: Save, qubits: _Indices, number: int) -> SaveStep:
        ones = self._wires.tracked.saved_ones.get(number, ())
        placed = self._placed(qubits)
        if ones:
            placed[np.isin(qubits, ones) & (placed == self._wires.count)] += np.uint32(1)
        return SaveStep(save, tuple(placed.tolist()), ones)

    def _other(
        self, index: int, own: tuple[_Indices, _Indices, Parameters], number: int, is_fresh: bool
    ) -> list[Step]:
        """Return the steps of instruction `number` with `own` operands, which is not part of a run."""
        operation = self._table[index]
        qubits, clbits, parameters = own
        path = ("operations", index)
        steps: list[Step] = []
        if operation.name in CONTROL_FLOW:
            steps.append(self._flow[index])
        elif operation.name in LOOP_JUMPS:
            steps.append(JumpStep(leaves=operation.name == "break_loop"))
        elif operation.store is not None:
            steps.append(StoreStep(self._scope.store(operation.store, path)))
        elif operation.save is not None:
            steps.append(self._save(operation.save, qubits, number))
        elif operation.name == "measure":
            steps.append(MeasureStep(self._placed(qubits), clbits))
        elif operation.readout is not None:
            steps.append(_misread(operation, clbits))
        elif operation.name == "reset" and not self._mixed:
            steps.append(ResetStep(self._placed(qubits)))
        elif operation.initialize is not None:
            placed = self._placed(qubits)
            if not is_fresh:
                steps.append(self._reset(placed))
            steps.append(prepare_step(operation.initialize, tuple(placed.tolist()), self._wires.count))
        elif operation.set_state is not None:
            steps.extend(set_steps(operation.set_state, self._placed(qubits).tolist(), int(self._shift)))
        elif operation.parameter_expressions:
            steps.append(self._dynamic_gate(operation, qubits, path))
        else:
            alone = Block(np.array([index], dtype=np.uint32), qubits, parameters=parameters)
            steps.extend(self._gate_step(alone, np.array([number])))
        if operation.condition is None:
            return steps
        return [IfStep(self._scope.condition(operation.condition, path), tuple(steps))]

    def _reset(self, placed: _Indices) -> Step:
        """Return the step that makes qubits 0 before they get a state."""
        if not self._mixed:
            return ResetStep(placed)
        table = (Operation("reset", 1),)
        held = placed[placed < self._state_qubits]
        block = Block(np.zeros(len(held), dtype=np.uint32), held)
        return GateStep(Segment(self._state_qubits, table, Layout(table), block))

    def _dynamic_gate(self, operation: Operation, qubits: _Indices, path: Path) -> Step:
        expressions = operation.parameter_expressions
        plain = replace(operation, condition=None, parameter_expressions=(), num_parameters=len(expressions))
        layout = Layout((plain,))
        placed = self._placed(qubits)

        def segment(values: list[float]) -> Segment:
            block = Block(np.zeros(1, np.uint32), placed, parameters=np.array(values, dtype=np.float64))
            return Segment(self._state_qubits, (plain,), layout, block)

        return DynamicGateStep(tuple(self._scope.parameter(value, path) for value in expressions), segment)

    def _control_flow(self, operation: Operation, path: Path) -> Step:
        """Return the step of an operation whose blocks hold only operations before it."""
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


def _first(mask: _Mask) -> int | None:
    return int(np.argmax(mask)) if mask.any() else None


def _misread(operation: Operation, clbits: _Indices) -> ReadoutStep:
    if operation.readout is None:
        raise AssertionError("a readout error was validated without its payload")
    return ReadoutStep(tuple(clbits.tolist()), operation.readout.probabilities)


def _kind(operation: Operation, mixed: bool) -> int:
    if operation.name in NO_EFFECT:
        return _IDLE
    if operation.condition is not None or operation.parameter_expressions:
        return OTHER
    if operation.name in GATES or operation.name in ("unitary", "channel"):
        return GATE
    if mixed and operation.name == "reset":
        return GATE
    return {"measure": MEASURE, "reset": RESET, "readout_error": READOUT}.get(operation.name, OTHER)


def _length(values: range | tuple[int, ...]) -> int:
    """How many values there are; `len` fails for ranges of more than 2^63."""
    if isinstance(values, range):
        distance = values.stop - values.start
        return max(0, -(-distance // values.step))
    return len(values)
