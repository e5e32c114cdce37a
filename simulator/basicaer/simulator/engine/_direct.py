"""Small circuits gate by gate: from packed columns to amplitudes in one compiled call.

A state of a dozen qubits lies in the L1 cache, where a pass over it takes less time than planning one. So
gates are applied as they come. Only this is done about them first: gates on one qubit wait on their wire, and
are multiplied with those that follow, until something else needs the wire; and wires that are still in a
known basis state are left out, as in `_lowering`.

A wire that takes part ("is born") gets a position in the block, see `_kernels`. A gate's targets must not lie
in the lanes, so while there is room, wires are born above them and all lanes but the first are zero. When
there is no more, the wires that were not needed for longest move to the lanes, and come back when they are.
"""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _direct_kernels as d
from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _kernels as k
from basicaer.simulator.engine import _matrices as m
from basicaer.simulator.engine._borrowed import borrowed, inlined, merged
from basicaer.simulator.engine._jit import compiled
from basicaer.simulator.engine._simd import flush_denormals, restore_denormals

MOST_TARGETS = 4
"""Targets of the widest gate that is known here."""
_ROOM = MOST_TARGETS
"""Positions above the lanes that there are at least."""
_LANES = 3
"""Positions in the lanes."""
_COEFFICIENTS = 2 << (2 * MOST_TARGETS)
_SCRATCH = 16 << MOST_TARGETS
_GAP = 128
"""Reals between the two parts of a state, lest equal indices compete for one cache set."""

_HEAD = 512
"""Reals that hold the integers below, and as many for complex numbers."""

DONE, UNKNOWN = range(2)
"""How `simulate` ends: there are amplitudes, or something that only the general way knows, or can name."""

_KNOWN, _PLACE, _PENDS, _AT, _USED, _WIRE, _LAST, _ROWS = range(8)
"""Rows of integers: for each wire its basis state, its position or -1, whether a gate waits on it; for each
position its wire or -1; for each wire when it was last used; for each qubit its wire; of the last matrix that
was computed, the code and the first parameter."""
_MOST_WIRES = 32
_SIZE, _CLOCK = range(_MOST_WIRES - 2, _MOST_WIRES)
"""Places at the end of row _AT for scalars: positions in use, the time."""

_G, _H, _PHASE, _M, _WAITING = 0, 16, 20, 24, 40
"""Where in the complex scratch lie: a gate's matrix, diagonal factors, the phase, the last matrix that was
computed, gates that wait."""


def space_size(num_qubits: int) -> int:
    """Reals of scratch that `simulate` needs."""
    return (2 << max(num_qubits, _LANES + _ROOM)) + _GAP + 2 * _HEAD + _COEFFICIENTS + _SCRATCH


@compiled
def _grow(re: Any, im: Any, n: Any) -> int:
    """One more position, in 0; returns it."""
    size = n[_AT, _SIZE]
    re[1 << size : 2 << size] = 0.0
    im[1 << size : 2 << size] = 0.0
    n[_AT, _SIZE] = size + 1
    return int(size)


@compiled
def _idle(n: Any, keep: int) -> int:
    """The position above the lanes that is free, or was not used for longest; -1 when all are in `keep`."""
    best = -1
    for p in range(_LANES, n[_AT, _SIZE]):
        w = n[_AT, p]
        if (keep >> p) & 1 == 0:
            if w < 0:
                return p
            if best < 0 or n[_USED, w] < n[_USED, n[_AT, best]]:
                best = p
    return best


@compiled
def _exchange(re: Any, im: Any, n: Any, lane: int, p: int) -> None:
    d.exchange_lane(re, im, n[_AT, _SIZE], lane, p)
    a, b = n[_AT, lane], n[_AT, p]
    n[_AT, lane], n[_AT, p] = b, a
    if a >= 0:
        n[_PLACE, a] = p
    if b >= 0:
        n[_PLACE, b] = lane


@compiled
def _leave_lanes(re: Any, im: Any, n: Any, w: int, keep: int) -> None:
    """Bring wire w, which is in the lanes, to a position above them that is not in `keep`."""
    to = _idle(n, keep)
    if to < 0:
        to = _grow(re, im, n)
        n[_AT, to] = -1
    _exchange(re, im, n, n[_PLACE, w], to)


