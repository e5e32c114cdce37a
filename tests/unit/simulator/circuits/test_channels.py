"""Channels and readout errors: beside Qiskit's, by what must hold of any channel, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import Channel, Circuit, CircuitError, Operation, ReadoutError, validate
from basicaer.simulator.reference import interpret
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SuperOp, random_quantum_channel
from qiskit_aer.noise import (
    amplitude_damping_error,
    depolarizing_error,
    pauli_error,
    phase_damping_error,
    thermal_relaxation_error,
)
from qiskit_aer.noise.errors import QuantumError

DAMPING = [np.diag([1.0, 0.8**0.5]), np.array([[0, 0.2**0.5], [0, 0]])]


def of_qiskit(error: Any) -> Any:
    return SuperOp(error).data


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Channel.depolarizing(0.3), depolarizing_error(0.3, 1)),
        (Channel.depolarizing(16 / 15, 2), depolarizing_error(16 / 15, 2)),
        (Channel.thermal_relaxation(50, 30, 4, 0.2), thermal_relaxation_error(50, 30, 4, 0.2)),
        (Channel.thermal_relaxation(50, 80, 4, 0.2), thermal_relaxation_error(50, 80, 4, 0.2)),
        (Channel.thermal_relaxation(np.inf, 80, 4), thermal_relaxation_error(np.inf, 80, 4)),
        (
            Channel.pauli({"XY": 0.1, "IZ": 0.2, "II": 0.7}),
            pauli_error([("XY", 0.1), ("IZ", 0.2), ("II", 0.7)]),
        ),
        (Channel.from_kraus(DAMPING), amplitude_damping_error(0.2)),
        (Channel.from_superoperator(of_qiskit(phase_damping_error(0.3))), phase_damping_error(0.3)),
    ],
)
def test_channels_are_qiskits(ours: Channel, theirs: Any) -> None:
    np.testing.assert_allclose(ours.superoperator, of_qiskit(theirs), atol=1e-12)


def test_a_mixture_of_circuits_is_aers() -> None:
    from qiskit import QuantumCircuit

    first, second = QuantumCircuit(2), QuantumCircuit(2)
    first.h(0)
    first.cx(0, 1)
    second.x(1)
    second.reset(0)
    theirs = QuantumError([(first, 0.25), (second, 0.75)])
    ours = Channel.mixture([(0.25, [("h", [0]), ("cx", [0, 1])]), (0.75, [("x", [1]), ("reset", [0])])])
    np.testing.assert_allclose(ours.superoperator, of_qiskit(theirs), atol=1e-12)
    assert [len(operators) for _, operators in ours.parts] == [1, 2]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 2))
def test_any_channel_is_found_by_its_superoperator_and_by_its_operators(seed: int, width: int) -> None:
    given_ = random_quantum_channel(2**width, 2**width, rank=1 + seed % 4**width, seed=seed)
    matrix = SuperOp(given_).data
    channel = Channel.from_superoperator(matrix)
    np.testing.assert_allclose(channel.superoperator, matrix, atol=1e-10)
    np.testing.assert_allclose(Channel.from_kraus(channel.operators).superoperator, matrix, atol=1e-10)
    again = pickle.loads(pickle.dumps(channel))
    np.testing.assert_array_equal(again.superoperator, channel.superoperator)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 2))
def test_pauli_channels_are_seen_however_they_are_given(seed: int, width: int) -> None:
    random = np.random.default_rng(seed)
    weights = random.random(4**width) ** 4
    weights /= weights.sum()
    letters = ["I", "X", "Z", "Y"]
    names = [
        "".join(letters[number >> 2 * j & 3] for j in reversed(range(width))) for number in range(4**width)
    ]
    channel = Channel.pauli(dict(zip(names, weights, strict=True)))
    found = channel.pauli_probabilities
    assert found is not None
    np.testing.assert_allclose(found, weights, atol=1e-12)
    # The same map by operators that mix the products among themselves.
    operators = np.stack(channel.operators)
    mixing = np.linalg.qr(random.normal(size=(len(operators),) * 2))[0]
    again = Channel.from_kraus(np.tensordot(mixing, operators, axes=(1, 0)))
    assert again.pauli_probabilities is not None
    np.testing.assert_allclose(again.pauli_probabilities, weights, atol=1e-9)


def test_what_isnt_a_mixture_says_so() -> None:
    damping = Channel.from_kraus(DAMPING)
    assert damping.pauli_probabilities is None
    coherent = Channel.mixture([(0.5, [("h", [0])]), (0.5, [("s", [0])])])
    assert coherent.pauli_probabilities is None
    # A mixture of half the identity and half Z, as two projections.
    dephasing = Channel.from_kraus([np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
    assert dephasing.pauli_probabilities is not None
    np.testing.assert_allclose(dephasing.pauli_probabilities, [0.5, 0.0, 0.5, 0.0], atol=1e-12)


FAULTS: dict[str, tuple[Callable[[], Any], str]] = {
    "trace": (lambda: Channel.from_kraus([np.diag([1.0, 0.9])]), "0.19 off the identity"),
    "nothing": (lambda: Channel.from_kraus([]), "needs a Kraus operator"),
    "shape": (lambda: Channel.from_kraus([np.eye(3)]), "3 by 3"),
    "other shape": (lambda: Channel.from_kraus([np.eye(2), np.eye(4)]), "4 by 4; the first one is 2 by 2"),
    "not finite": (lambda: Channel.from_kraus([np.diag([1.0, np.nan])]), "finite"),
    "not positive": (lambda: Channel.from_superoperator(np.eye(4)[[0, 2, 1, 3]]), "eigenvalue -1"),
    "superoperator": (lambda: Channel.from_superoperator(np.eye(8)), "8 by 8"),
    "not Hermitian": (lambda: Channel.from_superoperator(np.diag([1, 1j, 1j, 1])), "Hermitian|positive"),
    "sum": (lambda: Channel.pauli({"I": 0.5, "X": 0.4}), "sum to 0.9"),
    "negative": (lambda: Channel.pauli({"I": 1.5, "X": -0.5}), "1.5"),
    "letters": (lambda: Channel.pauli({"IA": 1.0}), "'IA'"),
    "too much": (lambda: Channel.depolarizing(1.4), "1.4"),
    "times": (lambda: Channel.thermal_relaxation(10, 30, 1), "at most 2 t1"),
    "gate time": (lambda: Channel.thermal_relaxation(10, 10, -1), "-1"),
    "circuit": (lambda: Channel.mixture([(1.0, [("measure", [0])])]), "'measure'"),
    "angle": (lambda: Channel.mixture([(1.0, [("rx", [0])])]), "1 parameters, not 0"),
    "operands": (lambda: Channel.mixture([(1.0, [("cx", [0])])]), "cx"),
    "not unitary": (lambda: Channel.mixture([(1.0, [("unitary", [0], np.eye(2) * 2)])]), "3 off"),
    "rows": (lambda: ReadoutError(np.array([[0.9, 0.2], [0.0, 1.0]])), "row 0 .* 1.1"),
    "three": (lambda: ReadoutError(np.eye(3)), "3 by 3"),
    "less than nothing": (lambda: ReadoutError(np.array([[1.5, -0.5], [0.0, 1.0]])), "negative"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_channel_is_refused_with_how_far_it_is_from_one(fault: str) -> None:
    make, message = FAULTS[fault]
    with pytest.raises(CircuitError, match=message):
        make()


BAD_CIRCUITS = {
    "no channel": (Operation("channel", 1), "needs `channel`"),
    "no readout": (Operation("readout_error"), "needs `readout`"),
    "a gate's": (Operation("x", 1, channel=Channel.depolarizing(0.1)), "cannot have `channel`"),
    "width": (Operation("channel", 2, channel=Channel.depolarizing(0.1)), "takes 1 qubits, not 2"),
    "bits": (Operation("readout_error", 0, 2, readout=ReadoutError(np.eye(2))), "takes 1 clbits, not 2"),
    "controls": (Operation("channel", 1, num_controls=1, channel=Channel.depolarizing(0.1)), "controls"),
}


@pytest.mark.parametrize("fault", BAD_CIRCUITS)
def test_wrong_operations_are_found(fault: str) -> None:
    operation, message = BAD_CIRCUITS[fault]
    with pytest.raises(CircuitError, match=message):
        validate(Circuit(2, 2, operations=[operation]))


def test_operands_are_checked_as_those_of_gates() -> None:
    with pytest.raises(CircuitError, match="qubit 3"):
        validate(Circuit(2).append("channel", [3], channel=Channel.depolarizing(0.1)))
    with pytest.raises(CircuitError, match="same qubit twice"):
        validate(Circuit(2).append("channel", [1, 1], channel=Channel.depolarizing(0.1, 2)))
    with pytest.raises(CircuitError, match=r"same clbit twice: \[1, 1\]"):
        validate(Circuit(2, 2).append("readout_error", [], [], [1, 1], readout=ReadoutError(np.eye(4))))


def test_the_reference_sums_over_operators() -> None:
    plus = Circuit.from_gates(2, [("h", [1])])
    plus.append("channel", [1], channel=Channel.from_kraus(DAMPING))
    (leaf,) = interpret(plus, mixed=True)
    expected = np.array([[0.6, 0.8**0.5 / 2], [0.8**0.5 / 2, 0.4]])
    np.testing.assert_allclose(leaf.state, np.kron(expected, np.diag([1.0, 0.0])), atol=1e-12)
    ways = interpret(plus)
    np.testing.assert_allclose(
        sum(way.probability * np.outer(way.state, way.state.conj()) for way in ways), leaf.state, atol=1e-12
    )
