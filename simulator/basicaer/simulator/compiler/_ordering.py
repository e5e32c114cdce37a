"""Brings gates and channels before measurements and resets of other qubits, with which they commute.

Then a gate is done once for all shots that part at such a measurement, instead of once for each branch; and
gates that were apart become one segment. Instructions keep their order on every qubit and classical bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._layout import Offsets
from basicaer.simulator.circuit._operations import Block

GATE, MEASURE, RESET, READOUT, OTHER = range(5)
"""The kinds of instructions. Nothing moves past one of the last kind, which may read classical bits."""

_FAR = 16
"""So many layers ahead a place is looked for; behind, there is always one."""

_Offsets = npt.NDArray[np.int64]
_Operands = npt.NDArray[np.uint32]


def ordered(
    kinds: Sequence[int],
    qubits: _Operands,
    qubit_offsets: _Offsets,
    clbits: _Operands,
    clbit_offsets: _Offsets,
) -> list[int]:
    """Return an equivalent order of instructions: in layers of one kind, that measure or reset no qubit
    twice.

    Instruction i has the operands from offset i to offset i + 1.
    """
    layers: list[list[int]] = [[]]
    layer_kinds = [GATE]
    last_qubit: dict[int, int] = {}
    last_clbit: dict[int, int] = {}
    floor = 0
    pause = current_pause()
    qubit_ends, clbit_ends = pairwise(qubit_offsets.tolist()), pairwise(clbit_offsets.tolist())
    own_qubits, own_clbits = qubits.tolist(), clbits.tolist()
    for index, (kind, (start, stop), (first, end)) in enumerate(
        zip(kinds, qubit_ends, clbit_ends, strict=True)
    ):
        pause()
        place = floor
        if kind == OTHER:
            place = floor = len(layers)
        for qubit in own_qubits[start:stop]:
            last = last_qubit.get(qubit, -1)
            if last >= place:
                place = last if kind == GATE == layer_kinds[last] else last + 1
        for clbit in own_clbits[first:end]:
            place = max(place, last_clbit.get(clbit, -1) + 1)
        place = next(
            (at for at in range(place, min(place + _FAR, len(layers))) if layer_kinds[at] == kind), -1
        )
        if place < 0:
            place = len(layers)
            layers.append([])
            layer_kinds.append(kind)
        layers[place].append(index)
        for qubit in own_qubits[start:stop]:
            last_qubit[qubit] = place
        for clbit in own_clbits[first:end]:
            last_clbit[clbit] = place
        if kind == OTHER:
            # Gates may have to come before the measurements that follow, so there is a layer for them.
            floor = len(layers)
            layers.append([])
            layer_kinds.append(GATE)
    return [index for layer in layers for index in layer]


def permuted(block: Block, offsets: Offsets, order: npt.NDArray[np.int64]) -> Block:
    """Return the instructions of `block` in another order."""

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
