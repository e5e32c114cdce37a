"""Gates become fewer, larger operations.

Each wire remembers the last operation on it. A new gate is multiplied into that operation when the result
costs no more than the two did apart, in passes over a block that lies in the L2 cache: there, anything on
one or two qubits costs about the same, so 1-qubit gates go into their neighbours, and runs on the same two
qubits become one matrix. A second sweep gathers operations on three qubits where the result is still cheap:
above all one target with two selectors, which is what a decomposed Toffoli gate is made of.

`columns/fused.py` says what an operation is.
"""

from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Ints
from basicaer.simulator.methods.statevector.engine.columns.classes import COMPLEX, MIXED, REAL
from basicaer.simulator.methods.statevector.engine.columns.fused import (
    CLASS,
    COLUMNS,
    CONTROLLED,
    COUNT,
    DEAD,
    DIAGONAL,
    KIND,
    MASK,
    MAT,
    ONE,
    RAW,
    T0,
    T1,
    T2,
    THREE,
    TWO,
    VALUE,
    WIRES,
)
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.planning._products import (
    active_blocks,
    analyse,
    identity,
    matrix_cost,
    multiply_one,
    multiply_three,
    multiply_two,
)

SMALLEST_FACTOR = 1e-30
"""Layers of diagonal operations have no factors below it."""


@compiled
def append(ops: Ints, count: int, kind: int, wires: tuple[int, int, int], mat: int, size: int) -> None:
    """Fill row `count` of the operations."""
    ops[count, KIND], ops[count, CLASS], ops[count, MAT], ops[count, COUNT] = kind, COMPLEX, mat, size
    ops[count, T0], ops[count, T1], ops[count, T2] = wires
    ops[count, MASK] = ops[count, VALUE] = ops[count, WIRES] = 0


@compiled
def _accepts(mats: Complexes, at: int, flips: int, before: float, strict: bool) -> bool:
    """Whether a product of two qubits at mats[at] may replace its factors, which cost `before` and flip
    `flips`.
    """
    if strict:
        return bool(analyse(mats, at, 2)[0] == flips)
    return bool(matrix_cost(mats, at, 2) <= before)


@compiled
def push_one(
    ops: Ints,
    count: int,
    mats: Complexes,
    used: int,
    last: Ints,
    q: int,
    g: Complexes,
    g_at: int,
    strict: bool,
) -> tuple[int, int]:
    """Add the 1-qubit gate at g[g_at] on wire q; returns the new numbers of operations and of entries in
    `mats`.

    When `strict`, only products that flip no further bits are formed; otherwise cost decides.
    """
    i = last[q]
    if i >= 0 and ops[i, KIND] == RAW and ops[i, COUNT] <= 2:
        at, size = ops[i, MAT], ops[i, COUNT]
        if size == 1:
            multiply_one(g, g_at, mats, at, 1, 0)
            return count, used
        before = 0.0 if strict else matrix_cost(mats, at, 2) + matrix_cost(g, g_at, 1)
        flips = analyse(mats, at, 2)[0] if strict else 0
        for x in range(16):
            mats[used + x] = mats[at + x]
        multiply_one(g, g_at, mats, used, 2, 0 if ops[i, T0] == q else 1)
        if _accepts(mats, used, flips, before, strict):
            for x in range(16):
                mats[at + x] = mats[used + x]
            return count, used
    for x in range(4):
        mats[used + x] = g[g_at + x]
    append(ops, count, RAW, (q, -1, -1), used, 1)
    last[q] = count
    return count + 1, used + 4


@compiled
def push_two(
    ops: Ints,
    count: int,
    mats: Complexes,
    used: int,
    last: Ints,
    a: int,
    b: int,
    g: Complexes,
    g_at: int,
    strict: bool,
) -> tuple[int, int]:
    """Add the 2-qubit gate at g[g_at] on wires a (its least significant bit) and b, as `push_one` does."""
    i, j = last[a], last[b]
    own = matrix_cost(g, g_at, 2)
    own_flips = analyse(g, g_at, 2)[0] if strict else 0
    if i >= 0 and i == j and ops[i, KIND] == RAW and ops[i, COUNT] == 2:
        at = ops[i, MAT]
        p = 0 if ops[i, T0] == a else 1
        before = matrix_cost(mats, at, 2) + own
        for x in range(16):
            mats[used + x] = mats[at + x]
        multiply_two(g, g_at, mats, used, 2, p, 1 - p)
        if matrix_cost(mats, used, 2) <= before:
            for x in range(16):
                mats[at + x] = mats[used + x]
            return count, used
    left = i >= 0 and ops[i, KIND] == RAW and ops[i, COUNT] == 1
    right = j >= 0 and ops[j, KIND] == RAW and ops[j, COUNT] == 1
    # Both neighbours at once; when that is refused, each alone.
    for sides in (3, 1, 2):
        with_left, with_right = left and sides & 1 != 0, right and sides & 2 != 0
        if not (with_left or with_right) or (sides != 3 and not (left and right)):
            continue
        before = own
        identity(mats, used, 2)
        if with_left:
            before += matrix_cost(mats, ops[i, MAT], 1)
            multiply_one(mats, ops[i, MAT], mats, used, 2, 0)
        if with_right:
            before += matrix_cost(mats, ops[j, MAT], 1)
            multiply_one(mats, ops[j, MAT], mats, used, 2, 1)
        multiply_two(g, g_at, mats, used, 2, 0, 1)
        if _accepts(mats, used, own_flips, before, strict):
            if with_left:
                ops[i, KIND] = DEAD
            if with_right:
                ops[j, KIND] = DEAD
            append(ops, count, RAW, (a, b, -1), used, 2)
            last[a] = last[b] = count
            return count + 1, used + 16
    for x in range(16):
        mats[used + x] = g[g_at + x]
    append(ops, count, RAW, (a, b, -1), used, 2)
    last[a] = last[b] = count
    return count + 1, used + 16


