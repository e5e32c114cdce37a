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
from basicaer.simulator._layout import CONTROL_FLOW, NO_EFFECT, Layout
from basicaer.simulator._operations import Block, Operation, SaveKind

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


_NOTHING = _Uses(frozenset(), frozenset(), frozenset())

# What an instruction does with its own qubits. Those up to _SAVE act on them, or see what acted on them.
_OTHER, _RESET, _INITIALIZE, _SAVE, _MEASURE, _MEASURE_IF, _IDLE = range(7)


def _code(operation: Operation) -> int:
    if operation.name == "measure":
        return _MEASURE if operation.condition is None else _MEASURE_IF
    if operation.name in NO_EFFECT:
        return _IDLE
    return {"reset": _RESET, "initialize": _INITIALIZE, "save": _SAVE}.get(operation.name, _OTHER)


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
    codes = np.array([_code(operation) for operation in operations], dtype=np.int64).take(block.operations)
    numbers = np.arange(count, dtype=np.int64)
    offsets = layout.offsets(block)
    owners = np.repeat(numbers, offsets.qubits[1:] - offsets.qubits[:-1])
    resets = codes == _RESET
    acts = codes <= _SAVE
    last_use = _positions(sizes[0], owners, block.qubits, acts[owners], last=True)
    # A save changes nothing, so that a qubit in 0 stays in 0.
    changes = acts & ~resets & (codes != _SAVE)
    first_use = _positions(sizes[0], owners, block.qubits, changes[owners], last=False)
    last_read = np.full(sizes[1], -1, dtype=np.int64)
    last_write = np.full(sizes[1], -1, dtype=np.int64)
    for index, used in enumerate(_uses_of(operations, layout, scope, sizes[0])):
        if used is _NOTHING:
            continue
        where = np.flatnonzero(block.operations == index)
        if not len(where):
            continue
        for members, latest in ((used.qubits, last_use), (used.reads, last_read), (used.writes, last_write)):
            chosen = np.array(sorted(members), dtype=np.int64)
            latest[chosen] = np.maximum(latest[chosen], where[-1])
        if operations[index].save is not None:
            continue
        inner = np.array(sorted(used.qubits), dtype=np.int64)
        first_use[inner] = np.minimum(first_use[inner], where[0])

    void = np.zeros(count, dtype=np.bool_)
    fresh = np.zeros(count, dtype=np.bool_)
    if from_zero and (resets.any() or (codes == _INITIALIZE).any()):
        void[resets] = first_use[block.qubits[offsets.qubits[:-1][resets]]] > numbers[resets]
        whole = codes == _INITIALIZE
        whole[owners[first_use[block.qubits] < owners]] = False
        fresh = whole
    waits = np.zeros(count, dtype=np.bool_)
    sometimes = (codes == _MEASURE_IF).nonzero()[0]
    if len(sometimes):
        written = block.clbits[offsets.clbits[sometimes]]
        last_write[written] = np.maximum(last_write[written], sometimes)
    plain = (codes == _MEASURE).nonzero()[0]
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


def _uses_of(operations: Sequence[Operation], layout: Layout, scope: Scope, num_qubits: int) -> list[_Uses]:
    """The uses of each operation; those of nested blocks come from operations before it."""
    found: list[_Uses] = []
    acts = np.array([operation.name not in NO_EFFECT for operation in operations], dtype=np.bool_)
    for operation in operations:
        sees_all = operation.save is not None and operation.save.kind is SaveKind.STATEVECTOR
        is_plain = operation.store is None and operation.name not in CONTROL_FLOW and not sees_all
        if is_plain and not expressions_of(operation):
            found.append(_NOTHING)
            continue
        qubits: set[int] = set(range(num_qubits)) if sees_all else set()
        writes: set[int] = set()
        reads = {bit for expression in expressions_of(operation) for bit in scope.reads(expression)}
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


def expressions_of(operation: Operation) -> list[Expression]:
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
