"""Phases under a condition: `c_if`, which Qiskit 2 no longer has, and bodies of control flow."""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer.client.qiskit import BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit.library import GlobalPhaseGate
from qiskit.quantum_info import Statevector


def composite(depth: int, phase: float) -> Gate:
    circuit = QuantumCircuit(1, name="composite", global_phase=phase)
    if depth:
        circuit.append(composite(depth - 1, phase), [0])
    else:
        circuit.ry(0.4, 0)
    return circuit.to_gate()


def phase_alone() -> Gate:
    return QuantumCircuit(1, global_phase=0.9).to_gate()


def controlled(gate: Gate) -> Gate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return gate.control(1)


GATES: dict[str, Callable[[], Gate]] = {
    "a phase": lambda: GlobalPhaseGate(0.7),
    "a composite with nothing but a phase": phase_alone,
    "a composite with a phase": lambda: composite(0, 0.7),
    "nested composites with phases": lambda: composite(2, 0.5),
    "a controlled phase": lambda: controlled(GlobalPhaseGate(0.7)),
    "a controlled composite with a phase": lambda: controlled(composite(1, 0.7)),
    "an inverse": lambda: composite(1, 0.7).inverse(),
}


def expected(gate: Gate, taken: bool) -> np.ndarray:
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.h(1)
    if taken:
        circuit.append(gate, [1, 0][: gate.num_qubits])
    return np.asarray(Statevector(circuit).data)


def prepared() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.h(1)
    return circuit


def state(provider: BasicAerProvider, circuit: QuantumCircuit, **options: Any) -> np.ndarray:
    result = provider.get_backend("statevector_simulator").run(circuit, **options).result()
    return np.asarray(result.get_statevector())


@pytest.mark.skipif(not hasattr(Gate, "c_if"), reason="Qiskit 2 has control flow alone")
@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("name", GATES)
def test_phases_under_c_if(provider: BasicAerProvider, name: str, value: int) -> None:
    circuit = prepared()
    gate = GATES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        circuit.append(gate.to_mutable().c_if(circuit.clbits[0], value), [1, 0][: gate.num_qubits])
    np.testing.assert_allclose(state(provider, circuit), expected(gate, bool(value)), atol=1e-9)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("name", GATES)
def test_phases_in_bodies(provider: BasicAerProvider, name: str, value: int) -> None:
    circuit = prepared()
    gate = GATES[name]()
    with circuit.if_test((circuit.clbits[0], value)) as otherwise:
        circuit.append(gate, [1, 0][: gate.num_qubits])
    with otherwise:
        pass
    body = QuantumCircuit(2, 1, global_phase=0.3)
    circuit.if_test((circuit.clbits[0], 1), body, [0, 1], [0])
    found = state(provider, circuit) / cmath.exp(0.3j)
    np.testing.assert_allclose(found, expected(gate, bool(value)), atol=1e-9)


@pytest.mark.skipif(not hasattr(Gate, "c_if"), reason="Qiskit 2 has control flow alone")
def test_a_condition_inside_of_a_composite(provider: BasicAerProvider) -> None:
    inner = QuantumCircuit(2, 1, name="inner", global_phase=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        inner.append(composite(1, 0.6).c_if(inner.clbits[0], 1), [1])
    circuit = prepared()
    circuit.append(inner.to_instruction(), [0, 1], [0])
    wanted = expected(composite(1, 0.6), True) * cmath.exp(0.2j)
    np.testing.assert_allclose(state(provider, circuit), wanted, atol=1e-9)
