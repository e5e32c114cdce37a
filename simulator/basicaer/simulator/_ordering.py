"""Brings gates before measurements and resets of other qubits, with which they commute.

Then a gate is done once for all shots that part at such a measurement, instead of once for each branch; and
gates that were apart become one segment. Instructions keep their order on every qubit and classical bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

GATE, MEASURE, RESET, OTHER = range(4)
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
    """An equivalent order of instructions: in layers of one kind, that measure or reset no qubit twice.

    Instruction i has the operands from offset i to offset i + 1.
    """
    layers: list[list[int]] = [[]]
    layer_kinds = [GATE]
    last_qubit: dict[int, int] = {}
    last_clbit: dict[int, int] = {}
    floor = 0
    qubit_ends, clbit_ends = pairwise(qubit_offsets.tolist()), pairwise(clbit_offsets.tolist())
    own_qubits, own_clbits = qubits.tolist(), clbits.tolist()
    for index, (kind, (start, stop), (first, end)) in enumerate(
        zip(kinds, qubit_ends, clbit_ends, strict=True)
    ):
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
