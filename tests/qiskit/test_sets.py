"""Instructions that set a state, as circuits that were written for Aer have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import AerSimulator, BasicAerBackend
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Instruction
from qiskit.circuit.library import CXGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import (
    DensityMatrix,
    Operator,
    StabilizerState,
    Statevector,
    SuperOp,
    random_clifford,
    random_density_matrix,
    random_quantum_channel,
    random_statevector,
    random_unitary,
)

aer = pytest.importorskip("qiskit_aer")


def before(size: int) -> QuantumCircuit:
    """A circuit that leaves its qubits entangled, and measured in part."""
    circuit = QuantumCircuit(size, 1)
    circuit.h(0)
    for qubit in range(size - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.ry(0.4, size - 1)
    circuit.measure(0, 0)
    return circuit


def density_matrix(backend: BasicAerBackend, circuit: QuantumCircuit, shots: int = 4) -> Any:
    circuit.save_density_matrix()
    return backend.run(circuit, shots=shots, seed_simulator=5).result().data()["density_matrix"].data


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("mid", [False, True])
def test_state_vectors(backend: BasicAerBackend, size: int, mid: bool) -> None:
    state = random_statevector(2**size, seed=3)
    circuit = before(size) if mid else QuantumCircuit(size)
    circuit.set_statevector(state)
    circuit = transpile(circuit, backend)
    np.testing.assert_allclose(density_matrix(backend, circuit), DensityMatrix(state).data, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 4, 5])
@pytest.mark.parametrize("seed", range(4))
def test_stabilizers(backend: BasicAerBackend, size: int, seed: int) -> None:
    clifford = random_clifford(size, seed=10 * size + seed)
    circuit = before(size) if seed % 2 else QuantumCircuit(size)
    circuit.set_stabilizer(clifford)
    wanted = DensityMatrix(Statevector(clifford.to_circuit())).data
    np.testing.assert_allclose(density_matrix(backend, circuit), wanted, atol=1e-9)


def test_stabilizers_of_many_qubits(backend: BasicAerBackend) -> None:
    clifford = random_clifford(14, seed=1)
    circuit = QuantumCircuit(14)
    circuit.set_stabilizer(StabilizerState(clifford))
    circuit.compose(clifford.to_circuit().inverse(), inplace=True)
    circuit.save_amplitudes_squared([0])
    assert backend.run(circuit, shots=1).result().data()["amplitudes_squared"] == pytest.approx([1.0])


@pytest.mark.parametrize("size", [2, 5])
def test_density_matrices(backend: BasicAerBackend, size: int) -> None:
    state = random_density_matrix(2**size, rank=3, seed=2)
    circuit = before(size)
    circuit.set_density_matrix(state)
    np.testing.assert_allclose(density_matrix(backend, circuit), state.data, atol=1e-9)


def test_matrix_product_states(backend: BasicAerBackend) -> None:
    source = QuantumCircuit(4)
    source.h(0)
    for qubit in range(3):
        source.ry(0.3 + qubit, qubit)
        source.cx(qubit, qubit + 1)
        source.rz(0.7, qubit)
    saving = source.copy()
    saving.save_matrix_product_state(label="chain")
    chain = aer.AerSimulator(method="matrix_product_state").run(saving).result().data()["chain"]
    circuit = QuantumCircuit(4)
    circuit.set_matrix_product_state(chain)
    wanted = DensityMatrix(source).data
    np.testing.assert_allclose(density_matrix(backend, circuit), wanted, atol=1e-9)


@pytest.mark.parametrize("automatic", [True, False])
def test_matrices(address: str, automatic: bool) -> None:
    matrix, change = random_unitary(4, seed=1), random_quantum_channel(2, 2, seed=3)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.set_unitary(matrix)
    circuit.cx(0, 1)
    circuit.save_unitary()
    ours = AerSimulator(address) if automatic else AerSimulator(address, method="unitary")
    circuit = transpile(circuit, ours)
    found = ours.run(circuit).result().data()["unitary"]
    np.testing.assert_allclose(found.data, Operator(CXGate()).data @ matrix.data, atol=1e-9)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.set_superop(SuperOp(matrix))
    circuit.append(SuperOp(change).to_instruction(), [1])
    circuit.save_superop()
    ours = AerSimulator(address) if automatic else AerSimulator(address, method="superop")
    result = ours.run(transpile(circuit, ours)).result()
    wanted = SuperOp(matrix).compose(SuperOp(change), [1])
    np.testing.assert_allclose(result.data()["superop"].data, wanted.data, atol=1e-9)
    assert result.results[0].metadata["method"] == "superop"


def test_what_can_not_be_set_is_refused_by_name(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1)
    circuit.set_unitary(random_unitary(2, seed=1))
    with pytest.raises(QiskitError, match=r"qasm_simulator has no unitary matrix to set"):
        backend.run(circuit)
    circuit = QuantumCircuit(1)
    circuit.set_superop(SuperOp(random_unitary(2, seed=1)))
    circuit.save_statevector()
    with pytest.raises(QiskitError, match="set_state with a superoperator"):
        backend.run(circuit)
    odd = Instruction("set_wavefunction", 1, 0, [[1.0, 0.0]])
    circuit = QuantumCircuit(1)
    circuit.append(odd, [0])
    with pytest.raises(QiskitError, match=r"set_wavefunction.*it knows set_statevector"):
        backend.run(circuit)
