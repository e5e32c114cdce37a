"""Blocks without some of their instructions, and runs of gates without the qubits that aren't held."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Operation
from basicaer.simulator.compiler._tracking import Tracked
from basicaer.simulator.compiler._wires import Wires

_NOTHING = Operation("barrier")


def reduced_table(table: tuple[Operation, ...], layout: Layout, wires: Wires) -> tuple[Operation, ...]:
    """Return the table for gates on the wires: with the operations that replace others.

    Those of more qubits than there are wires act on none; the engine isn't asked to know them.
    """
    wide = layout.qubits > wires.count
    if wires.is_whole or not (wide.any() or wires.tracked.operations):
        return table
    own = (_NOTHING if wide[number] else operation for number, operation in enumerate(table))
    return (*own, *wires.tracked.operations)


def reduced_block(block: Block, numbers: npt.NDArray[np.int64], layout: Layout, tracked: Tracked) -> Block:
    """Return the run of gates `block` with what replaces its instructions, whose numbers are `numbers`."""
    replaced = tracked.replaced
    found = [place for place, number in enumerate(numbers.tolist()) if number in replaced]
    if not found:
        return block
    offsets = layout.offsets(block)
    columns: tuple[list[npt.NDArray[np.uint32]], list[npt.NDArray[np.uint32]], list[npt.NDArray[np.float64]]]
    columns = ([], [], [])
    start = 0
    for place in [*found, len(block)]:
        columns[0].append(block.operations[start:place])
        columns[1].append(block.qubits[offsets.qubits[start] : offsets.qubits[place]])
        columns[2].append(block.parameters[offsets.parameters[start] : offsets.parameters[place]])
        for piece in replaced[int(numbers[place])] if place < len(block) else ():
            columns[0].append(np.array([piece.operation], dtype=np.uint32))
            columns[1].append(np.array(piece.qubits, dtype=np.uint32))
        start = place + 1
    return Block(
        np.concatenate(columns[0]), np.concatenate(columns[1]), parameters=np.concatenate(columns[2])
    )


def selected(layout: Layout, block: Block, kept: npt.NDArray[np.bool_]) -> Block:
    """Return the instructions of `block` that are `kept`."""
    if kept.all():
        return block
    pause = current_pause()
    offsets = layout.offsets(block)

    def chosen(starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        pause()
        return np.repeat(kept, np.diff(starts))

    return Block(
        operations=block.operations[kept],
        qubits=block.qubits[chosen(offsets.qubits)],
        clbits=block.clbits[chosen(offsets.clbits)],
        parameters=block.parameters[chosen(offsets.parameters)],
    )


def without_resets(block: Block, table: tuple[Operation, ...], layout: Layout, wires: Wires) -> Block:
    """Return a run of gates and resets without the resets of qubits that aren't held, which are in 0."""
    firsts = layout.offsets(block).qubits[:-1].tolist()
    kept = [
        table[index].name != "reset" or wires.places[block.qubits[first]] < wires.count
        for index, first in zip(block.operations.tolist(), firsts, strict=True)
    ]
    return selected(layout, block, np.array(kept, dtype=np.bool_))
