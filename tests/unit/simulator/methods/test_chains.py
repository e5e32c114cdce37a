"""Matrix product states: what every method must do, and what is theirs."""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

import numpy as np
import pytest
from basicaer.simulator import (
    GATES,
    Circuit,
    CircuitError,
    ClbitRef,
    Initialize,
    Observable,
    OptionError,
    RunControl,
    Save,
    SaveKind,
    SimulationCancelled,
    run,
    statevector,
)
from basicaer.simulator._chains import ChainOutcomes, run_chains
from basicaer.simulator.compiler._valid import validated
from basicaer.simulator.methods.matrix_product_state._chain import Chain
from basicaer.simulator.methods.matrix_product_state._estimate import bonds, estimate, refuses
from basicaer.simulator.methods.matrix_product_state._method import MatrixProductState
from basicaer.simulator.methods.matrix_product_state._options import MatrixProductStateOptions
from basicaer.simulator.methods.matrix_product_state._reading import amplitudes
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulator.engine.method_contract import ANY_GATES, MethodContract
from tests.unit.simulator.methods.stabilizer.clifford_circuits import assert_likely, distribution


class TestChains(MethodContract):
    method = MatrixProductState()
    gates = (*ANY_GATES, "iswap", "rcccx", "xx_minus_yy", "cswap", "ecr")
    dtypes: ClassVar[dict[str, float]] = {"c16": 1e-12}


def outcomes(circuit: Circuit, shots: int, seed: int = 7, **options: Any) -> ChainOutcomes:
    return run_chains(validated(circuit), shots, np.random.SeedSequence(seed), RunControl(), **options)


def random_circuit(seed: int, size: int, count: int, names: tuple[str, ...] = ANY_GATES) -> Circuit:
    random, circuit = Random(seed), Circuit(size, size)
    for _ in range(count):
        spec = GATES[random.choice(names)]
        angles = [random.uniform(-3, 3) for _ in range(spec.num_parameters)]
        circuit.append(spec.name, random.sample(range(size), spec.num_qubits), angles)
    return circuit


def chain_of(
    circuit: Circuit, options: MatrixProductStateOptions | None = None
) -> tuple[Chain, MatrixProductState]:
    method = MatrixProductState(options)
    contract = TestChains()
    state = method.zero(circuit.num_qubits, np.dtype("c16"))
    method.plan(contract.segment(circuit)).apply(state, RunControl())
    return state, method


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 9), st.integers(0, 60))
def test_amplitudes_are_those_of_state_vectors(seed: int, size: int, count: int) -> None:
    circuit = random_circuit(seed, size, count)
    state, method = chain_of(circuit)
    np.testing.assert_allclose(amplitudes(state, RunControl()), statevector(circuit), atol=1e-11)
    assert method.cuts.discarded_weight < 1e-14
    assert method.cuts.largest_bond <= 1 << size // 2
    for left, right in zip(state.tensors, state.tensors[1:], strict=False):
        assert left.shape[2] == right.shape[0]


def test_the_centre_alone_has_the_norm() -> None:
    state, _ = chain_of(random_circuit(3, 8, 60))
    for site, tensor in enumerate(state.tensors):
        left, _, right = tensor.shape
        if site < state.centre:
            flat = tensor.reshape(2 * left, right)
            np.testing.assert_allclose(flat.conj().T @ flat, np.eye(right), atol=1e-12)
        elif site > state.centre:
            flat = tensor.reshape(left, 2 * right)
            np.testing.assert_allclose(flat @ flat.conj().T, np.eye(left), atol=1e-12)


def test_cutting_is_asked_for_and_told() -> None:
    circuit = random_circuit(4, 10, 150)
    state, method = chain_of(circuit, MatrixProductStateOptions(max_bond_dimension=8))
    found = amplitudes(state, RunControl())
    assert method.cuts.largest_bond == 8
    assert method.cuts.discarded_weight > 0.0
    assert np.linalg.norm(found) == pytest.approx(1.0)
    state, method = chain_of(circuit, MatrixProductStateOptions(truncation_threshold=1e-3))
    fidelity = abs(np.vdot(amplitudes(state, RunControl()), statevector(circuit))) ** 2
    assert 0.5 < fidelity < 1.0 - 1e-6
    # Each cut loses at most the threshold, and their sum is about what is lost.
    assert 1.0 - fidelity == pytest.approx(method.cuts.discarded_weight, rel=0.9)


@pytest.mark.parametrize("seed", range(6))
def test_measurements_resets_and_feed_forward(seed: int) -> None:
    random = Random(seed)
    circuit = random_circuit(seed, 5, 12)
    for clbit in range(2):
        circuit.append("measure", [random.randrange(5)], [], [clbit])
        circuit.append("ry", [random.randrange(5)], [0.7], condition=ClbitRef(clbit))
        circuit.append("cx", random.sample(range(5), 2)).append("reset", [random.randrange(5)])
        circuit.append("rxx", random.sample(range(5), 2), [0.9])
    circuit.append("measure", [0], [], [3]).append("measure", [4], [], [4])
    found = outcomes(circuit, 4000)
    assert_likely(found.words, found.counts, distribution(circuit))


def test_what_is_measured_keeps_no_bonds() -> None:
    size = 40
    circuit = Circuit.from_gates(size, [("h", [0]), *(("cx", [i, i + 1]) for i in range(size - 1))])
    state, _ = chain_of(circuit)
    assert {tensor.shape for tensor in state.tensors[1:-1]} == {(2, 2, 2)}
    state.collapse({20: 1}, float(state.weights([20], RunControl())[1]), RunControl())
    assert {tensor.shape for tensor in state.tensors} == {(1, 2, 1)}
    assert state.weights([0], RunControl())[1] == pytest.approx(1.0)