@inlined
def _lift(re: Any, im: Any, n: Any, w: int, keep: int) -> int:
    """Bring wire w above the lanes, not to the positions `keep`; returns its position."""
    if n[_PLACE, w] < _LANES:
        _leave_lanes(re, im, n, w, keep)
    n[_AT, _CLOCK] += 1
    n[_USED, w] = n[_AT, _CLOCK]
    return int(n[_PLACE, w])


@compiled
def _bear(re: Any, im: Any, n: Any, w: int) -> None:
    """Give wire w, in 0, a position."""
    p = _idle(n, 0)
    if p < 0 or n[_AT, p] >= 0:
        lane = _LANES
        if n[_AT, _SIZE] >= lane + _ROOM:
            lane = 0
            while lane < _LANES and n[_AT, lane] >= 0:
                lane += 1
        if lane < _LANES:
            _exchange(re, im, n, lane, p)
        else:
            p = _grow(re, im, n)
    n[_AT, p], n[_PLACE, w] = w, p
    n[_AT, _CLOCK] += 1
    n[_USED, w] = n[_AT, _CLOCK]


@inlined
def _put(coefs: Any, c: Any, at: int, count: int) -> None:
    for x in range(count):
        coefs[2 * x], coefs[2 * x + 1] = c[at + x].real, c[at + x].imag


@inlined
def _is_zero(z: complex) -> bool:
    return abs(z.real) < f.TINY and abs(z.imag) < f.TINY


@inlined
def _is_diagonal(c: Any, at: int) -> bool:
    return _is_zero(c[at + 1]) and _is_zero(c[at + 2])


@merged
def _settle(state: Any, n: Any, wires: int, targets: int) -> None:
    """Let a set of wires take part, and apply what waits on them; diagonal gates may wait on where none of
    the `targets` lies."""
    re, im, c, coefs, scratch = state
    w = -1
    while wires:
        w += 1
        waits, born = n[_PENDS, w] != 0, n[_PLACE, w] >= 0
        if not wires & 1 or (born and not waits):
            wires >>= 1
            continue
        wires >>= 1
        at = _WAITING + 4 * w
        if not born:
            _bear(re, im, n, w)
            if not waits and n[_KNOWN, w] == 0:
                continue
            if not waits:
                c[at] = c[at + 3] = 0.0
                c[at + 1] = c[at + 2] = 1.0
                n[_PENDS, w] = 1
        if _is_diagonal(c, at):
            if (targets >> w) & 1:
                n[_PENDS, w] = 0
                c[_PHASE] *= c[at]
                c[_H], c[_H + 3] = 1.0, c[at + 3] / c[at]
                d.diagonal(re, im, n[_AT, _SIZE], n[_PLACE, w], n[_PLACE, w], c, _H, scratch)
            continue
        n[_PENDS, w] = 0
        p = _lift(re, im, n, w, 0)
        size = n[_AT, _SIZE]
        if _is_flip(c, at):
            k.controlled_flip(re, im, size, p, 0, 0)
        else:
            _, kind = f.analyse(c, at, 1)
            _put(coefs, c, at, 4)
            k.one_qubit(re, im, size, p, kind, coefs, 0)


@compiled
def _settle_targets(state: Any, n: Any, wires: int) -> None:
    """`_settle` for wires that all are targets."""
    _settle(state, n, wires, wires)


@inlined
def _is_flip(c: Any, at: int) -> bool:
    return bool(c[at] == 0.0 and c[at + 3] == 0.0 and c[at + 1] == 1.0 and c[at + 2] == 1.0)


@inlined
def _lowest(mask: int) -> int:
    bit = 0
    while not (mask >> bit) & 1:
        bit += 1
    return bit


@inlined
def _phase_on(c: Any, factor: complex, bit: int) -> None:
    """Let the gate at _G be a phase of one of a wire's two values."""
    c[_G] = c[_G + 3] = 1.0
    c[_G + 1] = c[_G + 2] = 0.0
    c[_G + 3 * bit] = factor


@inlined
def _positions(n: Any, wires: int) -> int:
    """The positions of a set of wires, as bits."""
    result, w = 0, 0
    while wires:
        if wires & 1:
            result |= 1 << n[_PLACE, w]
        wires >>= 1
        w += 1
    return result


