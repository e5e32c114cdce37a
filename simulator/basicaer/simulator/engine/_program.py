"""The program of one stage: rows of numbers that `_executor` interprets for each block.

See `_stages` for what a stage is. `Builder` is a tuple of arrays, since numba has no cheap objects:
    rows      int64[capacity, ROW_COLUMNS]
    box       a list with one array of coefficients (replaced by a larger one when it is full)
    terms     int64[capacity, 2]: (bits of the base that must all be set, position or -1); the factor lies in
              `coefs`
    n         counters: rows, coefs, terms
"""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _stages as s
from basicaer.simulator.engine._diagonal import fill_layer, layer_length
from basicaer.simulator.engine._jit import compiled
from basicaer.simulator.engine._kernels import (
    COMPLEX,
    MUX_COMPLEX,
    MUX_REAL,
    MUX_TWO_COMPLEX,
    MUX_TWO_REAL,
    REAL,
)

ROWS, COEFS, TERMS = range(3)

SINGLE, DELAYED, LIVE, ACTIVE, LANES, PREFIX = range(6)
"""Scalars of a stage in the making: a 1-qubit operation that waits for a partner (or -1), how many diagonal
operations are delayed, the live wires, the active ones, those in the lanes, and the prefix's size in bits."""


@compiled
def reserve(builder: Any, count: int) -> int:
    """Make room for `count` coefficients; returns where they begin."""
    _, box, _, n = builder
    first = n[COEFS]
    if first + count > len(box[0]):
        larger = np.zeros(2 * (first + count), np.float64)
        larger[:first] = box[0][:first]
        box[0] = larger
    n[COEFS] = first + count
    return int(first)


@compiled
def put(builder: Any, first: int, mats: Any, at: int, count: int) -> None:
    """Write `count` complex numbers as coefficients."""
    coefs = builder[1][0]
    for x in range(count):
        coefs[first + 2 * x], coefs[first + 2 * x + 1] = mats[at + x].real, mats[at + x].imag


@compiled
def new_row(builder: Any, op: int, size: int) -> int:
    """A new row with neutral values."""
    rows, _, _, n = builder
    i = n[ROWS]
    n[ROWS] += 1
    rows[i, :] = 0
    rows[i, s.OP], rows[i, s.SIZE] = op, size
    rows[i, s.PICK1] = rows[i, s.PICK2] = -1
    return int(i)


@compiled
def grow(stage: Any, pos: Any, wires: int, lane_bits: int) -> int:
    """Make `wires` live; returns the size of the smallest prefix that holds all live wires."""
    stage[LIVE] |= wires
    top = stage[PREFIX]
    w, rest = 0, wires & stage[ACTIVE]
    while rest:
        if rest & 1 and pos[w] >= top:
            top = pos[w] + 1
        rest >>= 1
        w += 1
    stage[PREFIX] = top
    return int(top)


@compiled
def flush_single(builder: Any, stage: Any, pos: Any, ops: Any, mats: Any, lane_bits: int) -> None:
    """Emit the 1-qubit operation that waits for a partner."""
    i = stage[SINGLE]
    if i < 0:
        return
    stage[SINGLE] = -1
    w = ops[i, f.T0]
    row = new_row(builder, s.ONE, grow(stage, pos, 1 << w, lane_bits))
    rows = builder[0]
    rows[row, s.P0], rows[row, s.CLASS], rows[row, s.FIRST] = pos[w], ops[i, f.CLASS], reserve(builder, 8)
    put(builder, rows[row, s.FIRST], mats, ops[i, f.MAT], 4)


@compiled
def _pair(builder: Any, stage: Any, pos: Any, ops: Any, mats: Any, i: int, j: int, lane_bits: int) -> None:
    """Emit two 1-qubit operations on different wires as one."""
    a, b = ops[i, f.T0], ops[j, f.T0]
    row = new_row(builder, s.TWO, grow(stage, pos, (1 << a) | (1 << b), lane_bits))
    rows = builder[0]
    first = reserve(builder, 32)
    same = ops[i, f.CLASS] == ops[j, f.CLASS]
    rows[row, s.P0], rows[row, s.P1], rows[row, s.FIRST] = pos[a], pos[b], first
    rows[row, s.CLASS] = ops[i, f.CLASS] if same else COMPLEX
    coefs = builder[1][0]
    for r in range(4):
        for c in range(4):
            z = mats[ops[i, f.MAT] + 2 * (r & 1) + (c & 1)] * mats[ops[j, f.MAT] + 2 * (r >> 1) + (c >> 1)]
            coefs[first + 2 * (4 * r + c)], coefs[first + 2 * (4 * r + c) + 1] = z.real, z.imag


