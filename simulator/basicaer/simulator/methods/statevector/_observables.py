"""Reads a state without changing it: expectation values of sums of Pauli products, and probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.methods.interface import Expectations
from basicaer.simulator.methods.statevector._state import BLOCK_BITS, Floats, State
from basicaer.simulator.methods.statevector.engine._expectation import (
    BLOCK,
    add_expectation_values,
    add_probabilities,
)
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads, share

_LOWER_BITS = 12

_Ints = npt.NDArray[np.int64]


class PauliSums(Expectations[State]):
    """Observables on some of a state's qubits, as tables; `values` reads them from states.

    `observables` are valid and act on `qubits`, the first of which the last letter of a product belongs to.
    Qubits from `num_wires` on, if it is given, aren't held: `num_wires` is in 0, and the next one in 1.
    """

    __slots__ = ("_count", "_groups", "_products", "_weights")

    def __init__(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_wires: int | None = None
    ) -> None:
        self._count = len(observables)
        lengths = [len(observable.paulis) for observable in observables]
        owners = np.repeat(np.arange(self._count), lengths)
        text = "".join("".join(observable.paulis) for observable in observables)
        letters = np.frombuffer(text.encode("ascii"), dtype=np.uint8).reshape(sum(lengths), len(qubits))
        weights = np.array(
            [coefficient for observable in observables for coefficient in observable.coefficients],
            dtype=np.float64,
        )
        numbers = np.array(qubits, dtype=np.int64)[::-1]
        held = np.ones(len(numbers), dtype=np.bool_) if num_wires is None else numbers < num_wires
        if num_wires is not None and not held.all():
            # In a basis state X and Y have the value 0, and Z has 1 for 0, -1 for 1.
            others = letters[:, ~held]
            weights[(others == ord("Z")) @ (numbers[~held] > num_wires) % 2 == 1] *= -1.0
            stays = ~((others == ord("X")) | (others == ord("Y"))).any(axis=1)
            letters, owners, weights = letters[stays][:, held], owners[stays], weights[stays]
        places = np.left_shift(np.int64(1), numbers[held])
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

    @classmethod
    def of_tables(cls, count: int, groups: _Ints, products: _Ints, weights: Floats) -> PauliSums:
        """Return `count` observables of which the tables are these."""
        made = cls.__new__(cls)
        made._count, made._groups, made._products, made._weights = count, groups, products, weights
        return made

    @property
    def tables(self) -> tuple[_Ints, _Ints, Floats]:
        """The groups, the products and their weights, as the compiled functions take them."""
        return self._groups, self._products, self._weights

    def values(self, state: State, control: RunControl, threads: int | None = 1) -> Floats:
        """Return the observables' expectation values in `state`, which is not changed. Raises
        `SimulationCancelled`.

        Sums are taken in blocks of the same size whatever the threads, and in double precision.
        """
        total = 1 << state.num_qubits
        step = min(total, 1 << BLOCK_BITS)
        parts = np.zeros((total // step, self._count))
        reals = _reals(state)
        tables = (self._groups, self._products, self._weights)

        def add(number: int) -> None:
            low = number * step
            # Of this thread alone: sums that lie in one cache line would be fought over.
            space, part = np.empty(min(total, BLOCK)), np.zeros(self._count)
            add_expectation_values(reals, *tables, low, low + step, space, part, control.flag)
            control.check()
            parts[number] = part

        share(len(parts), add, threads or default_threads())
        found: Floats = parts.sum(axis=0)
        return found


def probabilities(state: State, qubits: Sequence[int], control: RunControl) -> Floats:
    """Return the probabilities of the outcomes of `qubits`, of shape (2^len(qubits),); the first qubit is the
    least significant bit of an outcome. For qubits that aren't held see `PauliSums`.

    Raises `SimulationCancelled`.
    """
    bits = min(state.num_qubits, _LOWER_BITS)
    lower = np.zeros(1 << bits, dtype=np.int64)
    upper = np.zeros(1 << state.num_qubits - bits, dtype=np.int64)
    for place, qubit in enumerate(qubits):
        if qubit >= state.num_qubits:
            lower |= (qubit - state.num_qubits) << place
            continue
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
    """Return the state's amplitudes as real and imaginary parts in turn."""
    return state.amplitudes.view(np.float64 if state.dtype == np.complex128 else np.float32)


def density_matrix(
    state: State, qubits: Sequence[int], control: RunControl
) -> npt.NDArray[np.complexfloating]:
    """Return the density matrix of `qubits`, complex128 of shape (2^len(qubits),) * 2; the first qubit is the
    least significant bit. For qubits that aren't held see `PauliSums`.

    Raises `SimulationCancelled`.
    """
    size = state.num_qubits
    held = [(place, qubit) for place, qubit in enumerate(qubits) if qubit < size]
    own = np.arange(1 << len(held), dtype=np.int64)
    # Where values of the held qubits are among amplitudes, and in the matrix.
    inner, index = np.zeros_like(own), np.zeros_like(own)
    for bit, (place, qubit) in enumerate(held):
        inner |= (own >> bit & 1) << qubit
        index |= (own >> bit & 1) << place
    index |= sum(1 << place for place, qubit in enumerate(qubits) if qubit > size)
    others = [qubit for qubit in range(size) if qubit not in qubits]
    step = max(1, (1 << BLOCK_BITS) >> len(held))
    part = np.zeros((len(own), len(own)), dtype=np.complex128)
    for low in range(0, 1 << len(others), step):
        control.check()
        outer = np.arange(low, min(low + step, 1 << len(others)), dtype=np.int64)
        base = np.zeros_like(outer)
        for bit, qubit in enumerate(others):
            base |= (outer >> bit & 1) << qubit
        columns = state.amplitudes[inner[:, None] | base].astype(np.complex128)
        part += columns @ columns.conj().T
    if len(held) == len(qubits):
        return part
    found = np.zeros((1 << len(qubits),) * 2, dtype=np.complex128)
    found[np.ix_(index, index)] = part
    return found
