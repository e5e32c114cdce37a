"""Gates on so many qubits at once that a block cannot hold them: plain numpy on views of the state's axes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._gates import Matrices
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.methods.statevector._state import BLOCK_BITS, Amplitudes, State

_MOST_ROWS_ALONE = 8


def control_bits(operation: Operation, num_controls: int) -> list[int]:
    """Return the state that each control has to have: the stated one of extra controls, 1 of the gate's
    own.
    """
    state = operation.control_state
    extra = operation.num_controls
    return [1 if state is None or place >= extra else state >> place & 1 for place in range(num_controls)]


def apply_gate(
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
    """Return the same by one matrix product, for matrices of many rows."""
    stacked = np.stack([part.reshape(-1) for part in parts])
    product_ = matrix.astype(stacked.dtype) @ stacked
    for part, row in zip(parts, product_, strict=True):
        part[...] = row.reshape(part.shape)
