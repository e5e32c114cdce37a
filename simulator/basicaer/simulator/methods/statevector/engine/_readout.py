"""What a state is read by: sums of squares, samples, the collapse of a qubit. Compiled, for small states
above all.

A state is passed as its real view: amplitude i lies at 2 * i and 2 * i + 1.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Ints, Reals
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled


@compiled
def sum_of_squares(state: Reals, start: int, stop: int) -> float:
    """Return the sum of the squared magnitudes of amplitudes start to stop, in an order that depends on
    nothing else.
    """
    totals = np.zeros(8)
    whole = start + (stop - start) // 4 * 4
    for i in range(2 * start, 2 * whole, 8):
        for lane in range(8):
            value = np.float64(state[i + lane])
            totals[lane] += value * value
    for i in range(2 * whole, 2 * stop):
        value = np.float64(state[i])
        totals[0] += value * value
    return float(
        totals[0] + totals[1] + totals[2] + totals[3] + totals[4] + totals[5] + totals[6] + totals[7]
    )


@compiled
def add_weights(state: Reals, qubits: Ints, low: int, high: int, sums: Reals) -> None:
    """Add the squared magnitudes of amplitudes low to high to `sums`, by the values of `qubits`.

    The qubits ascend, and the first is the least significant bit of the value.

    The range is made of whole groups of 2**(qubit + 1) amplitudes, or lies within one value of a qubit.
    """
    run = min(1 << qubits[0], high - low)
    for start in range(low, high, run):
        value = 0
        for j in range(len(qubits)):
            value |= ((start >> qubits[j]) & 1) << j
        if run > 4:
            sums[value] += sum_of_squares(state, start, start + run)
        else:
            for i in range(2 * start, 2 * (start + run)):
                part = np.float64(state[i])
                sums[value] += part * part


@compiled
def collapse(state: Reals, mask: int, value: int, factor: float, low: int, high: int) -> None:
    """Among the amplitudes low to high, clear those whose bits `mask` are not `value`, multiply others."""
    scale = state.dtype.type(factor)
    for i in range(low, high):
        kept = scale if i & mask == value else state.dtype.type(0.0)
        state[2 * i] *= kept
        state[2 * i + 1] *= kept


@compiled
def flip(state: Reals, qubit: int, low: int, high: int) -> None:
    """Exchange the amplitudes with `qubit` in 0 and in 1; those with 0 are number low to high."""
    run = 2 << qubit
    for k in range(2 * low, 2 * high):
        i = 2 * k - (k & (run - 1))
        state[i], state[i + run] = state[i + run], state[i]


@compiled
def draw(
    state: Reals,
    start: int,
    stop: int,
    before: float,
    points: Reals,
    first: int,
    last: int,
    found: Ints,
    counts: Ints,
) -> int:
    """Count how many of the sorted points[first:last] fall on each amplitude of start to stop.

    The cumulated squares begin at `before`. Writes the amplitudes that were hit to `found` and how often to
    `counts`; returns how many. Rounding may leave points behind the last amplitude: its last one that is not
    zero gets them.
    """
    written, point, total, possible = 0, first, before, start
    for i in range(start, stop):
        real, imag = np.float64(state[2 * i]), np.float64(state[2 * i + 1])
        weight = real * real + imag * imag
        if weight == 0.0:
            continue
        possible = i
        total += weight
        begin = point
        while point < last and points[point] < total:
            point += 1
        if point > begin:
            found[written], counts[written] = i, point - begin
            written += 1
    if point < last:
        if written == 0 or found[written - 1] != possible:
            found[written], counts[written] = possible, 0
            written += 1
        counts[written - 1] += last - point
    return written
