"""Gates on one block: the kernels that do the work.

A block is `2**size` amplitudes in two real arrays, `re` and `im`, that fit the L2 cache. Bit p of a block's
index is "position p". The lowest `LANE_BITS` positions run along the lanes of a vector; a gate's positions
must lie above them (`exchange_lanes` brings others there), so that every kernel combines whole vectors and
needs no shuffles.

In the loops, j counts vectors-starts over the positions that a gate does not touch, and `insert_zero` makes
room in it for those that it does.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Ints, Reals
from basicaer.simulator.methods.statevector.engine.columns.classes import (
    COMPLEX,
    MIXED,
    MUX_COMPLEX,
    MUX_TWO_COMPLEX,
    MUX_TWO_REAL,
    REAL,
)
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._simd import (
    fma,
    fnma,
    load,
    mul,
    splat,
    store,
    tile,
    transpose,
)


@compiled
def insert_zero(j: int, position: int) -> int:
    """j with a zero bit inserted at `position`."""
    return ((j >> position) << (position + 1)) | (j & ((1 << position) - 1))


_apply_1c = tile(["cc"] * 2)
_apply_1r = tile(["rr"] * 2)
_apply_1x = tile(["ri", "ir"])
_apply_2c = tile(["cccc"] * 4)
_apply_2r = tile(["rrrr"] * 4)
_apply_2x = tile(["riir", "irri", "irri", "riir"])
_apply_3c = tile(["c" * 8] * 8)
_apply_3r = tile(["r" * 8] * 8)
_mux_2c = tile(["cc00", "cc00", "00cc", "00cc"])
_mux_2r = tile(["rr00", "rr00", "00rr", "00rr"])
_mux_3c = tile(["0" * (2 * k) + "cc" + "0" * (6 - 2 * k) for k in (0, 0, 1, 1, 2, 2, 3, 3)])
_mux_3r = tile(["0" * (2 * k) + "rr" + "0" * (6 - 2 * k) for k in (0, 0, 1, 1, 2, 2, 3, 3)])


@compiled
def one_qubit(re: Reals, im: Reals, size: int, p0: int, kind: int, coefs: Reals, first: int) -> None:
    """Apply a gate on position p0: complex, real, or real on the diagonal and imaginary off it."""
    width = 64 // re.itemsize
    for j in range(0, 1 << (size - 1), width):
        i = insert_zero(j, p0)
        if kind == COMPLEX:
            _apply_1c(re, im, i, (0, 1 << p0), coefs, first)
        elif kind == REAL:
            _apply_1r(re, im, i, (0, 1 << p0), coefs, first)
        else:
            _apply_1x(re, im, i, (0, 1 << p0), coefs, first)


@compiled
def two_qubits(
    re: Reals, im: Reals, size: int, p0: int, p1: int, kind: int, coefs: Reals, first: int
) -> None:
    """Apply a gate on positions p0 (the matrix's least significant bit) and p1; MUX: p1 selects one of two
    on p0.
    """
    width = 64 // re.itemsize
    low, high = min(p0, p1), max(p0, p1)
    a, b = 1 << p0, 1 << p1
    rows = (0, a, b, a + b)
    for j in range(0, 1 << (size - 2), width):
        i = insert_zero(insert_zero(j, low), high)
        if kind == COMPLEX:
            _apply_2c(re, im, i, rows, coefs, first)
        elif kind == REAL:
            _apply_2r(re, im, i, rows, coefs, first)
        elif kind == MIXED:
            _apply_2x(re, im, i, rows, coefs, first)
        elif kind == MUX_COMPLEX:
            _mux_2c(re, im, i, rows, coefs, first)
        else:
            _mux_2r(re, im, i, rows, coefs, first)


@compiled
def three_qubits(
    re: Reals, im: Reals, size: int, p0: int, p1: int, p2: int, kind: int, coefs: Reals, first: int
) -> None:
    """Apply a gate on positions p0 (the matrix's least significant bit), p1, p2; MUX: p1 and p2 select one
    of four on p0. MUX_TWO: p2 selects one of two on p0 and p1.
    """
    width = 64 // re.itemsize
    low, high = min(p0, p1, p2), max(p0, p1, p2)
    middle = p0 + p1 + p2 - low - high
    a, b, c = 1 << p0, 1 << p1, 1 << p2
    rows = (0, a, b, a + b, c, a + c, b + c, a + b + c)
    for j in range(0, 1 << (size - 3), width):
        i = insert_zero(insert_zero(insert_zero(j, low), middle), high)
        if kind == COMPLEX:
            _apply_3c(re, im, i, rows, coefs, first)
        elif kind == REAL:
            _apply_3r(re, im, i, rows, coefs, first)
        elif kind == MUX_COMPLEX:
            _mux_3c(re, im, i, rows, coefs, first)
        elif kind == MUX_TWO_COMPLEX:
            _apply_2c(re, im, i, (0, a, b, a + b), coefs, first)
            _apply_2c(re, im, i + c, (0, a, b, a + b), coefs, first + 32)
        elif kind == MUX_TWO_REAL:
            _apply_2r(re, im, i, (0, a, b, a + b), coefs, first)
            _apply_2r(re, im, i + c, (0, a, b, a + b), coefs, first + 32)
        else:
            _mux_3r(re, im, i, rows, coefs, first)


@compiled
def _lowest_bit(x: int) -> int:
    position = 0
    while not (x >> position) & 1:
        position += 1
    return position


@compiled
def controlled(
    re: Reals, im: Reals, size: int, p0: int, mask: int, value: int, coefs: Reals, first: int, scratch: Reals
) -> None:
    """Apply a one-qubit gate on position p0 where the positions in `mask`, lanes too, have the bits of
    `value`.

    Lanes where the gate does not act get the identity's entries. `scratch` has room for 8 vectors.
    """
    width = 64 // re.itemsize
    lanes = mask & (width - 1)
    for lane in range(width):
        acts = lane & lanes == value & lanes
        for entry in range(4):
            scratch[2 * entry * width + lane] = (
                coefs[first + 2 * entry] if acts else (1.0 if entry % 3 == 0 else 0.0)
            )
            scratch[(2 * entry + 1) * width + lane] = coefs[first + 2 * entry + 1] if acts else 0.0
    ar, ai, br, bi = (
        load(scratch, 0),
        load(scratch, width),
        load(scratch, 2 * width),
        load(scratch, 3 * width),
    )
    cr, ci, dr, di = (
        *(load(scratch, 4 * width), load(scratch, 5 * width)),
        *(load(scratch, 6 * width), load(scratch, 7 * width)),
    )
    fixed = (mask & ~lanes) | (1 << p0)
    lowest, count = _lowest_bit(fixed), 0
    for p in range(size):
        count += (fixed >> p) & 1
    for group in range(1 << (size - count - lowest)):
        i = group << lowest
        for p in range(lowest, size):
            if (fixed >> p) & 1:
                i = insert_zero(i, p)
        i |= value & ~lanes
        for run in range(i, i + (1 << lowest), width):
            other = run + (1 << p0)
            xr, xi, yr, yi = load(re, run), load(im, run), load(re, other), load(im, other)
            store(re, run, fnma(bi, yi, fma(br, yr, fnma(ai, xi, mul(ar, xr)))))
            store(im, run, fma(bi, yr, fma(br, yi, fma(ai, xr, mul(ar, xi)))))
            store(re, other, fnma(di, yi, fma(dr, yr, fnma(ci, xi, mul(cr, xr)))))
            store(im, other, fma(di, yr, fma(dr, yi, fma(ci, xr, mul(cr, xi)))))


@compiled
def controlled_flip(re: Reals, im: Reals, size: int, p0: int, mask: int, value: int) -> None:
    """X on position p0 where the positions in `mask`, none of them in the lanes, have the bits of `value`."""
    width = 64 // re.itemsize
    fixed = mask | (1 << p0)
    lowest, count = _lowest_bit(fixed), 0
    for p in range(size):
        count += (fixed >> p) & 1
    for group in range(1 << (size - count - lowest)):
        i = group << lowest
        for p in range(lowest, size):
            if (fixed >> p) & 1:
                i = insert_zero(i, p)
        i |= value
        for run in range(i, i + (1 << lowest), width):
            other = run + (1 << p0)
            r0, r1 = load(re, run), load(re, other)
            i0, i1 = load(im, run), load(im, other)
            store(re, run, r1)
            store(re, other, r0)
            store(im, run, i1)
            store(im, other, i0)


_PAIRS = 0x5555


@compiled
def _is_turned(i: int, pairs: int) -> bool:
    """Whether an odd number of the pairs of bits of which `pairs` has the lower ones are 11."""
    found = i & (i >> 1) & pairs
    odd = 0
    while found:
        odd ^= 1
        found &= found - 1
    return odd != 0


@compiled
def _as_reals(coefs: Reals, first: int, dim: int, pairs: int, scratch: Reals, at: int) -> bool:
    """Write the real matrix to scratch[at] that takes the inputs, the turned ones times i, to the outputs,
    the turned ones divided by i. Tells whether there is one.
    """
    for row in range(dim):
        turned = _is_turned(row, pairs)
        for column in range(dim):
            c = first + 2 * (row * dim + column)
            same = turned == _is_turned(column, pairs)
            if coefs[c + same] != 0.0:
                return False
            value = coefs[c + 1 - same]
            scratch[at + row * dim + column] = -value if same and turned else value
    return True


@compiled
def dense_any(
    re: Reals,
    im: Reals,
    size: int,
    count: int,
    mask: int,
    value: int,
    positions: Ints,
    at: int,
    coefs: Reals,
    first: int,
    scratch: Reals,
) -> None:
    """Apply a gate on the positions positions[at + k, 0] for k < count, least significant first; any number
    of them.

    `scratch` has room for 2 * 2**count vectors, and perhaps for the matrix, which is row-major, real part
    first. One that is real takes half the products, and so does one of a map of density matrices in products
    X^x Z^z, whose pairs of bits are x and z: it is real in products of X, Y and Z. Two rows are summed up at
    a time, as one would wait for its own sums.
    """
    width = 64 // re.itemsize
    dim = 1 << count
    offsets = np.zeros(dim, np.int64)
    free = ((1 << size) - 1) & ~(mask | (width - 1))
    for k in range(count):
        bit = 1 << positions[at + k, 0]
        free &= ~bit
        for row in range(1 << k):
            offsets[row | (1 << k)] = offsets[row] | bit
    matrix, pairs, is_real = 2 * dim * width, 0, False
    if matrix + dim * dim <= len(scratch):
        is_real = _as_reals(coefs, first, dim, 0, scratch, matrix)
        if not is_real:
            pairs = _PAIRS
            is_real = _as_reals(coefs, first, dim, pairs, scratch, matrix)
    turns = np.zeros(dim, np.bool_)
    for row in range(dim):
        turns[row] = is_real and _is_turned(row, pairs)
    minus = splat(re.dtype.type(-1.0))
    base = 0
    while True:
        for column in range(dim):
            i = base | value | offsets[column]
            xr, xi = load(re, i), load(im, i)
            if turns[column]:
                xr, xi = mul(minus, xi), xr
            store(scratch, 2 * column * width, xr)
            store(scratch, (2 * column + 1) * width, xi)
        for row in range(0, dim, 2):
            xr, xi = load(scratch, 0), load(scratch, width)
            if is_real:
                c, d = matrix + row * dim, matrix + (row + 1) * dim
                u, v = splat(scratch[c]), splat(scratch[d])
                ar, ai, br, bi = mul(u, xr), mul(u, xi), mul(v, xr), mul(v, xi)
                for column in range(1, dim):
                    xr, xi = load(scratch, 2 * column * width), load(scratch, (2 * column + 1) * width)
                    u, v = splat(scratch[c + column]), splat(scratch[d + column])
                    ar, ai, br, bi = fma(u, xr, ar), fma(u, xi, ai), fma(v, xr, br), fma(v, xi, bi)
            else:
                c, d = first + 2 * row * dim, first + 2 * (row + 1) * dim
                ur, ui, vr, vi = splat(coefs[c]), splat(coefs[c + 1]), splat(coefs[d]), splat(coefs[d + 1])
                ar, ai = fnma(ui, xi, mul(ur, xr)), fma(ui, xr, mul(ur, xi))
                br, bi = fnma(vi, xi, mul(vr, xr)), fma(vi, xr, mul(vr, xi))
                for column in range(1, dim):
                    xr, xi = load(scratch, 2 * column * width), load(scratch, (2 * column + 1) * width)
                    ur, ui = splat(coefs[c + 2 * column]), splat(coefs[c + 2 * column + 1])
                    vr, vi = splat(coefs[d + 2 * column]), splat(coefs[d + 2 * column + 1])
                    ar, ai = fnma(ui, xi, fma(ur, xr, ar)), fma(ui, xr, fma(ur, xi, ai))
                    br, bi = fnma(vi, xi, fma(vr, xr, br)), fma(vi, xr, fma(vr, xi, bi))
            if turns[row]:
                ar, ai = mul(minus, ai), ar
            if turns[row + 1]:
                br, bi = mul(minus, bi), br
            i, k = base | value | offsets[row], base | value | offsets[row + 1]
            store(re, i, ar)
            store(im, i, ai)
            store(re, k, br)
            store(im, k, bi)
        base = (base - free) & free
        if base == 0:
            break


@compiled
def exchange_lanes_8(re: Reals, im: Reals, size: int, p0: int, p1: int, p2: int) -> None:
    """Positions 0, 1, 2 change places with p0, p1, p2 (vectors of 8 lanes)."""
    a, b, c = 1 << p0, 1 << p1, 1 << p2
    low, high = min(p0, p1, p2), max(p0, p1, p2)
    middle = p0 + p1 + p2 - low - high
    rows = (0, a, b, a + b, c, a + c, b + c, a + b + c)
    for j in range(0, 1 << (size - 3), 8):
        i = insert_zero(insert_zero(insert_zero(j, low), middle), high)
        transpose(re, i, rows)
        transpose(im, i, rows)


@compiled
def exchange_lanes_16(re: Reals, im: Reals, size: int, p0: int, p1: int, p2: int, p3: int) -> None:
    """Positions 0 to 3 change places with p0 to p3 (vectors of 16 lanes)."""
    a, b, c, d = 1 << p0, 1 << p1, 1 << p2, 1 << p3
    fixed = a | b | c | d
    e, f = d + a, d + b
    rows = (
        *(0, a, b, a + b, c, a + c, b + c, a + b + c),
        *(d, e, f, e + b, d + c, e + c, f + c, e + b + c),
    )
    for j in range(0, 1 << (size - 4), 16):
        i = j
        for p in range(size):
            if (fixed >> p) & 1:
                i = insert_zero(i, p)
        transpose(re, i, rows)
        transpose(im, i, rows)
