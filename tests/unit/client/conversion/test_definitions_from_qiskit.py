"""Definitions: each is made and read once, and counted before it is expanded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.client.conversion.from_qiskit import CircuitTooLargeError, NestingTooDeepError, circuit_to_proto
from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import Gate
from qiskit.quantum_info import Operator

from tests.unit.client.conversion.converted import unitary


def _nested(levels: int, width: int) -> Any:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    for _ in range(levels):
        gate = Gate("nested", 1, [])
        gate.definition = circuit
        circuit = QuantumCircuit(1)
        for _ in range(width):
            circuit.append(gate, [0])
    return circuit


def test_what_definitions_expand_to_is_counted_before() -> None:
    with pytest.raises(CircuitTooLargeError) as caught:
        circuit_to_proto(_nested(9, 10), max_instructions=10_000_000)
    assert caught.value.limit == 10_000_000
    assert caught.value.actual >= 100_000_000


def test_the_limit_is_exact() -> None:
    assert len(circuit_to_proto(_nested(3, 10), max_instructions=1000).body.operations) == 1000
    with pytest.raises(CircuitTooLargeError):
        circuit_to_proto(_nested(3, 10), max_instructions=999)


def test_a_definition_that_contains_itself_is_refused() -> None:
    gate, circuit = Gate("cycle", 1, []), QuantumCircuit(1)
    circuit.append(gate, [0])
    circuit.append(gate, [0])
    gate.definition = circuit
    circuit.data[0].operation.definition = circuit
    with pytest.raises(NestingTooDeepError):
        circuit_to_proto(circuit, max_instructions=1000)


def _text(body: str, call: str = "foo q[0];") -> QuantumCircuit:
    return qasm2.loads(
        f'OPENQASM 2.0; include "qelib1.inc"; gate foo a {{ {body} }} qreg q[2]; {call}',
        custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
    )


def test_gates_of_two_texts_with_one_name() -> None:
    circuit = _text("x a;")
    circuit.compose(_text("h a;"), [1, 0], inplace=True)
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-12)
    np.testing.assert_allclose(unitary(circuit), Operator(circuit).data, atol=1e-12)


def test_a_definition_of_a_text_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = _text("h a; t a; h a;", "foo q;" * 2000)
    kind = type(circuit.data[0].operation)
    define, made = kind._define, []

    def counted(gate: Any) -> None:
        made.append(gate)
        define(gate)

    monkeypatch.setattr(kind, "_define", counted)
    assert len(circuit_to_proto(circuit).body.operations) == 3 * 4000
    assert len(made) == 1


def test_a_definition_that_many_gates_hold_is_read_once() -> None:
    class Watched(QuantumCircuit):  # type: ignore[misc]  # Qiskit has no types
        reads = 0

        @property
        def global_phase(self) -> Any:
            Watched.reads += 1
            return super().global_phase

        @global_phase.setter
        def global_phase(self, value: Any) -> None:
            QuantumCircuit.global_phase.__set__(self, value)

    shared = Watched(1)
    shared.h(0)
    circuit = QuantumCircuit(1)
    for _ in range(1000):
        gate = Gate("any", 1, [])
        gate.definition = shared
        circuit.append(gate, [0])
    Watched.reads = 0
    assert len(circuit_to_proto(circuit).body.operations) == 1000
    assert Watched.reads == 1


@pytest.mark.parametrize(("first", "second"), [(1, 30), (30, 1)])
def test_the_limit_counts_each_gate_of_a_name_by_itself(first: int, second: int) -> None:
    circuit = _text("h a;" * first)
    circuit.compose(_text("h a;" * second), inplace=True)
    assert len(circuit_to_proto(circuit, max_instructions=31).body.operations) == 31
    with pytest.raises(CircuitTooLargeError):
        circuit_to_proto(circuit, max_instructions=30)


def test_a_wait_of_any_length_is_one_instruction() -> None:
    circuit = _text("u0(1000000000) a;", "foo q[0]; u0(1000000000) q[1];")
    assert [operation.name for operation in circuit_to_proto(circuit).operations] == ["id"]