def test_saves() -> None:
    circuit = random_circuit(8, 6, 40)
    observables = tuple(
        Observable((pauli, "IIZIII"), (1.0, -0.5)) for pauli in ("XYZIZX", "IIIIII", "ZIIIIY")
    )
    circuit.append("save", [5, 0, 1, 4, 2, 3], save=Save("v", SaveKind.EXPECTATION_VALUES, observables))
    circuit.append("save", [4, 1], save=Save("p", SaveKind.PROBABILITIES))
    circuit.append("save", range(6), save=Save("s", SaveKind.STATEVECTOR))
    circuit.append("measure", [0], [], [0])
    found, expected = outcomes(circuit, 10).saved, run(circuit, shots=10, seed=1).saved
    assert found.keys() == expected.keys()
    for label in found:
        np.testing.assert_allclose(found[label], expected[label], atol=1e-11)


def test_states_to_begin_with() -> None:
    generator = np.random.default_rng(1)
    given = generator.normal(size=8) + 1j * generator.normal(size=8)
    given /= np.linalg.norm(given)
    circuit = Circuit(6).append("h", [5]).append("cx", [5, 2])
    circuit.append("initialize", [4, 0, 3], initialize=Initialize(amplitudes=given))
    circuit.append("cx", [0, 1])
    circuit.append("save", range(6), save=Save("s", SaveKind.STATEVECTOR))
    expected = run(circuit, shots=1, seed=1).saved["s"]
    np.testing.assert_allclose(outcomes(circuit, 1).saved["s"], expected, atol=1e-12)


def test_a_thousand_qubits() -> None:
    size = 1000
    circuit = Circuit.from_gates(size, [("h", [0]), *(("cx", [i, i + 1]) for i in range(size - 1))], size)
    for qubit in range(size):
        circuit.append("measure", [size - 1 - qubit], [], [qubit])
    circuit.append("x", [3]).append("measure", [3], [], [0])
    found = outcomes(circuit, 20_000, memory=True)
    values = [int.from_bytes(row.tobytes(), "little") for row in found.words]
    assert values == [1, (1 << size) - 2]
    assert abs(int(found.counts[0]) - 10_000) < 5 * 71
    assert found.memory is not None
    assert found.memory.shape == (20_000, 16)
    assert found.cuts.largest_bond == 2
    assert found.cuts.discarded_weight == 0.0


def test_many_distinct_outcomes_have_their_probabilities() -> None:
    circuit = random_circuit(9, 6, 30)
    for qubit in range(6):
        circuit.append("measure", [qubit], [], [qubit])
    found = outcomes(circuit, 50_000)
    expected = np.abs(statevector(random_circuit(9, 6, 30))) ** 2
    assert_likely(found.words, found.counts, dict(enumerate(expected.tolist())))


def test_the_same_seed_gives_the_same() -> None:
    circuit = random_circuit(10, 8, 40).append("measure", [0], [], [0]).append("h", [0])
    for qubit in range(8):
        circuit.append("measure", [qubit], [], [qubit])
    one, two, other = (outcomes(circuit, 500, seed, memory=True) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.memory, two.memory)
    assert (np.asarray(one.memory) != np.asarray(other.memory)).any()


def test_it_is_cancelled_and_tells_how_far_it_is() -> None:
    circuit = random_circuit(11, 8, 60)
    control = RunControl()
    run_chains(validated(circuit), 1, np.random.SeedSequence(1), control)
    assert control.fraction == 1.0
    control.cancel()
    with pytest.raises(SimulationCancelled):
        run_chains(validated(circuit), 1, np.random.SeedSequence(1), control)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"max_bond_dimension": 0}, "max_bond_dimension"),
        ({"max_bond_dimension": 2.0}, "max_bond_dimension"),
        ({"truncation_threshold": -1e-3}, "truncation_threshold"),
        ({"truncation_threshold": float("nan")}, "truncation_threshold"),
    ],
)
def test_options_are_checked(options: dict[str, Any], name: str) -> None:
    with pytest.raises(OptionError) as caught:
        MatrixProductStateOptions(**options)
    assert caught.value.option == name


def test_bonds_are_bounded_from_the_gates() -> None:
    size = 60
    line = Circuit.from_gates(size, [("cx", [i, i + 1]) for i in range(size - 1)])
    assert (bonds(line) == 1.0).all()
    state, _ = chain_of(random_circuit(12, 8, 40, ("h", "rzz", "cx", "rx")))
    bound = 2.0 ** bonds(random_circuit(12, 8, 40, ("h", "rzz", "cx", "rx")))
    assert max(tensor.shape[2] for tensor in state.tensors) <= bound.max()
    assert bonds(line, MatrixProductStateOptions(max_bond_dimension=1)).max() == 0.0
    seconds, size_in_bytes = estimate(line, 1000)
    assert 0.0 < seconds < 1.0
    assert 0 < size_in_bytes < 1 << 24
    deep = random_circuit(13, 40, 2000, ("h", "rzz", "u"))
    assert estimate(deep, 1)[0] > 1e3


def test_what_it_cannot_do_it_names() -> None:
    wide = Circuit(20).append("mcx", range(10))
    assert refuses(wide) == "mcx on 10 qubits; gates of at most 8 are possible"
    with pytest.raises(CircuitError, match="the matrix product state method can't do this: mcx"):
        outcomes(wide, 1)
    saving = Circuit(40).append("save", range(40), save=Save("s", SaveKind.STATEVECTOR))
    assert refuses(saving) == "save 's': the state vector of 40 qubits"
    assert refuses(random_circuit(1, 5, 20)) is None
