"""Small circuits gate by gate: from packed columns to amplitudes in one compiled call.

A state of a dozen qubits lies in the L1 cache, where a pass over it takes less time than planning one. So
gates are applied as they come. Only this is done about them first: gates on one qubit wait on their wire, and
are multiplied with those that follow, until something else needs the wire; and wires that are still in a
known basis state are left out, as in `_lowering`. Where the others lie is the matter of `_places`.
"""

import numpy as np
from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Indices, Ints, Reals, Small
from basicaer.simulator.methods.statevector.engine._matrices import parametric
from basicaer.simulator.methods.statevector.engine.blocks import _kernels as kernels
from basicaer.simulator.methods.statevector.engine.columns import gates, small
from basicaer.simulator.methods.statevector.engine.direct import _direct_kernels as direct_kernels
from basicaer.simulator.methods.statevector.engine.direct._places import (
    bear,
    finish,
    is_diagonal,
    is_flip,
    is_known,
    is_zero,
    lift,
    lowest,
    phase_on,
    positions,
    put,
    settle,
    settle_targets,
)
from basicaer.simulator.methods.statevector.engine.machine._borrowed import borrowed, inlined, merged
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._simd import flush_denormals, restore_denormals
from basicaer.simulator.methods.statevector.engine.planning import _products as products

DONE, UNKNOWN = range(2)
"""How `simulate` ends: there are amplitudes, or something that only the general way knows, or can name."""


def space_size(num_qubits: int) -> int:
    """Reals of scratch that `simulate` needs."""
    state = (2 << max(num_qubits, small.LANES + small.ROOM)) + small.GAP
    return state + 2 * small.HEAD + small.COEFFICIENTS + small.SCRATCH


@inlined
def _alone(n: Ints, c: Complexes, t: int) -> None:
    """Apply the gate at small.G on wire t: it waits, unless the wire is known and stays so."""
    at = small.WAITING + 4 * t
    if is_known(n, t):
        bit = n[small.KNOWN, t]
        if is_diagonal(c, small.G):
            c[small.PHASE] *= c[small.G + 3 * bit]
            return
        if is_zero(c[small.G]) and is_zero(c[small.G + 3]):
            c[small.PHASE] *= c[small.G + 2 - bit]
            n[small.KNOWN, t] = 1 - bit
            return
        for x in range(4):
            c[at + x] = c[small.G + (x ^ bit)]
        n[small.KNOWN, t], n[small.PENDS, t] = 0, 1
    elif n[small.PENDS, t]:
        g0, g1, g2, g3 = c[small.G], c[small.G + 1], c[small.G + 2], c[small.G + 3]
        u0, u1, u2, u3 = c[at], c[at + 1], c[at + 2], c[at + 3]
        c[at], c[at + 1] = g0 * u0 + g1 * u2, g0 * u1 + g1 * u3
        c[at + 2], c[at + 3] = g2 * u0 + g3 * u2, g2 * u1 + g3 * u3
    else:
        for x in range(4):
            c[at + x] = c[small.G + x]
        n[small.PENDS, t] = 1


@inlined
def _absorb(c: Complexes, at: int, bit: int) -> None:
    """Multiply the 4 by 4 matrix at small.G by the 2 by 2 one at `at` on its bit."""
    u0, u1, u2, u3 = c[at], c[at + 1], c[at + 2], c[at + 3]
    for row in range(4):
        for column in range(4):
            if not (column >> bit) & 1:
                i = small.G + 4 * row + column
                x, y = c[i], c[i + (1 << bit)]
                c[i], c[i + (1 << bit)] = x * u0 + y * u2, x * u1 + y * u3


@compiled
def _many_targets(
    state: Small, n: Ints, qubits: Indices, first: int, count: int, source: Complexes, at: int
) -> None:
    """Apply the dense gate at source[at] on three or more qubits."""
    re, im, coefs, scratch = state.re, state.im, state.coefs, state.scratch
    places = np.zeros((small.MOST_TARGETS, 2), np.int64)
    taken = wires = 0
    for j in range(count):
        wires |= 1 << n[small.WIRE, qubits[first + j]]
    settle_targets(state, n, wires)
    for turn in range(2):
        # Those that are above the lanes already stay there.
        for j in range(count):
            w = n[small.WIRE, qubits[first + j]]
            if turn == 1 or n[small.PLACE, w] >= small.LANES:
                places[j, 0] = lift(re, im, n, w, taken)
                taken |= 1 << places[j, 0]
    put(coefs, source, at, 1 << (2 * count))
    kernels.dense_any(re, im, n[small.AT, small.SIZE], count, 0, 0, places, 0, coefs, 0, scratch)


