"""The plain client's `Program` of a Qiskit circuit, whose inputs are the circuit's parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client import CircuitError, Program
from basicaer.client.qiskit import BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import HamiltonianGate
from qiskit.quantum_info import Statevector

THETA, UNUSED, VECTOR = Parameter("theta"), Parameter("unused"), ParameterVector("v", 2)
ROWS = np.array([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]])


def circuit(*, numeric: bool) -> QuantumCircuit:
    made = QuantumCircuit(2, global_phase=0 * UNUSED)
    if numeric:
        made.append(HamiltonianGate(np.array([[0, 0.5], [0.5, 0]]), THETA), [0])
    else:
        made.rx(THETA, 0)
    made.ry(VECTOR[0], 0)
    made.ry(VECTOR[1], 1)
    return made


def states(provider: BasicAerProvider, program: Program) -> list[np.ndarray]:
    result = provider.client.get_backend("statevector_simulator").run(program).result()
    return [np.asarray(result.get_statevector(index)) for index in range(len(result.results))]


@pytest.mark.parametrize("numeric", [False, True])
@pytest.mark.parametrize(
    "inputs",
    [
        {THETA: ROWS[:, 0], VECTOR: ROWS[:, 1:], UNUSED: 0.0},
        {"theta": ROWS[:, 0], "v": ROWS[:, 1:], "unused": [0, 1]},
        {"theta": list(ROWS[:, 0]), "v[0]": ROWS[:, 1], VECTOR[1]: ROWS[:, 2], "unused": 5},
    ],
)
def test_parameters_are_inputs(provider: BasicAerProvider, inputs: dict[Any, Any], numeric: bool) -> None:
    plain = QuantumCircuit(2)
    plain.rx(THETA, 0)
    plain.ry(VECTOR[0], 0)
    plain.ry(VECTOR[1], 1)
    found = states(provider, Program(circuit(numeric=numeric), inputs=inputs))
    for state, row in zip(found, ROWS, strict=True):
        bound = plain.assign_parameters({THETA: row[0], VECTOR: row[1:]})
        assert np.allclose(state, Statevector(bound).data)


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, r"'unused' has no value; .* or give Program\(circuit, inputs="),
        ({"theta": 1}, "without a value: 'unused', 'v\\[0\\]', 'v\\[1\\]'"),
        ({"theta": 1, "v": [1, 2], "unused": 0, "phi": 1}, "has no input 'phi'"),
        ({"theta": [], "v": np.zeros((0, 2)), "unused": []}, "have no rows"),
        ({"theta": 1, "v": [1, 2, 3], "unused": 0}, "gives 'v' no 2 values"),
        ({"theta": "x", "v": [1, 2], "unused": 0}, "no rows of numbers"),
    ],
)
def test_inputs_that_do_not_fit(provider: BasicAerProvider, inputs: dict[Any, Any], text: str) -> None:
    with pytest.raises(CircuitError, match=text):
        states(provider, Program(circuit(numeric=False), inputs=inputs))
