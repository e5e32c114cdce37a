"""Any number of diagonal gates on a block in one pass.

The gates of one layer multiply amplitude x by w0 * prod_j w[j]**x_j * prod_{k<j} v[j,k]**(x_j x_k): one
factor for each position, one for each pair of them (diagonal gates of three and more qubits go another way).
A block is cut into rows of 64 amplitudes, whose 6 positions are "low". For a row, the other bits being
fixed, the factor is a scalar times a table over the low bits. Rows are taken in binary order: the row h
differs from the row h & (h - 1) by one bit m that turned from 0 to 1, so its table is that one's times a
fixed table F[m] (only when m is paired with a low position), its scalar is that one's times its w[m], and
w[j] becomes w[j] * v[m,j]. Those are kept in one slot for each m. So a pass costs two to three complex
products for each amplitude, whatever the number of gates.

A block has at least 6 positions. A layer in `coefs`, from `first` on, all complex as (real, imaginary):
    w0, w[0..size-1]            size + 1 numbers
    v[m, j]                     size * size, row m has the pairs with j < m
    table of the low pairs      64, then F[m] for each m from 6 to size - 1: 64 each
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Reals
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._simd import fma, fnma, load, mul, splat, store

ROW_BITS = 6
ROW = 1 << ROW_BITS


@compiled
def layer_length(size: int) -> int:
    """How many reals a layer takes in `coefs`."""
    return 2 * (size + 1) + 2 * size * size + 2 * ROW * (1 + size - ROW_BITS)


@compiled
def fill_layer(w0: complex, single: Complexes, pair: Complexes, size: int, coefs: Reals, first: int) -> None:
    """Write a layer to `coefs`: `single` is complex[>= size], `pair` complex[>= size, >= size], pair[m, j]
    for j < m.
    """
    coefs[first], coefs[first + 1] = w0.real, w0.imag
    for j in range(size):
        coefs[first + 2 + 2 * j], coefs[first + 3 + 2 * j] = single[j].real, single[j].imag
    at = first + 2 * (size + 1)
    for m in range(size):
        for j in range(size):
            factor = pair[m, j] if j < m else complex(0.0)
            coefs[at + 2 * (m * size + j)] = factor.real
            coefs[at + 2 * (m * size + j) + 1] = factor.imag
    at += 2 * size * size
    for m in range(ROW_BITS - 1, size):  # m = ROW_BITS - 1 stands for the pairs among the low positions
        table = np.ones(ROW, np.complex128)
        for j in range(ROW_BITS):
            for x in range(1 << j):
                if m >= ROW_BITS:
                    table[(1 << j) + x] = table[x] * pair[m, j]
                else:
                    factor = table[x]
                    for k in range(j):
                        if (x >> k) & 1:
                            factor *= pair[j, k]
                    table[(1 << j) + x] = factor
        for x in range(ROW):
            coefs[at + x], coefs[at + ROW + x] = table[x].real, table[x].imag
        at += 2 * ROW


@compiled
def has_low_partner(coefs: Reals, first: int, size: int, m: int) -> bool:
    """Whether position m is paired with a low position."""
    at = first + 2 * (size + 1) + 2 * m * size
    found = False
    for j in range(ROW_BITS):
        found |= coefs[at + 2 * j] != 1.0 or coefs[at + 2 * j + 1] != 0.0
    return found


@compiled
def _scale(source: Reals, at: int, factor: Reals, factor_at: int, result: Reals, to: int, width: int) -> None:
    """Make result row = source row * factor row, each a table of ROW complex numbers (all reals, then all
    imaginaries).
    """
    for x in range(0, ROW, width):
        ar, ai = load(source, at + x), load(source, at + ROW + x)
        br, bi = load(factor, factor_at + x), load(factor, factor_at + ROW + x)
        store(result, to + x, fnma(ai, bi, mul(ar, br)))
        store(result, to + ROW + x, fma(ai, br, mul(ar, bi)))


@compiled
def diagonal_layer(
    re: Reals, im: Reals, size: int, coefs: Reals, first: int, single: Reals, tables: Reals, scratch: Reals
) -> None:
    """Apply a layer; `single` holds w0, w[0], ... for this block (it may differ from the one in `coefs`).

    `tables` has room for 2 * ROW * (size + 1) reals, `scratch` for (size + 1) * (2 * size + 4).
    """
    width = 64 // re.itemsize
    low = ROW_BITS
    pairs = first + 2 * (size + 1)
    fixed = pairs + 2 * size * size
    # The root's table: the low pairs times the low singles.
    tables[0], tables[ROW] = 1.0, 0.0
    for j in range(low):
        wr, wi = single[2 + 2 * j], single[3 + 2 * j]
        for x in range(1 << j):
            ar, ai = tables[x], tables[ROW + x]
            tables[(1 << j) + x] = ar * wr - ai * wi
            tables[ROW + (1 << j) + x] = ar * wi + ai * wr
    _scale(tables, 0, coefs, fixed, tables, 0, width)
    # Slot 0 is the root, slot 1 + m - low the row that got bit m last: [table, w0, w[low..size-1]].
    stride = 2 * (size + 2)
    scratch[0], scratch[1], scratch[2] = 0, single[0], single[1]
    for j in range(low, size):
        scratch[3 + 2 * (j - low)], scratch[4 + 2 * (j - low)] = single[2 + 2 * j], single[3 + 2 * j]
    paired = 0
    for m in range(low, size):
        if has_low_partner(coefs, first, size, m):
            paired |= 1 << m
    for h in range(1 << (size - low)):
        slot = 0
        if h:
            m, parent, rest = 0, 0, h & (h - 1)
            while not (h >> m) & 1:
                m += 1
            if rest:
                while not (rest >> parent) & 1:
                    parent += 1
                parent += 1
            slot = m + 1
            s, p = slot * stride, parent * stride
            wr, wi = scratch[p + 3 + 2 * m], scratch[p + 4 + 2 * m]
            ar, ai = scratch[p + 1], scratch[p + 2]
            scratch[s + 1], scratch[s + 2] = ar * wr - ai * wi, ar * wi + ai * wr
            v = pairs + 2 * ((m + low) * size + low)
            for j in range(m):
                wr, wi = coefs[v + 2 * j], coefs[v + 2 * j + 1]
                ar, ai = scratch[p + 3 + 2 * j], scratch[p + 4 + 2 * j]
                scratch[s + 3 + 2 * j], scratch[s + 4 + 2 * j] = ar * wr - ai * wi, ar * wi + ai * wr
            scratch[s] = scratch[p]
            if (paired >> (m + low)) & 1:
                to = 2 * ROW * slot
                factor = fixed + 2 * ROW * (1 + m + low - ROW_BITS)
                _scale(tables, int(scratch[p]), coefs, factor, tables, to, width)
                scratch[s] = to
        s = slot * stride
        table = int(scratch[s])
        cr, ci = splat(scratch[s + 1]), splat(scratch[s + 2])
        start = h << low
        for x in range(0, ROW, width):
            tr, ti = load(tables, table + x), load(tables, table + ROW + x)
            fr, fi = fnma(ci, ti, mul(cr, tr)), fma(ci, tr, mul(cr, ti))
            ar, ai = load(re, start + x), load(im, start + x)
            store(re, start + x, fnma(ai, fi, mul(ar, fr)))
            store(im, start + x, fma(ai, fr, mul(ar, fi)))
