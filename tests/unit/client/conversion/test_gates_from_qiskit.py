"""Gates against Qiskit's own matrices: by name, controlled, and expanded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client.conversion._operations import GATE_SHAPES
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, InverseModifier, PowerModifier, library
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator, random_clifford, random_unitary

from tests.unit.client.conversion.converted import unitary


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 2**31))
def test_random_circuits_have_qiskits_matrix(qubits: int, depth: int, seed: int) -> None:
    circuit = random_circuit(qubits, depth, max_operands=min(qubits, 4), seed=seed)
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-10)


@pytest.mark.parametrize("name", sorted(GATE_SHAPES))
def test_the_gates_that_the_converter_names_are_the_servers(name: str) -> None:
    spec = sim.GATES[name]
    assert (spec.num_qubits, spec.num_parameters) == GATE_SHAPES[name]


@pytest.mark.parametrize("name", sorted(library.get_standard_gate_name_mapping()))
def test_every_standard_gate_stays_one_instruction(name: str) -> None:
    gate = library.get_standard_gate_name_mapping()[name]
    if name in ("measure", "reset", "delay"):
        pytest.skip("no gate")
    gate = gate.base_class(*(0.1 * (place + 1) for place in range(len(gate.params))))
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    message = circuit_to_proto(circuit)
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-12)
    if name == "global_phase":
        assert message.global_phase == pytest.approx(0.1)
    else:
        assert [operation.name for operation in message.operations] == [name]


def _composite() -> Any:
    inner = QuantumCircuit(2, name="inner", global_phase=0.7)
    inner.x(0)
    inner.cp(0.3, 1, 0)
    return inner.to_gate()


def _controlled(gate: Any, count: int, state: int | str | None = None) -> Any:
    return gate.control(count, ctrl_state=state, annotated=False)


CONTROLLED: list[Callable[[], Any]] = [
    lambda: _controlled(library.XGate(), 3, 5),
    lambda: library.CXGate(ctrl_state=0),
    lambda: _controlled(library.PhaseGate(0.3), 4),
    lambda: _controlled(library.RZGate(0.2), 2, "01"),
    lambda: _controlled(library.SwapGate(), 2, 2),
    lambda: library.CUGate(0.1, 0.2, 0.3, 0.4),
    lambda: library.CUGate(0.1, 0.2, 0.3, 0.4, ctrl_state=0),
    lambda: _controlled(library.CUGate(0.1, 0.2, 0.3, 0.4, ctrl_state=0), 1),
    lambda: _controlled(library.CUGate(0.1, 0.2, 0.3, 0.4), 1, 0),
    lambda: _controlled(library.CRXGate(0.4, ctrl_state=0), 2, 1),
    lambda: _controlled(library.UnitaryGate(random_unitary(4, seed=3)), 2, 1),
    lambda: _controlled(library.GlobalPhaseGate(0.4), 2, 1),
    lambda: library.MCXGate(4, ctrl_state=3),
    lambda: library.C3SXGate(),
    lambda: library.RC3XGate(),
    lambda: library.CCZGate(ctrl_state=1),
    lambda: _controlled(_composite(), 2, 1),
    lambda: AnnotatedOperation(library.SGate(), [ControlModifier(2, 1), InverseModifier(), PowerModifier(3)]),
]


@pytest.mark.parametrize("make", CONTROLLED)
def test_controlled_gates(make: Callable[[], Any]) -> None:
    gate = make()
    circuit = QuantumCircuit(5)
    circuit.append(gate, list(range(5))[::-1][: gate.num_qubits])
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-9)


def test_a_controlled_standard_gate_is_one_instruction_with_a_control_state() -> None:
    circuit = QuantumCircuit(4)
    circuit.append(_controlled(library.RZGate(0.2), 3, 5), [0, 1, 2, 3])
    (operation,) = circuit_to_proto(circuit).operations
    assert (operation.name, operation.num_controls, operation.control_state) == ("rz", 3, 5)


@pytest.mark.parametrize(
    "make",
    [
        _composite,
        lambda: library.QFTGate(4),
        lambda: library.PermutationGate([2, 0, 1]),
        lambda: library.PauliGate("XYZ"),
        lambda: library.DiagonalGate([1, -1, 1j, -1j]),
        lambda: library.StatePreparation([0.6, 0.0, 0.0, 0.8j]),
        lambda: library.UnitaryGate(random_unitary(8, seed=1)),
        lambda: random_clifford(3, seed=5),
        lambda: (
            library.ExcitationPreserving(3).assign_parameters([0.1] * 15).to_gate()
            if False
            else library.GRX(3, 0.2).to_gate()
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gates_that_the_service_does_not_know_are_expanded(make: Callable[[], Any]) -> None:
    gate = make()
    circuit = QuantumCircuit(5)
    circuit.append(gate, list(range(5))[::-1][: gate.num_qubits])
    circuit.append(gate, list(range(gate.num_qubits)))
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-9)


def test_a_gate_with_a_matrix_alone_becomes_a_unitary() -> None:
    class OnlyMatrix(Gate):  # type: ignore[misc]  # Qiskit has no types
        def __init__(self) -> None:
            super().__init__("only_matrix", 1, [])

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([[0, 1j], [1j, 0]], dtype=dtype)

    circuit = QuantumCircuit(1)
    circuit.append(OnlyMatrix(), [0])
    assert [operation.name for operation in circuit_to_proto(circuit).operations] == ["unitary"]
    np.testing.assert_allclose(unitary(circuit), [[0, 1j], [1j, 0]])


def test_a_gate_of_a_standard_name_with_its_own_definition_is_what_it_defines() -> None:
    other = QuantumCircuit(1, name="h")
    other.x(0)
    circuit = QuantumCircuit(1)
    circuit.append(other.to_gate(), [0])
    np.testing.assert_allclose(unitary(circuit), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: _controlled(library.HGate(), 3),
        lambda: _controlled(library.RXGate(0.2), 2, 1),
        lambda: _controlled(library.SwapGate(), 2),
        lambda: library.MCXGate(4),
        lambda: library.MCPhaseGate(0.3, 3),
    ],
)
def test_a_controlled_gate_with_another_definition_is_what_it_defines(make: Callable[[], Any]) -> None:
    gate = make()
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    _ = circuit.data[0].operation.definition
    assert len(circuit_to_proto(circuit).body.operations) == 1
    other = QuantumCircuit(gate.num_qubits)
    other.y(0)
    other.h(1)
    circuit.data[0].operation.definition = other
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-9)


def test_annotated_controls_stand_before_every_instruction() -> None:
    inner = QuantumCircuit(2, name="h", global_phase=0.4)
    inner.cx(0, 1, ctrl_state=0)
    inner.rz(0.3, 1)
    inner.unitary(random_unitary(4, seed=2), [1, 0])
    gate = AnnotatedOperation(
        inner.to_gate(), [ControlModifier(1, 0), InverseModifier(), ControlModifier(2, 1), PowerModifier(2)]
    )
    circuit = QuantumCircuit(5)
    circuit.append(gate, [4, 1, 0, 3, 2])
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-9)
