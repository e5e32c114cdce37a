"""From packed columns to a plan, in one compiled call."""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _lowering as lo
from basicaer.simulator.engine import _matrices as m
from basicaer.simulator.engine import _planner as pl
from basicaer.simulator.engine import _stages as s
from basicaer.simulator.engine._borrowed import borrowed
from basicaer.simulator.engine._jit import compiled

_THOROUGH_QUBITS = 8
"""From this size on, time spent on fusion is won back."""


@compiled
def _fused(table: Any, pool: Any, columns: Any, span: Any, wire: Any, known: Any, ready: bool) -> Any:
    """Lower and fuse the instructions span[0] to span[1]; returns (ops, mats, operands, count, phase)."""
    operations = columns[0]
    start, stop = span[0], span[1]
    n = len(wire)
    most = 3 * (stop - start) + n + 1
    entries, places = 48 * (stop - start) + 4 * n + 64, 1
    for i in range(start, stop):
        targets = table[operations[i], m.TARGETS]
        if targets > 1:
            entries += 1 << (2 * targets)
            places += targets
    ops = np.empty((most, f.COLUMNS), np.int64)
    mats = np.empty(entries, np.complex128)
    operands = np.empty(places, np.int64)
    last = np.full(max(n, 3), -1, np.int64)
    counters = np.zeros(lo.SIZE, np.int64)
    counters[lo.QUBIT], counters[lo.PARAMETER] = span[2], span[3]
    thorough = n >= _THOROUGH_QUBITS
    counters[lo.STRICT] = thorough
    spare = np.zeros(16, np.complex128)
    state = (
        *(borrowed(ops), borrowed(mats), borrowed(operands)),
        *(borrowed(last), borrowed(known), borrowed(spare)),
    )
    given = (borrowed(columns[0]), borrowed(columns[1]), borrowed(columns[2]))
    phase = lo.lower(
        borrowed(table), borrowed(pool), given, start, stop, borrowed(wire), borrowed(counters), state
    )
    span[2], span[3] = counters[lo.QUBIT], counters[lo.PARAMETER]
    if ready:
        for w in range(n):
            if known[w] == 1:
                lo.make_live(state, borrowed(counters), w)
    spare[0] = 0.0  # keeps it until here
    count, used, alive = counters[lo.OPERATIONS], counters[lo.ENTRIES], 0
    for i in range(count):
        alive += ops[i, f.KIND] != f.DEAD
    more = np.empty(used + 224 * alive + 64, np.complex128)
    for x in range(used):
        more[x] = mats[x]
    if thorough:
        used = f.gather_threes(borrowed(ops), count, borrowed(more), used, borrowed(last))
        first, ops = ops, np.empty((alive + 1, f.COLUMNS), np.int64)
        count, used = f.push_again(
            borrowed(first), count, borrowed(more), used, borrowed(last), borrowed(ops)
        )
        first[0, 0] = last[0] = -1  # keeps them until here
    f.finish(borrowed(ops), count, borrowed(more), used)
    return ops, more, operands, count, phase


@compiled
def compile_columns(
    table: Any, pool: Any, columns: Any, span: Any, n: int, fresh: bool, bits: int, v: int, pad: int
) -> Any:
    """Plan the instructions span[0] to span[1], whose first qubit and parameter are span[2] and span[3].

    `columns` are (operations, qubits, parameters). `fresh` says that the state is the basis state 0. `bits`
    is the size of a block, `v` the number of lane bits, `pad` 0, or v for the amplitudes to lie v bits
    higher in memory. Returns (plan, phase, bits of a block); the state has to be multiplied by the phase.
    `span` is moved on.
    """
    wire = np.arange(n)
    known = np.full(n, 0 if fresh else -1, np.int64)
    ops, mats, operands, count, phase = _fused(table, pool, columns, span, wire, known, True)
    least = 3 * v - 1
    for i in range(count):
        kind = ops[i, f.KIND]
        if kind != f.DEAD and kind != f.DIAGONAL and kind != f.CONTROLLED:
            targets, read = s.bits_of(ops, operands, i)
            least = max(least, 2 * v + s.popcount(targets | read) - 1)
    wires = max(n + pad, least)
    home = np.arange(wires)
    for q in range(n):
        home[wire[q]] = q + pad
    for j in range(pad):
        home[n + j] = j
    phys, live = home.copy(), 0
    if not fresh:
        for q in range(n):
            phys[q] = q + pad
        live = (1 << n) - 1
    size = min(bits, wires)
    return pl.plan(ops, mats, operands, count, phys, home, live, size, v), phase, size
