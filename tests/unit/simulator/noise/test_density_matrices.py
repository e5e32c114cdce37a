"""Density matrices: against the reference's sums over Kraus operators, against Aer, and by example."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

import numpy as np
import pytest
import qiskit
import qiskit_aer
from basicaer.simulator import (
    GATES,
    Channel,
    Circuit,
    CircuitError,
    ClbitRef,
    IfElse,
    Initialize,
    RunControl,
    Save,
    SaveKind,
    SimulationCancelled,
    SimulationFailed,
    ValidCircuit,
    run,
)
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.density_matrix._basis import coefficients_of, entries_of
from basicaer.simulator.methods.density_matrix._method import DENSITY_MATRIX
from basicaer.simulator.methods.density_matrix._state import DensityState
from basicaer.simulator.reference import TooManyLeavesError, interpret, random_unitary, saved_means
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Kraus

from tests.unit.simulator.noise.noisy_circuits import (
    DAMPING,
    assert_counts_are_the_references,
    noisy_circuit,
    random_channel,
)
from tests.unit.simulator.shorthand import RANDOM

SHOTS = 10_000
CONTROL = RunControl()


def density(circuit: Circuit, **options: Any) -> Any:
    """The density matrix of all qubits at the end."""
    whole = circuit.replaced()
    whole.append("save", range(circuit.num_qubits), save=Save("final", SaveKind.DENSITY_MATRIX))
    return run(whole, shots=1, method="density_matrix", **options).saved["final"]


def expected(circuit: Circuit, initial: Any = None) -> Any:
    (leaf,) = interpret(circuit, initial, mixed=True)
    return leaf.state


@settings(max_examples=40, deadline=None)
@given(RANDOM, st.booleans())
def test_saves_and_counts_are_the_references(random: Random, dynamic: bool) -> None:
    circuit = noisy_circuit(random, saves=True, states=True, dynamic=dynamic)
    try:
        means = saved_means(circuit, mixed=True)
    except TooManyLeavesError:
        assume(False)
        raise
    result = run(circuit, shots=SHOTS, seed=random.randrange(1000), method="density_matrix")
    assert (result.simulation_method, result.reason) == ("density_matrix", "it was asked for")
    assert_counts_are_the_references(circuit, result)
    tolerance = 1e-10 if result.method == "sampled" else 9 * SHOTS**-0.5
    for label, value in means.items():
        np.testing.assert_allclose(result.saved[label], value, atol=tolerance)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_any_channel_on_any_qubits_of_any_state(seed: int) -> None:
    random, circuit = Random(seed), Circuit(4)
    circuit.append("unitary", random.sample(range(4), 4), matrix=random_unitary(random, 4))
    for _ in range(2):
        channel = random_channel(random)
        circuit.append("channel", random.sample(range(4), channel.num_qubits), channel=channel)
    np.testing.assert_allclose(density(circuit), expected(circuit), atol=1e-11)


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate(name: str) -> None:
    spec, random = GATES[name], Random(name)
    size = max(2, spec.num_qubits)
    circuit = Circuit(size)
    for qubit in range(size):
        circuit.append("u", [qubit], [random.uniform(-3, 3) for _ in range(3)])
    angles = [random.uniform(-3, 3) for _ in range(spec.num_parameters)]
    circuit.append(name, random.sample(range(size), spec.num_qubits), angles)
    np.testing.assert_allclose(density(circuit), expected(circuit), atol=1e-12)
    if spec.num_qubits < 5:
        controlled = Circuit(size + 1, operations=circuit.operations, body=circuit.body)
        controlled.append("h", [size])
        qubits = random.sample(range(size + 1), spec.num_qubits + 1)
        controlled.append(name, qubits, angles, num_controls=1, control_state=0)
        np.testing.assert_allclose(density(controlled), expected(controlled), atol=1e-12)


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("probability", [0.0, 0.1, 1.0])
def test_depolarizing_of_any_strength(width: int, probability: float) -> None:
    random = Random(width)
    circuit = Circuit(3).append("unitary", [0, 1, 2], matrix=random_unitary(random, 3))
    circuit.append("channel", list(range(width)), channel=Channel.depolarizing(probability, width))
    np.testing.assert_allclose(density(circuit), expected(circuit), atol=1e-12)


def test_single_precision_and_an_initial_state() -> None:
    random = Random(3)
    initial = random_unitary(random, 3)[:, 0]
    bare = Circuit(3)
    bare.append("u", [1], [0.3, 0.4, 0.5]).append("channel", [1], channel=DAMPING).append("cx", [1, 2])
    found = density(bare, initial_statevector=initial)
    np.testing.assert_allclose(found, expected(bare, initial), atol=1e-12)
    single = density(bare, dtype=np.complex64)
    assert single.dtype == np.complex64
    np.testing.assert_allclose(single, expected(bare), atol=1e-5)


def test_initialize_and_reset_of_what_is_entangled() -> None:
    random = Random(5)
    circuit = Circuit(3, 1).append("unitary", [0, 1, 2], matrix=random_unitary(random, 3))
    amplitudes = random_unitary(random, 2)[:, 0].copy()
    circuit.append("initialize", [2, 0], initialize=Initialize(amplitudes=amplitudes))
    circuit.append("h", [1]).append("reset", [1]).append("ry", [1], [0.4])
    np.testing.assert_allclose(density(circuit), sum_of(circuit), atol=1e-12)
    program = ValidCircuit(circuit).program(from_zero=True, mixed=True)
    assert not program.is_random


def sum_of(circuit: Circuit) -> Any:
    return sum(leaf.probability * leaf.state for leaf in interpret(circuit, mixed=True))


def test_resets_of_qubits_that_arent_held() -> None:
    circuit = Circuit(3, 1).append("h", [0]).append("measure", [0], [], [0])
    inner = circuit.block([("reset", [2]), ("x", [0]), ("reset", [0])])
    circuit.append("if_else", if_else=IfElse(ClbitRef(0), inner)).append("measure", [0], [], [0])
    found = run(circuit, shots=50, seed=1, method="density_matrix")
    assert found.outcomes.tolist() == [[0]]


def test_the_matrix_and_the_coefficients_are_each_others_inverse() -> None:
    random = np.random.default_rng(2)
    matrix = random.normal(size=(8, 8)) + 1j * random.normal(size=(8, 8))
    np.testing.assert_allclose(entries_of(coefficients_of(matrix)), matrix, atol=1e-12)


def segment(circuit: Circuit) -> Segment:
    table = circuit.operations
    return Segment(circuit.num_qubits, table, Layout(table), circuit.body)


def test_a_plan_can_be_pickled_and_applied_again_and_reports_its_work() -> None:
    circuit = Circuit.from_gates(3, [("h", [0]), ("rzz", [0, 1], [0.3]), ("ccx", [0, 1, 2])])
    circuit.append("channel", [1], channel=DAMPING)
    plan = DENSITY_MATRIX.plan(segment(circuit), 1)
    again = pickle.loads(pickle.dumps(plan))
    state, other = (DENSITY_MATRIX.zero(3, np.dtype("c16")) for _ in range(2))
    control = RunControl()
    control.start(work=2 * DENSITY_MATRIX.work(3, 4), shots=1)
    plan.apply(state, control)
    assert control.fraction == pytest.approx(0.5)
    again.apply(other, control)
    np.testing.assert_array_equal(state.coefficients, other.coefficients)
    plan.apply(state, control)
    twice = Circuit(3, operations=circuit.operations, body=circuit.block([]))
    for _ in range(2):
        twice = Circuit(
            3,
            operations=circuit.operations,
            body=type(circuit.body)(
                np.concatenate([twice.body.operations, circuit.body.operations]),
                np.concatenate([twice.body.qubits, circuit.body.qubits]),
                parameters=np.concatenate([twice.body.parameters, circuit.body.parameters]),
            ),
        )
    found = DENSITY_MATRIX.density_matrix(state, [0, 1, 2], control)
    np.testing.assert_allclose(found, expected(twice), atol=1e-12)


def test_a_cancelled_plan_ends() -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(SimulationCancelled):
        DENSITY_MATRIX.plan(segment(Circuit(2).append("h", [0]))).apply(
            DENSITY_MATRIX.zero(2, np.dtype("c16")), control
        )


def test_the_state_by_itself() -> None:
    state = DensityState.of(np.array([0.6, 0.8j]), np.dtype("c16"), CONTROL)
    np.testing.assert_allclose(state.weights([0], CONTROL), [0.36, 0.64], atol=1e-12)
    copy = state.copy(CONTROL)
    copy.flip(0, CONTROL)
    np.testing.assert_allclose(copy.weights([0], CONTROL), [0.64, 0.36], atol=1e-12)
    copy.collapse({0: 1}, 0.36, CONTROL)
    np.testing.assert_allclose(
        DENSITY_MATRIX.density_matrix(copy, [0], CONTROL), np.diag([0.0, 1.0]), atol=1e-12
    )
    # Beside it, one qubit in 0 and one in 1.
    pair = DENSITY_MATRIX.density_matrix(state, [2, 0, 1], CONTROL)
    inner = np.outer([0.6, 0.8j], [0.6, -0.8j])
    whole = np.kron(np.diag([1.0, 0.0]), np.kron(inner, np.diag([0.0, 1.0])))
    np.testing.assert_allclose(pair, whole, atol=1e-12)
    found = DENSITY_MATRIX.probabilities(state, [2, 0, 1], CONTROL)
    np.testing.assert_allclose(found, np.diag(whole).real, atol=1e-12)
    with pytest.raises(SimulationFailed, match="no amplitudes"):
        DENSITY_MATRIX.statevector(state, 1, [0], (), 1.0, CONTROL)


def test_what_it_has_not_is_refused_with_what_has() -> None:
    circuit = Circuit(2).append("h", [0])
    with pytest.raises(CircuitError, match="it has no state vector; statevector can"):
        run(circuit, statevector=True, method="density_matrix")
    circuit.append("save", [], save=Save("state", SaveKind.STATEVECTOR))
    with pytest.raises(CircuitError, match="save 'state'"):
        run(circuit, method="density_matrix")


@pytest.mark.parametrize("seed", range(4))
def test_aer_has_the_same_density_matrix(seed: int) -> None:
    random = Random(seed)
    ours, theirs = Circuit(4), qiskit.QuantumCircuit(4)
    for _ in range(30):
        kind = random.random()
        if kind < 0.4:
            qubit, angles = random.randrange(4), [random.uniform(-3, 3) for _ in range(3)]
            ours.append("u", [qubit], angles)
            theirs.u(*angles, qubit)
        elif kind < 0.7:
            name, qubits = random.choice(["cx", "cz", "swap"]), random.sample(range(4), 2)
            ours.append(name, qubits)
            getattr(theirs, name)(*qubits)
        else:
            channel = random_channel(random)
            qubits = random.sample(range(4), channel.num_qubits)
            ours.append("channel", qubits, channel=channel)
            theirs.append(Kraus([np.array(each) for each in channel.operators]).to_instruction(), qubits)
    theirs.save_density_matrix()
    simulator = qiskit_aer.AerSimulator(method="density_matrix")
    matrix = np.asarray(simulator.run(theirs).result().data(0)["density_matrix"])
    np.testing.assert_allclose(density(ours), matrix, atol=1e-9)