@inlined
def _reduce(n: Ints, c: Complexes, a: int, b: int) -> int:
    """Make a diagonal 4 by 4 gate at small.G one on a single wire, when the other is known; returns which, or
    -1.
    """
    if is_known(n, a):
        bit = n[small.KNOWN, a]
        c[small.G], c[small.G + 3] = c[small.G + 5 * bit], c[small.G + 10 + 5 * bit]
        a = b
    elif is_known(n, b):
        bit = n[small.KNOWN, b]
        c[small.G], c[small.G + 3] = c[small.G + 10 * bit], c[small.G + 5 + 10 * bit]
    else:
        return -1
    c[small.G + 1] = c[small.G + 2] = 0.0
    return a


@merged
def _absorb_waiting(state: Small, n: Ints, a: int, b: int) -> bool:
    """Multiply the 4 by 4 gate at small.G on wires a and b by what waits on them; tells whether anything
    did.
    """
    any_waits = False
    for bit in range(2):
        w = b if bit else a
        if n[small.PENDS, w]:
            if n[small.PLACE, w] < 0:
                bear(state.re, state.im, n, w)
            n[small.PENDS, w] = 0
            _absorb(state.c, small.WAITING + 4 * w, bit)
            any_waits = True
    return any_waits


@merged
def _apply(state: Small, n: Ints, a: int, b: int, mask: int, value: int) -> None:
    """Apply the gate at small.G: on wire a and, unless it is -1, b; or on a with controls, none of which is
    known.
    """
    re, im, c, coefs, scratch = state.re, state.im, state.c, state.coefs, state.scratch
    kind = 0
    if b >= 0:
        flips, kind = products.analyse(c, small.G, 2)
        diagonal = flips == 0
        if diagonal:
            alone = _reduce(n, c, a, b)
            if alone >= 0:
                a, b = alone, -1
        elif _absorb_waiting(state, n, a, b):
            _, kind = products.analyse(c, small.G, 2)
    else:
        diagonal = is_diagonal(c, small.G)
        if diagonal and mask and is_known(n, a):
            # A phase where the controls hold: a gate on one of them.
            factor = c[small.G + 3 * n[small.KNOWN, a]]
            a = lowest(mask)
            phase_on(c, factor, (value >> a) & 1)
            mask, value = mask & ~(1 << a), value & ~(1 << a)
    if b < 0 and mask == 0:
        _alone(n, c, a)
        return
    targets = (1 << a) | (1 << b if b >= 0 else 0)
    settle(state, n, targets | mask, 0 if diagonal else targets)
    if diagonal and b < 0 and mask & (mask - 1) == 0:
        b, on = lowest(mask), 2 if value else 0
        c[small.H + 2 - on] = c[small.H + 3 - on] = 1.0
        c[small.H + on], c[small.H + on + 1] = c[small.G], c[small.G + 3]
    elif diagonal and b >= 0:
        for x in range(4):
            c[small.H + x] = c[small.G + 5 * x]
    if diagonal and b >= 0:
        direct_kernels.diagonal(
            re,
            im,
            n[small.AT, small.SIZE],
            n[small.PLACE, a],
            n[small.PLACE, b],
            c,
            small.H,
            scratch,
        )
        return
    places, wanted = positions(n, mask), positions(n, mask & value)
    p = lift(re, im, n, a, places if b < 0 else 1 << n[small.PLACE, b])
    if b >= 0:
        q = lift(re, im, n, b, 1 << p)
        put(coefs, c, small.G, 16)
        kernels.two_qubits(re, im, n[small.AT, small.SIZE], p, q, kind, coefs, 0)
    elif is_flip(c, small.G) and places & ((1 << small.LANES) - 1) == 0:
        kernels.controlled_flip(re, im, n[small.AT, small.SIZE], p, places, wanted)
    else:
        put(coefs, c, small.G, 4)
        kernels.controlled(re, im, n[small.AT, small.SIZE], p, places, wanted, coefs, 0, scratch)


@merged
def _matrix(row: Ints, pool: Complexes, parameters: Reals, at: int, c: Complexes, last: Ints) -> None:
    """Write the matrix of an instruction to small.G; one that is that of the last instruction is not computed
    again.
    """
    code, entries = row[gates.CODE], 1 << (2 * row[gates.TARGETS])
    if code == formulas.POOLED:
        for x in range(entries):
            c[small.G + x] = pool[row[gates.OFFSET] + x]
        return
    same = last[0] == code
    if same:
        for j in range(row[gates.PARAMETERS]):
            same &= parameters[at + j] == parameters[last[1] + j]
    if same:
        for x in range(entries):
            c[small.G + x] = c[small.M + x]
    else:
        parametric(code, parameters, at, c)
        last[0], last[1] = code, at
        for x in range(entries):
            c[small.M + x] = c[small.G + x]


