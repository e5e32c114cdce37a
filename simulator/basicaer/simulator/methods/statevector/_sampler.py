"""Draws basis states from a state vector, without making anything as large as the state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._outcomes import Counts, sample_few
from basicaer.simulator.methods.statevector._state import BLOCK_BITS, State

_FEW_QUBITS = 8


class Points(NamedTuple):
    """Sorted random numbers that meet the cumulated probabilities of blocks.

    `bounds` has the blocks' cumulated weights; those `points` that fall into block i lie between stops[i - 1]
    and stops[i].
    """

    points: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.float64]
    stops: list[int]


def points_among(weights: npt.NDArray[np.float64], shots: int, generator: np.random.Generator) -> Points:
    """Draw `shots` points among blocks of the given weights.

    Sorted uniform numbers are made as sums of exponential ones (Devroye, Non-Uniform Random Variate
    Generation, chapter V.3).
    """
    sums = generator.standard_exponential(shots + 1)
    np.cumsum(sums, out=sums)
    bounds = np.cumsum(weights)
    points = sums[:-1]
    points *= bounds[-1] / sums[-1]
    stops = np.searchsorted(points, bounds, side="left")
    stops[np.flatnonzero(bounds == bounds[-1])[0] :] = shots
    return Points(points, bounds, stops.tolist())


def sample_blocks(
    state: State, drawn: Points, first: int, blocks: range, control: RunControl
) -> tuple[npt.NDArray[np.int64], Counts]:
    """Return the distinct indices, in order, that points fall on in some of the blocks, and how many do.

    Block `first` of all is block 0 of `state`, whose indices these are.
    """
    points, bounds, stops = drawn
    found: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    counts: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    for number in blocks:
        start, stop = stops[number - 1] if number else 0, stops[number]
        if stop == start:
            continue
        control.check()
        before = float(bounds[number - 1]) if number else 0.0
        distinct, times = state.draw(number - first, before, points[start:stop])
        found.append(distinct)
        counts.append(times)
    return np.concatenate(found), np.concatenate(counts)


def sample_indices(
    state: State, shots: int, generator: np.random.Generator, control: RunControl, num_active: int
) -> tuple[npt.NDArray[np.int64], Counts]:
    """Draw `shots` basis states with the probabilities of `state`, whose norm need not be 1.

    The circuit has `num_active` qubits that gates act on, and the state has none but those.

    Returns the distinct indices in order, and how often each was drawn. Nothing as large as the state is
    made. For a few basis states with many shots each, the counts are drawn at once.
    """
    if num_active <= min(_FEW_QUBITS, BLOCK_BITS) and shots >= 1 << num_active:
        return sample_few(state.block_squares(0), shots, generator)
    weights = state.block_weights(control)
    drawn = points_among(weights, shots, generator)
    return sample_blocks(state, drawn, 0, range(len(weights)), control)
