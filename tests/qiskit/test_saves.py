"""Save instructions, as circuits that were written for Aer have them."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerBackend
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Instruction
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector

aer = pytest.importorskip("qiskit_aer")


def saving() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.save_statevector(label="first")
    circuit.cx(0, 1)
    circuit.save_expectation_value(SparsePauliOp(["ZZ", "XX", "ZI"], [1, 0.5, 2]), [0, 1])
    circuit.save_expectation_value(Pauli("Z"), [1], label="one")
    circuit.save_probabilities(label="both")
    circuit.save_probabilities([1], label="upper")
    circuit.ry(0.3, 0)
    circuit.save_state()
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize("level", [None, 0, 1, 3])
def test_the_same_data_as_aer(backend: BasicAerBackend, level: int | None) -> None:
    circuit = saving() if level is None else transpile(saving(), backend, optimization_level=level)
    ours = backend.run(circuit, shots=100).result()
    theirs = aer.AerSimulator().run(saving(), shots=100).result()
    assert ours.data().keys() == theirs.data().keys()
    for label, value in theirs.data().items():
        if label != "counts":
            assert np.allclose(np.asarray(ours.data()[label]), np.asarray(value)), label
    assert isinstance(ours.data()["expectation_value"], float)
    assert np.allclose(np.asarray(ours.get_statevector()), Statevector(theirs.get_statevector()).data)


def test_names_suffice_without_aers_classes(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(2)
    circuit.x(1)
    circuit.append(Instruction("save_probabilities", 2, 0, [], label="mine"), [0, 1])
    circuit.append(Instruction("save_statevector", 2, 0, []), [0, 1])
    data = backend.run(circuit).result().data()
    assert np.allclose(data["mine"], [0, 0, 1, 0])
    assert np.allclose(np.asarray(data["statevector"]), [0, 0, 1, 0])


def test_what_can_not_be_kept_is_refused_by_name(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1)
    circuit.save_density_matrix()
    with pytest.raises(QiskitError, match=r"save_density_matrix.*it knows save_statevector"):
        backend.run(circuit)
    circuit = QuantumCircuit(1)
    circuit.save_statevector(pershot=True)
    with pytest.raises(QiskitError, match="leave out pershot"):
        backend.run(circuit)
