"""Small circuits gate by gate: from packed columns to amplitudes in one compiled call.

A state of a dozen qubits lies in the L1 cache, where a pass over it takes less time than planning one. So
gates are applied as they come. Only this is done about them first: gates on one qubit wait on their wire, and
are multiplied with those that follow, until something else needs the wire; and wires that are still in a
known basis state are left out, as in `_lowering`. Where the others lie is the matter of `_places`.
"""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _direct_kernels as d
from basicaer.simulator.engine import _kernels as k
from basicaer.simulator.engine import _matrices as m
from basicaer.simulator.engine import _places as pl
from basicaer.simulator.engine import _products as pr
from basicaer.simulator.engine._borrowed import borrowed, inlined, merged
from basicaer.simulator.engine._jit import compiled
from basicaer.simulator.engine._simd import flush_denormals, restore_denormals

DONE, UNKNOWN = range(2)
"""How `simulate` ends: there are amplitudes, or something that only the general way knows, or can name."""


def space_size(num_qubits: int) -> int:
    """Reals of scratch that `simulate` needs."""
    return (2 << max(num_qubits, pl.LANES + pl.ROOM)) + pl.GAP + 2 * pl.HEAD + pl.COEFFICIENTS + pl.SCRATCH


@inlined
def _alone(n: Any, c: Any, t: int) -> None:
    """The gate at pl.G on wire t: it waits, unless the wire is known and stays so."""
    at = pl.WAITING + 4 * t
    if pl.is_known(n, t):
        bit = n[pl.KNOWN, t]
        if pl.is_diagonal(c, pl.G):
            c[pl.PHASE] *= c[pl.G + 3 * bit]
            return
        if pl.is_zero(c[pl.G]) and pl.is_zero(c[pl.G + 3]):
            c[pl.PHASE] *= c[pl.G + 2 - bit]
            n[pl.KNOWN, t] = 1 - bit
            return
        for x in range(4):
            c[at + x] = c[pl.G + (x ^ bit)]
        n[pl.KNOWN, t], n[pl.PENDS, t] = 0, 1
    elif n[pl.PENDS, t]:
        g0, g1, g2, g3 = c[pl.G], c[pl.G + 1], c[pl.G + 2], c[pl.G + 3]
        u0, u1, u2, u3 = c[at], c[at + 1], c[at + 2], c[at + 3]
        c[at], c[at + 1] = g0 * u0 + g1 * u2, g0 * u1 + g1 * u3
        c[at + 2], c[at + 3] = g2 * u0 + g3 * u2, g2 * u1 + g3 * u3
    else:
        for x in range(4):
            c[at + x] = c[pl.G + x]
        n[pl.PENDS, t] = 1


@inlined
def _absorb(c: Any, at: int, bit: int) -> None:
    """The 4 by 4 matrix at pl.G, times the 2 by 2 one at `at` on its bit."""
    u0, u1, u2, u3 = c[at], c[at + 1], c[at + 2], c[at + 3]
    for row in range(4):
        for column in range(4):
            if not (column >> bit) & 1:
                i = pl.G + 4 * row + column
                x, y = c[i], c[i + (1 << bit)]
                c[i], c[i + (1 << bit)] = x * u0 + y * u2, x * u1 + y * u3


@compiled
def _many_targets(state: Any, n: Any, qubits: Any, first: int, count: int, source: Any, at: int) -> None:
    """The dense gate at source[at] on three or more qubits."""
    re, im, _, coefs, scratch = state
    places = np.zeros((pl.MOST_TARGETS, 2), np.int64)
    taken = wires = 0
    for j in range(count):
        wires |= 1 << n[pl.WIRE, qubits[first + j]]
    pl.settle_targets(state, n, wires)
    for turn in range(2):
        # Those that are above the lanes already stay there.
        for j in range(count):
            w = n[pl.WIRE, qubits[first + j]]
            if turn == 1 or n[pl.PLACE, w] >= pl.LANES:
                places[j, 0] = pl.lift(re, im, n, w, taken)
                taken |= 1 << places[j, 0]
    pl.put(coefs, source, at, 1 << (2 * count))
    k.dense_any(re, im, n[pl.AT, pl.SIZE], count, 0, 0, places, 0, coefs, 0, scratch)


