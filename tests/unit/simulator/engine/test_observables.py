"""Expectation values and probabilities of states: against dense matrices."""

from __future__ import annotations

import time

import numpy as np
import pytest
from basicaer.simulator import Observable, RunControl, SimulationCancelled
from basicaer.simulator.methods.statevector import _observables
from basicaer.simulator.methods.statevector._observables import PauliSums, probabilities
from basicaer.simulator.methods.statevector._state import BLOCK_BITS, Amplitudes, State
from basicaer.simulator.methods.statevector.engine.machine._helpers import share
from hypothesis import given, settings
from hypothesis import strategies as st

PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def dense(observable: Observable, num_qubits: int) -> Amplitudes:
    total = np.zeros((2**num_qubits,) * 2, dtype=complex)
    for pauli, coefficient in zip(observable.paulis, observable.coefficients, strict=True):
        product = np.eye(1)
        for letter in pauli:
            product = np.kron(product, PAULIS[letter])
        total += coefficient * product
    return total


def random_state(generator: np.random.Generator, num_qubits: int) -> Amplitudes:
    state = generator.normal(size=2**num_qubits) + 1j * generator.normal(size=2**num_qubits)
    return np.asarray(state / np.linalg.norm(state))


@st.composite
def observables(draw: st.DrawFn, num_qubits: int) -> Observable:
    paulis = draw(st.lists(st.text("IXYZ", min_size=num_qubits, max_size=num_qubits), max_size=12))
    numbers = st.floats(-4, 4)
    coefficients = draw(st.lists(numbers, min_size=len(paulis), max_size=len(paulis)))
    return Observable(tuple(paulis), tuple(coefficients))


@pytest.mark.parametrize("block", [1 << 10, 8, 2])
@settings(max_examples=120, deadline=None)
@given(st.data(), st.integers(1, 6), st.sampled_from(["c16", "c8"]))
def test_expectation_values_are_those_of_the_matrices(
    block: int, data: st.DataObject, num_qubits: int, dtype: str
) -> None:
    wanted = data.draw(st.lists(observables(num_qubits), min_size=1, max_size=3))
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    state = random_state(generator, num_qubits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_observables, "BLOCK", block)
        patch.setattr(_observables, "BLOCK_BITS", block.bit_length() + 1)
        values = PauliSums(wanted, range(num_qubits)).values(
            State(num_qubits, state.astype(dtype)), RunControl()
        )
    expected = [np.vdot(state, dense(observable, num_qubits) @ state) for observable in wanted]
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, np.real(expected), atol=1e-12 if dtype == "c16" else 1e-5)


def test_an_observable_acts_on_the_qubits_that_are_named() -> None:
    state = State(3, np.eye(8, dtype=complex)[0b100])
    sums = PauliSums([Observable(("ZI",), (2.0,)), Observable(("IZ",), (2.0,))], [0, 2])
    assert sums.values(state, RunControl()).tolist() == [-2.0, 2.0]


def test_an_observable_without_products_is_zero() -> None:
    sums = PauliSums([Observable((), ()), Observable(("Z",), (1.0,))], [0])
    assert sums.values(State(1, np.array([0, 1], dtype=complex)), RunControl()).tolist() == [0.0, -1.0]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 7), st.sampled_from(["c16", "c8"]))
def test_probabilities_are_sums_of_squares(data: st.DataObject, num_qubits: int, dtype: str) -> None:
    qubits = data.draw(st.permutations(range(num_qubits)).map(tuple))
    qubits = qubits[: data.draw(st.integers(1, num_qubits))]
    state = random_state(np.random.default_rng(data.draw(st.integers(0, 99))), num_qubits)
    expected = np.zeros(2 ** len(qubits))
    for index, amplitude in enumerate(state):
        expected[sum((index >> qubit & 1) << place for place, qubit in enumerate(qubits))] += (
            abs(amplitude) ** 2
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_observables, "_LOWER_BITS", data.draw(st.integers(0, 7)))
        found = probabilities(State(num_qubits, state.astype(dtype)), qubits, RunControl())
    np.testing.assert_allclose(found, expected, atol=1e-12 if dtype == "c16" else 1e-6)


def test_a_cancelled_reading_stops() -> None:
    control = RunControl()
    control.cancel()
    state = State(1, np.array([1, 0], dtype=complex))
    with pytest.raises(SimulationCancelled):
        PauliSums([Observable(("Z",), (1.0,))], [0]).values(state, control)
    with pytest.raises(SimulationCancelled):
        probabilities(state, [0], control)


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_any_number_of_threads_gives_the_same_values(dtype: type[np.complexfloating]) -> None:
    rng = np.random.default_rng(5)
    qubits = BLOCK_BITS + 2
    state = State(qubits, random_state(rng, qubits).astype(dtype))
    products = tuple("".join(rng.choice(list("IXYZ"), qubits)) for _ in range(12))
    sums = PauliSums([Observable(products, tuple(rng.normal(size=12)))], range(qubits))
    alone = sums.values(state, RunControl(), 1)
    for threads in (2, 3, 7, None):
        assert sums.values(state, RunControl(), threads).tolist() == alone.tolist()


def test_a_cancelled_run_reads_no_further_on_any_thread() -> None:
    control = RunControl()
    state = State.zero(BLOCK_BITS + 3, np.dtype(np.complex128))
    sums = PauliSums([Observable(("Z" * (BLOCK_BITS + 3),), (1.0,))], range(BLOCK_BITS + 3))
    control.cancel()
    with pytest.raises(SimulationCancelled):
        sums.values(state, control, 4)


def test_what_fails_on_a_helper_is_told() -> None:
    begun = []

    def fail(part: int) -> None:
        begun.append(part)
        if part == 1:
            raise KeyError(part)
        time.sleep(0.01)

    with pytest.raises(KeyError):
        share(100, fail, 3)
    assert len(begun) < 10