@compiled
def _emit_one(builder: Any, size: int, active: int, pos: Any, phys: Any, ops: Any, mats: Any, i: int) -> None:
    """One target with up to two selectors, each in the block or constant through it."""
    rows = builder[0]
    at, w = ops[i, f.MAT], ops[i, f.T0]
    inside, outside = 0, 0
    in_bit, out_bit = np.zeros(2, np.int64), np.zeros(2, np.int64)
    in_wire, out_wire = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for k in range(2):
        selector = ops[i, f.T1 + k]
        if selector < 0:
            continue
        if (active >> selector) & 1:
            in_bit[inside], in_wire[inside] = k, selector
            inside += 1
        else:
            out_bit[outside], out_wire[outside] = k, selector
            outside += 1
    row = new_row(builder, s.ONE + inside, size)
    rows[row, s.P0] = pos[w]
    kind = ops[i, f.CLASS]
    if inside:
        kind = MUX_REAL if kind == REAL else MUX_COMPLEX
    rows[row, s.CLASS] = kind
    dim = 2 << inside
    stride = 2 * dim * dim
    rows[row, s.STRIDE] = stride
    if inside > 0:
        rows[row, s.P1] = pos[in_wire[0]]
    if inside > 1:
        rows[row, s.P2] = pos[in_wire[1]]
    if outside > 0:
        rows[row, s.PICK1] = phys[out_wire[0]]
    if outside > 1:
        rows[row, s.PICK2] = phys[out_wire[1]]
    first = reserve(builder, stride << outside)
    rows[row, s.FIRST] = first
    coefs = builder[1][0]
    coefs[first : first + (stride << outside)] = 0.0
    for o in range(1 << outside):
        for x in range(1 << inside):
            block = 0
            for k in range(outside):
                block |= ((o >> k) & 1) << out_bit[k]
            for k in range(inside):
                block |= ((x >> k) & 1) << in_bit[k]
            for e in range(4):
                z = mats[at + 4 * block + e]
                c = first + o * stride + 2 * ((2 * x + (e >> 1)) * dim + 2 * x + (e & 1))
                coefs[c], coefs[c + 1] = z.real, z.imag


@compiled
def split_controls(rows: Any, row: int, ops: Any, i: int, active: int, pos: Any, phys: Any) -> None:
    """Write operation i's controls: those in the block by position, the others by their bit of the base."""
    rest, w = ops[i, f.MASK], 0
    while rest:
        if rest & 1:
            bit = (ops[i, f.VALUE] >> w) & 1
            if (active >> w) & 1:
                rows[row, s.MASK] |= 1 << pos[w]
                rows[row, s.VALUE] |= bit << pos[w]
            else:
                rows[row, s.OUTER_MASK] |= 1 << phys[w]
                rows[row, s.OUTER_VALUE] |= bit << phys[w]
        rest >>= 1
        w += 1


@compiled
def emit(
    builder: Any, stage: Any, pos: Any, phys: Any, ops: Any, mats: Any, operands: Any, i: int, lane_bits: int
) -> None:
    """Emit operation i, whose targets are active and not in the lanes."""
    kind = ops[i, f.KIND]
    t, r = s.bits_of(ops, operands, i)
    if stage[SINGLE] >= 0 and (t | r) >> ops[stage[SINGLE], f.T0] & 1:
        flush_single(builder, stage, pos, ops, mats, lane_bits)
    if kind == f.ONE and r == 0:
        if stage[SINGLE] < 0:
            stage[SINGLE] = i
        else:
            j = stage[SINGLE]
            stage[SINGLE] = -1
            _pair(builder, stage, pos, ops, mats, j, i, lane_bits)
        return
    active = stage[ACTIVE]
    size = grow(stage, pos, t | r, lane_bits)
    at = ops[i, f.MAT]
    rows = builder[0]
    if kind == f.ONE:
        _emit_one(builder, size, active, pos, phys, ops, mats, i)
    elif kind == f.CONTROLLED:
        flip = mats[at] == 0.0 and mats[at + 3] == 0.0 and mats[at + 1] == 1.0 and mats[at + 2] == 1.0
        row = new_row(builder, s.FLIP if flip else s.CONTROLLED, size)
        rows[row, s.P0], rows[row, s.FIRST] = pos[ops[i, f.T0]], reserve(builder, 8)
        put(builder, rows[row, s.FIRST], mats, at, 4)
        split_controls(rows, row, ops, i, active, pos, phys)
    elif kind == f.ANY:
        count = ops[i, f.COUNT]
        row = new_row(builder, s.ANY, size)
        rows[row, s.P0], rows[row, s.P1] = count, builder[3][TERMS]
        for k in range(count):
            builder[2][builder[3][TERMS], 0] = pos[operands[ops[i, f.T0] + k]]
            builder[3][TERMS] += 1
        rows[row, s.FIRST] = reserve(builder, 2 << (2 * count))
        put(builder, rows[row, s.FIRST], mats, at, 1 << (2 * count))
        split_controls(rows, row, ops, i, active, pos, phys)
    else:
        selector = ops[i, f.T2] if kind == f.TWO else -1
        inside = selector >= 0 and (active >> selector) & 1
        row = new_row(builder, s.THREE if inside or kind == f.THREE else s.TWO, size)
        rows[row, s.P0], rows[row, s.P1] = pos[ops[i, f.T0]], pos[ops[i, f.T1]]
        if inside or kind == f.THREE:
            rows[row, s.P2] = pos[ops[i, f.T2]]
        rows[row, s.CLASS] = ops[i, f.CLASS]
        if inside:
            rows[row, s.CLASS] = MUX_TWO_REAL if ops[i, f.CLASS] == REAL else MUX_TWO_COMPLEX
        elif selector >= 0:
            rows[row, s.PICK1], rows[row, s.STRIDE] = phys[selector], 32
        count = 64 if kind == f.THREE else (32 if selector >= 0 else 16)
        rows[row, s.FIRST] = reserve(builder, 2 * count)
        put(builder, rows[row, s.FIRST], mats, at, count)


