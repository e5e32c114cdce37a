"""Compiled loops over two states. Both are complex128 of shape (2^n,)."""

from __future__ import annotations

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Ints, Reals
from basicaer.simulator.methods.statevector.engine._expectation import (
    FLIP,
    IS_ODD,
    SIGNS,
    START,
    STOP,
    parity,
)
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled


@compiled
def add_pair_transitions(
    right: Complexes, left: Complexes, qubits: Ints, low: int, high: int, out: Reals
) -> None:
    """Add what the pairs of amplitudes low to high contribute to the transition matrices of single qubits.

    Pair p of a qubit are the amplitudes whose indices without the qubit's bit are p. `out`, of shape
    (len(qubits), 8), gets the real and imaginary parts of the sums of right[i] * conj(left[j]), for the bits
    (i, j) of 00, 01, 10 and 11.
    """
    for row in range(len(qubits)):
        qubit = qubits[row]
        half = 1 << qubit
        a = b = c = d = e = f = g = h = 0.0
        pair = low
        while pair < high:
            run = min(half - (pair & (half - 1)), high - pair)
            start = ((pair >> qubit) << (qubit + 1)) | (pair & (half - 1))
            for i in range(start, start + run):
                zero, one = right[i], right[i + half]
                to_zero, to_one = left[i], left[i + half]
                a += zero.real * to_zero.real + zero.imag * to_zero.imag
                b += zero.imag * to_zero.real - zero.real * to_zero.imag
                c += zero.real * to_one.real + zero.imag * to_one.imag
                d += zero.imag * to_one.real - zero.real * to_one.imag
                e += one.real * to_zero.real + one.imag * to_zero.imag
                f += one.imag * to_zero.real - one.real * to_zero.imag
                g += one.real * to_one.real + one.imag * to_one.imag
                h += one.imag * to_one.real - one.real * to_one.imag
            pair += run
        out[row, 0] += a
        out[row, 1] += b
        out[row, 2] += c
        out[row, 3] += d
        out[row, 4] += e
        out[row, 5] += f
        out[row, 6] += g
        out[row, 7] += h


@compiled
def add_transition(
    right: Complexes,
    left: Complexes,
    places: Ints,
    fixed: int,
    offsets: Ints,
    is_diagonal: bool,
    low: int,
    high: int,
    out: Complexes,
) -> None:
    """Add what the bases low to high contribute to the transition matrix of several qubits.

    `places` are the bits of controls and targets, ascending; a base is an index without them. `fixed` has
    the controls' bits, and `offsets[t]` the targets' bits for the value t. `out`, of shape (len(offsets),) *
    2, gets the sums of right[i] * conj(left[j]) for the targets' values (i, j), or where `is_diagonal` for i
    = j alone.
    """
    size = len(offsets)
    for number in range(low, high):
        base = number
        for place in places:
            base = ((base >> place) << (place + 1)) | (base & ((1 << place) - 1))
        base |= fixed
        for i in range(size):
            value = right[base | offsets[i]]
            if is_diagonal:
                out[i, i] += value * np.conj(left[base | offsets[i]])
            else:
                for j in range(size):
                    out[i, j] += value * np.conj(left[base | offsets[j]])


@compiled
def add_products(
    state: Complexes,
    groups: Ints,
    products: Ints,
    weights: Reals,
    low: int,
    high: int,
    space: Reals,
    out: Complexes,
) -> None:
    """Add a sum of Pauli products, applied to the amplitudes low to high, to `out`; blocks of `len(space)`.

    The tables are those of `_observables.PauliSums`. Within a block, the signed weights of all products of
    one flip are made at once by a Walsh-Hadamard transform.
    """
    size = len(space)
    for base in range(low, high, size):
        for group in range(len(groups)):
            flip, is_odd = groups[group, FLIP], groups[group, IS_ODD]
            inner = flip & (size - 1)
            # What comes to this block, comes from that one.
            source = base ^ (flip - inner)
            space[:] = 0.0
            for number in range(groups[group, START], groups[group, STOP]):
                signs = products[number, SIGNS]
                space[signs & (size - 1)] += -weights[number] if parity(source & signs) else weights[number]
            _transform(space)
            for i in range(size):
                here = i ^ inner
                value = space[here] * state[source | here]
                out[base | i] += complex(value.imag, -value.real) if is_odd else value


@compiled
def _transform(space: Reals) -> None:
    half = 1
    while half < len(space):
        for start in range(0, len(space), 2 * half):
            for i in range(start, start + half):
                first, second = space[i], space[i + half]
                space[i] = first + second
                space[i + half] = first - second
        half *= 2
