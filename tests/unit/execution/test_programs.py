"""Typed circuits: from the message to the simulator's columns, and how large their parts may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.service.execution.circuits.arrays import complex_array
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import circuit_pb2 as pb
from google.protobuf import json_format

from tests.unit.execution.conftest import circuit


def test_columns_arrive_as_arrays() -> None:
    message = circuit(
        operations=[{"name": "rx"}, {"name": "measure"}],
        body={"operations": [0, 1, 0], "qubits": [1, 1, 0], "clbits": [1], "parameters": [0.5, -2.5]},
    )
    body = to_simulator(message).body
    assert body.operations.tolist() == [0, 1, 0]
    assert body.qubits.tolist() == [1, 1, 0]
    assert body.clbits.tolist() == [1]
    assert body.parameters.tolist() == [0.5, -2.5]
    assert body.operations.dtype == np.uint32
    assert body.parameters.dtype == np.float64


def test_registers_without_bits_follow_one_another() -> None:
    message = pb.Circuit(
        num_clbits=9,
        classical_registers=[
            pb.Register(name="a", size=2),
            pb.Register(name="b", size=3),
            pb.Register(name="c", size=2, bits=[7, 1]),
            pb.Register(name="d", size=2),
        ],
    )
    registers = to_simulator(message).classical_registers
    assert [register.bits for register in registers] == [(0, 1), (2, 3, 4), (7, 1), (2, 3)]


@pytest.mark.parametrize(
    "array",
    [
        pb.ComplexArray(shape=[2, 2], values=[0, 0, 0, -1, 0, 1, 0, 0]),
        pb.ComplexArray(shape=[2, 2], data=np.array([0, -1j, 1j, 0], dtype="<c16").tobytes()),
    ],
)
def test_a_matrix_by_values_or_by_bytes(array: pb.ComplexArray) -> None:
    np.testing.assert_array_equal(complex_array(array, ""), [[0, -1j], [1j, 0]])


def test_every_kind_of_expression() -> None:
    expression = {
        "type": {"kind": "CLASSICAL_KIND_BOOL"},
        "binary": {
            "operator": "BINARY_OPERATOR_LESS",
            "left": {
                "type": {"kind": "CLASSICAL_KIND_FLOAT"},
                "cast": {
                    "unary": {
                        "operator": "UNARY_OPERATOR_BIT_NOT",
                        "operand": {
                            "index": {"target": {"register": 0}, "index": {"literal": {"uintValue": 1}}}
                        },
                    }
                },
            },
            "right": {
                "call": {
                    "function": "MATH_FUNCTION_SIN",
                    "argument": {
                        "binary": {
                            "operator": "BINARY_OPERATOR_ADD",
                            "left": {"variable": 0},
                            "right": {"literal": {"floatValue": 0.5}},
                        }
                    },
                }
            },
        },
    }
    message = circuit(
        classicalRegisters=[{"name": "c", "size": 2}],
        variables=[{"name": "v", "type": {"kind": "CLASSICAL_KIND_FLOAT"}}],
        operations=[{"name": "x", "condition": expression}],
        body={"operations": [0], "qubits": [0]},
    )
    converted = to_simulator(message).operations[0].condition
    assert converted == sim.Binary(
        sim.BinaryOperator.LESS,
        sim.Cast(
            sim.Unary(sim.UnaryOperator.BIT_NOT, sim.Index(sim.RegisterRef(0), sim.Literal(1))),
            sim.ClassicalType(sim.ClassicalKind.FLOAT),
        ),
        sim.Call(
            sim.MathFunction.SIN,
            sim.Binary(sim.BinaryOperator.ADD, sim.VariableRef(0), sim.Literal(0.5)),
        ),
        sim.ClassicalType(sim.ClassicalKind.BOOL),
    )


def test_an_expression_has_a_bounded_number_of_parts() -> None:
    def tree(depth: int) -> dict[str, Any]:
        if not depth:
            return {"clbit": 0}
        half = tree(depth - 1)
        return {"binary": {"operator": "BINARY_OPERATOR_LOGIC_AND", "left": half, "right": half}}

    def with_leaves(depth: int) -> pb.Circuit:
        operation = {"name": "x", "condition": tree(depth)}
        return circuit(operations=[operation], body={"operations": [0], "qubits": [0]})

    to_simulator(with_leaves(12))
    with pytest.raises(ProgramFault, match="more than 8,192 parts") as failure:
        to_simulator(with_leaves(13))
    assert failure.value.metadata["limit"] == "max_expression_parts"


def test_wide_literals_loops_switches_and_stores_run(run: Any) -> None:
    message = json_format.ParseDict(
        {
            "numQubits": 1,
            "numClbits": 70,
            "classicalRegisters": [{"name": "c", "size": 70}],
            "variables": [{"name": "n", "type": {"kind": "CLASSICAL_KIND_UINT"}}],
            "operations": [
                {"name": "x"},
                {"name": "measure"},
                {"name": "store", "store": {"clbit": 69, "value": {"literal": {"boolValue": True}}}},
                {
                    "name": "for_loop",
                    "forLoop": {
                        "values": [3, 1, 2],
                        "variable": 0,
                        "body": {"operations": [0], "qubits": [0]},
                    },
                },
                {
                    "name": "for_loop",
                    "forLoop": {
                        "range": {"start": 5, "stop": 0, "step": -2},
                        "body": {"operations": [0], "qubits": [0]},
                    },
                },
                {
                    "name": "if_else",
                    "ifElse": {
                        "condition": {
                            "binary": {
                                "operator": "BINARY_OPERATOR_EQUAL",
                                "left": {"register": 0},
                                "right": {"literal": {"wideValue": "AAAAAAAAAAAg"}},
                            }
                        },
                        "thenBlock": {"operations": [0], "qubits": [0]},
                    },
                },
                {
                    "name": "switch_case",
                    "switchCase": {
                        "target": {"variable": 0},
                        "cases": [
                            {"values": [9], "body": {"operations": [0], "qubits": [0]}},
                            {"isDefault": True, "body": {"operations": [1], "qubits": [0], "clbits": [0]}},
                        ],
                    },
                },
            ],
            "body": {"operations": [2, 3, 4, 5, 6]},
        },
        pb.Circuit(),
    )
    counts = run(message, shots=5).result.programs[0].counts
    assert counts.words_per_outcome == 2
    assert list(counts.outcomes) == [1, 1 << 5]
    assert list(counts.counts) == [5]


@pytest.mark.parametrize("shape", [[], [0], [0, 2**32 - 1], [1, 1, 2], [2] * 70])
def test_arrays_without_numbers_or_of_many_axes_are_refused(shape: list[int]) -> None:
    with pytest.raises(ProgramFault):
        complex_array(pb.ComplexArray(shape=shape, values=[1, 0, 0, 0] if shape else []), "")


def test_a_literal_is_no_wider_than_a_register() -> None:
    for size, fits in ((12_500, True), (12_501, False), (1_000_000, False)):
        literal = pb.Expression(literal=pb.Literal(wide_value=b"\xff" * size))
        circuit = pb.Circuit(
            num_qubits=1, operations=[pb.Operation(name="x", num_qubits=1, condition=literal)]
        )
        if fits:
            to_simulator(circuit)
            continue
        with pytest.raises(
            ProgramFault, match=f"a literal has {size * 8:,} bits, and a register has at most"
        ):
            to_simulator(circuit)