@inlined
def _reduce(n: Any, c: Any, a: int, b: int) -> int:
    """Make a diagonal 4 by 4 gate at pl.G one on a single wire, when the other is known; returns which, or
    -1."""
    if pl.is_known(n, a):
        bit = n[pl.KNOWN, a]
        c[pl.G], c[pl.G + 3] = c[pl.G + 5 * bit], c[pl.G + 10 + 5 * bit]
        a = b
    elif pl.is_known(n, b):
        bit = n[pl.KNOWN, b]
        c[pl.G], c[pl.G + 3] = c[pl.G + 10 * bit], c[pl.G + 5 + 10 * bit]
    else:
        return -1
    c[pl.G + 1] = c[pl.G + 2] = 0.0
    return a


@merged
def _absorb_waiting(state: Any, n: Any, a: int, b: int) -> bool:
    """Multiply the 4 by 4 gate at pl.G on wires a and b by what waits on them; tells whether anything did."""
    any_waits = False
    for bit in range(2):
        w = b if bit else a
        if n[pl.PENDS, w]:
            if n[pl.PLACE, w] < 0:
                pl.bear(state[0], state[1], n, w)
            n[pl.PENDS, w] = 0
            _absorb(state[2], pl.WAITING + 4 * w, bit)
            any_waits = True
    return any_waits


@merged
def _apply(state: Any, n: Any, a: int, b: int, mask: int, value: int) -> None:
    """Apply the gate at pl.G: on wire a and, unless it is -1, b; or on a with controls, none of which is
    known."""
    re, im, c, coefs, scratch = state
    kind = 0
    if b >= 0:
        flips, kind = pr.analyse(c, pl.G, 2)
        diagonal = flips == 0
        if diagonal:
            alone = _reduce(n, c, a, b)
            if alone >= 0:
                a, b = alone, -1
        elif _absorb_waiting(state, n, a, b):
            _, kind = pr.analyse(c, pl.G, 2)
    else:
        diagonal = pl.is_diagonal(c, pl.G)
        if diagonal and mask and pl.is_known(n, a):
            # A phase where the controls hold: a gate on one of them.
            factor = c[pl.G + 3 * n[pl.KNOWN, a]]
            a = pl.lowest(mask)
            pl.phase_on(c, factor, (value >> a) & 1)
            mask, value = mask & ~(1 << a), value & ~(1 << a)
    if b < 0 and mask == 0:
        _alone(n, c, a)
        return
    targets = (1 << a) | (1 << b if b >= 0 else 0)
    pl.settle(state, n, targets | mask, 0 if diagonal else targets)
    if diagonal and b < 0 and mask & (mask - 1) == 0:
        b, on = pl.lowest(mask), 2 if value else 0
        c[pl.H + 2 - on] = c[pl.H + 3 - on] = 1.0
        c[pl.H + on], c[pl.H + on + 1] = c[pl.G], c[pl.G + 3]
    elif diagonal and b >= 0:
        for x in range(4):
            c[pl.H + x] = c[pl.G + 5 * x]
    if diagonal and b >= 0:
        d.diagonal(re, im, n[pl.AT, pl.SIZE], n[pl.PLACE, a], n[pl.PLACE, b], c, pl.H, scratch)
        return
    places, wanted = pl.positions(n, mask), pl.positions(n, mask & value)
    p = pl.lift(re, im, n, a, places if b < 0 else 1 << n[pl.PLACE, b])
    if b >= 0:
        q = pl.lift(re, im, n, b, 1 << p)
        pl.put(coefs, c, pl.G, 16)
        k.two_qubits(re, im, n[pl.AT, pl.SIZE], p, q, kind, coefs, 0)
    elif pl.is_flip(c, pl.G) and places & ((1 << pl.LANES) - 1) == 0:
        k.controlled_flip(re, im, n[pl.AT, pl.SIZE], p, places, wanted)
    else:
        pl.put(coefs, c, pl.G, 4)
        k.controlled(re, im, n[pl.AT, pl.SIZE], p, places, wanted, coefs, 0, scratch)


