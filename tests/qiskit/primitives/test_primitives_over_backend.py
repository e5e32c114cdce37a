"""Qiskit's own primitives over a backend of the server."""

from __future__ import annotations

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerBackend
from qiskit import QuantumCircuit, primitives
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

if not hasattr(primitives, "BackendSamplerV2"):
    pytest.skip("the second version of the primitives came with Qiskit 1.0", allow_module_level=True)


def test_the_sampler_of_a_backend(backend: BasicAerBackend) -> None:
    theta = Parameter("theta")
    circuit = QuantumCircuit(2)
    circuit.rx(theta, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    sampler = primitives.BackendSamplerV2(backend=backend, options={"seed_simulator": 1})
    (result,) = sampler.run([(circuit, [[0], [np.pi]], 50)]).result()
    assert [result.data.meas.get_counts(index) for index in range(2)] == [{"00": 50}, {"11": 50}]


def test_the_estimator_of_a_backend(backend: BasicAerBackend) -> None:
    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.rx(theta, 0)
    estimator = primitives.BackendEstimatorV2(backend=backend, options={"seed_simulator": 1})
    pub = (circuit, [[SparsePauliOp("Z")], [SparsePauliOp("Y")]], [0, np.pi / 2, np.pi])
    (result,) = estimator.run([pub], precision=0.01).result()
    assert np.allclose(result.data.evs, [[1, 0, -1], [0, -1, 0]], atol=0.05)
