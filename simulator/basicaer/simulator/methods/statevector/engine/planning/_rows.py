"""The program of one stage: rows of numbers that `_executor` interprets for each block.

See `_stages` for what a stage is.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Builder, Complexes, Ints
from basicaer.simulator.methods.statevector.engine.blocks._diagonal import fill_layer, layer_length
from basicaer.simulator.methods.statevector.engine.columns import factors, fused, making, steps
from basicaer.simulator.methods.statevector.engine.columns.classes import (
    COMPLEX,
    MUX_COMPLEX,
    MUX_REAL,
    MUX_TWO_COMPLEX,
    MUX_TWO_REAL,
    REAL,
)
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._loops import copy
from basicaer.simulator.methods.statevector.engine.planning._products import TINY
from basicaer.simulator.methods.statevector.engine.planning._stages import bits_of


@compiled
def reserve(builder: Builder, count: int) -> int:
    """Make room for `count` coefficients; returns where they begin."""
    box, n = builder.box, builder.counts
    first = n[making.COEFS]
    if first + count > len(box[0]):
        larger = np.zeros(2 * (first + count), np.float64)
        copy(larger, 0, box[0], 0, first)
        box[0] = larger
    n[making.COEFS] = first + count
    return int(first)


@compiled
def put(builder: Builder, first: int, mats: Complexes, at: int, count: int) -> None:
    """Write `count` complex numbers as coefficients."""
    coefs = builder.box[0]
    for x in range(count):
        coefs[first + 2 * x], coefs[first + 2 * x + 1] = mats[at + x].real, mats[at + x].imag


@compiled
def new_row(builder: Builder, op: int, size: int) -> int:
    """Return a new row with neutral values."""
    rows, n = builder.rows, builder.counts
    i = n[making.ROWS]
    n[making.ROWS] += 1
    rows[i, :] = 0
    rows[i, steps.OP], rows[i, steps.SIZE] = op, size
    rows[i, steps.PICK1] = rows[i, steps.PICK2] = -1
    return int(i)


@compiled
def grow(stage: Ints, pos: Ints, wires: int, lane_bits: int) -> int:
    """Make `wires` live; returns the size of the smallest prefix that holds all live wires."""
    stage[making.LIVE] |= wires
    top = stage[making.PREFIX]
    w, rest = 0, wires & stage[making.ACTIVE]
    while rest:
        if rest & 1 and pos[w] >= top:
            top = pos[w] + 1
        rest >>= 1
        w += 1
    stage[making.PREFIX] = top
    return int(top)


@compiled
def flush_single(
    builder: Builder, stage: Ints, pos: Ints, ops: Ints, mats: Complexes, lane_bits: int
) -> None:
    """Emit the 1-qubit operation that waits for a partner."""
    i = stage[making.SINGLE]
    if i < 0:
        return
    stage[making.SINGLE] = -1
    w = ops[i, fused.T0]
    row = new_row(builder, steps.ONE, grow(stage, pos, 1 << w, lane_bits))
    rows = builder.rows
    rows[row, steps.P0], rows[row, steps.CLASS], rows[row, steps.FIRST] = (
        pos[w],
        ops[i, fused.CLASS],
        reserve(builder, 8),
    )
    put(builder, rows[row, steps.FIRST], mats, ops[i, fused.MAT], 4)


@compiled
def _pair(
    builder: Builder, stage: Ints, pos: Ints, ops: Ints, mats: Complexes, i: int, j: int, lane_bits: int
) -> None:
    """Emit two 1-qubit operations on different wires as one."""
    a, b = ops[i, fused.T0], ops[j, fused.T0]
    row = new_row(builder, steps.TWO, grow(stage, pos, (1 << a) | (1 << b), lane_bits))
    rows = builder.rows
    first = reserve(builder, 32)
    same = ops[i, fused.CLASS] == ops[j, fused.CLASS]
    rows[row, steps.P0], rows[row, steps.P1], rows[row, steps.FIRST] = pos[a], pos[b], first
    rows[row, steps.CLASS] = ops[i, fused.CLASS] if same else COMPLEX
    coefs = builder.box[0]
    for r in range(4):
        for c in range(4):
            z = (
                mats[ops[i, fused.MAT] + 2 * (r & 1) + (c & 1)]
                * mats[ops[j, fused.MAT] + 2 * (r >> 1) + (c >> 1)]
            )
            coefs[first + 2 * (4 * r + c)], coefs[first + 2 * (4 * r + c) + 1] = z.real, z.imag


@compiled
def _emit_one(
    builder: Builder, size: int, active: int, pos: Ints, phys: Ints, ops: Ints, mats: Complexes, i: int
) -> None:
    """One target with up to two selectors, each in the block or constant through it."""
    rows = builder.rows
    at, w = ops[i, fused.MAT], ops[i, fused.T0]
    inside, outside = 0, 0
    in_bit, out_bit = np.zeros(2, np.int64), np.zeros(2, np.int64)
    in_wire, out_wire = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for k in range(2):
        selector = ops[i, fused.T1 + k]
        if selector < 0:
            continue
        if (active >> selector) & 1:
            in_bit[inside], in_wire[inside] = k, selector
            inside += 1
        else:
            out_bit[outside], out_wire[outside] = k, selector
            outside += 1
    row = new_row(builder, steps.ONE + inside, size)
    rows[row, steps.P0] = pos[w]
    kind = ops[i, fused.CLASS]
    if inside:
        kind = MUX_REAL if kind == REAL else MUX_COMPLEX
    rows[row, steps.CLASS] = kind
    dim = 2 << inside
    stride = 2 * dim * dim
    rows[row, steps.STRIDE] = stride
    if inside > 0:
        rows[row, steps.P1] = pos[in_wire[0]]
    if inside > 1:
        rows[row, steps.P2] = pos[in_wire[1]]
    if outside > 0:
        rows[row, steps.PICK1] = phys[out_wire[0]]
    if outside > 1:
        rows[row, steps.PICK2] = phys[out_wire[1]]
    first = reserve(builder, stride << outside)
    rows[row, steps.FIRST] = first
    coefs = builder.box[0]
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
def split_controls(rows: Ints, row: int, ops: Ints, i: int, active: int, pos: Ints, phys: Ints) -> None:
    """Write operation i's controls: those in the block by position, the others by their bit of the base."""
    rest, w = ops[i, fused.MASK], 0
    while rest:
        if rest & 1:
            bit = (ops[i, fused.VALUE] >> w) & 1
            if (active >> w) & 1:
                rows[row, steps.MASK] |= 1 << pos[w]
                rows[row, steps.VALUE] |= bit << pos[w]
            else:
                rows[row, steps.OUTER_MASK] |= 1 << phys[w]
                rows[row, steps.OUTER_VALUE] |= bit << phys[w]
        rest >>= 1
        w += 1


