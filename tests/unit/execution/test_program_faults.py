"""What is wrong with a typed circuit, with the path to it and the words that a user reads."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution.circuits.reading import describe_path
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.execution.conftest import circuit


def refused(executor: ThreadExecutor, make_spec: Any, **fields: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(circuit(), circuit(**fields)))
    error = caught.value
    assert error.reason_name == "PROGRAM_INVALID"
    assert error.metadata["program_index"] == "1"
    assert error.field == "programs[1].circuit"
    return error


GATES = [{"name": "h"}, {"name": "cx"}, {"name": "rx"}]
BLOCK = {"operations": [0], "qubits": [0]}
BAD: list[tuple[dict[str, Any], str, str]] = [
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
    ({"outputs": [{"type": {"kind": "CLASSICAL_KIND_BIT"}}]}, "circuit.outputs[0].name", "no name"),
    (
        {"outputs": [{"name": "a", "type": {"kind": "CLASSICAL_KIND_BIT"}}] * 2},
        "circuit.outputs[1].name",
        "another output is named 'a'",
    ),
    ({"outputs": [{"name": "a"}]}, "circuit.outputs[0].type.kind", "one of ClassicalKind"),
    ({"outputs": [{"name": "a", "type": {"kind": 99}}]}, "circuit.outputs[0].type.kind", "ClassicalKind"),
    (
        {"outputs": [{"name": "a", "type": {"kind": "CLASSICAL_KIND_COMPLEX", "width": 24}}]},
        "circuit.outputs[0].type.width",
        "a float of 24 bits",
    ),
    (
        {"outputs": [{"name": "a", "type": {"kind": "CLASSICAL_KIND_FLOAT"}}]},
        "circuit.outputs[0]",
        "takes 64 classical bits from 0 on, and the circuit has 2",
    ),
    (
        {"outputs": [{"name": "a", "type": {"kind": "CLASSICAL_KIND_UINT", "width": 1}, "clbit": 2}]},
        "circuit.outputs[0]",
        "takes 1 classical bits from 2 on",
    ),
    (
        {"outputs": [{"name": "a", "type": {"kind": "CLASSICAL_KIND_BOOL"}, "shape": [2**32 - 1] * 8}]},
        "circuit.outputs[0]",
        "classical bits from 0 on",
    ),
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
