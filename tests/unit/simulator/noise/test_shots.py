"""Noise that is drawn shot by shot: against the reference's sums over Kraus operators, and by example."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Channel,
    Circuit,
    CircuitError,
    ClbitRef,
    ForLoop,
    Save,
    SaveKind,
    SimulationFailed,
    Template,
    ValidCircuit,
    Variable,
    VariableRef,
    statevector,
    unitary,
)
from basicaer.simulator import run as run_any
from basicaer.simulator._methods import MethodName
from basicaer.simulator.circuit._expressions import ClassicalKind, ClassicalType
from basicaer.simulator.reference import TooManyLeavesError, saved_means
from basicaer.simulator.running import _trajectories
from hypothesis import assume, given, settings

from tests.unit.simulator.noise.noisy_circuits import (
    DAMPING,
    WRONG,
    assert_counts_are_the_references,
    noisy_circuit,
)
from tests.unit.simulator.shorthand import RANDOM, memory_of

SHOTS = 400
run = partial(run_any, method="statevector")


@pytest.fixture(params=["states wait", "branches run again"])
def execution(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test as usual, and with no memory for waiting states."""
    if request.param == "branches run again":
        monkeypatch.setattr(_trajectories, "_WAITING_BYTES", 70)


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
@pytest.mark.usefixtures("execution")
@settings(max_examples=10, deadline=None)
@given(RANDOM)
def test_counts_and_means_are_the_references(method: MethodName, random: Random) -> None:
    circuit = noisy_circuit(random, saves=True)
    try:
        expected = saved_means(circuit, mixed=True)
    except TooManyLeavesError:
        assume(False)
        raise
    result = run_any(circuit, shots=SHOTS, seed=random.randrange(1000), method=method)
    assert_counts_are_the_references(circuit, result)
    for label, value in expected.items():
        largest = 1.8 if label.startswith("values") else 1.0
        np.testing.assert_allclose(result.saved[label], value, atol=5 * largest * SHOTS**-0.5)


def test_errors_are_as_frequent_as_they_should_be() -> None:
    circuit = Circuit(4, 4)
    for _ in range(25):
        for qubit in range(4):
            circuit.append("channel", [qubit], channel=Channel.pauli({"I": 0.99, "X": 0.01}))
    for qubit in range(4):
        circuit.append("measure", [qubit], [], [qubit])
    assert_counts_are_the_references(circuit, run(circuit, shots=2000, seed=3))


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
@pytest.mark.usefixtures("execution")
def test_shots_that_jump_often_are_as_the_density_matrix(method: MethodName) -> None:
    random, size, shots = Random(4), 4, 1500 if method == "statevector" else 300
    both = np.kron(np.diag([1.0, 0.9]), np.eye(2))
    lost = np.kron([[0.0, 0.0], [0.0, (1.0 - 0.81) ** 0.5]], np.eye(2))
    several = Channel.from_kraus([both, lost @ np.diag([0.6**0.5] * 4), 0.4**0.5 * lost])
    restart = Channel.mixture([(0.95, [("id", [0])]), (0.03, [("reset", [0])]), (0.02, [("y", [0])])])
    circuit = Circuit(size, size)
    for layer in range(5):
        for qubit in range(size):
            circuit.append("u", [qubit], [random.uniform(-3, 3) for _ in range(3)])
            circuit.append("channel", [qubit], channel=DAMPING)
        circuit.append("cx", [layer % 2, layer % 2 + 1]).append("cx", [layer % 3 + 1, 0])
        circuit.append("channel", [1, 3], channel=several).append("channel", [2], channel=restart)
    expected = circuit.replaced()
    expected.append("save", range(size), save=Save("all", SaveKind.PROBABILITIES))
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    result = run_any(circuit, shots=shots, seed=2, method=method)
    means = shots * run_any(expected, shots=1, method="density_matrix").saved["all"]
    counts = np.zeros(1 << size)
    counts[result.outcomes[:, 0].astype(np.int64)] = result.counts
    assert (np.abs(counts - means) < 5 * means**0.5 + 5).all()
    assert ((counts - means) ** 2 / means).sum() < 45.0


def test_the_threads_and_the_memory_change_nothing() -> None:
    circuit = noisy_circuit(Random(5), 4, 25)
    first = run(circuit, shots=100, seed=9, threads=1)
    for options in ({"threads": 2}, {"memory": True}, {"statevector": True}):
        other = run(circuit, shots=100, seed=9, **options)
        np.testing.assert_array_equal(other.outcomes, first.outcomes)
        np.testing.assert_array_equal(other.counts, first.counts)