@compiled
def emit(
    builder: Builder,
    stage: Ints,
    pos: Ints,
    phys: Ints,
    ops: Ints,
    mats: Complexes,
    operands: Ints,
    i: int,
    lane_bits: int,
) -> None:
    """Emit operation i, whose targets are active and not in the lanes."""
    kind = ops[i, fused.KIND]
    t, r = bits_of(ops, operands, i)
    if stage[making.SINGLE] >= 0 and (t | r) >> ops[stage[making.SINGLE], fused.T0] & 1:
        flush_single(builder, stage, pos, ops, mats, lane_bits)
    if kind == fused.ONE and r == 0:
        if stage[making.SINGLE] < 0:
            stage[making.SINGLE] = i
        else:
            j = stage[making.SINGLE]
            stage[making.SINGLE] = -1
            _pair(builder, stage, pos, ops, mats, j, i, lane_bits)
        return
    active = stage[making.ACTIVE]
    size = grow(stage, pos, t | r, lane_bits)
    at = ops[i, fused.MAT]
    rows = builder.rows
    if kind == fused.ONE:
        _emit_one(builder, size, active, pos, phys, ops, mats, i)
    elif kind == fused.CONTROLLED:
        flip = mats[at] == 0.0 and mats[at + 3] == 0.0 and mats[at + 1] == 1.0 and mats[at + 2] == 1.0
        row = new_row(builder, steps.FLIP if flip else steps.CONTROLLED, size)
        rows[row, steps.P0], rows[row, steps.FIRST] = pos[ops[i, fused.T0]], reserve(builder, 8)
        put(builder, rows[row, steps.FIRST], mats, at, 4)
        split_controls(rows, row, ops, i, active, pos, phys)
    elif kind == fused.ANY:
        count = ops[i, fused.COUNT]
        row = new_row(builder, steps.ANY, size)
        rows[row, steps.P0], rows[row, steps.P1] = count, builder.counts[making.TERMS]
        for k in range(count):
            builder.terms[builder.counts[making.TERMS], factors.KEY] = pos[operands[ops[i, fused.T0] + k]]
            builder.counts[making.TERMS] += 1
        rows[row, steps.FIRST] = reserve(builder, 2 << (2 * count))
        put(builder, rows[row, steps.FIRST], mats, at, 1 << (2 * count))
        split_controls(rows, row, ops, i, active, pos, phys)
    else:
        selector = ops[i, fused.T2] if kind == fused.TWO else -1
        inside = selector >= 0 and (active >> selector) & 1
        row = new_row(builder, steps.THREE if inside or kind == fused.THREE else steps.TWO, size)
        rows[row, steps.P0], rows[row, steps.P1] = pos[ops[i, fused.T0]], pos[ops[i, fused.T1]]
        if inside or kind == fused.THREE:
            rows[row, steps.P2] = pos[ops[i, fused.T2]]
        rows[row, steps.CLASS] = ops[i, fused.CLASS]
        if inside:
            rows[row, steps.CLASS] = MUX_TWO_REAL if ops[i, fused.CLASS] == REAL else MUX_TWO_COMPLEX
        elif selector >= 0:
            rows[row, steps.PICK1], rows[row, steps.STRIDE] = phys[selector], 32
        count = 64 if kind == fused.THREE else (32 if selector >= 0 else 16)
        rows[row, steps.FIRST] = reserve(builder, 2 * count)
        put(builder, rows[row, steps.FIRST], mats, at, count)


