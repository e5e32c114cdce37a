"""Pauli frames: how far each shot is from the reference shot, 64 shots a word.

The idea is Rall, Liang, Cook and Kretschmer's ("Simulation of qubit quantum circuits via Pauli propagation",
2019) and Stim's (Gidney, 2021): Clifford gates take a Pauli operator by which two shots differ to another
one, measurements show whether it flips their outcomes, and a random Z on what was measured or reset makes the
next outcomes random.

`x` and `z` hold the operators, of shape (qubits, words), and `memory` the shots' classical bits, of shape
(bits, words).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.stabilizer._rows import (
    AND,
    CONFUSE,
    CONSTANT,
    CX,
    CZ,
    ELSE,
    END,
    FLIP,
    IF,
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
    SX,
    H,
    S,
    X,
    Z,
)
from basicaer.simulator.methods.stabilizer.kernels._random import uniform, word
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

FRAME = 2
"""Kept is the frame of the last shot; see `_saves`."""

_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW = np.uint64(63)


@compiled
def evaluate(code: Ints, start: int, stop: int, memory: Words, stack: Words) -> None:
    """Leave the values of an expression on the stack, of shape (depth, words), from its bottom."""
    top = 0
    for step in range(start, stop):
        kind, operand = code[step, 0], code[step, 1]
        if kind == PUSH:
            for w in range(stack.shape[1]):
                stack[top, w] = memory[operand, w]
            top += 1
        elif kind == CONSTANT:
            for w in range(stack.shape[1]):
                stack[top, w] = _ALL if operand else _NONE
            top += 1
        elif kind == NOT:
            for w in range(stack.shape[1]):
                stack[top - 1, w] = ~stack[top - 1, w]
        else:
            top -= 1
            for w in range(stack.shape[1]):
                if kind == AND:
                    stack[top - 1, w] &= stack[top, w]
                elif kind == OR:
                    stack[top - 1, w] |= stack[top, w]
                else:
                    stack[top - 1, w] ^= stack[top, w]


@compiled
def _gates(code: int, first: Ints, second: Ints, start: int, stop: int, x: Words, z: Words) -> None:
    """Apply gates that are alike, and no Pauli operators: those change no frame."""
    words = x.shape[1]
    if code == H:
        for row in range(start, stop):
            a = first[row]
            for w in range(words):
                x[a, w], z[a, w] = z[a, w], x[a, w]
    elif code == S:
        for row in range(start, stop):
            a = first[row]
            for w in range(words):
                z[a, w] ^= x[a, w]
    elif code == SX:
        for row in range(start, stop):
            a = first[row]
            for w in range(words):
                x[a, w] ^= z[a, w]
    elif code == CX:
        for row in range(start, stop):
            a, b = first[row], second[row]
            for w in range(words):
                x[b, w] ^= x[a, w]
                z[a, w] ^= z[b, w]
    elif code == CZ:
        for row in range(start, stop):
            a, b = first[row], second[row]
            for w in range(words):
                z[b, w] ^= x[a, w]
                z[a, w] ^= x[b, w]
    elif code == SWAP:
        for row in range(start, stop):
            a, b = first[row], second[row]
            for w in range(words):
                x[a, w], x[b, w] = x[b, w], x[a, w]
                z[a, w], z[b, w] = z[b, w], z[a, w]


@compiled
def _drawn(table: Floats, start: int, size: int, point: float) -> int:
    """Return the first index from 1 at which the sum of the table's entries from there on exceeds `point`."""
    total = 0.0
    for index in range(1, size):
        total += table[start + index]
        if point < total:
            return index
    index = size - 1
    while index > 1 and table[start + index] == 0.0:
        index -= 1
    return index


@compiled
def _paulis(
    rows: tuple[int, int], width: int, table: int, first: Ints, second: Ints, lists: Ints, tables: Floats,
    mask: Words, x: Words, z: Words, random: Words,
) -> None:  # fmt: skip
    """Draw the Pauli operators of channels that are alike, for all shots: one at a time, with what lies
    between skipped.

    Of more than two qubits, `lists` has them.
    """
    start, stop = rows
    size = 1 << 2 * width
    weight = 0.0
    for index in range(1, size):
        weight += tables[table + index]
    if weight <= 0.0:
        return
    shots = 64 * x.shape[1]
    scale = 1.0 / math.log1p(-weight) if weight < 1.0 else -0.0
    end = (stop - start) * shots
    place = math.log(uniform(random)) * scale
    while place < end:
        at = int(place)
        row, shot = start + at // shots, at % shots
        w, bit = shot >> 6, _ONE << np.uint64(shot & 63)
        drawn = _drawn(tables, table, size, uniform(random) * weight)
        bit &= mask[w]
        for operand in range(width):
            qubit = lists[operand] if width > 2 else second[row] if operand else first[row]
            if drawn >> 2 * operand & 1:
                x[qubit, w] ^= bit
            if drawn >> 2 * operand & 2:
                z[qubit, w] ^= bit
        place = at + 1 + np.floor(math.log(uniform(random)) * scale)


