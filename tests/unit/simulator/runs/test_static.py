"""Circuits without mid-circuit outcomes: against the reference, Qiskit and qiskit-aer."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    GATES,
    Circuit,
    CircuitError,
    Initialize,
    Instruction,
    OptionError,
    RunResult,
    chop,
    run,
    statevector,
    unitary,
)
from basicaer.simulator.methods.statevector import _sampler, _state, _wide
from basicaer.simulator.reference import interpret, matrix_of, random_circuit, random_unitary
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Statevector
from qiskit_aer import AerSimulator
from scipy.stats import chisquare

from tests.unit.simulator.shorthand import memory_of, statevector_of

BLOCKS = [_state.BLOCK_BITS, 1]


@pytest.fixture(params=BLOCKS, ids=["one block", "blocks of two amplitudes"])
def block_bits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test with the usual blocks, and again with so small ones that everything takes many of them."""
    for module in (_state, _wide, _sampler):
        monkeypatch.setattr(module, "BLOCK_BITS", request.param)


NAMES = [
    "h",
    "sx",
    "t",
    "y",
    "rx",
    "ry",
    "rz",
    "u",
    "p",
    "cx",
    "cz",
    "cp",
    "crx",
    "cu",
    "swap",
    "iswap",
    "ecr",
    "rxx",
    "rzz",
    "rzx",
    "xx_plus_yy",
    "ccx",
    "cswap",
    "ccz",
    "rccx",
]
QISKITS = get_standard_gate_name_mapping()


def random_gates(num_qubits: int, count: int, seed: int) -> tuple[Circuit, QuantumCircuit]:
    """The same random gates for us and for Qiskit: of one to three qubits, with parameters."""
    rng = np.random.default_rng(seed)
    ours, theirs = Circuit(num_qubits), QuantumCircuit(num_qubits)
    for _ in range(count):
        spec = GATES[rng.choice(NAMES)]
        qubits = rng.permutation(num_qubits)[: spec.num_qubits].tolist()
        values = rng.uniform(-4, 4, spec.num_parameters).tolist()
        ours.append(spec.name, qubits, values)
        gate = QISKITS[spec.name]
        theirs.append(type(gate)(*values) if values else gate, qubits)
    return ours, theirs


@pytest.mark.usefixtures("block_bits")
@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, 8))
def test_states_and_matrices_are_the_references(
    random: Random, num_qubits: int, num_instructions: int
) -> None:
    circuit = random_circuit(random, num_qubits=num_qubits, num_instructions=num_instructions)
    (leaf,) = interpret(circuit)
    np.testing.assert_allclose(statevector(circuit), leaf.state, atol=1e-12)
    np.testing.assert_allclose(unitary(circuit), matrix_of(circuit), atol=1e-12)
    np.testing.assert_allclose(statevector(circuit, dtype=np.complex64), leaf.state, atol=2e-5)


@pytest.mark.parametrize("seed", range(5))
def test_circuits_are_qiskits(seed: int) -> None:
    ours, theirs = random_gates(5, 40, seed)
    np.testing.assert_allclose(statevector(ours), Statevector(theirs).data, atol=1e-12)
    np.testing.assert_allclose(unitary(ours), Operator(theirs).data, atol=1e-12)


@pytest.mark.parametrize(("num_qubits", "count"), [(5, 2000), (12, 1000), (19, 150)])
def test_deep_circuits_are_aers(num_qubits: int, count: int) -> None:
    ours, theirs = random_gates(num_qubits, count, 7)
    theirs.save_statevector()
    simulator = AerSimulator(method="statevector", fusion_enable=False)
    decomposed = transpile(theirs, simulator, optimization_level=0)
    expected = simulator.run(decomposed, shots=1).result().get_statevector().data
    np.testing.assert_allclose(statevector(ours), expected, atol=1e-10)
    np.testing.assert_allclose(statevector(ours, dtype=np.complex64), expected, atol=1e-5)


def test_a_state_of_many_blocks_keeps_its_norm() -> None:
    circuit, _ = random_gates(20, 60, 3)
    assert np.linalg.norm(statevector(circuit)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.complex128, 1e-13), (np.complex64, 1e-5)])
def test_initial_state_and_matrix(dtype: npt.DTypeLike, tolerance: float) -> None:
    rng = np.random.default_rng(5)
    matrix = np.linalg.qr(rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8)))[0]
    circuit, theirs = random_gates(3, 10, 1)
    circuit.global_phase = 0.25
    expected = Operator(theirs).data * np.exp(0.25j)
    given_state = matrix[:, 3].copy()
    state = statevector(circuit, initial=given_state, dtype=dtype)
    assert state.dtype == dtype
    np.testing.assert_allclose(state, expected @ matrix[:, 3], atol=tolerance)
    np.testing.assert_array_equal(given_state, matrix[:, 3])
    product = unitary(circuit, initial=matrix, dtype=dtype)
    assert product.dtype == dtype
    np.testing.assert_allclose(product, expected @ matrix, atol=tolerance)