@compiled
def _add_term(builder: Builder, mask: int, position: int, factor: complex) -> None:
    """Return a factor of the layer in the making that depends on the base."""
    if abs(factor - 1.0) < TINY:
        return
    box, terms, n = builder.box, builder.terms, builder.counts
    first = reserve(builder, 2)
    box[0][first], box[0][first + 1] = factor.real, factor.imag
    term = n[making.TERMS]
    terms[term, factors.KEY], terms[term, factors.POSITION] = mask, position
    n[making.TERMS] += 1


@compiled
def flush_layer(
    builder: Builder,
    stage: Ints,
    pos: Ints,
    phys: Ints,
    ops: Ints,
    mats: Complexes,
    delayed: Ints,
    lane_bits: int,
) -> None:
    """Emit all delayed diagonal operations as one layer.

    Its terms' factors follow each other in the coefficients, from P2 on; the layer itself comes after them.
    """
    flush_single(builder, stage, pos, ops, mats, lane_bits)
    active, wires = stage[making.ACTIVE], 0
    for d in range(stage[making.DELAYED]):
        wires |= 1 << ops[delayed[d], fused.T0]
        if ops[delayed[d], fused.T1] >= 0:
            wires |= 1 << ops[delayed[d], fused.T1]
    size = grow(stage, pos, wires & active, lane_bits)
    single = np.ones(size, np.complex128)
    pair = np.ones((size, size), np.complex128)
    w0 = complex(1.0)
    first_term, first_factor = builder.counts[making.TERMS], builder.counts[making.COEFS]
    for d in range(stage[making.DELAYED]):
        i = delayed[d]
        at, a, b = ops[i, fused.MAT], ops[i, fused.T0], ops[i, fused.T1]
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
    stage[making.DELAYED] = 0
    row = new_row(builder, steps.LAYER, size)
    rows = builder.rows
    rows[row, steps.P0], rows[row, steps.P1] = first_term, builder.counts[making.TERMS] - first_term
    rows[row, steps.P2] = first_factor
    first = reserve(builder, layer_length(size))
    rows[row, steps.FIRST] = first
    fill_layer(w0, single, pair, size, builder.box[0], first)


@compiled
def exchange(
    builder: Builder,
    stage: Ints,
    pos: Ints,
    ops: Ints,
    mats: Complexes,
    at_position: Ints,
    chosen: Ints,
    lane_bits: int,
) -> None:
    """Swap the wires in the lanes with the wires `chosen`, lane j with chosen[j]."""
    flush_single(builder, stage, pos, ops, mats, lane_bits)
    wires = 0
    for j in range(lane_bits):
        wires |= 1 << chosen[j]
    live = stage[making.LIVE]
    size = grow(stage, pos, wires, lane_bits)
    stage[making.LIVE] = live
    row = new_row(builder, steps.EXCHANGE, size)
    stage[making.LANES] = 0
    for j in range(lane_bits):
        new, old = chosen[j], at_position[j]
        p = pos[new]
        builder.rows[row, steps.P0 + j] = p
        pos[new], pos[old] = j, p
        at_position[j], at_position[p] = new, old
        stage[making.LANES] |= 1 << new
