"""Draws outcomes from a state, and keeps the outcomes of all shots in packed form: words of 64 bits, and
counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._state import BLOCK_BITS, State

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

_WORD = 64
_FEW_QUBITS = 8


def num_words(num_clbits: int) -> int:
    """How many words of 64 bits an outcome has: at least one."""
    return max(1, -(-num_clbits // _WORD))


def sample_indices(
    state: State, shots: int, generator: np.random.Generator, control: RunControl
) -> tuple[npt.NDArray[np.int64], Counts]:
    """Draw `shots` basis states with the probabilities of `state`, whose norm need not be 1.

    Returns the distinct indices in order, and how often each was drawn. Sorted uniform numbers are made as
    sums of exponential ones (Devroye, Non-Uniform Random Variate Generation, chapter V.3), and meet the
    cumulated probabilities block by block, so that nothing as large as the state is made. For a few basis
    states with many shots each, the counts are drawn at once.
    """
    if state.num_qubits <= min(_FEW_QUBITS, BLOCK_BITS) and shots >= 1 << state.num_qubits:
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


def sample_few(
    weights: Floats, shots: int, generator: np.random.Generator
) -> tuple[npt.NDArray[np.int64], Counts]:
    """Draw `shots` of the outcomes that have these weights; returns as `sample_indices`.

    Impossible ones are left out, so that none gets the remainder.
    """
    possible = weights.nonzero()[0]
    weights = weights[possible]
    counts = generator.multinomial(shots, weights / weights.sum())
    drawn = counts.nonzero()[0]
    return possible[drawn], counts[drawn]


def _begins(changes: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where runs begin, when `changes[i]` says whether member i + 1 differs from member i."""
    found = np.flatnonzero(changes)
    begins = np.zeros(len(found) + 1, dtype=np.int64)
    np.add(found, 1, out=begins[1:])
    return begins


def indices_to_words(
    indices: npt.NDArray[np.int64], qubits: list[int], clbits: list[int], before: int, num_clbits: int
) -> Words:
    """The outcomes when `qubits[i]` of each basis state is written to `clbits[i]`, over the bits `before`.

    Returns an array of shape (len(indices), words). Of several writes to one bit the last stays.
    """
    last = dict(zip(clbits, qubits, strict=True))
    for clbit in last:
        before &= ~(1 << clbit)
    words = np.empty((len(indices), num_words(num_clbits)), dtype=np.uint64)
    words[:] = int_to_words(before, num_clbits)
    values = indices.astype(np.uint64)
    # Bits that move by the same distance within the same word move together.
    moves: dict[tuple[int, int], int] = {}
    for clbit, qubit in last.items():
        word, place = divmod(clbit, _WORD)
        moves[word, place - qubit] = moves.get((word, place - qubit), 0) | 1 << qubit
    for (word, distance), mask in moves.items():
        chosen = values & np.uint64(mask)
        if distance >= 0:
            words[:, word] |= chosen << np.uint64(distance)
        else:
            words[:, word] |= chosen >> np.uint64(-distance)
    return words


def int_to_words(value: int, num_clbits: int) -> Words:
    """An outcome as its words, the least significant first."""
    return np.frombuffer(value.to_bytes(8 * num_words(num_clbits), "little"), dtype="<u8").astype(np.uint64)


class Tally:
    """The outcomes of the shots so far, each with how often it was seen."""

    def __init__(self, num_clbits: int) -> None:
        self._num_clbits = num_clbits
        self._single: dict[int, int] = {}
        self._words: list[Words] = []
        self._counts: list[Counts] = []

    def add(self, outcome: int, count: int) -> None:
        """Add one outcome."""
        self._single[outcome] = self._single.get(outcome, 0) + count

    def extend(self, words: Words, counts: Counts) -> None:
        """Add outcomes of shape (k, words)."""
        self._words.append(words)
        self._counts.append(counts)

    def totals(self) -> tuple[Words, Counts]:
        """The distinct outcomes in numeric order, of shape (k, words), and their counts."""
        width = num_words(self._num_clbits)
        if self._single:
            raw = b"".join(outcome.to_bytes(8 * width, "little") for outcome in self._single)
            self.extend(
                np.frombuffer(raw, dtype="<u8").astype(np.uint64).reshape(-1, width),
                np.fromiter(self._single.values(), dtype=np.int64, count=len(self._single)),
            )
            self._single = {}
        words, counts = np.concatenate(self._words), np.concatenate(self._counts)
        order = np.argsort(words[:, 0], kind="stable") if width == 1 else np.lexsort(words.T)
        words, counts = words[order], counts[order]
        begins = _begins((words[1:] != words[:-1]).any(axis=1))
        words, counts = words[begins], np.add.reduceat(counts, begins)
        self._words, self._counts = [words], [counts]
        return words, counts
