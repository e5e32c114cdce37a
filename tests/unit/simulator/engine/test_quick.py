"""Small circuits are applied gate by gate: the same amplitudes as by the general way, or no answer at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import Circuit, GateSpec, ValidCircuit, statevector
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.methods.statevector._quick import MOST_QUBITS, quick_statevector

PLAIN = [spec for spec in GATES.values() if not spec.any_controls]
DIAGONAL = [GATES[name] for name in ("z", "s", "t", "rz", "cz", "cp", "rzz", "crz", "ccz", "global_phase")]
FLIPS = [GATES[name] for name in ("x", "y", "cx", "ccx", "swap", "cswap", "h")]


def random_unitary(random: np.random.Generator, size: int) -> npt.NDArray[np.complex128]:
    matrix = random.normal(size=(size, size)) + 1j * random.normal(size=(size, size))
    return np.ascontiguousarray(np.linalg.qr(matrix)[0])


def random_circuit(num_qubits: int, num_gates: int, seed: int | list[int], specs: list[GateSpec]) -> Circuit:
    random = np.random.default_rng(seed)
    fitting = [spec for spec in specs if spec.num_qubits <= num_qubits]
    circuit = Circuit(num_qubits, global_phase=float(random.uniform(-3, 3)))
    for _ in range(num_gates):
        if random.random() < 0.1 and num_qubits > 1 and specs is PLAIN:
            width = int(random.integers(1, 3))
            qubits = random.permutation(num_qubits)[:width].tolist()
            circuit.append("unitary", qubits, matrix=random_unitary(random, 1 << width))
            continue
        spec = fitting[random.integers(len(fitting))]
        qubits = random.permutation(num_qubits)[: spec.num_qubits].tolist()
        # Few distinct angles, so that equal matrices follow each other.
        circuit.append(
            spec.name, qubits, random.choice([0.0, 0.3, -1.2, np.pi], spec.num_parameters).tolist()
        )
    return circuit


@pytest.mark.parametrize("specs", [PLAIN, DIAGONAL + FLIPS, FLIPS], ids=["all", "diagonal", "flips"])
@pytest.mark.parametrize("num_qubits", range(1, 12))
def test_amplitudes_are_those_of_the_general_way(num_qubits: int, specs: list[GateSpec]) -> None:
    for seed in range(12):
        circuit = random_circuit(num_qubits, (5, 40, 200)[seed % 3], [num_qubits, seed], specs)
        found = quick_statevector(circuit, single=False)
        assert found is not None
        np.testing.assert_allclose(found, statevector(ValidCircuit(circuit)), rtol=0, atol=1e-12)
        np.testing.assert_array_equal(statevector(circuit, dtype=np.complex64), found.astype(np.complex64))


@pytest.mark.parametrize("num_qubits", range(12, MOST_QUBITS + 1))
def test_larger_states_of_few_gates(num_qubits: int) -> None:
    circuit = random_circuit(num_qubits, 16, num_qubits, PLAIN)
    for target in range(num_qubits if num_qubits < MOST_QUBITS else 0):
        circuit.append("h", [target])
    found = quick_statevector(circuit, single=False)
    assert found is not None
    np.testing.assert_allclose(found, statevector(ValidCircuit(circuit)), rtol=0, atol=1e-12)


def test_long_circuits_of_large_states_are_planned() -> None:
    assert quick_statevector(random_circuit(16, 1000, 1, PLAIN), single=False) is None


def test_what_is_appended_after_a_run_is_seen() -> None:
    circuit = Circuit(2).append("h", [0])
    assert quick_statevector(circuit, single=False) is not None
    circuit.append("ry", [1], [0.5])
    found = quick_statevector(circuit, single=False)
    assert found is not None
    np.testing.assert_allclose(found, statevector(ValidCircuit(circuit)), atol=1e-15)


def first_amplitude(circuit: Circuit) -> complex:
    found = quick_statevector(circuit, single=False)
    assert found is not None
    return complex(found[0])


def test_both_ways_take_a_matrix_as_it_was_when_it_was_given() -> None:
    matrix = np.eye(2, dtype=np.complex128)
    circuit = Circuit(1).append("unitary", [0], matrix=matrix)
    assert first_amplitude(circuit) == 1.0
    matrix[:] = [[0, 1], [1, 0]]
    assert first_amplitude(circuit) == 1.0
    assert statevector(ValidCircuit(circuit))[0] == 1.0
    matrix[:] = 1.0
    assert first_amplitude(circuit) == 1.0


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(2).append("h", [2]),
        Circuit(2).append("cx", [1, 1]),
        Circuit(2).append("cx", [1]),
        Circuit(2).append("h", [0, 1]),
        Circuit(1).append("rx", [0], [float("nan")]),
        Circuit(1).append("rx", [0], []),
        Circuit(1, 1).append("measure", [0], [], [0]),
        Circuit(2).append("x", [0, 1], num_controls=1),
        Circuit(1).append("reset", [0]),
        Circuit(1).append("unitary", [0], matrix=np.full((2, 2), 0.5 + 0j)),
    ],
)
def test_what_is_not_known_or_not_valid_is_left_to_the_general_way(circuit: Circuit) -> None:
    assert quick_statevector(circuit, single=False) is None
