"""The outcomes of shots in packed form: words of 64 bits, and counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

Amplitudes: TypeAlias = "npt.NDArray[np.complex128 | np.complex64]"

BasisStates: TypeAlias = npt.NDArray[np.int64] | Words
"""The numbers of basis states; those of more qubits than a number has bits are rows of words, the least
significant first.
"""

_WORD = 64
# Bits of a weight that count, and what is less likely than anything that is meant to be possible.
_PRECISION = 2.0**30
_IMPOSSIBLE = 1e-24


def num_words(num_clbits: int) -> int:
    """How many words of 64 bits an outcome has: at least one."""
    return max(1, -(-num_clbits // _WORD))


def sample_few(
    weights: Floats, shots: int, generator: np.random.Generator
) -> tuple[npt.NDArray[np.int64], Counts]:
    """Draw `shots` of the outcomes that have these weights; returns the distinct ones in order, and
    how often each was drawn.

    What differs by rounding alone gives the same counts: at a half, of all places, numpy's binomial numbers
    jump. So weights count by their first 30 bits, which no number of shots tells from the others. What is
    impossible but for rounding is left out, so that it takes no random number, and not the remainder either.
    """
    weights = weights / weights.sum()
    possible = (weights > _IMPOSSIBLE).nonzero()[0]
    mantissas, exponents = np.frexp(weights[possible])
    weights = np.ldexp(np.rint(mantissas * _PRECISION), exponents)
    counts = generator.multinomial(shots, weights / weights.sum())
    drawn = counts.nonzero()[0]
    return possible[drawn], counts[drawn]


def _begins(changes: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where runs begin, when `changes[i]` says whether member i + 1 differs from member i."""
    found = np.flatnonzero(changes)
    begins = np.zeros(len(found) + 1, dtype=np.int64)
    np.add(found, 1, out=begins[1:])
    return begins


class Readout:
    """What becomes of basis states when `qubits[i]` of each is written to bit `clbits[i]` of an outcome.

    Of several writes to one bit the last stays. For qubits that aren't among the wires see `_wires`.
    """

    __slots__ = ("_cleared", "_moves", "_num_clbits", "_ones")

    def __init__(self, qubits: Sequence[int], clbits: Sequence[int], num_wires: int, num_clbits: int) -> None:
        last = dict(zip(clbits, qubits, strict=True))
        self._num_clbits = num_clbits
        self._cleared = _mask(last)
        self._ones = _mask([clbit for clbit, qubit in last.items() if qubit > num_wires])
        # Bits that move by the same distance between the same words move together.
        moves: dict[tuple[int, int, int], int] = {}
        for clbit, qubit in last.items():
            if qubit < num_wires:
                word, place = divmod(clbit, _WORD)
                source, own = divmod(qubit, _WORD)
                key = (word, source, place - own)
                moves[key] = moves.get(key, 0) | 1 << own
        self._moves = moves

    def words(self, indices: BasisStates, before: int) -> Words:
        """Return the outcomes for basis states, over the bits `before`, of shape (len(indices), words)."""
        words = np.empty((len(indices), num_words(self._num_clbits)), dtype=np.uint64)
        words[:] = int_to_words(before & ~self._cleared | self._ones, self._num_clbits)
        values = indices.astype(np.uint64, copy=False).reshape(len(indices), -1)
        for (word, source, distance), mask in self._moves.items():
            chosen = values[:, source] & np.uint64(mask)
            if distance >= 0:
                words[:, word] |= chosen << np.uint64(distance)
            else:
                words[:, word] |= chosen >> np.uint64(-distance)
        return words


def _mask(bits: Collection[int]) -> int:
    """Return the number with these bits."""
    if len(bits) <= _WORD:
        return sum(1 << bit for bit in bits)
    places = np.fromiter(bits, dtype=np.int64, count=len(bits))
    flags = np.zeros(int(places.max()) + 1, dtype=np.uint8)
    flags[places] = 1
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def int_to_words(value: int, num_clbits: int) -> Words:
    """Return an outcome as its words, the least significant first."""
    return np.frombuffer(value.to_bytes(8 * num_words(num_clbits), "little"), dtype="<u8").astype(np.uint64)


def bit_of(states: BasisStates, row: int, qubit: int) -> int:
    """Return the value of a qubit in one of basis states."""
    if states.ndim == 1:
        return int(states[row]) >> qubit & 1
    return int(states[row, qubit // _WORD]) >> qubit % _WORD & 1


def in_order(words: Words) -> npt.NDArray[np.int64]:
    """Return the places of outcomes of shape (k, words) in numeric order; equal ones stay in theirs."""
    return np.argsort(words[:, 0], kind="stable") if words.shape[1] == 1 else np.lexsort(words.T)


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
        """Return the distinct outcomes in numeric order, of shape (k, words), and their counts."""
        width = num_words(self._num_clbits)
        if self._single:
            raw = b"".join(outcome.to_bytes(8 * width, "little") for outcome in self._single)
            self.extend(
                np.frombuffer(raw, dtype="<u8").astype(np.uint64).reshape(-1, width),
                np.fromiter(self._single.values(), dtype=np.int64, count=len(self._single)),
            )
            self._single = {}
        words, counts = np.concatenate(self._words), np.concatenate(self._counts)
        order = in_order(words)
        words, counts = words[order], counts[order]
        begins = _begins((words[1:] != words[:-1]).any(axis=1))
        words, counts = words[begins], np.add.reduceat(counts, begins)
        self._words, self._counts = [words], [counts]
        return words, counts


def chop(amplitudes: Amplitudes, threshold: float) -> None:
    """Set the real and imaginary parts of `amplitudes` whose magnitude is below `threshold` to 0, in place.

    `amplitudes` is a contiguous array of any shape. A threshold of 0 keeps everything.
    """
    parts = amplitudes.reshape(-1).view(np.float64 if amplitudes.dtype == np.complex128 else np.float32)
    if threshold > 0.0:
        step = 1 << 18
        for start in range(0, parts.size, step):
            block = parts[start : start + step]
            block[np.abs(block) < threshold] = 0.0