@compiled
def push_again(
    source: Ints, total: int, mats: Complexes, used: int, last: Ints, ops: Ints
) -> tuple[int, int]:
    """Push the operations of `source` once more, by cost, into the empty `ops`; matrices stay in `mats`."""
    last[:] = -1
    count = 0
    for i in range(total):
        kind, size, at = source[i, KIND], source[i, COUNT], source[i, MAT]
        if kind == DEAD:
            continue
        if kind == RAW and size == 1:
            count, used = push_one(ops, count, mats, used, last, source[i, T0], mats, at, False)
        elif kind == RAW and size == 2:
            count, used = push_two(
                ops, count, mats, used, last, source[i, T0], source[i, T1], mats, at, False
            )
        else:
            for column in range(COLUMNS):
                ops[count, column] = source[i, column]
            note(ops, count, last)
            count += 1
    return count, used


@compiled
def note(ops: Ints, i: int, last: Ints) -> None:
    """Record that operation i is the last on all its wires."""
    if ops[i, KIND] == RAW:
        for bit in range(ops[i, COUNT]):
            last[ops[i, T0 + bit]] = i
    else:
        for wire in range(len(last)):
            if (ops[i, WIRES] >> wire) & 1:
                last[wire] = i


@compiled
def _bit_of(ops: Ints, i: int, wire: int) -> int:
    """Which of operation i's bits the wire is, or -1."""
    for bit in range(ops[i, COUNT]):
        if ops[i, T0 + bit] == wire:
            return bit
    return -1


@compiled
def _multiply_into(ops: Ints, i: int, mats: Complexes, m: Complexes, at: int, wires: Ints, k: int) -> None:
    """m (on `wires`, k of them) = operation i times m."""
    p = [0, 0, 0]
    size = ops[i, COUNT]
    for bit in range(size):
        for place in range(k):
            if wires[place] == ops[i, T0 + bit]:
                p[bit] = place
    if size == 1:
        multiply_one(mats, ops[i, MAT], m, at, k, p[0])
    elif size == 2:
        multiply_two(mats, ops[i, MAT], m, at, k, p[0], p[1])
    else:
        multiply_three(mats, ops[i, MAT], m, at, p[0], p[1], p[2])


@compiled
def gather_threes(ops: Ints, count: int, mats: Complexes, used: int, last: Ints) -> int:
    """Merge operations into ones of three qubits where that is cheaper; returns the new number of entries in
    `mats`.
    """
    last[:] = -1
    wires = last[:3].copy()
    for j in range(count):
        if ops[j, KIND] == DEAD:
            continue
        if ops[j, KIND] == RAW and ops[j, COUNT] <= 2:
            used = _gather_one(ops, j, mats, used, last, wires)
        note(ops, j, last)
    return used


@compiled
def _gather_one(ops: Ints, j: int, mats: Complexes, used: int, last: Ints, wires: Ints) -> int:
    """Merge operation j with an earlier neighbour i if their three wires make a cheap matrix."""
    for bit in range(ops[j, COUNT]):
        i = last[ops[j, T0 + bit]]
        if i < 0 or ops[i, KIND] != RAW:
            continue
        size = ops[i, COUNT]
        for place in range(size):
            wires[place] = ops[i, T0 + place]
        movable = True
        for place in range(size):
            movable &= last[wires[place]] == i
        allowed = movable
        for k in range(ops[j, COUNT]):
            wire = ops[j, T0 + k]
            if _bit_of(ops, i, wire) >= 0:
                allowed &= last[wire] == i
            else:
                if size < 3:
                    wires[size] = wire
                size += 1
        if not allowed or size != 3:
            continue
        flips_i, class_i = analyse(mats, ops[i, MAT], ops[i, COUNT])
        flips_j, class_j = analyse(mats, ops[j, MAT], ops[j, COUNT])
        mask_i = mask_j = 0
        for k in range(3):
            mask_i |= ((flips_i >> k) & 1) << (ops[i, T0 + k] & 63)
            mask_j |= ((flips_j >> k) & 1) << (ops[j, T0 + k] & 63)
        flipped = 0
        for k in range(3):
            flipped += ((mask_i | mask_j) >> wires[k]) & 1
        if flipped == 3 and not (class_i == REAL and class_j == REAL):
            continue
        identity(mats, used, 3)
        _multiply_into(ops, i, mats, mats, used, wires, 3)
        _multiply_into(ops, j, mats, mats, used, wires, 3)
        before = matrix_cost(mats, ops[i, MAT], ops[i, COUNT]) + matrix_cost(mats, ops[j, MAT], ops[j, COUNT])
        worthwhile = mask_i and (mask_j or ops[i, COUNT] == 3)
        if worthwhile and matrix_cost(mats, used, 3) <= before:
            ops[i, KIND] = DEAD
            append(ops, j, RAW, (wires[0], wires[1], wires[2]), used, 3)
            return used + 64
    return used


