"""Runs a plan over the state in memory.

Any number of threads may call `execute` with the same arguments; each claims one block after another from
the stage's counter, and a stage ends when all its blocks are done. Nobody waits for a thread that has not
arrived, and a slow thread holds up no more than one block. All counters belong to one run, so runs never
meet.
"""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _kernels as k
from basicaer.simulator.engine import _planner as pl
from basicaer.simulator.engine import _stages as s
from basicaer.simulator.engine._atomics import fetch_add, load_acquire, relax
from basicaer.simulator.engine._diagonal import diagonal_layer
from basicaer.simulator.engine._jit import compiled
from basicaer.simulator.engine._simd import flush_denormals, load, restore_denormals, shuffle, store

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
    """The bits of `value` spread over the set bits of `mask`, the lowest first."""
    result, bit = 0, 0
    while mask:
        if mask & 1:
            result |= (value & 1) << bit
            value >>= 1
        mask >>= 1
        bit += 1
    return result


@compiled
def _fill(row: Any, first: int, count: int, tables: Any) -> None:
    """tables[0, x] = x's low LOW_BITS bits spread to the bits row[first], ...; tables[1, x]: the bits after
    them."""
    tables[:, 0] = 0
    for j in range(count):
        half, place = (0, j) if j < LOW_BITS else (1, j - LOW_BITS)
        for x in range(1 << place):
            tables[half, (1 << place) + x] = tables[half, x] | (1 << row[first + j])


@compiled
def load_block(state: Any, base: int, count: int, at: Any, to: Any, re: Any, im: Any) -> None:
    """Load 2**count vectors from `state`, complex numbers seen as reals, into the block."""
    width = 64 // re.itemsize
    for x in range(1 << count):
        memory = 2 * (base | at[0, x & (TABLE - 1)] | at[1, x >> LOW_BITS])
        position = to[0, x & (TABLE - 1)] | to[1, x >> LOW_BITS]
        a, b = load(state, memory), load(state, memory + width)
        store(re, position, _even(a, b))
        store(im, position, _odd(a, b))