@inlined
def _is_known(n: Any, w: int) -> bool:
    """Whether the wire is in a basis state."""
    return bool(n[_PLACE, w] < 0 and n[_PENDS, w] == 0)


@inlined
def _alone(n: Any, c: Any, t: int) -> None:
    """The gate at _G on wire t: it waits, unless the wire is known and stays so."""
    at = _WAITING + 4 * t
    if _is_known(n, t):
        bit = n[_KNOWN, t]
        if _is_diagonal(c, _G):
            c[_PHASE] *= c[_G + 3 * bit]
            return
        if _is_zero(c[_G]) and _is_zero(c[_G + 3]):
            c[_PHASE] *= c[_G + 2 - bit]
            n[_KNOWN, t] = 1 - bit
            return
        for x in range(4):
            c[at + x] = c[_G + (x ^ bit)]
        n[_KNOWN, t], n[_PENDS, t] = 0, 1
    elif n[_PENDS, t]:
        g0, g1, g2, g3 = c[_G], c[_G + 1], c[_G + 2], c[_G + 3]
        u0, u1, u2, u3 = c[at], c[at + 1], c[at + 2], c[at + 3]
        c[at], c[at + 1] = g0 * u0 + g1 * u2, g0 * u1 + g1 * u3
        c[at + 2], c[at + 3] = g2 * u0 + g3 * u2, g2 * u1 + g3 * u3
    else:
        for x in range(4):
            c[at + x] = c[_G + x]
        n[_PENDS, t] = 1


@inlined
def _absorb(c: Any, at: int, bit: int) -> None:
    """The 4 by 4 matrix at _G, times the 2 by 2 one at `at` on its bit."""
    u0, u1, u2, u3 = c[at], c[at + 1], c[at + 2], c[at + 3]
    for row in range(4):
        for column in range(4):
            if not (column >> bit) & 1:
                i = _G + 4 * row + column
                x, y = c[i], c[i + (1 << bit)]
                c[i], c[i + (1 << bit)] = x * u0 + y * u2, x * u1 + y * u3


@compiled
def _many_targets(state: Any, n: Any, qubits: Any, first: int, count: int, source: Any, at: int) -> None:
    """The dense gate at source[at] on three or more qubits."""
    re, im, _, coefs, scratch = state
    places = np.zeros((MOST_TARGETS, 2), np.int64)
    taken = wires = 0
    for j in range(count):
        wires |= 1 << n[_WIRE, qubits[first + j]]
    _settle_targets(state, n, wires)
    for turn in range(2):
        # Those that are above the lanes already stay there.
        for j in range(count):
            w = n[_WIRE, qubits[first + j]]
            if turn == 1 or n[_PLACE, w] >= _LANES:
                places[j, 0] = _lift(re, im, n, w, taken)
                taken |= 1 << places[j, 0]
    _put(coefs, source, at, 1 << (2 * count))
    k.dense_any(re, im, n[_AT, _SIZE], count, 0, 0, places, 0, coefs, 0, scratch)


@inlined
def _reduce(n: Any, c: Any, a: int, b: int) -> int:
    """Make a diagonal 4 by 4 gate at _G one on a single wire, when the other is known; returns which, or
    -1."""
    if _is_known(n, a):
        bit = n[_KNOWN, a]
        c[_G], c[_G + 3] = c[_G + 5 * bit], c[_G + 10 + 5 * bit]
        a = b
    elif _is_known(n, b):
        bit = n[_KNOWN, b]
        c[_G], c[_G + 3] = c[_G + 10 * bit], c[_G + 5 + 10 * bit]
    else:
        return -1
    c[_G + 1] = c[_G + 2] = 0.0
    return a


@merged
def _absorb_waiting(state: Any, n: Any, a: int, b: int) -> bool:
    """Multiply the 4 by 4 gate at _G on wires a and b by what waits on them; tells whether anything did."""
    any_waits = False
    for bit in range(2):
        w = b if bit else a
        if n[_PENDS, w]:
            if n[_PLACE, w] < 0:
                _bear(state[0], state[1], n, w)
            n[_PENDS, w] = 0
            _absorb(state[2], _WAITING + 4 * w, bit)
            any_waits = True
    return any_waits


