"""Reads a state without changing it: expectation values of sums of Pauli products, and probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._operations import Observable
from basicaer.simulator._state import BLOCK_BITS, Floats, State
from basicaer.simulator.engine._expectation import BLOCK, add_expectation_values, add_probabilities

_LOWER_BITS = 12

_Ints = npt.NDArray[np.int64]


class PauliSums:
    """Observables on some of a state's qubits, as tables; `values` reads them from states.

    `observables` are valid and act on `qubits`, the first of which the last letter of a product belongs to.
    """

    __slots__ = ("_count", "_groups", "_products", "_weights")

    def __init__(self, observables: Sequence[Observable], qubits: Sequence[int]) -> None:
        self._count = len(observables)
        lengths = [len(observable.paulis) for observable in observables]
        owners = np.repeat(np.arange(self._count), lengths)
        text = "".join("".join(observable.paulis) for observable in observables)
        letters = np.frombuffer(text.encode("ascii"), dtype=np.uint8).reshape(sum(lengths), len(qubits))
        weights = np.array(
            [coefficient for observable in observables for coefficient in observable.coefficients],
            dtype=np.float64,
        )
        places = np.left_shift(np.int64(1), np.array(qubits, dtype=np.int64)[::-1])
        is_y = letters == ord("Y")
        flips: _Ints = ((letters == ord("X")) | is_y) @ places
        signs: _Ints = ((letters == ord("Z")) | is_y) @ places
        # A product with k times Y has the factor i^k; of i times a product of amplitudes, the real part is
        # the negative imaginary part of that product.
        powers = is_y.sum(axis=1)
        weights = weights * np.array([1.0, -1.0, -1.0, 1.0])[powers % 4]
        order = np.lexsort((signs, powers % 2, flips))
        keys = np.stack([flips, powers % 2], axis=1)[order]
        begins = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)][: len(keys)])
        ends = np.r_[begins[1:], len(keys)][: len(begins)]
        self._groups: _Ints = np.column_stack([keys[begins], begins, ends]).astype(np.int64)
        self._products: _Ints = np.column_stack([signs, owners])[order].astype(np.int64)
        self._weights: Floats = weights[order]

    def values(self, state: State, control: RunControl) -> Floats:
        """The observables' expectation values in `state`, which is not changed. Raises `SimulationCancelled`.

        Sums are taken in blocks of the same size whatever the threads, and in double precision.
        """
        total = 1 << state.num_qubits
        step = min(total, 1 << BLOCK_BITS)
        parts = np.zeros((total // step, self._count))
        space = np.empty(min(total, BLOCK))
        reals = _reals(state)
        for number, part in enumerate(parts):
            low = number * step
            add_expectation_values(
                reals,
                self._groups,
                self._products,
                self._weights,
                low,
                low + step,
                space,
                part,
                control.flag,
            )
            control.check()
        found: Floats = parts.sum(axis=0)
        return found


def probabilities(state: State, qubits: Sequence[int], control: RunControl) -> Floats:
    """The probabilities of the outcomes of `qubits`, of shape (2^len(qubits),); the first qubit is the least
    significant bit of an outcome. Raises `SimulationCancelled`.
    """
    bits = min(state.num_qubits, _LOWER_BITS)
    lower = np.zeros(1 << bits, dtype=np.int64)
    upper = np.zeros(1 << state.num_qubits - bits, dtype=np.int64)
    for place, qubit in enumerate(qubits):
        table, bit = (lower, qubit) if qubit < bits else (upper, qubit - bits)
        table |= (np.arange(len(table)) >> bit & 1) << place
    total = 1 << state.num_qubits
    step = min(total, 1 << BLOCK_BITS)
    found: Floats = np.zeros(1 << len(qubits))
    reals = _reals(state)
    for low in range(0, total, step):
        control.check()
        add_probabilities(reals, lower, upper, low, low + step, found)
    return found


def _reals(state: State) -> npt.NDArray[np.float64 | np.float32]:
    """The state's amplitudes as real and imaginary parts in turn."""
    return state.amplitudes.view(np.float64 if state.dtype == np.complex128 else np.float32)