@pytest.mark.usefixtures("block_bits")
@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 3))
def test_initialize_in_any_order_of_qubits(random: Random, num_qubits: int, width: int) -> None:
    assume(width <= num_qubits)
    qubits = random.sample(range(num_qubits), width)
    amplitudes = random_unitary(random, width)[:, 0].copy()
    circuit = Circuit(num_qubits).append("initialize", qubits, initialize=Initialize(amplitudes))
    (leaf,) = interpret(circuit)
    np.testing.assert_allclose(statevector(circuit), leaf.state, atol=1e-14)


def test_resets_and_initializes_of_untouched_qubits_are_not_random() -> None:
    circuit = (
        Circuit(3)
        .append("reset", [0])
        .append("h", [0])
        .append("initialize", [2, 1], initialize=Initialize(label="1+"))
    )
    probabilities = np.abs(statevector(circuit)) ** 2
    # Qubit 1 has the label's first letter, qubit 2 the last.
    np.testing.assert_allclose(probabilities, [0, 0, 0.25, 0.25, 0, 0, 0.25, 0.25], atol=1e-12)


@pytest.mark.parametrize(
    ("gates", "at"),
    [
        ([("h", [0]), ("measure", [0], [], [0])], 1),
        ([("x", [0]), ("reset", [0])], 1),
        ([("x", [0]), ("h", [1]), ("initialize", [0], [], [], {"initialize": Initialize(label="0")})], 2),
    ],
)
def test_random_circuits_have_neither_state_nor_matrix(gates: list[Instruction], at: int) -> None:
    circuit = Circuit.from_gates(2, gates, 1)
    with pytest.raises(CircuitError, match="no random outcomes") as caught:
        statevector(circuit)
    assert caught.value.path == ("body", at)
    with pytest.raises(CircuitError, match="have no matrix"):
        unitary(circuit)


def test_a_reset_has_no_matrix_even_at_the_start() -> None:
    with pytest.raises(CircuitError, match="have no matrix"):
        unitary(Circuit(1).append("reset", [0]))


def counts_of(result: RunResult) -> dict[int, int]:
    return {
        sum(int(word) << 64 * place for place, word in enumerate(words)): int(count)
        for words, count in zip(result.outcomes, result.counts, strict=True)
    }


@pytest.mark.usefixtures("block_bits")
def test_samples_follow_the_state() -> None:
    circuit, _ = random_gates(6, 40, 11)
    expected = np.abs(statevector(circuit)) ** 2
    circuit = Circuit(6, 6, operations=circuit.operations, body=circuit.body)
    for qubit in range(6):
        circuit.append("measure", [qubit], [], [qubit])
    shots = 200_000
    result = run(circuit, shots=shots, seed=17)
    assert result.method == "sampled"
    seen = np.zeros(64)
    seen[result.outcomes[:, 0].astype(int)] = result.counts
    assert seen.sum() == shots
    assert chisquare(seen, expected * shots).pvalue > 1e-4


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("num_qubits", [9, 20])
def test_samples_of_states_of_many_amplitudes_follow_them(num_qubits: int, dtype: npt.DTypeLike) -> None:
    """From a sorted row of points, over one block and over several; here the eight most significant
    qubits are looked at, so that each of their values is expected often."""
    circuit, _ = random_gates(num_qubits, 40, 12)
    circuit = Circuit(num_qubits, num_qubits, operations=circuit.operations, body=circuit.body)
    for qubit in range(num_qubits):
        circuit.append("ry", [qubit], [0.4 + 0.1 * qubit])
    expected = (np.abs(statevector(circuit)) ** 2).reshape(256, -1).sum(axis=1)
    for qubit in range(num_qubits):
        circuit.append("measure", [qubit], [], [qubit])
    shots = 1_000_000
    result = run(circuit, shots=shots, seed=23, dtype=dtype)
    places = (result.outcomes[:, 0] >> np.uint64(num_qubits - 8)).astype(int)
    seen = np.bincount(places, weights=result.counts, minlength=256)
    assert expected.min() * shots > 5
    assert chisquare(seen, expected / expected.sum() * shots).pvalue > 1e-4


@pytest.mark.usefixtures("block_bits")
def test_impossible_outcomes_are_never_sampled() -> None:
    circuit = Circuit(4, 4)
    circuit.append("h", [1]).append("cx", [1, 2])
    for qubit in range(4):
        circuit.append("measure", [qubit], [], [qubit])
    assert set(counts_of(run(circuit, shots=10_000, seed=1))) == {0b0000, 0b0110}


