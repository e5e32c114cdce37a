"""What a small circuit needs besides `_kernels`: a bit exchanged with a lane, diagonal gates, the way out.

States are blocks as in `_kernels`, in double precision: real and imaginary parts apart, and the three lowest
positions along the lanes.
"""

from typing import Any

from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Ints, Reals
from basicaer.simulator.methods.statevector.engine.blocks._kernels import insert_zero
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._simd import (
    fma,
    fnma,
    load,
    mul,
    shuffle,
    splat,
    store,
)

_WIDTH = 8
_TABLE_BITS = 6
TABLE = 1 << _TABLE_BITS
"""Destinations that `write_out` looks up at once."""


def _lower(bit: int) -> Any:
    """Of two vectors that differ in a position, the one at 0 after lane `bit` and the position changed
    places.
    """
    return shuffle(lambda i, width: i if not i & bit else width + (i ^ bit))


def _upper(bit: int) -> Any:
    """Return the other one, at 1."""
    return shuffle(lambda i, width: width + i if i & bit else i | bit)


_lower_1, _lower_2, _lower_4 = _lower(1), _lower(2), _lower(4)
_upper_1, _upper_2, _upper_4 = _upper(1), _upper(2), _upper(4)
_zip_low = shuffle(lambda i, width: (i >> 1) + width * (i & 1))
_zip_high = shuffle(lambda i, width: (i >> 1) + width // 2 + width * (i & 1))


@compiled
def _exchange_in(part: Reals, size: int, lane: int, p: int) -> None:
    """Lane position `lane` and position p change places, in one of the two arrays."""
    for j in range(0, 1 << (size - 1), _WIDTH):
        i = insert_zero(j, p)
        o = i + (1 << p)
        a, b = load(part, i), load(part, o)
        if lane == 0:
            store(part, i, _lower_1(a, b))
            store(part, o, _upper_1(a, b))
        elif lane == 1:
            store(part, i, _lower_2(a, b))
            store(part, o, _upper_2(a, b))
        else:
            store(part, i, _lower_4(a, b))
            store(part, o, _upper_4(a, b))


@compiled
def exchange_lane(re: Reals, im: Reals, size: int, lane: int, p: int) -> None:
    """Lane position `lane` and position p, which is none, change places."""
    _exchange_in(re, size, lane, p)
    _exchange_in(im, size, lane, p)


@compiled
def diagonal(
    re: Reals, im: Reals, size: int, a: int, b: int, factors: Complexes, at: int, scratch: Reals
) -> None:
    """Multiply by factors[at + bit a + 2 * bit b], for any two positions; with a == b, by the first or the
    last.

    `scratch` has room for two vectors.
    """
    pair = (1 << a) | (1 << b)
    lanes = pair & (_WIDTH - 1)
    high = pair & ~lanes
    low_place = high_place = -1
    if a == b or lanes:
        if high:
            low_place = a if (high >> a) & 1 else b
    else:
        low_place, high_place = min(a, b), max(a, b)
    free = size - (low_place >= 0) - (high_place >= 0)
    sub = 0
    while True:
        nothing = True
        if lanes:
            for lane in range(_WIDTH):
                index = sub | lane
                w = factors[at + ((index >> a) & 1) | (((index >> b) & 1) << 1)]
                nothing &= w == 1.0
                scratch[lane], scratch[_WIDTH + lane] = w.real, w.imag
            wr, wi = load(scratch, 0), load(scratch, _WIDTH)
        else:
            w = factors[at + ((sub >> a) & 1) | (((sub >> b) & 1) << 1)]
            nothing = w == 1.0
            scratch[0], scratch[1] = w.real, w.imag
            wr, wi = splat(scratch[0]), splat(scratch[1])
        if not nothing:
            for j in range(0, 1 << free, _WIDTH):
                i = j
                if low_place >= 0:
                    i = insert_zero(i, low_place)
                if high_place >= 0:
                    i = insert_zero(i, high_place)
                i |= sub
                x, y = load(re, i), load(im, i)
                store(re, i, fnma(wi, y, mul(wr, x)))
                store(im, i, fma(wi, x, mul(wr, y)))
        sub = (sub - high) & high
        if sub == 0:
            break


@compiled
def _fill(moves: Ints, first: int, count: int, tables: Ints) -> None:
    """tables[k, x]: the bits of x at moves[k, first], moves[k, first + 1], ..."""
    tables[:, 0] = 0
    for j in range(count):
        for x in range(1 << j):
            tables[0, (1 << j) + x] = tables[0, x] | (1 << moves[0, first + j])
            tables[1, (1 << j) + x] = tables[1, x] | (1 << moves[1, first + j])


@compiled
def write_out(
    re: Reals,
    im: Reals,
    moves: Ints,
    count: int,
    base: int,
    factor: complex,
    whole: bool,
    out: Reals,
    tables: Ints,
) -> None:
    """Write the state to the interleaved reals `out`, times `factor`.

    Position moves[0, k] is bit moves[1, k] of the index in `out`, for k < count; the other bits are those of
    `base`. When `whole`, vectors are moved: then the lanes are the index's lowest bits, and not among the
    moves. `tables` is int64[2, TABLE].
    """
    low = min(count, _TABLE_BITS)
    _fill(moves, 0, low, tables)
    fr, fi = factor.real, factor.imag
    for upper in range(1 << (count - low)):
        source, target = 0, base
        for j in range(low, count):
            if (upper >> (j - low)) & 1:
                source |= 1 << moves[0, j]
                target |= 1 << moves[1, j]
        for x in range(1 << low):
            i, o = source | tables[0, x], 2 * (target | tables[1, x])
            if whole:
                vr, vi = splat(fr), splat(fi)
                x_re, x_im = load(re, i), load(im, i)
                a, b = fnma(vi, x_im, mul(vr, x_re)), fma(vi, x_re, mul(vr, x_im))
                store(out, o, _zip_low(a, b))
                store(out, o + _WIDTH, _zip_high(a, b))
            else:
                out[o], out[o + 1] = fr * re[i] - fi * im[i], fr * im[i] + fi * re[i]