@merged
def _matrix(row: Any, pool: Any, parameters: Any, at: int, c: Any, last: Any) -> None:
    """Write the matrix of an instruction to pl.G; one that is that of the last instruction is not computed
    again."""
    code, entries = row[m.CODE], 1 << (2 * row[m.TARGETS])
    if code == m.POOLED:
        for x in range(entries):
            c[pl.G + x] = pool[row[m.OFFSET] + x]
        return
    same = last[0] == code
    if same:
        for j in range(row[m.PARAMETERS]):
            same &= parameters[at + j] == parameters[last[1] + j]
    if same:
        for x in range(entries):
            c[pl.G + x] = c[pl.M + x]
    else:
        m.parametric(code, parameters, at, c)
        last[0], last[1] = code, at
        for x in range(entries):
            c[pl.M + x] = c[pl.G + x]


@merged
def _instruction(
    state: Any, n: Any, row: Any, pool: Any, qubits: Any, q: int, parameters: Any, at: int
) -> None:
    """Apply one instruction, whose qubits begin at q and whose parameters begin at `at`."""
    c, wire = state[2], n[pl.WIRE]
    code, targets = row[m.CODE], row[m.TARGETS]
    mask = value = 0
    for j in range(row[m.CONTROLS]):
        w = wire[qubits[q]]
        wanted = (row[m.STATE] >> j) & 1
        q += 1
        if not pl.is_known(n, w):
            mask |= 1 << w
            value |= wanted << w
        elif n[pl.KNOWN, w] != wanted:
            return
    turns, a, b, factor = 1, -1, -1, complex(1.0)
    if targets:
        a = wire[qubits[q]]
    if targets > 1:
        b = wire[qubits[q + 1]]
    if code == m.NOTHING:
        return
    if code == m.SWAP:
        if mask == 0:
            wire[qubits[q]], wire[qubits[q + 1]] = b, a
            return
        if pl.is_known(n, a) and pl.is_known(n, b) and n[pl.KNOWN, a] == n[pl.KNOWN, b]:
            return
        pl.settle_targets(state, n, (1 << a) | (1 << b))
        turns = 3
    elif targets > 2:
        _many_targets(state, n, qubits, q, targets, pool, row[m.OFFSET])
        return
    elif code == m.PHASE:
        factor = complex(np.cos(parameters[at]), np.sin(parameters[at]))
    else:
        _matrix(row, pool, parameters, at, c, n[pl.LAST])
        factor = c[pl.G]
    if targets == 0:
        if mask == 0:
            c[pl.PHASE] *= factor
            return
        a = pl.lowest(mask)
        pl.phase_on(c, factor, (value >> a) & 1)
        mask, value = mask & ~(1 << a), value & ~(1 << a)
    t, mask_now, value_now = a, mask, value
    for turn in range(turns):
        other = b
        if turns == 3:
            # A swap with controls is three controlled flips.
            c[pl.G] = c[pl.G + 3] = 0.0
            c[pl.G + 1] = c[pl.G + 2] = 1.0
            other = -1
            t, mask_now, value_now = a, 1 << b, 1 << b
            if turn == 1:
                t, mask_now, value_now = b, mask | (1 << a), value | (1 << a)
        _apply(state, n, t, other, mask_now, value_now)