@compiled
def _add_term(builder: Any, mask: int, position: int, factor: complex) -> None:
    """A factor of the layer in the making that depends on the base."""
    if abs(factor - 1.0) < f.TINY:
        return
    _, box, terms, n = builder
    first = reserve(builder, 2)
    box[0][first], box[0][first + 1] = factor.real, factor.imag
    terms[n[TERMS], 0], terms[n[TERMS], 1] = mask, position
    n[TERMS] += 1


@compiled
def flush_layer(
    builder: Any, stage: Any, pos: Any, phys: Any, ops: Any, mats: Any, delayed: Any, lane_bits: int
) -> None:
    """Emit all delayed diagonal operations as one layer.

    Its terms' factors follow each other in the coefficients, from P2 on; the layer itself comes after them.
    """
    flush_single(builder, stage, pos, ops, mats, lane_bits)
    active, wires = stage[ACTIVE], 0
    for d in range(stage[DELAYED]):
        wires |= 1 << ops[delayed[d], f.T0]
        if ops[delayed[d], f.T1] >= 0:
            wires |= 1 << ops[delayed[d], f.T1]
    size = grow(stage, pos, wires & active, lane_bits)
    single = np.ones(size, np.complex128)
    pair = np.ones((size, size), np.complex128)
    w0 = complex(1.0)
    first_term, first_factor = builder[3][TERMS], builder[3][COEFS]
    for d in range(stage[DELAYED]):
        i = delayed[d]
        at, a, b = ops[i, f.MAT], ops[i, f.T0], ops[i, f.T1]
        d0 = mats[at]
        w0 *= d0
        wa = mats[at + 1] / d0
        in_a = (active >> a) & 1
        if in_a:
            single[pos[a]] *= wa
        else:
            _add_term(builder, 1 << phys[a], -1, wa)
        if b >= 0:
            wb = mats[at + 2] / d0
            both = mats[at + 3] / d0 / (wa * wb)
            in_b = (active >> b) & 1
            if in_b:
                single[pos[b]] *= wb
            else:
                _add_term(builder, 1 << phys[b], -1, wb)
            if in_a and in_b:
                pair[max(pos[a], pos[b]), min(pos[a], pos[b])] *= both
            elif in_a:
                _add_term(builder, 1 << phys[b], pos[a], both)
            elif in_b:
                _add_term(builder, 1 << phys[a], pos[b], both)
            else:
                _add_term(builder, (1 << phys[a]) | (1 << phys[b]), -1, both)
    stage[DELAYED] = 0
    row = new_row(builder, s.LAYER, size)
    rows = builder[0]
    rows[row, s.P0], rows[row, s.P1] = first_term, builder[3][TERMS] - first_term
    rows[row, s.P2] = first_factor
    first = reserve(builder, layer_length(size))
    rows[row, s.FIRST] = first
    fill_layer(w0, single, pair, size, builder[1][0], first)


@compiled
def exchange(
    builder: Any, stage: Any, pos: Any, ops: Any, mats: Any, at_position: Any, chosen: Any, lane_bits: int
) -> None:
    """Swap the wires in the lanes with the wires `chosen`, lane j with chosen[j]."""
    flush_single(builder, stage, pos, ops, mats, lane_bits)
    wires = 0
    for j in range(lane_bits):
        wires |= 1 << chosen[j]
    live = stage[LIVE]
    size = grow(stage, pos, wires, lane_bits)
    stage[LIVE] = live
    row = new_row(builder, s.EXCHANGE, size)
    stage[LANES] = 0
    for j in range(lane_bits):
        new, old = chosen[j], at_position[j]
        p = pos[new]
        builder[0][row, s.P0 + j] = p
        pos[new], pos[old] = j, p
        at_position[j], at_position[p] = new, old
        stage[LANES] |= 1 << new
