"""From packed columns to a plan, in two compiled calls, which two processes may compile at once."""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Columns, Complexes, Fused, Ints, StagePlan
from basicaer.simulator.methods.statevector.engine.columns import fused, gates, spans
from basicaer.simulator.methods.statevector.engine.machine._bits import popcount
from basicaer.simulator.methods.statevector.engine.machine._borrowed import borrowed, keep
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._loops import counted, filled
from basicaer.simulator.methods.statevector.engine.planning import _fusion as fusion
from basicaer.simulator.methods.statevector.engine.planning import _lowering as lowering
from basicaer.simulator.methods.statevector.engine.planning._planner import plan
from basicaer.simulator.methods.statevector.engine.planning._stages import bits_of

_THOROUGH_QUBITS = 8
"""From this size on, time spent on fusion is won back."""


@compiled
def fuse(
    table: Ints, pool: Complexes, columns: Columns, span: Ints, wire: Ints, known: Ints, ready: bool
) -> tuple[Ints, Complexes, Ints, int, complex]:
    """Lower and fuse the instructions of `span`; returns (ops, mats, operands, count, phase)."""
    operations = columns.operations
    start, stop = span[spans.START], span[spans.STOP]
    n = len(wire)
    most = 3 * (stop - start) + n + 1
    entries, places = 48 * (stop - start) + 4 * n + 64, 1
    for i in range(start, stop):
        targets = table[operations[i], gates.TARGETS]
        if targets > 1:
            entries += 1 << (2 * targets)
            places += targets
    ops = np.empty((most, fused.COLUMNS), np.int64)
    mats = np.empty(entries, np.complex128)
    operands = np.empty(places, np.int64)
    last = filled(max(n, 3), -1)
    counters = np.zeros(lowering.SIZE, np.int64)
    counters[lowering.QUBIT], counters[lowering.PARAMETER] = span[spans.QUBIT], span[spans.PARAMETER]
    thorough = n >= _THOROUGH_QUBITS
    counters[lowering.STRICT] = thorough
    spare = np.zeros(16, np.complex128)
    state = Fused(
        borrowed(ops), borrowed(mats), borrowed(operands), borrowed(last), borrowed(known), borrowed(spare)
    )
    given = Columns(borrowed(columns.operations), borrowed(columns.qubits), borrowed(columns.parameters))
    phase = lowering.lower(
        borrowed(table), borrowed(pool), given, start, stop, borrowed(wire), borrowed(counters), state
    )
    span[spans.QUBIT], span[spans.PARAMETER] = counters[lowering.QUBIT], counters[lowering.PARAMETER]
    if ready:
        for w in range(n):
            if known[w] == 1:
                lowering.make_live(state, borrowed(counters), w)
    keep(spare)
    count, used, alive = counters[lowering.OPERATIONS], counters[lowering.ENTRIES], 0
    for i in range(count):
        alive += ops[i, fused.KIND] != fused.DEAD
    more = np.empty(used + 224 * alive + 64, np.complex128)
    for x in range(used):
        more[x] = mats[x]
    if thorough:
        used = fusion.gather_threes(borrowed(ops), count, borrowed(more), used, borrowed(last))
        first, ops = ops, np.empty((alive + 1, fused.COLUMNS), np.int64)
        count, used = fusion.push_again(
            borrowed(first), count, borrowed(more), used, borrowed(last), borrowed(ops)
        )
        keep(first)
        keep(last)
    fusion.finish(borrowed(ops), count, borrowed(more), used)
    return ops, more, operands, count, phase


@compiled
def lower_columns(
    table: Ints, pool: Complexes, columns: Columns, span: Ints, n: int, fresh: bool, v: int, pad: int
) -> tuple[Ints, Complexes, Ints, int, Ints, Ints, int, complex]:
    """Fuse the instructions of `span` on wires of which each has a bit of the memory's index; as
    `compile_columns`. Returns (ops, mats, operands, count, phys, home, live, phase), the first seven for
    `plan`.
    """
    wire = counted(n)
    known = filled(n, 0 if fresh else -1)
    ops, mats, operands, count, phase = fuse(table, pool, columns, span, wire, known, True)
    least = 3 * v - 1
    for i in range(count):
        kind = ops[i, fused.KIND]
        if kind != fused.DEAD and kind != fused.DIAGONAL and kind != fused.CONTROLLED:
            targets, read = bits_of(ops, operands, i)
            least = max(least, 2 * v + popcount(targets | read) - 1)
    wires = max(n + pad, least)
    home = counted(wires)
    for q in range(n):
        home[wire[q]] = q + pad
    for j in range(pad):
        home[n + j] = j
    phys, live = home.copy(), 0
    if not fresh:
        for q in range(n):
            phys[q] = q + pad
        live = (1 << n) - 1
    return ops, mats, operands, count, phys, home, live, phase


def compile_columns(
    table: Ints,
    pool: Complexes,
    columns: Columns,
    span: Ints,
    n: int,
    fresh: bool,
    bits: int,
    v: int,
    pad: int,
) -> tuple[StagePlan, complex, int]:
    """Plan the instructions of `span`.

    `fresh` says that the state is the basis state 0. `bits`
    is the size of a block, `v` the number of lane bits, `pad` 0, or v for the amplitudes to lie v bits
    higher in memory. Returns (plan, phase, bits of a block); the state has to be multiplied by the phase.
    `span` is moved on.
    """
    ops, mats, operands, count, phys, home, live, phase = lower_columns(
        table, pool, columns, span, n, fresh, v, pad
    )
    size = min(bits, len(phys))
    return plan(ops, mats, operands, count, phys, home, live, size, v, 0), phase, size


@compiled
def fuse_columns(
    table: Ints, pool: Complexes, columns: Columns, span: Ints, wire: Ints, known: Ints
) -> tuple[Ints, Complexes, Ints, Ints, Ints, complex]:
    """Fuse the instructions of `span`; who calls plans them, in parts. Returns (ops, mats, operands, targets,
    read, phase).

    `wire` has the wire of each qubit, and is changed to those at the end; `known` is as in `Fused`. Of each
    of the `ops` [fused], `targets` has the wires that it changes, as bits, and `read` those that it only
    reads. The state has to be multiplied by the phase.
    """
    made, mats, operands, count, phase = fuse(table, pool, columns, span, wire, known, True)
    alive = 0
    for i in range(count):
        alive += made[i, fused.KIND] != fused.DEAD
    ops = np.empty((alive, fused.COLUMNS), np.int64)
    targets, read = np.empty(alive, np.int64), np.empty(alive, np.int64)
    at = 0
    for i in range(count):
        if made[i, fused.KIND] != fused.DEAD:
            for column in range(fused.COLUMNS):
                ops[at, column] = made[i, column]
            targets[at], read[at] = bits_of(made, operands, i)
            at += 1
    return ops, mats, operands, targets, read, phase