@merged
def _apply(state: Any, n: Any, a: int, b: int, mask: int, value: int) -> None:
    """Apply the gate at _G: on wire a and, unless it is -1, b; or on a with controls, none of which is
    known."""
    re, im, c, coefs, scratch = state
    kind = 0
    if b >= 0:
        flips, kind = f.analyse(c, _G, 2)
        diagonal = flips == 0
        if diagonal:
            alone = _reduce(n, c, a, b)
            if alone >= 0:
                a, b = alone, -1
        elif _absorb_waiting(state, n, a, b):
            _, kind = f.analyse(c, _G, 2)
    else:
        diagonal = _is_diagonal(c, _G)
        if diagonal and mask and _is_known(n, a):
            # A phase where the controls hold: a gate on one of them.
            factor = c[_G + 3 * n[_KNOWN, a]]
            a = _lowest(mask)
            _phase_on(c, factor, (value >> a) & 1)
            mask, value = mask & ~(1 << a), value & ~(1 << a)
    if b < 0 and mask == 0:
        _alone(n, c, a)
        return
    targets = (1 << a) | (1 << b if b >= 0 else 0)
    _settle(state, n, targets | mask, 0 if diagonal else targets)
    if diagonal and b < 0 and mask & (mask - 1) == 0:
        b, on = _lowest(mask), 2 if value else 0
        c[_H + 2 - on] = c[_H + 3 - on] = 1.0
        c[_H + on], c[_H + on + 1] = c[_G], c[_G + 3]
    elif diagonal and b >= 0:
        for x in range(4):
            c[_H + x] = c[_G + 5 * x]
    if diagonal and b >= 0:
        d.diagonal(re, im, n[_AT, _SIZE], n[_PLACE, a], n[_PLACE, b], c, _H, scratch)
        return
    places, wanted = _positions(n, mask), _positions(n, mask & value)
    p = _lift(re, im, n, a, places if b < 0 else 1 << n[_PLACE, b])
    if b >= 0:
        q = _lift(re, im, n, b, 1 << p)
        _put(coefs, c, _G, 16)
        k.two_qubits(re, im, n[_AT, _SIZE], p, q, kind, coefs, 0)
    elif _is_flip(c, _G) and places & ((1 << _LANES) - 1) == 0:
        k.controlled_flip(re, im, n[_AT, _SIZE], p, places, wanted)
    else:
        _put(coefs, c, _G, 4)
        k.controlled(re, im, n[_AT, _SIZE], p, places, wanted, coefs, 0, scratch)


@merged
def _matrix(row: Any, pool: Any, parameters: Any, at: int, c: Any, last: Any) -> None:
    """Write the matrix of an instruction to _G; one that is that of the last instruction is not computed
    again."""
    code, entries = row[m.CODE], 1 << (2 * row[m.TARGETS])
    if code == m.POOLED:
        for x in range(entries):
            c[_G + x] = pool[row[m.OFFSET] + x]
        return
    same = last[0] == code
    if same:
        for j in range(row[m.PARAMETERS]):
            same &= parameters[at + j] == parameters[last[1] + j]
    if same:
        for x in range(entries):
            c[_G + x] = c[_M + x]
    else:
        m.parametric(code, parameters, at, c)
        last[0], last[1] = code, at
        for x in range(entries):
            c[_M + x] = c[_G + x]


@merged
def _instruction(
    state: Any, n: Any, row: Any, pool: Any, qubits: Any, q: int, parameters: Any, at: int
) -> None:
    """Apply one instruction, whose qubits begin at q and whose parameters begin at `at`."""
    c, wire = state[2], n[_WIRE]
    code, targets = row[m.CODE], row[m.TARGETS]
    mask = value = 0
    for j in range(row[m.CONTROLS]):
        w = wire[qubits[q]]
        wanted = (row[m.STATE] >> j) & 1
        q += 1
        if not _is_known(n, w):
            mask |= 1 << w
            value |= wanted << w
        elif n[_KNOWN, w] != wanted:
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
        if _is_known(n, a) and _is_known(n, b) and n[_KNOWN, a] == n[_KNOWN, b]:
            return
        _settle_targets(state, n, (1 << a) | (1 << b))
        turns = 3
    elif targets > 2:
        _many_targets(state, n, qubits, q, targets, pool, row[m.OFFSET])
        return
    elif code == m.PHASE:
        factor = complex(np.cos(parameters[at]), np.sin(parameters[at]))
    else:
        _matrix(row, pool, parameters, at, c, n[_LAST])
        factor = c[_G]
    if targets == 0:
        if mask == 0:
            c[_PHASE] *= factor
            return
        a = _lowest(mask)
        _phase_on(c, factor, (value >> a) & 1)
        mask, value = mask & ~(1 << a), value & ~(1 << a)
    t, mask_now, value_now = a, mask, value
    for turn in range(turns):
        other = b
        if turns == 3:
            # A swap with controls is three controlled flips.
            c[_G] = c[_G + 3] = 0.0
            c[_G + 1] = c[_G + 2] = 1.0
            other = -1
            t, mask_now, value_now = a, 1 << b, 1 << b
            if turn == 1:
                t, mask_now, value_now = b, mask | (1 << a), value | (1 << a)
        _apply(state, n, t, other, mask_now, value_now)


