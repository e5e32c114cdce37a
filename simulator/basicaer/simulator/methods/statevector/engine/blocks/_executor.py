"""Runs a plan over the state in memory.

Any number of threads may call `execute` with the same arguments; each claims one block after another from
the stage's counter, and a stage ends when all its blocks are done. Nobody waits for a thread that has not
arrived, and a slow thread holds up no more than one block. All counters belong to one run, so runs never
meet.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Flags, Ints, Reals, StagePlan, Work
from basicaer.simulator.methods.statevector.engine.blocks import _kernels as kernels
from basicaer.simulator.methods.statevector.engine.blocks._diagonal import diagonal_layer
from basicaer.simulator.methods.statevector.engine.columns import claims, factors, passes, steps
from basicaer.simulator.methods.statevector.engine.machine._atomics import fetch_add, load_acquire, relax
from basicaer.simulator.methods.statevector.engine.machine._bits import popcount
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._simd import (
    flush_denormals,
    load,
    restore_denormals,
    shuffle,
    store,
)

LOW_BITS = 6
TABLE = 1 << LOW_BITS

FINISHED, CANCELLED, PAUSED = range(3)
"""How `execute` ends."""

_even = shuffle(lambda i, width: 2 * i)
_odd = shuffle(lambda i, width: 2 * i + 1)
_zip_low = shuffle(lambda i, width: (i >> 1) + width * (i & 1))
_zip_high = shuffle(lambda i, width: (i >> 1) + width // 2 + width * (i & 1))


@compiled
def deposit(value: int, mask: int) -> int:
    """Return the bits of `value` spread over the set bits of `mask`, the lowest first."""
    result, bit = 0, 0
    while mask:
        if mask & 1:
            result |= (value & 1) << bit
            value >>= 1
        mask >>= 1
        bit += 1
    return result


@compiled
def _fill(row: Ints, first: int, count: int, tables: Ints) -> None:
    """tables[0, x] = x's low LOW_BITS bits spread to the bits row[first], ...; tables[1, x]: the bits after
    them.
    """
    tables[:, 0] = 0
    for j in range(count):
        half, place = (0, j) if j < LOW_BITS else (1, j - LOW_BITS)
        for x in range(1 << place):
            tables[half, (1 << place) + x] = tables[half, x] | (1 << row[first + j])


@compiled
def load_block(state: Reals, base: int, count: int, at: Ints, to: Ints, re: Reals, im: Reals) -> None:
    """Load 2**count vectors from `state`, complex numbers seen as reals, into the block."""
    width = 64 // re.itemsize
    for x in range(1 << count):
        memory = 2 * (base | at[0, x & (TABLE - 1)] | at[1, x >> LOW_BITS])
        position = to[0, x & (TABLE - 1)] | to[1, x >> LOW_BITS]
        a, b = load(state, memory), load(state, memory + width)
        store(re, position, _even(a, b))
        store(im, position, _odd(a, b))


@compiled
def store_block(
    state: Reals, base: int, count: int, at: Ints, to: Ints, re: Reals, im: Reals, flag: Flags
) -> None:
    """Do the inverse of `load_block`.

    The first write to a huge page clears all of it, and one block's vectors may lie in hundreds of pages,
    so that this takes a second. Hence `flag` is looked at here too.
    """
    width = 64 // re.itemsize
    total = 1 << count
    for start in range(0, total, TABLE):
        if flag[0]:
            return
        for x in range(start, min(start + TABLE, total)):
            memory = 2 * (base | at[0, x & (TABLE - 1)] | at[1, x >> LOW_BITS])
            position = to[0, x & (TABLE - 1)] | to[1, x >> LOW_BITS]
            a, b = load(re, position), load(im, position)
            store(state, memory, _zip_low(a, b))
            store(state, memory + width, _zip_high(a, b))


@compiled
def _layer(re: Reals, im: Reals, row: Ints, coefs: Reals, terms: Ints, base: int, work: Work) -> None:
    """Apply a diagonal layer, after the factors that depend on the base are put in."""
    single, tables, scratch = work.single, work.tables, work.slots
    size, first = row[steps.SIZE], row[steps.FIRST]
    for x in range(2 * (size + 1)):
        single[x] = coefs[first + x]
    factor = row[steps.P2]
    for t in range(row[steps.P0], row[steps.P0] + row[steps.P1]):
        if base & terms[t, factors.KEY] == terms[t, factors.KEY]:
            at = 2 * (terms[t, factors.POSITION] + 1)
            wr, wi, ar, ai = coefs[factor], coefs[factor + 1], single[at], single[at + 1]
            single[at], single[at + 1] = ar * wr - ai * wi, ar * wi + ai * wr
        factor += 2
    diagonal_layer(re, im, size, coefs, first, single, tables, scratch)


@compiled
def run_program(
    re: Reals, im: Reals, rows: Ints, start: int, stop: int, coefs: Reals, terms: Ints, base: int, work: Work
) -> None:
    """Apply rows start to stop to a block whose index bits outside the block are `base`."""
    for i in range(start, stop):
        row = rows[i]
        op, size, p0, p1, p2 = row[steps.OP], row[steps.SIZE], row[steps.P0], row[steps.P1], row[steps.P2]
        first, mask, value = row[steps.FIRST], row[steps.MASK], row[steps.VALUE]
        if base & row[steps.OUTER_MASK] != row[steps.OUTER_VALUE]:
            continue
        if op <= steps.THREE:
            if row[steps.PICK1] >= 0:
                first += row[steps.STRIDE] * ((base >> row[steps.PICK1]) & 1)
            if row[steps.PICK2] >= 0:
                first += 2 * row[steps.STRIDE] * ((base >> row[steps.PICK2]) & 1)
        if op == steps.ONE:
            kernels.one_qubit(re, im, size, p0, row[steps.CLASS], coefs, first)
        elif op == steps.TWO:
            kernels.two_qubits(re, im, size, p0, p1, row[steps.CLASS], coefs, first)
        elif op == steps.THREE:
            kernels.three_qubits(re, im, size, p0, p1, p2, row[steps.CLASS], coefs, first)
        elif op == steps.FLIP and mask & (64 // re.itemsize - 1) == 0:
            kernels.controlled_flip(re, im, size, p0, mask, value)
        elif op == steps.CONTROLLED or op == steps.FLIP:
            kernels.controlled(re, im, size, p0, mask, value, coefs, first, work.vectors)
        elif op == steps.LAYER:
            _layer(re, im, row, coefs, terms, base, work)
        elif op == steps.EXCHANGE:
            if re.itemsize == 8:
                kernels.exchange_lanes_8(re, im, size, p0, p1, p2)
            else:
                kernels.exchange_lanes_16(re, im, size, p0, p1, p2, row[steps.P3])
        else:
            kernels.dense_any(re, im, size, p0, mask, value, terms, p1, coefs, first, work.vectors)


@compiled
def _execute(
    state: Reals,
    initial: complex,
    fresh: bool,
    plan: StagePlan,
    v: int,
    block: tuple[Reals, Reals],
    work: Work,
    counters: Ints,
    flag: Flags,
    budget: int,
) -> int:
    """`execute`, in whatever mode the processor is."""
    stages, rows, coefs, terms = plan.stages, plan.rows, plan.coefs, plan.terms
    re, im = block
    load_at, load_to = (
        np.zeros((2, 1 << 18 >> LOW_BITS), np.int64),
        np.zeros((2, 1 << 18 >> LOW_BITS), np.int64),
    )
    store_at, store_to = np.zeros_like(load_at), np.zeros_like(load_to)
    for number in range(len(stages)):
        stage = stages[number]
        outer = stage[passes.OUTER]
        blocks = 1 << popcount(outer)
        loaded, stored, zeroed = stage[passes.LOADED], stage[passes.STORED], stage[passes.ZEROED]
        filled = False
        while load_acquire(counters, claims.WIDTH * number + claims.CLAIMED) < blocks:
            if flag[0]:
                return CANCELLED
            if budget == 0:
                return PAUSED
            budget -= 1
            claimed = fetch_add(counters, claims.WIDTH * number + claims.CLAIMED, 1)
            if claimed >= blocks:
                break
            if not filled:
                _fill(stage, passes.LOAD_BITS, loaded, load_at)
                _fill(stage, passes.FROM, loaded, load_to)
                _fill(stage, passes.STORE_BITS, stored, store_at)
                _fill(stage, passes.TO, stored, store_to)
                filled = True
            base = deposit(claimed, outer)
            if zeroed:
                re[: 1 << zeroed] = 0.0
                im[: 1 << zeroed] = 0.0
            if fresh and number == 0:
                re[0], im[0] = initial.real, initial.imag
            else:
                load_block(state, base, loaded, load_at, load_to, re, im)
            run_program(
                re, im, rows, stage[passes.ROW_START], stage[passes.ROW_STOP], coefs, terms, base, work
            )
            store_block(state, base, stored, store_at, store_to, re, im, flag)
            fetch_add(counters, claims.WIDTH * number + claims.DONE, 1)
        waited = 0
        while load_acquire(counters, claims.WIDTH * number + claims.DONE) < blocks:
            if flag[0]:
                return CANCELLED
            waited += 1
            relax(waited)
    return FINISHED


@compiled
def execute(
    state: Reals,
    initial: complex,
    fresh: bool,
    plan: StagePlan,
    v: int,
    block: tuple[Reals, Reals],
    work: Work,
    counters: Ints,
    flag: Flags,
    budget: int,
) -> int:
    """Take part in running `plan`, for at most `budget` blocks.

    `state` holds 2**n complex numbers as reals. When `fresh`, it is taken for zero but for amplitude 0,
    which is `initial`; its memory must be zero. `block` is (re, im), of one type with `work`, and
    both are for this thread alone. `counters` is int64[stages, claims.WIDTH], zero at first. `flag` stops the
    run.
    """
    mode = flush_denormals()
    ended = _execute(state, initial, fresh, plan, v, block, work, counters, flag, budget)
    restore_denormals(mode)
    return ended
