"""Applies segments of gates to a state: the one interface behind which speed is made.

`prepare(segment, threads)` plans a `Segment` once, and `Plan.apply(state, control)` carries the plan out, in
place, as often as it is needed (for each branch, and each turn of a loop). Whatever is not unitary
(measurement, reset, classical control, initialize) happens above, in `_trajectories.py`.

The contract of a segment:

- it is valid: indices are in range, an instruction's qubits are distinct, parameters are finite, matrices
unitary; - each of its instructions is a gate of `GATES` or `unitary`, with or without extra controls and a
control state, and
  takes its parameters from the column; barriers and delays are left out, and conditions were decided above;
- extra controls are the first of an instruction's qubits, then come the controls that the gate itself has,
then the
  targets, of which the first is the least significant bit of the matrix's index.

`apply` raises `SimulationCancelled` within 50 ms of `RunControl.cancel`, and reports `segment.work` in all
through `RunControl.advance`. Equal segments and states give equal amplitudes, bit by bit, whatever the number
of threads.

This implementation is plain numpy: one gate after another, on views of the state's axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._gates import Matrices
from basicaer.simulator._layout import Layout
from basicaer.simulator._operations import Block, Operation
from basicaer.simulator._state import BLOCK_BITS, Amplitudes, State

_MOST_ROWS_ALONE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Unitary instructions of a circuit, in columns.

    `operations` is the circuit's whole table and `layout` its operands' counts; `block` has the instructions,
    which act on states of `num_qubits` qubits.
    """

    num_qubits: int
    operations: tuple[Operation, ...]
    layout: Layout
    block: Block

    @property
    def work(self) -> float:
        """The amplitudes to compute if each instruction were applied alone: the measure of progress."""
        return float(len(self.block)) * 2.0**self.num_qubits


class Plan:
    """A segment that is ready to be applied. It keeps no reference to any state, and threads may share it."""

    __slots__ = ("_matrices", "_member", "_segment", "_starts")

    def __init__(self, segment: Segment) -> None:
        block = segment.block
        offsets = segment.layout.offsets(block)
        self._segment = segment
        self._starts = offsets.qubits.tolist()
        self._matrices: dict[int, Matrices] = {}
        # Which row of its operation's matrices an instruction has.
        self._member = np.zeros(len(block), dtype=np.int64)
        for index in np.unique(block.operations).tolist():
            operation = segment.operations[index]
            members = np.flatnonzero(block.operations == index)
            self._member[members] = np.arange(len(members))
            if operation.matrix is not None:
                matrix = np.asarray(operation.matrix, dtype=np.complex128)
                self._matrices[index] = np.broadcast_to(matrix, (len(members), *matrix.shape))
                continue
            spec = GATES[operation.name]
            places = offsets.parameters[members][:, None] + np.arange(spec.num_parameters)
            self._matrices[index] = spec.target_matrices(block.parameters[places])

    def apply(self, state: State, control: RunControl) -> None:
        """Apply the segment to `state` in place. See the module for what holds of it."""
        segment = self._segment
        qubits = segment.block.qubits.tolist()
        work = 2.0**segment.num_qubits
        for number, index in enumerate(segment.block.operations.tolist()):
            operation = segment.operations[index]
            matrix = self._matrices[index][self._member[number]]
            operands = qubits[self._starts[number] : self._starts[number + 1]]
            num_controls = len(operands) - (len(matrix).bit_length() - 1)
            _apply_gate(
                state,
                matrix,
                operands[num_controls:],
                dict(zip(operands[:num_controls], _control_bits(operation, num_controls), strict=True)),
                control,
            )
            control.advance(work)


def prepare(segment: Segment, threads: int | None = None) -> Plan:
    """Plan a segment. `threads` bounds the threads of `apply`; None leaves it to the engine."""
    del threads  # numpy computes on the caller's thread alone
    return Plan(segment)


def _control_bits(operation: Operation, num_controls: int) -> list[int]:
    """The state that each control has to have: the stated one of extra controls, 1 of the gate's own."""
    state = operation.control_state
    extra = operation.num_controls
    return [1 if state is None or place >= extra else state >> place & 1 for place in range(num_controls)]


def _apply_gate(
    state: State, matrix: Matrices, targets: list[int], controls: dict[int, int], control: RunControl
) -> None:
    """Apply one matrix to `targets` where the qubits in `controls` have the states given there.

    The state is viewed with one axis for each qubit of the gate, and one for each gap between them. The
    matrix's rows then mix the sub-arrays in which the target axes are fixed.
    """
    involved = sorted([*targets, *controls], reverse=True)
    bounds = [state.num_qubits, *involved]
    shape = [length for upper, lower in pairwise(bounds) for length in (1 << (upper - 1 - lower), 2)]
    shape.append(1 << bounds[-1] if involved else 1 << state.num_qubits)
    axes = {qubit: 2 * place + 1 for place, qubit in enumerate(involved)}
    view = state.amplitudes.reshape(shape)
    place: list[int | slice] = [slice(None)] * len(shape)
    for qubit, bit in controls.items():
        place[axes[qubit]] = bit
    entries = matrix.tolist()
    for gaps in _gap_blocks(shape[::2], len(matrix)):
        control.check()
        place[::2] = gaps
        parts = []
        for index in range(len(matrix)):
            for bit, target in enumerate(targets):
                place[axes[target]] = index >> bit & 1
            parts.append(view[tuple(place)])
        if len(parts) > _MOST_ROWS_ALONE:
            _multiply_stacked(matrix, parts)
        else:
            _multiply_rows(entries, parts)


def _gap_blocks(gaps: list[int], rows: int) -> Iterator[tuple[slice, ...]]:
    """Slices of the gap axes, so that `rows` sub-arrays of each block together have about 2^BLOCK_BITS
    elements.
    """
    left = rows
    for length in gaps:
        left *= length
    choices = []
    for length in gaps:
        pieces = min(length, max(1, left >> BLOCK_BITS))
        step = length // pieces
        left //= pieces
        choices.append([slice(start, start + step) for start in range(0, length, step)])
    return product(*choices)


def _multiply_rows(entries: list[list[complex]], parts: list[Amplitudes]) -> None:
    """Replace the parts by their combinations, row by row, leaving out zeros and rows of the identity."""
    changed = []
    for row, factors in enumerate(entries):
        terms = [(column, factor) for column, factor in enumerate(factors) if factor != 0.0]
        if terms == [(row, 1.0)]:
            continue
        value = parts[terms[0][0]] * terms[0][1]
        for column, factor in terms[1:]:
            value += parts[column] * factor
        changed.append((row, value))
    for row, value in changed:
        parts[row][...] = value


def _multiply_stacked(matrix: Matrices, parts: list[Amplitudes]) -> None:
    """The same by one matrix product, for matrices of many rows."""
    stacked = np.stack([part.reshape(-1) for part in parts])
    product_ = matrix.astype(stacked.dtype) @ stacked
    for part, row in zip(parts, product_, strict=True):
        part[...] = row.reshape(part.shape)
