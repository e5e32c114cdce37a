"""Takes shots through the rows one by one, each with its own tableau: for programs in which shots part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.stabilizer._rows import (
    AND,
    CONFUSE,
    CONSTANT,
    ELSE,
    FLIP,
    IF,
    JUMP,
    MEASURE,
    NOT,
    OR,
    PAULI_1,
    PAULI_2,
    PAULI_MANY,
    PUSH,
    RESET,
    SAVE,
    STORE,
    SWAP,
)
from basicaer.simulator.methods.stabilizer.kernels._random import seeded, uniform
from basicaer.simulator.methods.stabilizer.kernels._tableau import UNKNOWN, expected, gates, measure, pauli
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

_NONE = np.uint64(0)
_ONE = np.uint64(1)


@compiled
def _evaluate(code: Ints, start: int, stop: int, memory: Bytes, stack: Bytes) -> None:
    """Leave the values of an expression on the stack, from its bottom: what `_frames.evaluate` does for 64
    shots.
    """
    top = 0
    for step in range(start, stop):
        kind, operand = code[step, 0], code[step, 1]
        if kind == PUSH:
            stack[top] = memory[operand]
            top += 1
        elif kind == CONSTANT:
            stack[top] = operand
            top += 1
        elif kind == NOT:
            stack[top - 1] ^= 1
        else:
            top -= 1
            if kind == AND:
                stack[top - 1] &= stack[top]
            elif kind == OR:
                stack[top - 1] |= stack[top]
            else:
                stack[top - 1] ^= stack[top]


@compiled
def _draw(tables: Floats, start: int, size: int, random: Words) -> int:
    """Return an index of a table of probabilities."""
    point, total = uniform(random), 0.0
    last = 0
    for index in range(size):
        chance = tables[start + index]
        if chance > 0.0:
            last = index
            total += chance
            if point < total:
                return index
    return last


@compiled
def _misread(bits: Ints, tables: Floats, table: int, memory: Bytes, random: Words) -> None:
    """Write some bits as they are told."""
    value = 0
    for k in range(len(bits)):
        value |= int(memory[bits[k]]) << k
    size = 1 << len(bits)
    told = _draw(tables, table + value * size, size, random)
    for k in range(len(bits)):
        memory[bits[k]] = told >> k & 1


@compiled
def run_shots(
    numbers: tuple[int, int], begin: int, key: Words, codes: Ints, first: Ints, second: Ints, extra: Ints,
    tables: Floats, table_starts: Ints, lists: Ints, list_starts: Ints, expressions: Ints,
    expression_starts: Ints, saves: tuple[Ints, Ints, Ints, Ints, Ints], initial: Bytes, start_x: Words,
    start_z: Words, start_powers: Words, num_clbits: int, depth: int, out: Words, sums: Ints, reached: Ints,
    trace: Bytes, flag: Bytes,
) -> bool:  # fmt: skip
    """Take the shots from one number to another from row `begin` on, where all have the same tableau.

    Row i of `out` gets the bits of shot `numbers[0]` + i. For each product of the saves `sums` adds up its
    values, and `reached` counts how often each save was reached. Where `trace` has an element for each row,
    random outcomes are 0, there is no noise, and the elements become the outcomes of measurements, and for
    other rows whether they were done. Gives whether all came to the end, as `flag` was 0.
    """
    width = start_x.shape[1]
    x, z, powers = np.empty_like(start_x), np.empty_like(start_z), np.empty_like(start_powers)
    memory = np.empty(len(initial), np.uint8)
    stack = np.empty(depth, np.uint8)
    room = np.empty((2, width), np.uint64)
    random = np.empty(2, np.uint64)
    single = np.empty(1, np.int64)
    known = np.empty(x.shape[0], np.uint8)
    is_traced = len(trace) > 0
    for shot in range(numbers[0], numbers[1]):
        seeded(random, key, shot)
        if is_traced:
            # A generator in this state gives zeros alone.
            random[:] = _NONE
        known[:] = UNKNOWN
        x[:] = start_x
        z[:] = start_z
        powers[:] = start_powers
        memory[:] = initial
        row = begin
        while row < len(codes):
            code, a, b, number = codes[row], first[row], second[row], extra[row]
            row += 1
            if code <= SWAP:
                start, row = row - 1, gates(codes, first, second, row - 1, x, z, powers, known)
                if is_traced:
                    trace[start:row] = 1
            elif code == MEASURE:
                if flag[0]:
                    return False
                if known[a] == UNKNOWN:
                    known[a] = measure(a, x, z, powers, room, random)
                memory[b] = known[a]
                if is_traced:
                    trace[row - 1] = known[a]
            elif code == RESET:
                if known[a] == UNKNOWN:
                    known[a] = measure(a, x, z, powers, room, random)
                if known[a]:
                    pauli(1, a, x, z, powers, known)
                    known[a] = 0
            elif is_traced and code <= CONFUSE:
                trace[row - 1] = 1
            elif code == PAULI_1:
                pauli(_draw(tables, table_starts[number], 4, random), a, x, z, powers, known)
            elif code == PAULI_2:
                drawn = _draw(tables, table_starts[number], 16, random)
                pauli(drawn & 3, a, x, z, powers, known)
                pauli(drawn >> 2, b, x, z, powers, known)
            elif code == PAULI_MANY:
                low, high = list_starts[a], list_starts[a + 1]
                drawn = _draw(tables, table_starts[number], 1 << 2 * (high - low), random)
                for k in range(low, high):
                    pauli(drawn >> 2 * (k - low) & 3, lists[k], x, z, powers, known)
            elif code == FLIP:
                single[0] = a
                _misread(single, tables, table_starts[number], memory, random)
            elif code == CONFUSE:
                _misread(
                    lists[list_starts[a] : list_starts[a + 1]], tables, table_starts[number], memory, random
                )
            elif code == IF:
                _evaluate(
                    expressions, expression_starts[number], expression_starts[number + 1], memory, stack
                )
                if not stack[0]:
                    row = b
            elif code == ELSE:
                row = b
            elif code == JUMP:
                if flag[0]:
                    return False
                row = b
            elif code == STORE:
                _evaluate(
                    expressions, expression_starts[number], expression_starts[number + 1], memory, stack
                )
                for k in range(list_starts[a], list_starts[a + 1]):
                    memory[lists[k]] = stack[k - list_starts[a]]
            elif code == SAVE:
                reached[number] += 1
                starts = saves[1]
                for j in range(starts[number + 1] - starts[number]):
                    term = 2 * (saves[2][number] + j)
                    low, middle, high = saves[4][term], saves[4][term + 1], saves[4][term + 2]
                    sums[starts[number] + j] += expected(
                        saves[3][low:middle], saves[3][middle:high], x, z, powers, room[0]
                    )
        for bit in range(num_clbits):
            if memory[bit]:
                out[shot - numbers[0], bit >> 6] |= _ONE << np.uint64(bit & 63)
    return True
