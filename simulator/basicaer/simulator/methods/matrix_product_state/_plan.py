"""The gates of a segment, and the order in which a chain takes them: of those that may be next, the nearest
to the centre, which then has the shortest way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import controlled
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.interface import GatePlan
from basicaer.simulator.methods.matrix_product_state._chain import Chain, Tensor

Gate: TypeAlias = tuple[tuple[int, ...], Tensor | None]
"""Qubits and their matrix, the first being the index's least significant bit; None exchanges two qubits."""


class ChainPlan(GatePlan[Chain]):
    """Gates in their order."""

    __slots__ = ("_gates", "_work")

    def __init__(self, segment: Segment) -> None:
        self._gates = gates_of(segment)
        self._work = float(len(segment.block))

    def apply(self, state: Chain, control: RunControl) -> None:
        control.check()
        _Schedule(self._gates, state, control, self._work).run()


class _Schedule:
    """One application of gates to a state."""

    def __init__(self, gates: list[Gate], state: Chain, control: RunControl, work: float) -> None:
        self._gates = gates
        self._state = state
        self._control = control
        self._share = work / max(1, len(gates))
        self._work = work
        self._left = sum(len(qubits) > 1 and matrix is not None for qubits, matrix in gates)
        self._queues: list[list[int]] = [[] for _ in range(state.num_qubits)]
        for number, (qubits, _) in enumerate(gates):
            for qubit in qubits:
                self._queues[qubit].append(number)
        self._heads = [0] * state.num_qubits
        self._waiting: list[Tensor | None] = [None] * state.num_qubits
        # Of each qubit the gate that may be next, if all of its qubits have come to it; there is at most one.
        self._ready: list[int | None] = [None] * state.num_qubits
        self._num_ready = 0

    def run(self) -> None:
        """Apply all of them."""
        for qubit in range(self._state.num_qubits):
            self._look(qubit)
        rightwards = True
        while self._num_ready:
            number, rightwards = self._nearest(rightwards)
            qubits, matrix = self._gates[number]
            self._num_ready -= 1
            for qubit in qubits:
                self._ready[qubit] = None
            self._take(qubits, matrix, rightwards)
            if matrix is not None:
                self._left -= 1
                self._state.meter.foresee(self._left, self._state.num_qubits)
            self._control.advance(self._share)
            self._work -= self._share
            for qubit in qubits:
                self._heads[qubit] += 1
            for qubit in qubits:
                self._look(qubit)
        for qubit in list(self._state.wires):
            self._settle(qubit)
        self._control.advance(max(0.0, self._work))

    def _look(self, qubit: int) -> None:
        """Take the next gates of one qubit on this one, up to one that needs others; see whether they wait
        too.
        """
        queue, heads = self._queues[qubit], self._heads
        while heads[qubit] < len(queue):
            number = queue[heads[qubit]]
            qubits, matrix = self._gates[number]
            if len(qubits) == 1 and matrix is not None:
                before = self._waiting[qubit]
                self._waiting[qubit] = matrix if before is None else matrix @ before
                heads[qubit] += 1
                continue
            if self._ready[qubit] is None and all(
                heads[other] < len(self._queues[other]) and self._queues[other][heads[other]] == number
                for other in qubits
            ):
                self._num_ready += 1
                for other in qubits:
                    self._ready[other] = number
            return

    def _nearest(self, rightwards: bool) -> tuple[int, bool]:
        """Return the gate that is nearest to the centre, and whether it lies to its right.

        Of gates that are as near as each other, that is taken which lies ahead.
        """
        state = self._state
        sites, wires, centre = state.sites, state.wires, state.centre
        ahead = 1 if rightwards else -1
        for distance in range(state.num_qubits):
            for site in (centre + ahead * distance, centre - ahead * distance):
                if 0 <= site < state.num_qubits:
                    number = self._ready[wires[site]]
                    if number is not None and site == min(sites[qubit] for qubit in self._gates[number][0]):
                        return number, site >= centre
        raise AssertionError("a gate is ready that has no qubits")

    def _take(self, qubits: tuple[int, ...], matrix: Tensor | None, rightwards: bool) -> None:
        state = self._state
        if matrix is None:
            first, second = qubits
            state.exchange(first, second)
            self._waiting[first], self._waiting[second] = self._waiting[second], self._waiting[first]
        elif len(qubits) == 2:
            first, second = qubits
            one, two = self._waiting[first], self._waiting[second]
            if one is not None or two is not None:
                identity = np.eye(2)
                matrix = matrix @ np.kron(identity if two is None else two, identity if one is None else one)
                self._waiting[first] = self._waiting[second] = None
            state.pair(first, second, matrix, rightwards, self._control)
        else:
            for qubit in qubits:
                self._settle(qubit)
            state.gate(qubits, matrix, self._control)

    def _settle(self, qubit: int) -> None:
        """Apply what waits of gates of one qubit."""
        matrix = self._waiting[qubit]
        if matrix is not None:
            self._state.single(qubit, matrix)
            self._waiting[qubit] = None


def gates_of(segment: Segment) -> list[Gate]:
    """Return the gates of a segment with their matrices; a factor of the whole state joins qubit 0."""
    block, layout = segment.block, segment.layout
    offsets = layout.offsets(block)
    matrices: list[Tensor | None] = [None] * len(block)
    for index in np.unique(block.operations).tolist():
        chosen = np.flatnonzero(block.operations == index)
        operation = segment.operations[index]
        count = int(layout.parameters[index])
        values = block.parameters[offsets.parameters[chosen][:, None] + np.arange(count)]
        for place, matrix in zip(
            chosen.tolist(), _matrices(operation, values, int(layout.qubits[index])), strict=True
        ):
            matrices[place] = matrix
    qubits = block.qubits.tolist()
    bounds = offsets.qubits.tolist()
    found: list[Gate] = []
    for number, matrix in enumerate(matrices):
        own = tuple(qubits[bounds[number] : bounds[number + 1]])
        if not own and matrix is not None and segment.num_qubits:
            found.append(((0,), matrix[0, 0] * np.eye(2)))
        elif own:
            found.append((own, matrix))
    return found


def _matrices(
    operation: Operation, values: np.typing.NDArray[np.float64], width: int
) -> Sequence[Tensor | None]:
    """Return the matrices of instructions with all controls, for rows of parameters."""
    if operation.matrix is not None:
        targets: Sequence[Tensor] = [np.asarray(operation.matrix, dtype=np.complex128)] * len(values)
        own = 0
    else:
        spec = GATES[operation.name]
        if spec.name == "swap" and not operation.num_controls:
            return [None] * len(values)
        own = width - spec.num_targets - operation.num_controls
        if not spec.num_parameters:
            targets = [spec.target_matrices(np.zeros((1, 0)))[0]] * len(values)
        else:
            targets = list(spec.target_matrices(values))
    controls = own + operation.num_controls
    if not controls:
        return targets
    state = operation.control_state
    if state is None:
        state = (1 << operation.num_controls) - 1
    state |= ((1 << own) - 1) << operation.num_controls
    if targets and all(matrix is targets[0] for matrix in targets):
        return [controlled(targets[0], controls, state)] * len(targets)
    return [controlled(matrix, controls, state) for matrix in targets]