@compiled
def _finish(state: Any, n: Any, qubits: int, words: Any, out: Any) -> None:
    """Apply what waits, and write the amplitudes to `out`, reals."""
    re, im, c = state[0], state[1], state[2]
    waiting = 0
    for w in range(qubits):
        waiting |= n[_PENDS, w] << w
    _settle_targets(state, n, waiting)
    size = n[_AT, _SIZE]
    # Vectors are moved when all wires take part and no position is left over.
    whole = size == qubits
    base, count = 0, 0
    for q in range(qubits):
        whole &= n[_PLACE, n[_WIRE, q]] >= 0
    if whole:
        for q in range(_LANES):
            w = n[_WIRE, q]
            p = n[_PLACE, w]
            if p != q and p < _LANES:
                p = _lift(re, im, n, w, 0)
            if p != q:
                _exchange(re, im, n, q, p)
    moves = words[: 2 * _MOST_WIRES].reshape(2, _MOST_WIRES)
    tables = words[2 * _MOST_WIRES : 2 * _MOST_WIRES + 2 * d.TABLE].reshape(2, d.TABLE)
    for q in range(_LANES if whole else 0, qubits):
        w = n[_WIRE, q]
        if n[_PLACE, w] < 0:
            base |= n[_KNOWN, w] << q
        else:
            moves[0, count], moves[1, count] = n[_PLACE, w], q
            count += 1
    if not whole and count < qubits:
        out[:] = 0.0
    d.write_out(re, im, moves, count, base, c[_PHASE], whole, out, tables)


@compiled
def _pool_is_known(table: Any, pool: Any) -> bool:
    """Whether all gates are of a kind that is known here, and matrices of one or two qubits unitary within
    Qiskit's tolerance."""
    for r in range(len(table)):
        targets = table[r, m.TARGETS]
        if targets > MOST_TARGETS or (targets > 1 and table[r, m.CONTROLS] and table[r, m.CODE] != m.SWAP):
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
    words = space[:_HEAD].view(np.int64)
    n = borrowed(words[: _ROWS * _MOST_WIRES].reshape(_ROWS, _MOST_WIRES))
    n[_KNOWN, :], n[_PLACE, :], n[_PENDS, :], n[_AT, :], n[_USED, :] = 0, -1, 0, -1, 0
    for q in range(width):
        n[_WIRE, q] = q
    n[_LAST, 0], n[_LAST, 1] = -1, 0
    n[_AT, _SIZE], n[_AT, _CLOCK] = _LANES + 1, 0
    c = borrowed(space[_HEAD : 2 * _HEAD].view(np.complex128))
    c[_PHASE] = phase
    coefs, rest = space[2 * _HEAD : 2 * _HEAD + _COEFFICIENTS], space[2 * _HEAD + _COEFFICIENTS :]
    scratch, rest = rest[:_SCRATCH], rest[_SCRATCH:]
    most = 1 << max(width, _LANES + _ROOM)
    re, im = rest[:most], rest[most + _GAP : 2 * most + _GAP]
    re[: 2 << _LANES] = 0.0
    im[: 2 << _LANES] = 0.0
    re[0] = 1.0
    state = (re, im, c, coefs, scratch)
    mode = flush_denormals()
    valid = _run(table, pool, operations, qubits, parameters, state, n, width)
    if valid:
        _finish(state, n, width, words[_ROWS * _MOST_WIRES :], out.view(np.float64))
    restore_denormals(mode)
    return DONE if valid else UNKNOWN