def test_the_last_shots_outcome_is_told_with_its_error_and_its_state_without() -> None:
    circuit = Circuit.from_gates(1, [("h", [0]), ("measure", [0], [], [0])], 1)
    circuit.append("readout_error", [], [], [0], readout=WRONG)
    seen = set()
    for seed in range(40):
        result = run(circuit, shots=3, seed=seed, memory=True, statevector=True)
        assert result.statevector is not None
        seen.add((int(np.argmax(np.abs(result.statevector))), int(memory_of(result)[-1, 0])))
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_channel_in_a_loop_is_drawn_in_each_turn() -> None:
    circuit = Circuit(1, 1)
    body = circuit.block([("channel", [0], [], [], {"channel": Channel.pauli({"I": 0.9, "X": 0.1})})])
    circuit.append("for_loop", for_loop=ForLoop(range(3), body)).append("measure", [0], [], [0])
    assert_counts_are_the_references(circuit, run(circuit, shots=20_000, seed=1))


def test_rows_of_inputs_share_what_is_drawn_from() -> None:
    angle = Variable("angle", ClassicalType(ClassicalKind.FLOAT), is_input=True)
    circuit = Circuit(2, 2, variables=[angle])
    circuit.append("ry", [0], [VariableRef(0)]).append("channel", [0], channel=DAMPING)
    circuit.append("channel", [1], channel=Channel.depolarizing(0.2)).append("cx", [0, 1])
    circuit.append("ry", [1], [VariableRef(0)])
    for qubit in range(2):
        circuit.append("measure", [qubit], [], [qubit])
    template = Template(circuit)
    for value in (0.4, 2.1):
        bound = template.bind(template.rows(["angle"], [[value]])[0])
        assert_counts_are_the_references(bound.circuit, run(bound, shots=20_000, seed=4))


def test_a_readout_error_that_nothing_reads_waits_with_its_measurement() -> None:
    circuit = Circuit.from_gates(2, [("h", [0]), ("measure", [0], [], [0])], 2)
    circuit.append("readout_error", [], [], [0], readout=WRONG).append("measure", [1], [], [1])
    program = ValidCircuit(circuit).program(from_zero=True)
    assert (len(program.told), len(program.tail.qubits), program.is_random) == (1, 2, False)
    circuit.append("x", [1], condition=ClbitRef(0)).append("measure", [1], [], [1])
    program = ValidCircuit(circuit).program(from_zero=True)
    assert (len(program.told), program.is_random) == (0, True)
    assert_counts_are_the_references(circuit, run(circuit, shots=20_000, seed=1))


def test_a_channel_of_one_operator_is_a_gate() -> None:
    circuit = Circuit(1).append("channel", [0], channel=Channel.mixture([(1.0, [("h", [0])])]))
    assert run(circuit.append("channel", [0], channel=Channel.depolarizing(0.0)), shots=2).saved == {}
    program = ValidCircuit(circuit).program(from_zero=True)
    assert [type(step).__name__ for step in program.steps] == ["GateStep"]


@pytest.mark.parametrize("probability", [1e-300, 1e-17, 1e-9])
def test_errors_that_hardly_happen_dont_happen(probability: float) -> None:
    channel = Channel.pauli({"I": 1.0 - probability, "X": probability})
    circuit = Circuit(1, 1).append("channel", [0], channel=channel).append("measure", [0], [], [0])
    assert run(circuit, shots=1000, seed=1).counts.tolist() == [1000]


def noisy() -> Circuit:
    return Circuit(1, 1).append("channel", [0], channel=Channel.depolarizing(0.1))


@pytest.mark.parametrize("function", [statevector, unitary])
def test_what_is_one_state_has_no_noise(function: Any) -> None:
    with pytest.raises(CircuitError, match=r"random|no matrix"):
        function(noisy())


def test_more_errors_than_memory_holds_are_refused() -> None:
    with pytest.raises(SimulationFailed, match="more errors"):
        run(noisy().append("measure", [0], [], [0]), shots=1 << 40, seed=1)


def kinds(circuit: Circuit) -> Iterator[str]:
    for step in ValidCircuit(circuit).program(from_zero=True).steps:
        yield type(step).__name__


def test_runs_of_gates_are_cut_at_operators_by_weight_alone() -> None:
    circuit = Circuit.from_gates(2, [("h", [0]), ("cx", [0, 1])])
    circuit.append("channel", [0], channel=Channel.depolarizing(0.1)).append("h", [1])
    assert list(kinds(circuit)) == ["NoisyStep"]
    # What a state mostly does is a gate that makes its norm less.
    circuit.append("channel", [1], channel=DAMPING).append("h", [1])
    assert list(kinds(circuit)) == ["NoisyStep"]
    restart = Channel.mixture([(1.0, [("reset", [0])])])
    circuit.append("channel", [1], channel=restart).append("h", [1])
    assert list(kinds(circuit)) == ["NoisyStep", "KrausStep", "GateStep"]