@compiled
def _flip(
    rows: tuple[int, int], table: int, first: Ints, tables: Floats, mask: Words, memory: Words, random: Words
) -> None:
    """Misread single bits, as `_paulis` draws operators."""
    from_0, from_1 = tables[table + 1], tables[table + 2]
    most = max(from_0, from_1)
    if most <= 0.0:
        return
    start, stop = rows
    shots = 64 * memory.shape[1]
    scale = 1.0 / math.log1p(-most) if most < 1.0 else -0.0
    end = (stop - start) * shots
    place = math.log(uniform(random)) * scale
    while place < end:
        at = int(place)
        bit, shot = first[start + at // shots], at % shots
        w, one = shot >> 6, _ONE << np.uint64(shot & 63)
        chance = from_1 if memory[bit, w] & one else from_0
        if uniform(random) * most < chance:
            memory[bit, w] ^= one & mask[w]
        place = at + 1 + np.floor(math.log(uniform(random)) * scale)


@compiled
def _confuse(bits: Ints, table: int, tables: Floats, mask: Words, memory: Words, random: Words) -> None:
    """Misread several bits together, shot by shot."""
    size = 1 << len(bits)
    for w in range(memory.shape[1]):
        for shot in range(64):
            place = np.uint64(shot)
            value = 0
            for k in range(len(bits)):
                value |= int(memory[bits[k], w] >> place & _ONE) << k
            point, told, total = uniform(random), size - 1, 0.0
            for other in range(size):
                total += tables[table + value * size + other]
                if point < total:
                    told = other
                    break
            if mask[w] >> place & _ONE:
                for k in range(len(bits)):
                    memory[bits[k], w] ^= np.uint64((told ^ value) >> k & 1) << place


@compiled
def _read(
    number: int, kinds: Ints, starts: Ints, counts: Ints, terms: Ints, term_starts: Ints, valid: Words,
    x: Words, z: Words, sums: Ints,
) -> None:  # fmt: skip
    """Count for a save how often each product's sign is turned, or each shift of its qubits' values occurs.

    Product j has its qubits in `terms` from `term_starts[2 j]` on: those where it has an X or Y, and from
    `term_starts[2 j + 1]` on those where it has a Z or Y. Of probabilities there is one, of the qubits, and
    of a frame, which is the last shot's.
    """
    begin = starts[number]
    if kinds[number] == FRAME:
        low, w = term_starts[2 * counts[number]], x.shape[1] - 1
        place = np.uint64(63)
        while place > _NONE and not valid[w] >> place & _ONE:
            place -= _ONE
        for k in range(starts[number + 1] - begin):
            sums[begin + k] = int(x[terms[low + k], w] >> place & _ONE)
            sums[begin + k] += int(z[terms[low + k], w] >> place & _ONE) << 1
        return
    if kinds[number]:
        term = counts[number]
        low, high = term_starts[2 * term], term_starts[2 * term + 1]
        for w in range(x.shape[1]):
            for shot in range(64):
                place = np.uint64(shot)
                if valid[w] >> place & _ONE:
                    value = 0
                    for k in range(low, high):
                        value |= int(x[terms[k], w] >> place & _ONE) << (k - low)
                    sums[begin + value] += 1
        return
    for j in range(starts[number + 1] - begin):
        term = counts[number] + j
        for w in range(x.shape[1]):
            turned = _NONE
            for k in range(term_starts[2 * term], term_starts[2 * term + 1]):
                turned ^= z[terms[k], w]
            for k in range(term_starts[2 * term + 1], term_starts[2 * term + 2]):
                turned ^= x[terms[k], w]
            turned &= valid[w]
            while turned:
                turned &= turned - _ONE
                sums[begin + j] += 1


@compiled
def run_frames(
    codes: Ints, first: Ints, second: Ints, extra: Ints, bits: Bytes, stops: Ints, tables: Floats,
    table_starts: Ints, lists: Ints, list_starts: Ints, expressions: Ints, expression_starts: Ints,
    saves: tuple[Ints, Ints, Ints, Ints, Ints], valid: Words, x: Words, z: Words, memory: Words, masks: Words,
    stack: Words, random: Words, sums: Ints, flag: Bytes,
) -> bool:  # fmt: skip
    """Take a batch of shots through the rows; whether it came to the end, which `flag` keeps it from.

    `bits` has the reference's outcome of each measurement, and for what lies within a condition whether it
    held. Rows up to `stops[i]` are alike, from where those before them end. `masks` are the conditions' shots
    by depth.
    """
    for q in range(x.shape[0]):
        for w in range(x.shape[1]):
            x[q, w] = _NONE
            z[q, w] = word(random)
    for w in range(x.shape[1]):
        masks[0, w] = _ALL
    depth = 0
    start = 0
    for stop in stops:
        if flag[0]:
            return False
        code = codes[start]
        mask = masks[depth]
        number = extra[start]
        if code <= SWAP:
            if code <= Z:
                if depth:
                    for row in range(start, stop):
                        a, base = first[row], _ALL if bits[row] else _NONE
                        for w in range(x.shape[1]):
                            change = mask[w] ^ base
                            if code != Z:
                                x[a, w] ^= change
                            if code != X:
                                z[a, w] ^= change
            else:
                _gates(code, first, second, start, stop, x, z)
        elif code == MEASURE:
            for row in range(start, stop):
                a, bit, base = first[row], second[row], _ALL if bits[row] else _NONE
                for w in range(x.shape[1]):
                    memory[bit, w] = x[a, w] ^ base
                    z[a, w] = word(random)
        elif code == RESET:
            for row in range(start, stop):
                a = first[row]
                for w in range(x.shape[1]):
                    x[a, w] = _NONE
                    z[a, w] = word(random)
        elif code in (PAULI_1, PAULI_2):
            _paulis(
                (start, stop), 1 if code == PAULI_1 else 2, table_starts[number], first, second, lists,
                tables, mask, x, z, random,
            )  # fmt: skip
        elif code == PAULI_MANY:
            for row in range(start, stop):
                qubits = lists[list_starts[first[row]] : list_starts[first[row] + 1]]
                _paulis(
                    (row, row + 1), len(qubits), table_starts[number], first, second, qubits, tables, mask, x,
                    z, random,
                )  # fmt: skip
        elif code == FLIP:
            _flip((start, stop), table_starts[number], first, tables, mask, memory, random)
        elif code == CONFUSE:
            for row in range(start, stop):
                read = lists[list_starts[first[row]] : list_starts[first[row] + 1]]
                _confuse(read, table_starts[number], tables, mask, memory, random)
        elif code == IF:
            evaluate(expressions, expression_starts[number], expression_starts[number + 1], memory, stack)
            depth += 1
            for w in range(x.shape[1]):
                masks[depth, w] = masks[depth - 1, w] & stack[0, w]
        elif code == ELSE:
            for w in range(x.shape[1]):
                masks[depth, w] = masks[depth - 1, w] & ~masks[depth, w]
        elif code == END:
            depth -= 1
        elif code == STORE:
            evaluate(expressions, expression_starts[number], expression_starts[number + 1], memory, stack)
            low = list_starts[first[start]]
            for k in range(low, list_starts[first[start] + 1]):
                for w in range(x.shape[1]):
                    old = memory[lists[k], w]
                    memory[lists[k], w] = old ^ ((old ^ stack[k - low, w]) & mask[w])
        elif code == SAVE:
            _read(number, saves[0], saves[1], saves[2], saves[3], saves[4], valid, x, z, sums)
        start = stop
    return True


@compiled
def derive(memory: Words, lists: Ints, starts: Ints, found: Words) -> None:
    """Write the parities of lists of bits: the rows of `found`, of shape (lists, words)."""
    for row in range(len(starts) - 1):
        for w in range(memory.shape[1]):
            parity = _NONE
            for k in range(starts[row], starts[row + 1]):
                parity ^= memory[lists[k], w]
            found[row, w] = parity


@compiled
def transpose(bits: Words, count: int, shots: int, out: Words) -> None:
    """Write `count` rows of shots' bits as `shots` rows of words: bit c of a row is row c's."""
    block = np.empty(64, np.uint64)
    for w in range(-(-shots // 64)):
        for part in range(-(-count // 64)):
            for k in range(64):
                block[k] = bits[64 * part + k, w] if 64 * part + k < count else _NONE
            # Halves of halves change places (Warren, Hacker's Delight, chapter 7.3).
            width, mask = 32, np.uint64(0xFFFFFFFF)
            while width:
                shift = np.uint64(width)
                k = 0
                while k < 64:
                    change = ((block[k] >> shift) ^ block[k + width]) & mask
                    block[k + width] ^= change
                    block[k] ^= change << shift
                    k = (k + width + 1) & ~width
                width >>= 1
                if width:
                    mask ^= mask << np.uint64(width)
            for k in range(min(64, shots - 64 * w)):
                out[64 * w + k, part] = block[k]
