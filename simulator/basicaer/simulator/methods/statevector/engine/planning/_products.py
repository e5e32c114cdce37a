"""Small matrices: what they do to bits, what a pass with one costs, and products of them.

A matrix of k qubits is flat and row-major, and lies at `at` in an array of many. Its `flips` are the bits in
which any row and column with an entry differ: none for a diagonal matrix, one for a gate with selectors.
"""

from basicaer.simulator.methods.statevector.engine._arrays import Complexes
from basicaer.simulator.methods.statevector.engine.columns.classes import COMPLEX, MIXED, REAL
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

TINY = 1e-15
"""Entries of a product below this are rounding errors of zero."""

COST_DIAGONAL = 0.05
_COST_ONE, _COST_ONE_REAL = 0.25, 0.18
_COST_TWO, _COST_TWO_REAL = 0.45, 0.36
_COST_THREE, _COST_THREE_REAL = 1.05, 0.58
_COST_MUX_3 = 0.4
_COST_MUX_TWO, _COST_MUX_TWO_REAL = 0.47, 0.38
_COST_CONTROLLED, _COST_CONTROLLED_2 = 0.2, 0.12
"""Nanoseconds an amplitude and core, about; only their ratios matter."""


@compiled
def analyse(m: Complexes, at: int, k: int) -> tuple[int, int]:
    """(flips, class) of the 2**k square matrix at m[at]: `flips` has the bits in which any row and column
    differ.
    """
    dim = 1 << k
    flips, real, mixed = 0, True, True
    for row in range(dim):
        for column in range(dim):
            z = m[at + row * dim + column]
            big_real, big_imag = abs(z.real) > TINY, abs(z.imag) > TINY
            if big_real or big_imag:
                flip = row ^ column
                flips |= flip
                real &= not big_imag
                parity = (flip ^ (flip >> 1) ^ (flip >> 2)) & 1
                mixed &= not (big_real if parity else big_imag)
    return flips, (REAL if real else (MIXED if mixed else COMPLEX))


@compiled
def active_blocks(m: Complexes, at: int, k: int, target: int) -> tuple[int, int]:
    """For a matrix that only flips bit `target`: how many of its 2 by 2 blocks are no identity, and the last
    of them.
    """
    dim = 1 << k
    count, last = 0, 0
    for row in range(dim):
        if not (row >> target) & 1:
            other = row | (1 << target)
            a, b = m[at + row * dim + row], m[at + row * dim + other]
            c, d = m[at + other * dim + row], m[at + other * dim + other]
            if abs(a - 1.0) > TINY or abs(b) > TINY or abs(c) > TINY or abs(d - 1.0) > TINY:
                count += 1
                last = row
    return count, last


@compiled
def matrix_cost(m: Complexes, at: int, k: int) -> float:
    """Return what one pass with this matrix costs."""
    flips, kind = analyse(m, at, k)
    if k == 1:
        return COST_DIAGONAL if flips == 0 else (_COST_ONE if kind == COMPLEX else _COST_ONE_REAL)
    single = flips & (flips - 1) == 0
    if k == 2:
        if flips == 0:
            return COST_DIAGONAL
        if single:
            return _COST_CONTROLLED if active_blocks(m, at, k, flips >> 1)[0] == 1 else _COST_TWO_REAL
        return _COST_TWO if kind == COMPLEX else _COST_TWO_REAL
    if flips == 0:
        return _COST_MUX_3
    if single:
        return _COST_CONTROLLED_2 if active_blocks(m, at, k, flips >> 1)[0] == 1 else _COST_MUX_3
    if flips != 7:
        return _COST_MUX_TWO_REAL if kind == REAL else _COST_MUX_TWO
    return _COST_THREE_REAL if kind == REAL else _COST_THREE


@compiled
def identity(m: Complexes, at: int, k: int) -> None:
    """Write the identity of k qubits."""
    dim = 1 << k
    for x in range(dim * dim):
        m[at + x] = 0.0
    for x in range(dim):
        m[at + x * (dim + 1)] = 1.0


@compiled
def multiply_one(g: Complexes, g_at: int, m: Complexes, at: int, k: int, p: int) -> None:
    """m = (g on bit p) m, where m has k qubits and g one."""
    dim = 1 << k
    a, b, c, d = g[g_at], g[g_at + 1], g[g_at + 2], g[g_at + 3]
    for row in range(dim):
        if not (row >> p) & 1:
            r0, r1 = at + row * dim, at + (row | (1 << p)) * dim
            for column in range(dim):
                x, y = m[r0 + column], m[r1 + column]
                m[r0 + column] = a * x + b * y
                m[r1 + column] = c * x + d * y


@compiled
def multiply_two(g: Complexes, g_at: int, m: Complexes, at: int, k: int, p: int, q: int) -> None:
    """m = (g on bits p and q) m; p is g's least significant bit."""
    dim = 1 << k
    for row in range(dim):
        if not ((row >> p) | (row >> q)) & 1:
            r0 = at + row * dim
            r1, r2 = r0 + (dim << p), r0 + (dim << q)
            r3 = r1 + (dim << q)
            for column in range(dim):
                w, x, y, z = m[r0 + column], m[r1 + column], m[r2 + column], m[r3 + column]
                m[r0 + column] = g[g_at] * w + g[g_at + 1] * x + g[g_at + 2] * y + g[g_at + 3] * z
                m[r1 + column] = g[g_at + 4] * w + g[g_at + 5] * x + g[g_at + 6] * y + g[g_at + 7] * z
                m[r2 + column] = g[g_at + 8] * w + g[g_at + 9] * x + g[g_at + 10] * y + g[g_at + 11] * z
                m[r3 + column] = g[g_at + 12] * w + g[g_at + 13] * x + g[g_at + 14] * y + g[g_at + 15] * z


@compiled
def multiply_three(g: Complexes, g_at: int, m: Complexes, at: int, p: int, q: int, r: int) -> None:
    """m = (g on bits p, q, r) m, where both have three qubits."""
    for column in range(8):
        x0, x1, x2, x3 = m[at + column], m[at + 8 + column], m[at + 16 + column], m[at + 24 + column]
        x4, x5, x6, x7 = m[at + 32 + column], m[at + 40 + column], m[at + 48 + column], m[at + 56 + column]
        x = (x0, x1, x2, x3, x4, x5, x6, x7)
        for row in range(8):
            total = 0j
            for k in range(8):
                total += g[g_at + 8 * row + k] * x[((k & 1) << p) | ((k >> 1 & 1) << q) | ((k >> 2) << r)]
            m[at + 8 * (((row & 1) << p) | ((row >> 1 & 1) << q) | ((row >> 2) << r)) + column] = total
