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
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._expressions import Expression
from basicaer.simulator.circuit._layout import CONTROL_FLOW, NO_EFFECT, Layout, owners_of
from basicaer.simulator.circuit._operations import Block, Operation
from basicaer.simulator.classical._scope import Scope

Mask = npt.NDArray[np.bool_]
_Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Deferral:
    """Masks over the instructions of the outermost block.

    `waits`: a measurement that may be done at the end. `void`: a reset of a qubit that is still in 0.
    `fresh`: an initialize whose qubits are all still in 0. `told`: a readout error that is done after all
    measurements.
    """

    waits: Mask
    void: Mask
    fresh: Mask
    told: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Latest:
    """The last instruction that acts on each qubit, and the first that changes it; the last that reads and
    that writes each classical bit.
    """

    use: _Positions
    first_use: _Positions
    read: _Positions
    write: _Positions


_NEVER = np.iinfo(np.int64).max

# What an instruction does with its own qubits. Those up to _SAVE act on them, or see what acted on them.
_OTHER, _RESET, _INITIALIZE, _SAVE, _MEASURE, _MEASURE_IF, _READOUT, _READOUT_IF, _IDLE = range(9)


def _code(operation: Operation) -> int:
    if operation.name == "measure":
        return _MEASURE if operation.condition is None else _MEASURE_IF
    if operation.readout is not None:
        return _READOUT if operation.condition is None else _READOUT_IF
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
    """Return the masks for a valid circuit's outermost block.

    `sizes` are the circuit's numbers of qubits and of classical bits; `from_zero` says that all qubits start
    in 0.
    """
    # Between passes over all columns, each of which takes milliseconds for a million instructions.
    pause = current_pause()
    count = len(block)
    codes = np.array([_code(operation) for operation in operations], dtype=np.int64).take(block.operations)
    numbers = np.arange(count, dtype=np.int64)
    offsets = layout.offsets(block)
    owners = owners_of(offsets.qubits)
    pause()
    resets = codes == _RESET
    acts = codes <= _SAVE
    last_use = _positions(sizes[0], owners, block.qubits, acts[owners], last=True)
    pause()
    # A save changes nothing, so that a qubit in 0 stays in 0.
    changes = acts & ~resets & (codes != _SAVE)
    first_use = _positions(sizes[0], owners, block.qubits, changes[owners], last=False)
    pause()
    last_read = np.full(sizes[1], -1, dtype=np.int64)
    last_write = np.full(sizes[1], -1, dtype=np.int64)
    _add_nested(
        _Latest(last_use, first_use, last_read, last_write),
        *_reached(block, operations),
        operations,
        layout,
        scope,
    )

    void = np.zeros(count, dtype=np.bool_)
    fresh = np.zeros(count, dtype=np.bool_)
    if from_zero and (resets.any() or (codes == _INITIALIZE).any()):
        pause()
        void[resets] = first_use[block.qubits[offsets.qubits[:-1][resets]]] > numbers[resets]
        whole = codes == _INITIALIZE
        whole[owners[first_use[block.qubits] < owners]] = False
        fresh = whole
    pause()
    waits = np.zeros(count, dtype=np.bool_)
    sometimes = (codes == _MEASURE_IF).nonzero()[0]
    if len(sometimes):
        written = block.clbits[offsets.clbits[sometimes]]
        last_write[written] = np.maximum(last_write[written], sometimes)
    plain = (codes == _MEASURE).nonzero()[0]
    told = np.zeros(count, dtype=np.bool_)
    if any(operation.readout is not None for operation in operations):
        told = _told(codes, block, offsets.clbits, last_read, last_write)
    qubits = block.qubits[offsets.qubits[plain]]
    clbits = block.clbits[offsets.clbits[plain]]
    able = (last_use[qubits] < plain) & (last_read[clbits] < plain) & (last_write[clbits] < plain)
    # A measurement that cannot wait overwrites what earlier ones wrote, so those cannot wait either.
    last_now = np.full(sizes[1], -1, dtype=np.int64)
    last_now[clbits[~able]] = plain[~able]  # of equal indices the last assignment stays, here and below
    waits[plain] = able & (last_now[clbits] < plain)
    return Deferral(waits, void, fresh, told)


