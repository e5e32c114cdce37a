"""Draws basis states from a state vector, without making anything as large as the state."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._outcomes import Counts, sample_few
from basicaer.simulator.methods.statevector._state import BLOCK_BITS, State

_FEW_QUBITS = 8


def sample_indices(
    state: State, shots: int, generator: np.random.Generator, control: RunControl, num_active: int
) -> tuple[npt.NDArray[np.int64], Counts]:
    """Draw `shots` basis states with the probabilities of `state`, whose norm need not be 1.

    The circuit has `num_active` qubits that gates act on, and the state has none but those.

    Returns the distinct indices in order, and how often each was drawn. Sorted uniform numbers are made as
    sums of exponential ones (Devroye, Non-Uniform Random Variate Generation, chapter V.3), and meet the
    cumulated probabilities block by block, so that nothing as large as the state is made. For a few basis
    states with many shots each, the counts are drawn at once.
    """
    if num_active <= min(_FEW_QUBITS, BLOCK_BITS) and shots >= 1 << num_active:
        return sample_few(state.block_squares(0), shots, generator)
    sums = generator.standard_exponential(shots + 1)
    np.cumsum(sums, out=sums)
    bounds = np.cumsum(state.block_weights(control))
    points = sums[:-1]
    points *= bounds[-1] / sums[-1]
    stops = np.searchsorted(points, bounds, side="left")
    stops[np.flatnonzero(bounds == bounds[-1])[0] :] = shots
    found, counts = [], []
    start = 0
    for number, stop in enumerate(stops.tolist()):
        if stop == start:
            continue
        control.check()
        distinct, times = state.draw(number, float(bounds[number - 1]) if number else 0.0, points[start:stop])
        found.append(distinct)
        counts.append(times)
        start = stop
    return np.concatenate(found), np.concatenate(counts)