@compiled
def store_block(state: Any, base: int, count: int, at: Any, to: Any, re: Any, im: Any, flag: Any) -> None:
    """The inverse of `load_block`.

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
def _layer(re: Any, im: Any, row: Any, coefs: Any, terms: Any, base: int, work: Any) -> None:
    """A diagonal layer, after the factors that depend on the base are put in."""
    single, tables, scratch = work[0], work[1], work[2]
    size, first = row[s.SIZE], row[s.FIRST]
    for x in range(2 * (size + 1)):
        single[x] = coefs[first + x]
    factor = row[s.P2]
    for t in range(row[s.P0], row[s.P0] + row[s.P1]):
        if base & terms[t, 0] == terms[t, 0]:
            at = 2 * (terms[t, 1] + 1)
            wr, wi, ar, ai = coefs[factor], coefs[factor + 1], single[at], single[at + 1]
            single[at], single[at + 1] = ar * wr - ai * wi, ar * wi + ai * wr
        factor += 2
    diagonal_layer(re, im, size, coefs, first, single, tables, scratch)


@compiled
def run_program(
    re: Any, im: Any, rows: Any, start: int, stop: int, coefs: Any, terms: Any, base: int, work: Any
) -> None:
    """Apply rows start to stop to a block whose index bits outside the block are `base`."""
    for i in range(start, stop):
        row = rows[i]
        op, size, p0, p1, p2 = row[s.OP], row[s.SIZE], row[s.P0], row[s.P1], row[s.P2]
        first, mask, value = row[s.FIRST], row[s.MASK], row[s.VALUE]
        if base & row[s.OUTER_MASK] != row[s.OUTER_VALUE]:
            continue
        if op <= s.THREE:
            if row[s.PICK1] >= 0:
                first += row[s.STRIDE] * ((base >> row[s.PICK1]) & 1)
            if row[s.PICK2] >= 0:
                first += 2 * row[s.STRIDE] * ((base >> row[s.PICK2]) & 1)
        if op == s.ONE:
            k.one_qubit(re, im, size, p0, row[s.CLASS], coefs, first)
        elif op == s.TWO:
            k.two_qubits(re, im, size, p0, p1, row[s.CLASS], coefs, first)
        elif op == s.THREE:
            k.three_qubits(re, im, size, p0, p1, p2, row[s.CLASS], coefs, first)
        elif op == s.FLIP and mask & (64 // re.itemsize - 1) == 0:
            k.controlled_flip(re, im, size, p0, mask, value)
        elif op == s.CONTROLLED or op == s.FLIP:
            k.controlled(re, im, size, p0, mask, value, coefs, first, work[3])
        elif op == s.LAYER:
            _layer(re, im, row, coefs, terms, base, work)
        elif op == s.EXCHANGE:
            if re.itemsize == 8:
                k.exchange_lanes_8(re, im, size, p0, p1, p2)
            else:
                k.exchange_lanes_16(re, im, size, p0, p1, p2, row[s.P3])
        else:
            k.dense_any(re, im, size, p0, mask, value, terms, p1, coefs, first, work[3])


@compiled
def _execute(
    state: Any,
    initial: complex,
    fresh: bool,
    plan: Any,
    v: int,
    block: Any,
    work: Any,
    counters: Any,
    flag: Any,
    budget: int,
) -> int:
    """`execute`, in whatever mode the processor is."""
    stages, rows, coefs, terms = plan
    re, im = block
    load_at, load_to = (
        np.zeros((2, 1 << 18 >> LOW_BITS), np.int64),
        np.zeros((2, 1 << 18 >> LOW_BITS), np.int64),
    )
    store_at, store_to = np.zeros_like(load_at), np.zeros_like(load_to)
    for number in range(len(stages)):
        stage = stages[number]
        outer = stage[pl.OUTER]
        blocks = 1 << s.popcount(outer)
        loaded, stored, zeroed = stage[pl.LOADED], stage[pl.STORED], stage[pl.ZEROED]
        filled = False
        while load_acquire(counters, 16 * number) < blocks:
            if flag[0]:
                return CANCELLED
            if budget == 0:
                return PAUSED
            budget -= 1
            claimed = fetch_add(counters, 16 * number, 1)
            if claimed >= blocks:
                break
            if not filled:
                _fill(stage, pl.LOAD_BITS, loaded, load_at)
                _fill(stage, pl.FROM, loaded, load_to)
                _fill(stage, pl.STORE_BITS, stored, store_at)
                _fill(stage, pl.TO, stored, store_to)
                filled = True
            base = deposit(claimed, outer)
            if zeroed:
                re[: 1 << zeroed] = 0.0
                im[: 1 << zeroed] = 0.0
            if fresh and number == 0:
                re[0], im[0] = initial.real, initial.imag
            else:
                load_block(state, base, loaded, load_at, load_to, re, im)
            run_program(re, im, rows, stage[pl.ROW_START], stage[pl.ROW_STOP], coefs, terms, base, work)
            store_block(state, base, stored, store_at, store_to, re, im, flag)
            fetch_add(counters, 16 * number + 8, 1)
        waited = 0
        while load_acquire(counters, 16 * number + 8) < blocks:
            if flag[0]:
                return CANCELLED
            waited += 1
            relax(waited)
    return FINISHED


@compiled
def execute(
    state: Any,
    initial: complex,
    fresh: bool,
    plan: Any,
    v: int,
    block: Any,
    work: Any,
    counters: Any,
    flag: Any,
    budget: int,
) -> int:
    """Take part in running `plan` = (stages, rows, coefs, terms), for at most `budget` blocks.

    `state` holds 2**n complex numbers as reals. When `fresh`, it is taken for zero but for amplitude 0,
    which is `initial`; its memory must be zero. `block` is (re, im), `work` four arrays of the same type,
    both for this thread alone. `counters` is int64[stages, 16], zero at first: blocks claimed at [:, 0],
    done at [:, 8]. `flag` stops the run.
    """
    mode = flush_denormals()
    ended = _execute(state, initial, fresh, plan, v, block, work, counters, flag, budget)
    restore_denormals(mode)
    return ended