def _told(
    codes: _Positions,
    block: Block,
    starts: _Positions,
    last_read: _Positions,
    last_write: _Positions,
) -> Mask:
    """Return the readout errors after which nobody reads or writes their bits but others of these.

    To the positions of those that read and write a bit, errors are added that aren't among them.
    """
    told = np.zeros(len(codes), dtype=np.bool_)
    written = last_write.copy()
    measured = ((codes == _MEASURE) | (codes == _MEASURE_IF)).nonzero()[0]
    written[block.clbits[starts[measured]]] = np.maximum(written[block.clbits[starts[measured]]], measured)
    for number in np.flatnonzero((codes == _READOUT) | (codes == _READOUT_IF))[::-1].tolist():
        bits = block.clbits[starts[number] : starts[number + 1]]
        later = max(int(last_read[bits].max()), int(written[bits].max()))
        if codes[number] == _READOUT and later < number:
            told[number] = True
            continue
        for column in (last_read, last_write, written):
            column[bits] = np.maximum(column[bits], number)
    return told


def _positions(
    size: int, owners: _Positions, qubits: npt.NDArray[np.uint32], mask: Mask, *, last: bool
) -> _Positions:
    """For each qubit the last, or the first, instruction of those in the mask; -1, or a large number, for
    none.
    """
    found = np.full(size, -1 if last else _NEVER, dtype=np.int64)
    pause = current_pause()
    chosen = qubits[mask]
    pause()
    holders = owners[mask]
    pause()
    if last:
        found[chosen] = holders
    else:
        found[chosen[::-1]] = holders[::-1]
    return found


def _reached(block: Block, operations: Sequence[Operation]) -> tuple[_Positions, _Positions]:
    """For each operation the last, and the first, instruction of the block that it is done by, perhaps within
    other operations; -1, and a large number, for none. A save by itself changes nothing: it has no first.
    """
    last = np.full(len(operations), -1, dtype=np.int64)
    first = np.full(len(operations), _NEVER, dtype=np.int64)
    numbers = np.arange(len(block), dtype=np.int64)
    pause = current_pause()
    last[block.operations] = numbers
    pause()
    first[block.operations[::-1]] = numbers[::-1]
    first[[operation.save is not None for operation in operations]] = _NEVER
    # No block holds a later operation than its own, so that each is final before it is handed on.
    for index in range(len(operations) - 1, -1, -1):
        if operations[index].name in CONTROL_FLOW and last[index] >= 0:
            pause()
            for _, inner in operations[index].blocks():
                used = np.unique(inner.operations)
                last[used] = np.maximum(last[used], last[index])
                first[used] = np.minimum(first[used], first[index])
    return last, first


def _add_nested(
    latest: _Latest,
    lasts: _Positions,
    firsts: _Positions,
    operations: Sequence[Operation],
    layout: Layout,
    scope: Scope,
) -> None:
    """Add what operations need and change beside the operands of the block's own columns."""
    acts = np.array([operation.name not in NO_EFFECT for operation in operations], dtype=np.bool_)
    registers_read: dict[int, int] = {}
    registers_written: dict[int, int] = {}
    pause = current_pause()

    def take(expression: Expression, column: _Positions, registers: dict[int, int], at: int) -> None:
        bits, whole = scope.reads(expression)
        for bit in bits:
            column[bit] = max(column[bit], at)
        for register in whole:
            registers[register] = max(registers.get(register, -1), at)

    for index, (operation, last, first) in enumerate(
        zip(operations, lasts.tolist(), firsts.tolist(), strict=True)
    ):
        if last < 0:
            continue
        pause()
        if operation.save is not None and (operation.save.is_whole or operation.save.needs_outcomes):
            np.maximum(latest.use, last, out=latest.use)
            np.minimum(latest.first_use, first, out=latest.first_use)
            if operation.save.conditional:
                np.maximum(latest.read, last, out=latest.read)
        for expression in expressions_of(operation):
            take(expression, latest.read, registers_read, last)
        if operation.store is not None:
            take(operation.store.target, latest.write, registers_written, last)
        for _, inner in operations[index].blocks():
            offsets = layout.offsets(inner)
            qubits = inner.qubits[np.repeat(acts[inner.operations], np.diff(offsets.qubits))]
            latest.use[qubits] = np.maximum(latest.use[qubits], last)
            latest.first_use[qubits] = np.minimum(latest.first_use[qubits], first)
            latest.write[inner.clbits] = np.maximum(latest.write[inner.clbits], last)
    for registers, column in ((registers_read, latest.read), (registers_written, latest.write)):
        for register, at in registers.items():
            bits = np.array(scope.bits_of(register), dtype=np.int64)
            column[bits] = np.maximum(column[bits], at)


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
