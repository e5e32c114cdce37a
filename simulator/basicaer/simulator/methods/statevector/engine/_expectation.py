"""Expectation values of Pauli products, and probabilities of some of the qubits. Compiled.

A state is passed as its real view: amplitude i lies at 2 * i and 2 * i + 1.

A Pauli product maps basis state b to b ^ flip, with a sign for each of the qubits of a mask `signs` that is 1
in b. Products with the same flip need the same products of amplitudes, and differ in the signs of the sum
alone, so that they share one pass. Within a block all signed sums are made at once, by a Walsh-Hadamard
transform.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Flags, Ints, Reals
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

FLIP, IS_ODD, START, STOP = range(4)
"""Columns of the table of groups: products of one flip, with an even or an odd number of Y."""

SIGNS, OWNER = range(2)
"""Columns of the table of products."""

BLOCK = 1 << 10
"""The most amplitudes that are transformed at once: as few as stay in the first cache, beside the state."""

_LANES = 8


@compiled
def add_expectation_values(
    state: Reals,
    groups: Ints,
    products: Ints,
    weights: Reals,
    low: int,
    high: int,
    space: Reals,
    out: Reals,
    flag: Flags,
) -> None:
    """Add what the amplitudes low to high, whole blocks of `len(space)`, contribute to `out[owner]`.

    `weights` has the products' coefficients, with the sign of their powers of i. Returns early when `flag` is
    set.
    """
    size = len(space)
    for group in range(len(groups)):
        if flag[0]:
            return
        flip, is_odd = groups[group, FLIP], groups[group, IS_ODD]
        inner = flip & (size - 1)
        outer = flip - inner
        pivot = _highest_bit(outer)
        # A pair of blocks that the flip exchanges contributes twice the same, so one of them is left out.
        factor = 2.0 if pivot else 1.0
        for base in range(low, high, size):
            if base & pivot:
                continue
            _multiply(state, base, base ^ outer, inner, is_odd, space)
            _transform(space)
            for number in range(groups[group, START], groups[group, STOP]):
                signs = products[number, SIGNS]
                total = factor * weights[number] * _signed_sum(space, signs & (size - 1))
                out[products[number, OWNER]] += -total if parity(base & signs) else total


@compiled
def _multiply(state: Reals, base: int, partner: int, inner: int, is_odd: int, space: Reals) -> None:
    """Return the real parts, or when `is_odd` the imaginary ones, of amplitudes times their partners'
    conjugates.
    """
    size = len(space)
    right = state[2 * base : 2 * (base + size)]
    left = state[2 * partner : 2 * (partner + size)]
    one = np.uint64(1)
    if is_odd:
        for i in range(size):
            # Unsigned indices need no check for numbers that count from the end.
            here, there = np.uint64(2 * i), np.uint64(2 * (i ^ inner))
            real = np.float64(left[there]) * np.float64(right[here + one])
            space[np.uint64(i)] = real - np.float64(left[there + one]) * np.float64(right[here])
    elif inner == 0:
        for i in range(size):
            here = np.uint64(2 * i)
            real = np.float64(left[here]) * np.float64(right[here])
            space[np.uint64(i)] = real + np.float64(left[here + one]) * np.float64(right[here + one])
    else:
        for i in range(size):
            here, there = np.uint64(2 * i), np.uint64(2 * (i ^ inner))
            real = np.float64(left[there]) * np.float64(right[here])
            space[np.uint64(i)] = real + np.float64(left[there + one]) * np.float64(right[here + one])


@compiled
def _transform(space: Reals) -> None:
    """Make, of the rows of `_LANES` values, all signed sums and differences; the lanes stay apart."""
    half = _LANES
    while half < len(space):
        for start in range(0, len(space), 2 * half):
            lower, upper = space[start : start + half], space[start + half : start + 2 * half]
            for i in range(half):
                first, second = lower[i], upper[i]
                lower[i] = first + second
                upper[i] = first - second
        half *= 2


@compiled
def _signed_sum(space: Reals, signs: int) -> float:
    """Return the sum of a block, which `_transform` was applied to, with the signs of the mask."""
    row = signs // _LANES * _LANES
    total = 0.0
    for lane in range(min(_LANES, len(space))):
        value = space[row + lane]
        total += -value if parity(lane & signs) else value
    return total


@compiled
def parity(bits: int) -> int:
    """Whether an odd number of bits is 1."""
    bits ^= bits >> 32
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    return 0x6996 >> (bits & 15) & 1


@compiled
def _highest_bit(bits: int) -> int:
    """Return the highest bit that is 1, alone; 0 for 0."""
    found = 0
    while bits:
        found = bits & -bits
        bits -= found
    return found


@compiled
def add_probabilities(state: Reals, lower: Ints, upper: Ints, low: int, high: int, out: Reals) -> None:
    """Add the squared magnitudes of the amplitudes low to high to the outcomes that they belong to.

    `lower` has the part of the outcome for each value of the lower bits of an amplitude's index, of which
    there are a power of two; `upper` for each value of the bits above.
    """
    size = len(lower)
    for start in range(low, high, size):
        above = upper[start // size]
        for i in range(size):
            real, imag = np.float64(state[2 * (start + i)]), np.float64(state[2 * (start + i) + 1])
            out[above + lower[i]] += real * real + imag * imag
