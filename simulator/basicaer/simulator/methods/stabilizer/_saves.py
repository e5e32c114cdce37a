"""What programs save: as kernels want it, and as arrays of what they have counted."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._operations import Observable, Save, SaveKind
from basicaer.simulator.circuit._squares import squared
from basicaer.simulator.methods.stabilizer.kernels._frames import FRAME

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
VALUES = (SaveKind.PROBABILITIES, SaveKind.AMPLITUDES_SQUARED)
"""What comes of the probabilities of values of qubits."""

Columns: TypeAlias = tuple[Ints, Ints, Ints, Ints, Ints]


class SaveTables:
    """Saves and what kernels count for them, in `sums`: for each product of each observable, or for each
    value; of a tableau the last shot's frame, for each qubit 1 for its X and 2 for its Z.

    `columns` has for each save what of this it is; where its sums begin; and its first product. Product j has
    its qubits in the fourth column, between the numbers 2 j and 2 j + 1 of the fifth those where it has an X
    or Y, and then those where it has a Z or Y.

    A save within a loop comes once for each turn.
    """

    def __init__(self, saves: list[tuple[Save, tuple[int, ...]]]) -> None:
        kinds, starts, firsts, terms, term_starts = list[int](), [0], list[int](), list[int](), [0]
        for save, qubits in saves:
            firsts.append(len(term_starts) // 2)
            kinds.append(FRAME if save.kind is SaveKind.STABILIZER else int(save.kind in VALUES))
            if kinds[-1]:
                terms.extend(qubits)
                term_starts.extend([len(terms)] * 2)
                starts.append(starts[-1] + (len(qubits) if kinds[-1] == FRAME else 1 << len(qubits)))
                continue
            products = [pauli for observable in save.observables for pauli in observable.paulis]
            for pauli in products:
                for letters in ("XY", "ZY"):
                    letters_of = zip(qubits, reversed(pauli), strict=True)
                    terms.extend(qubit for qubit, letter in letters_of if letter in letters)
                    term_starts.append(len(terms))
            starts.append(starts[-1] + len(products))
        self._saves = saves
        self.columns: Columns = (
            np.array(kinds, dtype=np.int64),
            np.array(starts, dtype=np.int64),
            np.array(firsts, dtype=np.int64),
            np.array(terms, dtype=np.int64),
            np.array(term_starts, dtype=np.int64),
        )
        self.sums: Ints = np.zeros(starts[-1], dtype=np.int64)
        self.reached: Ints = np.zeros(len(saves), dtype=np.int64)
        self._is_last = np.repeat(self.columns[0] == FRAME, np.diff(self.columns[1]))

    def add(self, sums: Ints) -> None:
        """Add what was counted of the next shots."""
        self.sums[self._is_last] = 0
        self.sums += sums

    def shifted(self, seen: list[npt.NDArray[Any]], shots: int) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by label, from what the reference shot has seen and how many of `shots` shots
        differ from it.
        """
        found: dict[str, npt.NDArray[Any]] = {}
        times: dict[str, int] = {}
        for number, (save, _) in enumerate(self._saves):
            sums = self._sums_of(number)
            if save.kind is SaveKind.STABILIZER:
                found[save.label] = _turned(seen[number], sums)
                continue
            if save.kind in VALUES:
                index, values = np.arange(len(sums)), np.zeros(len(sums))
                for shift in np.flatnonzero(sums):
                    values += seen[number][index ^ shift] * (sums[shift] / shots)
                if save.kind is SaveKind.AMPLITUDES_SQUARED:
                    values = values[np.array(save.basis_states, dtype=np.int64)]
            elif save.kind is SaveKind.EXPECTATION_VALUE_VARIANCE:
                values = _varied(save, seen[number], seen[number] * (1.0 - 2.0 * sums / shots))
            else:
                values = _weighted(save, seen[number] * (1.0 - 2.0 * sums / shots))
            times[save.label] = times.get(save.label, 0) + 1
            found[save.label] = found.get(save.label, 0.0) + values
        for save, _ in self._saves:
            # Of each turn there is a mean, over all shots.
            if save.label in times:
                turns = times.pop(save.label)
                found[save.label] = found[save.label] * (shots if save.unnormalized else 1.0 / turns)
        return found

    def means(self) -> dict[str, Floats]:
        """Return the arrays of expectation values by label, from sums over all times that shots have reached
        each save.
        """
        found: dict[str, Floats] = {}
        reached: dict[str, int] = {}
        for number, (save, _) in enumerate(self._saves):
            if self.reached[number]:
                values = _weighted(save, self._sums_of(number).astype(np.float64))
                found[save.label] = found.get(save.label, 0.0) + values
                reached[save.label] = reached.get(save.label, 0) + int(self.reached[number])
        for save, _ in self._saves:
            times = reached.pop(save.label, 0)
            if times and not save.unnormalized:
                found[save.label] /= times
        return found

    def _sums_of(self, number: int) -> Ints:
        starts = self.columns[1]
        return self.sums[starts[number] : starts[number + 1]]


def _weighted(save: Save, means: Floats) -> Floats:
    """Return the observables' values from those of their products."""
    values, start = [], 0
    for observable in save.observables:
        stop = start + len(observable.paulis)
        values.append(float(np.dot(observable.coefficients, means[start:stop])))
        start = stop
    return np.array(values)


def _varied(save: Save, seen: Floats, means: Floats) -> Floats:
    """Return the mean over shots of an observable's expectation value and of its variance, from those of its
    products and of the square's, and what the reference shot has seen of them.

    What a stabilizer state doesn't know is the same for all shots: a product of the observable is 0 in each
    or in none. The square of a shot's value is that of the sum of the others.
    """
    observable, square = save.observables
    known = np.flatnonzero(seen[: len(observable.paulis)]).tolist()
    sure = Observable(
        tuple(observable.paulis[place] for place in known),
        tuple(observable.coefficients[place] for place in known),
    )
    mean, whole = _weighted(save, means).tolist()
    of_product = dict(zip(square.paulis, means[len(observable.paulis) :].tolist(), strict=True))
    both = squared(sure)
    parts = zip(both.paulis, both.coefficients, strict=True) if known else ()
    return np.array([mean, max(0.0, whole - sum(factor * of_product[pauli] for pauli, factor in parts))])


def _turned(tableau: npt.NDArray[np.uint8], frame: Ints) -> npt.NDArray[np.uint8]:
    """Return a tableau with the signs of the stabilizers turned that anticommute with a frame.

    Those of destabilizers mean nothing, and stay.
    """
    size = len(frame)
    found = tableau.copy()
    stabilizers = found[size:].astype(np.int64)
    crossed = stabilizers[:, :size] @ (frame >> 1) + stabilizers[:, size : 2 * size] @ (frame & 1)
    found[size:, 2 * size] ^= (crossed & 1).astype(np.uint8)
    return found
