"""Where the wires of a small circuit lie, and what waits on them.

A wire that takes part ("is born") gets a position in the block, see `_kernels`. A gate's targets must not lie
in the lanes, so while there is room, wires are born above them and all lanes but the first are zero. When
there is no more, the wires that were not needed for longest move to the lanes, and come back when they are.

All that is known of a circuit lies in two arrays, `n` and `c`; see `columns/small.py`.
"""

from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Ints, Reals, Small
from basicaer.simulator.methods.statevector.engine.blocks import _kernels as kernels
from basicaer.simulator.methods.statevector.engine.columns.small import (
    AT,
    CLOCK,
    KNOWN,
    LANES,
    MOST_WIRES,
    PENDS,
    PHASE,
    PLACE,
    ROOM,
    SIZE,
    USED,
    WAITING,
    WIRE,
    G,
    H,
)
from basicaer.simulator.methods.statevector.engine.direct import _direct_kernels as direct_kernels
from basicaer.simulator.methods.statevector.engine.machine._borrowed import inlined, merged
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.planning import _products as products


@compiled
def _grow(re: Reals, im: Reals, n: Ints) -> int:
    """One more position, in 0; returns it."""
    size = n[AT, SIZE]
    re[1 << size : 2 << size] = 0.0
    im[1 << size : 2 << size] = 0.0
    n[AT, SIZE] = size + 1
    return int(size)


@compiled
def _idle(n: Ints, keep: int) -> int:
    """Return the position above the lanes that is free, or was not used for longest; -1 when all are in
    `keep`.
    """
    best = -1
    for p in range(LANES, n[AT, SIZE]):
        w = n[AT, p]
        if (keep >> p) & 1 == 0:
            if w < 0:
                return p
            if best < 0 or n[USED, w] < n[USED, n[AT, best]]:
                best = p
    return best


@compiled
def _exchange(re: Reals, im: Reals, n: Ints, lane: int, p: int) -> None:
    direct_kernels.exchange_lane(re, im, n[AT, SIZE], lane, p)
    a, b = n[AT, lane], n[AT, p]
    n[AT, lane], n[AT, p] = b, a
    if a >= 0:
        n[PLACE, a] = p
    if b >= 0:
        n[PLACE, b] = lane


@compiled
def _leave_lanes(re: Reals, im: Reals, n: Ints, w: int, keep: int) -> None:
    """Bring wire w, which is in the lanes, to a position above them that is not in `keep`."""
    to = _idle(n, keep)
    if to < 0:
        to = _grow(re, im, n)
        n[AT, to] = -1
    _exchange(re, im, n, n[PLACE, w], to)


@inlined
def lift(re: Reals, im: Reals, n: Ints, w: int, keep: int) -> int:
    """Bring wire w above the lanes, not to the positions `keep`; returns its position."""
    if n[PLACE, w] < LANES:
        _leave_lanes(re, im, n, w, keep)
    n[AT, CLOCK] += 1
    n[USED, w] = n[AT, CLOCK]
    return int(n[PLACE, w])


@compiled
def bear(re: Reals, im: Reals, n: Ints, w: int) -> None:
    """Give wire w, in 0, a position."""
    p = _idle(n, 0)
    if p < 0 or n[AT, p] >= 0:
        lane = LANES
        if n[AT, SIZE] >= lane + ROOM:
            lane = 0
            while lane < LANES and n[AT, lane] >= 0:
                lane += 1
        if lane < LANES:
            _exchange(re, im, n, lane, p)
        else:
            p = _grow(re, im, n)
    n[AT, p], n[PLACE, w] = w, p
    n[AT, CLOCK] += 1
    n[USED, w] = n[AT, CLOCK]


@inlined
def put(coefs: Reals, c: Complexes, at: int, count: int) -> None:
    for x in range(count):
        coefs[2 * x], coefs[2 * x + 1] = c[at + x].real, c[at + x].imag


@inlined
def is_zero(z: complex) -> bool:
    return abs(z.real) < products.TINY and abs(z.imag) < products.TINY


@inlined
def is_diagonal(c: Complexes, at: int) -> bool:
    return is_zero(c[at + 1]) and is_zero(c[at + 2])


