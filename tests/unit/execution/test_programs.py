"""Typed circuits: from the message to the simulator's columns, and what is wrong with them, with the path."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution.programs import complex_array, describe_path, to_simulator
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def circuit(**fields: Any) -> pb.Circuit:
    return json_format.ParseDict({"numQubits": 2, "numClbits": 2, **fields}, pb.Circuit())


def refused(executor: ThreadExecutor, make_spec: Any, **fields: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(circuit(), circuit(**fields)))
    error = caught.value
    assert error.reason_name == "PROGRAM_INVALID"
    assert error.metadata["program_index"] == "1"
    assert error.field == "programs[1].circuit"
    return error


# --- What arrives -----------------------------------------------------------------------------------------


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
    assert (body.operations.dtype, body.parameters.dtype) == (np.uint32, np.float64)


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


# --- What is refused --------------------------------------------------------------------------------------

GATES = [{"name": "h"}, {"name": "cx"}, {"name": "rx"}]
BLOCK = {"operations": [0], "qubits": [0]}
BAD = [
    (
        {"operations": [{"name": "hadamard"}], "body": BLOCK},
        "circuit.operations[0] (hadamard)",
        "unknown gate",
    ),
    (
        {"operations": GATES, "body": {"operations": [0, 0], "qubits": [0, 5]}},
        "circuit.body instruction 1 (h)",
        "qubit 5",
    ),
    (
        {"operations": GATES, "body": {"operations": [1], "qubits": [1, 1]}},
        "circuit.body instruction 0 (cx)",
        "twice",
    ),
    (
        {"operations": GATES, "body": {"operations": [2], "qubits": [1], "parameters": ["NaN"]}},
        "circuit.body instruction 0 (rx)",
        "nan",
    ),
    (
        {"operations": GATES, "body": {"operations": [2], "qubits": [1], "parameters": ["Infinity"]}},
        "circuit.body instruction 0 (rx)",
        "inf",
    ),
    (
        {"operations": GATES, "body": {"operations": [7], "qubits": [1]}},
        "circuit.body instruction 0",
        "no operation 7",
    ),
    ({"operations": GATES, "body": {"operations": [1], "qubits": [1]}}, "circuit.body", "take 2 qubits"),
    ({"globalPhase": "NaN"}, "circuit.global_phase", "not finite"),
    (
        {"operations": [{"name": "measure"}], "body": {"operations": [0], "qubits": [0], "clbits": [4]}},
        "circuit.body instruction 0 (measure)",
        "clbit 4",
    ),
    (
        {
            "operations": [
                {"name": "unitary", "matrix": {"shape": [2, 2], "values": [1, 0, 1, 0, 0, 0, 1, 0]}}
            ],
            "body": BLOCK,
        },
        "circuit.operations[0] (unitary) matrix",
        "not unitary",
    ),
    (
        {"operations": [{"name": "unitary", "matrix": {"shape": [2, 2], "values": [1, 0]}}], "body": BLOCK},
        "circuit.operations[0] (unitary) matrix",
        "1 numbers",
    ),
    (
        {"operations": [{"name": "unitary", "matrix": {"shape": [1], "data": "AAAA"}}], "body": BLOCK},
        "circuit.operations[0] (unitary) matrix",
        "16",
    ),
    (
        {
            "operations": [
                {"name": "initialize", "initialize": {"amplitudes": {"shape": [2], "values": [1, 0, 1, 0]}}}
            ],
            "body": BLOCK,
        },
        "circuit.operations[0] (initialize) initialize",
        "norm",
    ),
    (
        {"operations": [{"name": "x", "condition": {}}], "body": BLOCK},
        "circuit.operations[0] (x) condition",
        "empty",
    ),
    (
        {"operations": [{"name": "x", "condition": {"unary": {"operand": {"clbit": 0}}}}], "body": BLOCK},
        "circuit.operations[0] (x) condition",
        "UnaryOperator number 0",
    ),
    (
        {"operations": [{"name": "x", "condition": {"clbit": 9}}], "body": BLOCK},
        "circuit.operations[0] (x) condition",
        "9",
    ),
    (
        {"operations": [{"name": "x", "condition": {"literal": {}}}], "body": BLOCK},
        "circuit.operations[0] (x) condition",
        "no value",
    ),
    (
        {"operations": [{"name": "x", "condition": {"cast": {"clbit": 0}}}], "body": BLOCK},
        "circuit.operations[0] (x) condition",
        "type",
    ),
    (
        {"operations": [{"name": "store", "store": {"value": {"clbit": 0}}}], "body": {"operations": [0]}},
        "circuit.operations[0] (store) store",
        "no target",
    ),
    (
        {"operations": [{"name": "for_loop", "forLoop": {"body": {}}}], "body": {"operations": [0]}},
        "circuit.operations[0] (for_loop) for_loop",
        "step 0",
    ),
    ({"variables": [{"name": "v", "type": {"kind": 77}}]}, "circuit.variables[0]", "number 77"),
    ({"classicalRegisters": [{"name": "c", "size": 9}]}, "circuit.classical_registers[0]", "out of range"),
    (
        {
            "operations": [
                {"name": "if_else", "ifElse": {"condition": {"clbit": 0}, "thenBlock": {"operations": [0]}}}
            ],
            "body": {"operations": [0]},
        },
        "circuit.operations[0] (if_else) then_block instruction 0 (if_else)",
        "before",
    ),
    (
        {
            "operations": [
                {"name": "x"},
                {
                    "name": "while_loop",
                    "whileLoop": {
                        "condition": {"clbit": 0},
                        "body": {"operations": [0, 0], "qubits": [0, 3]},
                    },
                },
            ],
            "body": {"operations": [1]},
        },
        "circuit.operations[1] (while_loop) while_body instruction 1 (x)",
        "qubit 3",
    ),
    (
        {"operations": [{"name": "break_loop"}], "body": {"operations": [0]}},
        "circuit.body instruction 0 (break_loop)",
        "loop",
    ),
]


@pytest.mark.parametrize(("fields", "path", "words"), BAD)
def test_a_fault_has_its_path(
    executor: ThreadExecutor, make_spec: Any, fields: Any, path: str, words: str
) -> None:
    error = refused(executor, make_spec, **fields)
    assert f"programs[1].circuit: {path}: " in error.message
    assert words in error.message


@pytest.mark.parametrize(
    "message",
    [
        pb.Circuit(num_qubits=2**32 - 1),
        pb.Circuit(num_clbits=2**32 - 1),
        pb.Circuit(num_qubits=5, quantum_registers=[pb.Register(name="q", size=2**32 - 1)]),
    ],
)
def test_sizes_that_no_machine_holds_are_refused(
    executor: ThreadExecutor, make_spec: Any, message: pb.Circuit
) -> None:
    with pytest.raises(ServiceError, match="the most is 100,000"):
        executor.prepare(make_spec(message))


def test_a_program_without_a_source_is_refused(executor: ThreadExecutor, make_spec: Any) -> None:
    spec = make_spec(circuit())
    spec.programs.add()
    with pytest.raises(ServiceError, match=r"programs\[1\] is empty"):
        executor.prepare(spec)


def test_paths_that_lead_nowhere_are_described_too() -> None:
    assert describe_path(circuit(), ()) == "circuit"
    assert describe_path(circuit(), ("operations", 9, "then_block", 1)).startswith("circuit.operations[9]")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_messages_are_refused_or_run(
    executor: ThreadExecutor, make_spec: Any, data: st.DataObject
) -> None:
    fields, _, _ = data.draw(st.sampled_from(BAD))
    message = bytearray(make_spec(circuit(**fields)).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place] = data.draw(st.integers(0, 255))
    try:
        spec = job_pb2.JobSpec.FromString(bytes(message))
    except DecodeError:
        return
    with contextlib.suppress(ServiceError):
        executor.prepare(spec)


@pytest.mark.parametrize("shape", [[], [0], [0, 2**32 - 1], [1, 1, 2], [2] * 70])
def test_arrays_without_numbers_or_of_many_axes_are_refused(shape: list[int]) -> None:
    with pytest.raises(ProgramFault):
        complex_array(pb.ComplexArray(shape=shape, values=[1, 0, 0, 0] if shape else []), "")
