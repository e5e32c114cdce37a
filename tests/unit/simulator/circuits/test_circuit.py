"""The builder and the packed columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer.simulator import (
    Block,
    Circuit,
    CircuitError,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    IfElse,
    Literal,
    Operation,
    Variable,
    VariableRef,
    statevector,
)

from tests.unit.simulator.shorthand import block_of


def test_equal_instructions_share_one_operation() -> None:
    circuit = Circuit.from_gates(3, [("h", [0]), ("cx", [0, 1]), ("h", [2]), ("rx", [1], [0.5]), ("h", [1])])
    assert [operation.name for operation in circuit.operations] == ["h", "cx", "rx"]
    assert circuit.body.operations.tolist() == [0, 1, 0, 2, 0]
    assert circuit.body.qubits.tolist() == [0, 0, 1, 2, 1, 1]
    assert circuit.body.parameters.tolist() == [0.5]
    assert len(circuit) == 5


def test_operations_differ_by_their_fields() -> None:
    condition = ClbitRef(0)
    circuit = Circuit(3, 1)
    circuit.append("x", [0, 1], num_controls=1, control_state=0)
    circuit.append("x", [1, 2], num_controls=1, control_state=0)
    circuit.append("x", [0, 1], num_controls=1, control_state=1)
    circuit.append("x", [0], condition=condition).append("x", [1], condition=condition)
    assert circuit.body.operations.tolist() == [0, 0, 1, 2, 2]


def test_append_after_reading_the_body_goes_on() -> None:
    circuit = Circuit(1).append("h", [0])
    first = circuit.body
    circuit.append("x", [0])
    assert len(first) == 1
    assert circuit.body.operations.tolist() == [0, 1]


def test_columns_are_taken_without_a_copy_and_are_read_only() -> None:
    qubits = np.array([0, 1], dtype=np.uint32)
    block = Block(np.array([0, 0], dtype=np.uint32), qubits)
    assert np.shares_memory(block.qubits, qubits)
    with pytest.raises(ValueError, match="read-only"):
        block.qubits[0] = 1


def test_columns_convert_whatever_numpy_does() -> None:
    block = block_of([0, 1], [3, 4], [], [0.5])
    assert block.qubits.dtype == np.uint32
    assert block.parameters.dtype == np.float64


def test_an_expression_makes_all_parameters_expressions() -> None:
    circuit = Circuit(1, variables=[Variable("a", ClassicalType(ClassicalKind.FLOAT))])
    circuit.append("u2", [0], [VariableRef(0), 0.5])
    assert circuit.operations[0].parameter_expressions == (VariableRef(0), Literal(0.5))
    assert len(circuit.body.parameters) == 0


def test_a_block_joins_its_operations_to_the_table() -> None:
    circuit = Circuit(1, 1)
    block = circuit.block([("h", [0]), ("measure", [0], [], [0])])
    circuit.append("if_else", if_else=IfElse(ClbitRef(0), block))
    assert [operation.name for operation in circuit.operations] == ["h", "measure", "if_else"]
    assert circuit.has_measurements
    assert not Circuit(1).append("h", [0]).has_measurements


@pytest.mark.parametrize(
    ("qubits", "params", "message"),
    [
        ([-1], [0.5], "qubit -1"),
        ([2**40], [0.5], "qubit 1099511627776"),
        ([0.5], [0.5], "qubit 0.5"),
        ([0], ["theta"], "'theta'.*bind every parameter"),
        ([0], [1j], "not a real number"),
    ],
)
def test_operands_that_no_column_holds_are_refused_and_leave_the_circuit_as_it_was(
    qubits: list[Any], params: list[Any], message: str
) -> None:
    circuit = Circuit(1).append("rx", [0], [1.0])
    with pytest.raises(CircuitError, match=message) as caught:
        circuit.append("rx", qubits, params)
    assert caught.value.path == ("body", 1)
    assert (len(circuit), len(circuit.body.qubits), len(circuit.body.parameters)) == (1, 1, 1)


def test_a_circuit_of_columns() -> None:
    circuit = Circuit(2, operations=[Operation("h"), Operation("cx")], body=block_of([0, 1], [0, 0, 1]))
    circuit.append("h", [1])
    assert circuit.body.operations.tolist() == [0, 1, 2]
    assert repr(circuit) == "<Circuit '': 2 qubits, 0 clbits, 3 instructions>"


def test_a_matrix_is_that_of_the_time_when_it_was_given() -> None:
    matrix = np.array([[0, 1], [1, 0]], dtype=complex)
    circuit = Circuit(1).append("unitary", [0], matrix=matrix)
    matrix[:] = np.eye(2)
    circuit.append("unitary", [0], matrix=matrix)
    assert len(circuit.operations) == 2
    for _ in range(2):
        assert statevector(circuit).tolist() == [0, 1]
        matrix[:] = 7


def test_equal_matrices_are_one_operation() -> None:
    circuit = Circuit(2)
    for qubit in range(2):
        circuit.append("unitary", [qubit], matrix=np.array([[0, 1], [1, 0]], dtype=complex))
    assert len(circuit.operations) == 1
    circuit.append("unitary", [0], matrix=np.array([[0, 1j], [-1j, 0]]))
    circuit.append("unitary", [0, 1], matrix=np.eye(4, dtype=complex))
    assert len(circuit.operations) == 3