@compiled
def _reorder(mats: Complexes, source: int, to: int, k: int, first: int) -> None:
    """Copy a matrix so that bit `first` becomes bit 0; the others keep their order."""
    dim = 1 << k
    low = (1 << first) - 1
    for row in range(dim):
        r = ((row >> first) & 1) | ((row & low) << 1) | (row & ~((low << 1) | 1))
        for column in range(dim):
            c = ((column >> first) & 1) | ((column & low) << 1) | (column & ~((low << 1) | 1))
            mats[to + r * dim + c] = mats[source + row * dim + column]


@compiled
def _part_selector(ops: Ints, i: int, mats: Complexes, used: int, flips: int) -> int:
    """Turn operation i's wires until T2 is the one that it doesn't flip, and keep a matrix for each of its
    values.
    """
    while (flips >> 2) & 1:
        _reorder(mats, ops[i, MAT], used, 3, 2)
        ops[i, T0], ops[i, T1], ops[i, T2] = ops[i, T2], ops[i, T0], ops[i, T1]
        ops[i, MAT], used = used, used + 64
        flips = ((flips << 1) | (flips >> 2)) & 7
    at = ops[i, MAT]
    for value in range(2):
        for x in range(16):
            row, column = 4 * value + (x >> 2), 4 * value + (x & 3)
            mats[used + 16 * value + x] = mats[at + 8 * row + column]
    ops[i, MAT] = used
    return used + 32


@compiled
def _divides(mats: Complexes, at: int, dim: int) -> bool:
    """Whether one can divide by the entries of a diagonal, as layers do: those of channels may be 0."""
    least = abs(mats[at])
    for x in range(1, dim):
        least = min(least, abs(mats[at + x * (dim + 1)]))
    return bool(least >= SMALLEST_FACTOR)


@compiled
def finish(ops: Ints, count: int, mats: Complexes, used: int) -> int:
    """Give every RAW operation its final kind; returns the new number of entries in `mats`."""
    for i in range(count):
        if ops[i, KIND] != RAW:
            continue
        at, k = ops[i, MAT], ops[i, COUNT]
        flips, kind = analyse(mats, at, k)
        ops[i, CLASS] = kind
        dim = 1 << k
        if flips == 0 and k < 3 and _divides(mats, at, dim):
            ops[i, KIND], ops[i, MAT] = DIAGONAL, used
            for x in range(dim):
                mats[used + x] = mats[at + x * (dim + 1)]
            used += dim
        elif flips & (flips - 1):
            ops[i, KIND] = TWO if k == 2 or flips != 7 else THREE
            if k == 3 and kind == MIXED:
                ops[i, CLASS] = COMPLEX
            if k == 3 and flips != 7:
                used = _part_selector(ops, i, mats, used, flips)
        else:
            target = 0 if flips <= 1 else (1 if flips == 2 else 2)
            if target:
                _reorder(mats, at, used, k, target)
                at, used = used, used + dim * dim
                wire = ops[i, T0 + target]
                if target == 2:
                    ops[i, T2] = ops[i, T1]
                ops[i, T1] = ops[i, T0]
                ops[i, T0], ops[i, MAT] = wire, at
            blocks, row = active_blocks(mats, at, k, 0)
            ops[i, KIND] = ONE
            if blocks == 1 and k > 1:
                ops[i, KIND], ops[i, MAT] = CONTROLLED, used
                for bit in range(1, k):
                    ops[i, MASK] |= 1 << ops[i, T0 + bit]
                    ops[i, VALUE] |= ((row >> bit) & 1) << ops[i, T0 + bit]
                for x in range(4):
                    mats[used + x] = mats[at + (row + (x >> 1)) * dim + row + (x & 1)]
                used += 4
            elif k > 1:
                # One 2 by 2 block after another, in the order of the selectors' value.
                for s in range(dim >> 1):
                    for x in range(4):
                        mats[used + 4 * s + x] = mats[at + (2 * s + (x >> 1)) * dim + 2 * s + (x & 1)]
                ops[i, MAT] = used
                used += 2 * dim
    return used