@merged
def _instruction(
    state: Small, n: Ints, row: Ints, pool: Complexes, qubits: Indices, q: int, parameters: Reals, at: int
) -> None:
    """Apply one instruction, whose qubits begin at q and whose parameters begin at `at`."""
    c, wire = state.c, n[small.WIRE]
    code, targets = row[gates.CODE], row[gates.TARGETS]
    mask = value = 0
    for j in range(row[gates.CONTROLS]):
        w = wire[qubits[q]]
        wanted = (row[gates.STATE] >> j) & 1
        q += 1
        if not is_known(n, w):
            mask |= 1 << w
            value |= wanted << w
        elif n[small.KNOWN, w] != wanted:
            return
    turns, a, b, factor = 1, -1, -1, complex(1.0)
    if targets:
        a = wire[qubits[q]]
    if targets > 1:
        b = wire[qubits[q + 1]]
    if code == formulas.NOTHING:
        return
    if code == formulas.SWAP:
        if mask == 0:
            wire[qubits[q]], wire[qubits[q + 1]] = b, a
            return
        if is_known(n, a) and is_known(n, b) and n[small.KNOWN, a] == n[small.KNOWN, b]:
            return
        settle_targets(state, n, (1 << a) | (1 << b))
        turns = 3
    elif targets > 2:
        _many_targets(state, n, qubits, q, targets, pool, row[gates.OFFSET])
        return
    elif code == formulas.PHASE:
        factor = complex(np.cos(parameters[at]), np.sin(parameters[at]))
    else:
        _matrix(row, pool, parameters, at, c, n[small.LAST])
        factor = c[small.G]
    if targets == 0:
        if mask == 0:
            c[small.PHASE] *= factor
            return
        a = lowest(mask)
        phase_on(c, factor, (value >> a) & 1)
        mask, value = mask & ~(1 << a), value & ~(1 << a)
    t, mask_now, value_now = a, mask, value
    for turn in range(turns):
        other = b
        if turns == 3:
            # A swap with controls is three controlled flips.
            c[small.G] = c[small.G + 3] = 0.0
            c[small.G + 1] = c[small.G + 2] = 1.0
            other = -1
            t, mask_now, value_now = a, 1 << b, 1 << b
            if turn == 1:
                t, mask_now, value_now = b, mask | (1 << a), value | (1 << a)
        _apply(state, n, t, other, mask_now, value_now)


@compiled
def _pool_is_known(table: Ints, pool: Complexes) -> bool:
    """Whether all gates are of a kind that is known here, and matrices of one or two qubits unitary within
    Qiskit's tolerance.
    """
    for r in range(len(table)):
        targets = table[r, gates.TARGETS]
        if targets > small.MOST_TARGETS or (
            targets > 1 and table[r, gates.CONTROLS] and table[r, gates.CODE] != formulas.SWAP
        ):
            return False
        if table[r, gates.CODE] == formulas.POOLED and targets <= 2:
            dim, at = 1 << targets, table[r, gates.OFFSET]
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
    table: Ints,
    pool: Complexes,
    operations: Indices,
    qubits: Indices,
    parameters: Reals,
    state: Small,
    n: Ints,
    width: int,
) -> bool:
    """Apply all instructions; False as soon as one is not valid."""
    q = at = 0
    for i in range(len(operations)):
        number = operations[i]
        if number >= len(table):
            return False
        row = table[number]
        operands, angles = row[gates.TARGETS] + row[gates.CONTROLS], row[gates.PARAMETERS]
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
    table: Ints,
    pool: Complexes,
    operations: Indices,
    qubits: Indices,
    parameters: Reals,
    phase: complex,
    out: Complexes,
    space: Reals,
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
    words = space[: small.HEAD].view(np.int64)
    n = borrowed(words[: small.ROWS * small.MOST_WIRES].reshape(small.ROWS, small.MOST_WIRES))
    n[small.KNOWN, :], n[small.PENDS, :], n[small.USED, :] = 0, 0, 0
    n[small.PLACE, :], n[small.AT, :] = -1, -1
    for q in range(width):
        n[small.WIRE, q] = q
    n[small.LAST, 0], n[small.LAST, 1] = -1, 0
    n[small.AT, small.SIZE], n[small.AT, small.CLOCK] = small.LANES + 1, 0
    c = borrowed(space[small.HEAD : 2 * small.HEAD].view(np.complex128))
    c[small.PHASE] = phase
    coefs, rest = (
        space[2 * small.HEAD : 2 * small.HEAD + small.COEFFICIENTS],
        space[2 * small.HEAD + small.COEFFICIENTS :],
    )
    scratch, rest = rest[: small.SCRATCH], rest[small.SCRATCH :]
    most = 1 << max(width, small.LANES + small.ROOM)
    re, im = rest[:most], rest[most + small.GAP : 2 * most + small.GAP]
    re[: 2 << small.LANES] = 0.0
    im[: 2 << small.LANES] = 0.0
    re[0] = 1.0
    state = Small(re, im, c, coefs, scratch)
    mode = flush_denormals()
    valid = _run(table, pool, operations, qubits, parameters, state, n, width)
    if valid:
        finish(state, n, width, words[small.ROWS * small.MOST_WIRES :], out.view(np.float64))
    restore_denormals(mode)
    return DONE if valid else UNKNOWN
