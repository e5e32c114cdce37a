"""Expectation values and probabilities of states: against dense matrices."""

import numpy as np
import pytest
from basicaer.simulator import Observable, RunControl, SimulationCancelled, _observables
from basicaer.simulator._observables import PauliSums, probabilities
from basicaer.simulator._state import State
from hypothesis import given, settings
from hypothesis import strategies as st

PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def dense(observable, num_qubits):
    total = np.zeros((2**num_qubits,) * 2, dtype=complex)
    for pauli, coefficient in zip(observable.paulis, observable.coefficients, strict=True):
        product = np.eye(1)
        for letter in pauli:
            product = np.kron(product, PAULIS[letter])
        total += coefficient * product
    return total


def random_state(generator, num_qubits):
    state = generator.normal(size=2**num_qubits) + 1j * generator.normal(size=2**num_qubits)
    return state / np.linalg.norm(state)


@st.composite
def observables(draw, num_qubits):
    paulis = draw(st.lists(st.text("IXYZ", min_size=num_qubits, max_size=num_qubits), max_size=12))
    numbers = st.floats(-4, 4)
    coefficients = draw(st.lists(numbers, min_size=len(paulis), max_size=len(paulis)))
    return Observable(tuple(paulis), tuple(coefficients))


@pytest.mark.parametrize("block", [1 << 10, 8, 2])
@settings(max_examples=120, deadline=None)
@given(st.data(), st.integers(1, 6), st.sampled_from(["c16", "c8"]))
def test_expectation_values_are_those_of_the_matrices(block, data, num_qubits, dtype):
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


def test_an_observable_acts_on_the_qubits_that_are_named():
    state = State(3, np.eye(8, dtype=complex)[0b100])
    sums = PauliSums([Observable(("ZI",), (2.0,)), Observable(("IZ",), (2.0,))], [0, 2])
    assert sums.values(state, RunControl()).tolist() == [-2.0, 2.0]


def test_an_observable_without_products_is_zero():
    sums = PauliSums([Observable((), ()), Observable(("Z",), (1.0,))], [0])
    assert sums.values(State(1, np.array([0, 1], dtype=complex)), RunControl()).tolist() == [0.0, -1.0]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 7), st.sampled_from(["c16", "c8"]))
def test_probabilities_are_sums_of_squares(data, num_qubits, dtype):
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


def test_a_cancelled_reading_stops():
    control = RunControl()
    control.cancel()
    state = State(1, np.array([1, 0], dtype=complex))
    with pytest.raises(SimulationCancelled):
        PauliSums([Observable(("Z",), (1.0,))], [0]).values(state, control)
    with pytest.raises(SimulationCancelled):
        probabilities(state, [0], control)
