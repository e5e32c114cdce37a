"""Finds the measurements of the outermost block that can wait until the end, and the resets that do nothing.

Measuring a qubit commutes with everything that does not act on it, so such a measurement waits when its
classical bit is not needed meanwhile ("deferred measurement"; Nielsen and Chuang, section 4.4). When all can
wait, the final state serves every shot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from basicaer.simulator._classical import Scope
from basicaer.simulator._expressions import Expression
from basicaer.simulator._layout import NO_EFFECT, Layout
from basicaer.simulator._operations import Block, Operation

Mask = npt.NDArray[np.bool_]
_Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Deferral:
    """Masks over the instructions of the outermost block.

    `waits`: a measurement that may be done at the end. `void`: a reset of a qubit that is still in 0.
    `fresh`: an initialize whose qubits are all still in 0.
    """

    waits: Mask
    void: Mask
    fresh: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Uses:
    """What one operation needs and changes, beside the operands of its own columns."""

    qubits: frozenset[int]
    reads: frozenset[int]
    writes: frozenset[int]


def find_deferral(
    block: Block,
    operations: Sequence[Operation],
    layout: Layout,
    scope: Scope,
    sizes: tuple[int, int],
    from_zero: bool,
) -> Deferral:
    """The masks for a valid circuit's outermost block.

    `sizes` are the circuit's numbers of qubits and of classical bits; `from_zero` says that all qubits start
    in 0.
    """
    count = len(block)
    uses = _uses_of(operations, layout, scope)
    numbers = np.arange(count, dtype=np.int64)
    offsets = layout.offsets(block)
    owners = np.repeat(numbers, np.diff(offsets.qubits))

    def having(*names: str) -> Mask:
        found = np.array([operation.name in names for operation in operations], dtype=np.bool_)
        return found[block.operations]

    measures, resets = having("measure"), having("reset")
    acts = ~(measures | having(*NO_EFFECT))
    last_use = _positions(sizes[0], owners, block.qubits, acts[owners], last=True)
    first_use = _positions(sizes[0], owners, block.qubits, (acts & ~resets)[owners], last=False)
    last_read = np.full(sizes[1], -1, dtype=np.int64)
    last_write = np.full(sizes[1], -1, dtype=np.int64)
    for index in np.unique(block.operations).tolist():
        used = uses[index]
        if not (used.qubits or used.reads or used.writes):
            continue
        where = np.flatnonzero(block.operations == index)
        for members, latest in ((used.qubits, last_use), (used.reads, last_read), (used.writes, last_write)):
            chosen = np.array(sorted(members), dtype=np.int64)
            latest[chosen] = np.maximum(latest[chosen], where[-1])
        inner = np.array(sorted(used.qubits), dtype=np.int64)
        first_use[inner] = np.minimum(first_use[inner], where[0])

    void = np.zeros(count, dtype=np.bool_)
    fresh = np.zeros(count, dtype=np.bool_)
    if from_zero:
        void[resets] = first_use[block.qubits[offsets.qubits[:-1][resets]]] > numbers[resets]
        early = first_use[block.qubits] >= owners
        whole = np.ones(count, dtype=np.bool_)
        whole[owners[~early]] = False
        fresh = whole & having("initialize")
    waits = np.zeros(count, dtype=np.bool_)
    conditional = np.array([operation.condition is not None for operation in operations], dtype=np.bool_)
    sometimes = np.flatnonzero(measures & conditional[block.operations])
    written = block.clbits[offsets.clbits[sometimes]]
    last_write[written] = np.maximum(last_write[written], sometimes)
    plain = np.flatnonzero(measures & ~conditional[block.operations])
    qubits = block.qubits[offsets.qubits[plain]]
    clbits = block.clbits[offsets.clbits[plain]]
    able = (last_use[qubits] < plain) & (last_read[clbits] < plain) & (last_write[clbits] < plain)
    # A measurement that cannot wait overwrites what earlier ones wrote, so those cannot wait either.
    last_now = np.full(sizes[1], -1, dtype=np.int64)
    last_now[clbits[~able]] = plain[~able]  # of equal indices the last assignment stays, here and below
    waits[plain] = able & (last_now[clbits] < plain)
    return Deferral(waits, void, fresh)


def _positions(
    size: int, owners: _Positions, qubits: npt.NDArray[np.uint32], mask: Mask, *, last: bool
) -> _Positions:
    """For each qubit the last, or the first, instruction of those in the mask; -1, or a large number, for
    none.
    """
    found = np.full(size, -1 if last else np.iinfo(np.int64).max, dtype=np.int64)
    chosen, holders = qubits[mask], owners[mask]
    if last:
        found[chosen] = holders
    else:
        found[chosen[::-1]] = holders[::-1]
    return found


def _uses_of(operations: Sequence[Operation], layout: Layout, scope: Scope) -> list[_Uses]:
    """The uses of each operation; those of nested blocks come from operations before it."""
    found: list[_Uses] = []
    acts = np.array([operation.name not in NO_EFFECT for operation in operations], dtype=np.bool_)
    for operation in operations:
        qubits: set[int] = set()
        writes: set[int] = set()
        reads = {bit for expression in _expressions(operation) for bit in scope.reads(expression)}
        if operation.store is not None:
            writes |= scope.reads(operation.store.target)
        for _, block in operation.blocks():
            offsets = layout.offsets(block)
            qubits.update(block.qubits[np.repeat(acts[block.operations], np.diff(offsets.qubits))].tolist())
            writes.update(block.clbits.tolist())
            for index in np.unique(block.operations).tolist():
                qubits |= found[index].qubits
                reads |= found[index].reads
                writes |= found[index].writes
        found.append(_Uses(frozenset(qubits), frozenset(reads), frozenset(writes)))
    return found


def _expressions(operation: Operation) -> list[Expression]:
    """All expressions of an operation itself."""
    found = list(operation.parameter_expressions)
    if operation.condition is not None:
        found.append(operation.condition)
    for payload in (operation.if_else, operation.while_loop):
        if payload is not None:
            found.append(payload.condition)
    if operation.store is not None:
        found.append(operation.store.value)
    if operation.switch_case is not None:
        found.append(operation.switch_case.target)
    return found