def test_measurements_go_to_any_bits_in_any_word() -> None:
    circuit = Circuit(3, 130)
    circuit.append("x", [0]).append("x", [2])
    for qubit, clbit in [(0, 129), (2, 0), (1, 5), (0, 64), (0, 5), (1, 129), (2, 128)]:
        circuit.append("measure", [qubit], [], [clbit])
    result = run(circuit, shots=10, memory=True)
    outcome = 1 << 0 | 1 << 64 | 1 << 5 | 1 << 128
    assert result.outcomes.shape == (1, 3)
    assert counts_of(result) == {outcome: 10}
    assert memory_of(result).shape == (10, 3)


def test_outcomes_are_sorted_and_distinct() -> None:
    circuit = Circuit(2, 70)
    circuit.append("h", [0]).append("h", [1]).append("measure", [0], [], [69]).append("measure", [1], [], [0])
    result = run(circuit, shots=1000, seed=2)
    assert list(counts_of(result)) == [0, 1, 1 << 69, 1 << 69 | 1]


def test_memory_has_the_counts_in_random_order() -> None:
    circuit = Circuit(1, 1).append("h", [0]).append("measure", [0], [], [0])
    result = run(circuit, shots=2000, seed=4, memory=True)
    values, counts = np.unique(memory_of(result)[:, 0], return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == counts_of(result)
    changes = int((memory_of(result)[1:] != memory_of(result)[:-1]).sum())
    assert 850 < changes < 1150


def test_a_circuit_without_classical_bits_has_the_empty_outcome() -> None:
    result = run(Circuit(1).append("h", [0]), shots=7)
    assert (result.outcomes.tolist(), result.counts.tolist()) == ([[0]], [7])


def test_the_kept_state_is_collapsed_to_the_last_shot() -> None:
    circuit = Circuit(2, 2).append("h", [0]).append("cx", [0, 1]).append("measure", [1], [], [1])
    circuit.global_phase = 0.5
    seen = set()
    for seed in range(20):
        result = run(circuit, shots=5, seed=seed, memory=True, statevector=True)
        outcome = int(memory_of(result)[-1, 0])
        expected = np.zeros(4, dtype=complex)
        expected[3 if outcome else 0] = np.exp(0.5j)
        np.testing.assert_allclose(statevector_of(result), expected, atol=1e-12)
        seen.add(outcome)
    assert seen == {0, 2}


def test_run_from_an_initial_state() -> None:
    circuit = Circuit(2, 1).append("reset", [1]).append("measure", [0], [], [0])
    result = run(circuit, shots=50, initial_statevector=[0, 0, 0, 1], statevector=True)
    assert counts_of(result) == {1: 50}
    np.testing.assert_allclose(statevector_of(result), [0, 1, 0, 0], atol=1e-12)


def test_chop() -> None:
    amplitudes = np.array([1e-16 + 1j, 0.5 + 1e-14j, -1e-16 - 1e-16j])
    chop(amplitudes, 1e-15)
    np.testing.assert_array_equal(amplitudes, [1j, 0.5 + 1e-14j, 0])
    single = np.array([[1e-3 + 1j]], dtype=np.complex64)
    chop(single, 1e-2)
    np.testing.assert_array_equal(single, [[1j]])
    chop(single, 0.0)
    np.testing.assert_array_equal(single, [[1j]])


@pytest.mark.parametrize("shots", [0, -1, 2**63, 1.5, True, "10"])
def test_bad_shots(shots: Any) -> None:
    with pytest.raises(OptionError, match="integer from 1 to 2") as caught:
        run(Circuit(1), shots=shots)
    assert caught.value.option == "shots"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("seed", -1, "integer from 0"),
        ("seed", "one", "integer from 0"),
        ("dtype", np.float64, "complex128 or complex64"),
        ("dtype", "nonsense", "complex128 or complex64"),
        ("threads", 0, "integer from 1"),
        ("initial_statevector", [1, 0, 0], "2 qubits need 2.2 amplitudes"),
        ("initial_statevector", [1, 1, 0, 0], "norm 1.41421356 instead of 1"),
        ("initial_statevector", [float("nan"), 1, 0, 0], "not finite"),
        ("initial_statevector", "text", "not an array"),
    ],
)
def test_bad_options(option: str, value: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        run(Circuit(2), **{option: value})
    assert caught.value.option == option


@pytest.mark.parametrize(
    ("matrix", "message"),
    [(np.eye(2), "2 qubits need"), (np.ones((4, 4)), "not unitary"), ("text", "not an array")],
)
def test_bad_initial_matrices(matrix: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        unitary(Circuit(2), initial=matrix)
