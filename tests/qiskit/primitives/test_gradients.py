"""`EstimatorGradient` against differences of Qiskit's own estimator, and in an optimizer's hands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerProvider, EstimatorGradient, EstimatorV2
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize

HAMILTONIAN = SparsePauliOp(["ZZI", "IXX", "YIY", "IIZ"], [1.0, -0.5, 0.25, 0.7])
STEP = 1e-4


@pytest.fixture(scope="module")
def provider(address: str) -> Iterator[BasicAerProvider]:
    """A connection to the shared server."""
    with BasicAerProvider(address) as connection:
        yield connection


def ansatz() -> QuantumCircuit:
    theta, phi = ParameterVector("t", 4), Parameter("a phase")
    circuit = QuantumCircuit(3)
    circuit.ry(theta[0], 0)
    circuit.crx(2 * theta[1] - phi, 0, 1)
    circuit.rzz(theta[2], 1, 2)
    circuit.u(theta[3], phi, theta[0], 2)
    circuit.cx(2, 0)
    circuit.p(phi * theta[1], 0)
    circuit.ry(0.4, 0)
    return circuit


def differences(circuit: QuantumCircuit, point: Any) -> Any:
    """The central differences of Qiskit's estimator, by each parameter."""
    point = np.asarray(point, dtype=float)
    moved = np.stack([point + sign * STEP * np.eye(len(point)) for sign in (1, -1)])
    evs = StatevectorEstimator().run([(circuit, HAMILTONIAN, moved)]).result()[0].data.evs
    return (evs[0] - evs[1]) / (2 * STEP)


def test_gradients_are_those_of_qiskits_estimator(provider: BasicAerProvider) -> None:
    circuit = ansatz()
    points = [[0.3, -0.2, 0.9, 1.4, 0.6], [1.3, 0.2, -0.9, 0.4, -0.6]]
    job = EstimatorGradient(provider).run([circuit, circuit], [HAMILTONIAN, HAMILTONIAN], points)
    result = job.result()
    assert len(result.gradients) == 2
    for found, point in zip(result.gradients, points, strict=True):
        assert np.allclose(found, differences(circuit, point), atol=1e-6)
    assert result.metadata[0]["parameters"] == list(circuit.parameters)
    assert result.precision == 0.0


def test_chosen_parameters_alone_are_differentiated_by(provider: BasicAerProvider) -> None:
    circuit = ansatz()
    point = [0.3, -0.2, 0.9, 1.4, 0.6]
    gradient = EstimatorGradient(EstimatorV2(provider))
    whole = gradient.run([circuit], [HAMILTONIAN], [point]).result().gradients[0]
    known = list(circuit.parameters)
    wanted = [known[3], known[0]]
    found = gradient.run([circuit], [HAMILTONIAN], [point], [wanted]).result()
    assert found.gradients[0].tolist() == [whole[3], whole[0]]
    assert found.metadata[0]["parameters"] == wanted


def test_an_optimizer_follows_it_to_the_ground_state(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(3)
    theta = ParameterVector("t", 12)
    for layer in range(2):
        for qubit in range(3):
            circuit.ry(theta[6 * layer + 2 * qubit], qubit)
            circuit.rz(theta[6 * layer + 2 * qubit + 1], qubit)
        circuit.cx(0, 1)
        circuit.cx(1, 2)
    estimator, gradient = EstimatorV2(provider), EstimatorGradient(provider)

    def energy(point: Any) -> float:
        return float(estimator.run([(circuit, HAMILTONIAN, point)]).result()[0].data.evs)

    def slope(point: Any) -> Any:
        return gradient.run([circuit], [HAMILTONIAN], [point]).result().gradients[0]

    found = minimize(energy, np.linspace(0.1, 1.2, 12), jac=slope, method="L-BFGS-B")
    least = np.linalg.eigvalsh(HAMILTONIAN.to_matrix())[0]
    assert least - 1e-9 <= found.fun < least + 0.2
    # By differences it would have been 13 for each.
    assert found.nfev < 100


def test_lists_that_do_not_fit_are_refused(provider: BasicAerProvider) -> None:
    gradient = EstimatorGradient(provider)
    with pytest.raises(ValueError, match="give as many of each"):
        gradient.run([ansatz()], [HAMILTONIAN], [])
    with pytest.raises(ValueError, match="a parameter is none of the circuit"):
        gradient.run([ansatz()], [HAMILTONIAN], [[0.0] * 5], [[Parameter("other")]])
    with pytest.raises(TypeError, match="set them there"):
        EstimatorGradient(EstimatorV2(provider), seed=3)