@merged
def settle(state: Small, n: Ints, wires: int, targets: int) -> None:
    """Let a set of wires take part, and apply what waits on them; diagonal gates may wait on where none of
    the `targets` lies.
    """
    re, im, c, coefs, scratch = state.re, state.im, state.c, state.coefs, state.scratch
    w = -1
    while wires:
        w += 1
        waits, born = n[PENDS, w] != 0, n[PLACE, w] >= 0
        if not wires & 1 or (born and not waits):
            wires >>= 1
            continue
        wires >>= 1
        at = WAITING + 4 * w
        if not born:
            bear(re, im, n, w)
            if not waits and n[KNOWN, w] == 0:
                continue
            if not waits:
                c[at] = c[at + 3] = 0.0
                c[at + 1] = c[at + 2] = 1.0
                n[PENDS, w] = 1
        if is_diagonal(c, at):
            if (targets >> w) & 1:
                n[PENDS, w] = 0
                c[PHASE] *= c[at]
                c[H], c[H + 3] = 1.0, c[at + 3] / c[at]
                direct_kernels.diagonal(re, im, n[AT, SIZE], n[PLACE, w], n[PLACE, w], c, H, scratch)
            continue
        n[PENDS, w] = 0
        p = lift(re, im, n, w, 0)
        size = n[AT, SIZE]
        if is_flip(c, at):
            kernels.controlled_flip(re, im, size, p, 0, 0)
        else:
            _, kind = products.analyse(c, at, 1)
            put(coefs, c, at, 4)
            kernels.one_qubit(re, im, size, p, kind, coefs, 0)


@compiled
def settle_targets(state: Small, n: Ints, wires: int) -> None:
    """`settle` for wires that all are targets."""
    settle(state, n, wires, wires)


@inlined
def is_flip(c: Complexes, at: int) -> bool:
    return bool(c[at] == 0.0 and c[at + 3] == 0.0 and c[at + 1] == 1.0 and c[at + 2] == 1.0)


@inlined
def lowest(mask: int) -> int:
    bit = 0
    while not (mask >> bit) & 1:
        bit += 1
    return bit


@inlined
def phase_on(c: Complexes, factor: complex, bit: int) -> None:
    """Let the gate at G be a phase of one of a wire's two values."""
    c[G] = c[G + 3] = 1.0
    c[G + 1] = c[G + 2] = 0.0
    c[G + 3 * bit] = factor


@inlined
def positions(n: Ints, wires: int) -> int:
    """Return the positions of a set of wires, as bits."""
    result, w = 0, 0
    while wires:
        if wires & 1:
            result |= 1 << n[PLACE, w]
        wires >>= 1
        w += 1
    return result


@inlined
def is_known(n: Ints, w: int) -> bool:
    """Whether the wire is in a basis state."""
    return bool(n[PLACE, w] < 0 and n[PENDS, w] == 0)


@compiled
def finish(state: Small, n: Ints, qubits: int, words: Ints, out: Reals) -> None:
    """Apply what waits, and write the amplitudes to `out`, reals."""
    re, im, c = state.re, state.im, state.c
    waiting = 0
    for w in range(qubits):
        waiting |= n[PENDS, w] << w
    settle_targets(state, n, waiting)
    size = n[AT, SIZE]
    # Vectors are moved when all wires take part and no position is left over.
    whole = size == qubits
    base, count = 0, 0
    for q in range(qubits):
        whole &= n[PLACE, n[WIRE, q]] >= 0
    if whole:
        for q in range(LANES):
            w = n[WIRE, q]
            p = n[PLACE, w]
            if p != q and p < LANES:
                p = lift(re, im, n, w, 0)
            if p != q:
                _exchange(re, im, n, q, p)
    moves = words[: 2 * MOST_WIRES].reshape(2, MOST_WIRES)
    tables = words[2 * MOST_WIRES : 2 * MOST_WIRES + 2 * direct_kernels.TABLE].reshape(
        2, direct_kernels.TABLE
    )
    for q in range(LANES if whole else 0, qubits):
        w = n[WIRE, q]
        if n[PLACE, w] < 0:
            base |= n[KNOWN, w] << q
        else:
            moves[0, count], moves[1, count] = n[PLACE, w], q
            count += 1
    if not whole and count < qubits:
        out[:] = 0.0
    direct_kernels.write_out(re, im, moves, count, base, c[PHASE], whole, out, tables)