@compiled
def _pool_is_known(table: Any, pool: Any) -> bool:
    """Whether all gates are of a kind that is known here, and matrices of one or two qubits unitary within
    Qiskit's tolerance."""
    for r in range(len(table)):
        targets = table[r, m.TARGETS]
        if targets > pl.MOST_TARGETS or (targets > 1 and table[r, m.CONTROLS] and table[r, m.CODE] != m.SWAP):
            return False
        if table[r, m.CODE] == m.POOLED and targets <= 2:
            dim, at = 1 << targets, table[r, m.OFFSET]
            for a in range(dim):
                for b in range(a, dim):
                    total = complex(1.0 if a == b else 0.0)
                    for x in range(dim):
                        total -= pool[at + x * dim + a].conjugate() * pool[at + x * dim + b]
                    if not abs(total.real) + abs(total.imag) <= 1e-8:
                        return False
    return True


@merged
def _run(
    table: Any, pool: Any, operations: Any, qubits: Any, parameters: Any, state: Any, n: Any, width: int
) -> bool:
    """Apply all instructions; False as soon as one is not valid."""
    q = at = 0
    for i in range(len(operations)):
        number = operations[i]
        if number >= len(table):
            return False
        row = table[number]
        operands, angles = row[m.TARGETS] + row[m.CONTROLS], row[m.PARAMETERS]
        if q + operands > len(qubits) or at + angles > len(parameters):
            return False
        seen = 0
        for j in range(q, q + operands):
            bit = 1 << int(qubits[j])
            if qubits[j] >= width or seen & bit:
                return False
            seen |= bit
        for j in range(at, at + angles):
            if not np.isfinite(parameters[j]):
                return False
        _instruction(state, n, row, pool, qubits, q, parameters, at)
        q += operands
        at += angles
    return bool(q == len(qubits) and at == len(parameters))


@compiled
def simulate(
    table: Any, pool: Any, operations: Any, qubits: Any, parameters: Any, phase: complex, out: Any, space: Any
) -> int:
    """Write the amplitudes of a circuit that starts from the basis state 0 to `out`, times `phase`.

    `table` and `pool` are those of `operation_table`, the columns are the circuit's. `space` has
    `space_size` float64, aligned to cache lines, and is this thread's alone. Returns DONE or UNKNOWN; then
    `out` is of no use.
    """
    table, pool, out, space = borrowed(table), borrowed(pool), borrowed(out), borrowed(space)
    operations, qubits, parameters = borrowed(operations), borrowed(qubits), borrowed(parameters)
    if not _pool_is_known(table, pool):
        return UNKNOWN
    width = 0
    while 1 << width < len(out):
        width += 1
    words = space[: pl.HEAD].view(np.int64)
    n = borrowed(words[: pl.ROWS * pl.MOST_WIRES].reshape(pl.ROWS, pl.MOST_WIRES))
    n[pl.KNOWN, :], n[pl.PLACE, :], n[pl.PENDS, :], n[pl.AT, :], n[pl.USED, :] = 0, -1, 0, -1, 0
    for q in range(width):
        n[pl.WIRE, q] = q
    n[pl.LAST, 0], n[pl.LAST, 1] = -1, 0
    n[pl.AT, pl.SIZE], n[pl.AT, pl.CLOCK] = pl.LANES + 1, 0
    c = borrowed(space[pl.HEAD : 2 * pl.HEAD].view(np.complex128))
    c[pl.PHASE] = phase
    coefs, rest = space[2 * pl.HEAD : 2 * pl.HEAD + pl.COEFFICIENTS], space[2 * pl.HEAD + pl.COEFFICIENTS :]
    scratch, rest = rest[: pl.SCRATCH], rest[pl.SCRATCH :]
    most = 1 << max(width, pl.LANES + pl.ROOM)
    re, im = rest[:most], rest[most + pl.GAP : 2 * most + pl.GAP]
    re[: 2 << pl.LANES] = 0.0
    im[: 2 << pl.LANES] = 0.0
    re[0] = 1.0
    state = (re, im, c, coefs, scratch)
    mode = flush_denormals()
    valid = _run(table, pool, operations, qubits, parameters, state, n, width)
    if valid:
        pl.finish(state, n, width, words[pl.ROWS * pl.MOST_WIRES :], out.view(np.float64))
    restore_denormals(mode)
    return DONE if valid else UNKNOWN
