"""Circuits as wide as a device, of which they use a few qubits: what people bring from IBM's Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.client import JobExceedsMemoryError
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider, EstimatorV2, SamplerV2
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector

WIDTH = 127
LAYOUT = [5, 64, 126]


def ansatz() -> QuantumCircuit:
    theta = Parameter("theta")
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(theta, 1)
    circuit.cx(1, 2)
    circuit.rz(2 * theta, 2)
    circuit.ry(0.4, 2)
    return circuit


def laid_out(circuit: QuantumCircuit) -> QuantumCircuit:
    device = GenericBackendV2(WIDTH, seed=1)
    return transpile(circuit, device, initial_layout=LAYOUT, optimization_level=1, seed_transpiler=1)


def expected_counts(circuit: QuantumCircuit) -> dict[str, float]:
    return {key: float(p) for key, p in Statevector(circuit).probabilities_dict().items() if p > 1e-9}


def test_a_backend_counts(backend: BasicAerBackend) -> None:
    circuit = ansatz().assign_parameters([0.7])
    wide = circuit.copy()
    wide.measure_all()
    wide = laid_out(wide)
    assert wide.num_qubits == WIDTH
    counts = backend.run(wide, shots=4000, seed_simulator=3).result().get_counts()
    expected = expected_counts(circuit)
    assert set(counts) == set(expected)
    assert all(abs(counts[key] / 4000 - p) < 0.05 for key, p in expected.items())


def test_all_qubits_are_measured(backend: BasicAerBackend) -> None:
    wide = laid_out(ansatz().assign_parameters([0.7]))
    wide.measure_all()
    result = backend.run(wide, shots=200, seed_simulator=3, memory=True).result()
    held = sum(1 << qubit for qubit in LAYOUT)
    for key in [*result.get_counts(), *result.get_memory()]:
        assert len(key) == WIDTH
        assert int(key, 2) & ~held == 0


def test_primitives(provider: BasicAerProvider) -> None:
    circuit = ansatz()
    values = np.linspace(-1, 1, 5).reshape(5, 1)
    measured = circuit.copy()
    measured.measure_all()
    sampled = SamplerV2(provider, seed=2).run([(laid_out(measured), values)], shots=300).result()
    assert sampled[0].data.meas.num_shots == 300
    observable = SparsePauliOp(["ZZI", "XIX", "IYY", "III"], [1.0, 0.5, -0.25, 2.0])
    wide = laid_out(circuit)
    found = EstimatorV2(provider).run([(wide, observable.apply_layout(wide.layout), values)]).result()
    theirs = StatevectorEstimator().run([(circuit, observable, values)]).result()
    assert np.allclose(found[0].data.evs, theirs[0].data.evs, atol=1e-9)


def test_a_flipped_qubit_is_read_and_a_whole_state_refused(provider: BasicAerProvider) -> None:
    wide = QuantumCircuit(WIDTH)
    wide.h(3)
    wide.x(100)
    observables = [
        SparsePauliOp.from_sparse_list([(letters, qubits, 1.0)], WIDTH)
        for letters, qubits in (("Z", [100]), ("Z", [7]), ("X", [7]), ("X", [3]), ("ZX", [100, 3]))
    ]
    found = EstimatorV2(provider).run([(wide, observables)]).result()
    assert np.allclose(found[0].data.evs, [-1, 1, 0, 1, -1])
    with pytest.raises(JobExceedsMemoryError, match="gates act on 2 alone"):
        provider.get_backend("statevector_simulator").run(wide).result()
