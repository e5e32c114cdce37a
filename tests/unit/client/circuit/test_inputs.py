"""Inputs, programs with values for them, and saves: what the builder puts on the wire."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
from basicaer.client import Circuit, CircuitError, Input, Linear, Program
from basicaer.client.jobs._programs import programs_from
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import strategies as st


def columns(circuit: Circuit) -> tuple[list[float], list[tuple[int, int, float]]]:
    body = circuit.to_message().body
    terms = zip(body.term_parameters, body.term_variables, body.term_factors, strict=True)
    return list(body.parameters), list(terms)


def test_sums_of_inputs_are_terms() -> None:
    circuit = Circuit(1)
    theta, phi = circuit.add_input("theta"), circuit.add_input("phi")
    circuit.rz(2 * theta + 0.5, 0).u(0.25, -theta / 4, 1 - (phi - theta) * 3, 0).rx(theta, 0).rx(1.0, 0)
    parameters, terms = columns(circuit)
    assert parameters == [0.5, 0.25, 0.0, 1.0, 0.0, 1.0]
    assert terms == [(0, 0, 2.0), (2, 0, -0.25), (3, 1, -3.0), (3, 0, 3.0), (4, 0, 1.0)]
    message = circuit.to_message()
    assert [(variable.name, variable.input) for variable in message.variables] == [
        ("theta", True),
        ("phi", True),
    ]
    assert [operation.name for operation in message.operations] == ["rz", "u", "rx"]
    assert not any(operation.parameter_expressions for operation in message.operations)


def test_inputs_in_blocks_have_terms_there() -> None:
    circuit = Circuit(1, 1)
    theta = circuit.add_input("theta")
    with circuit.if_test((0, 1)):
        circuit.rx(0.5, 0).rx(theta, 0)
    block = circuit.to_message().operations[-1].if_else.then_block
    assert (list(block.term_parameters), list(block.parameters)) == ([1], [0.5, 0.0])


def test_what_is_no_sum_of_inputs_is_an_expression() -> None:
    circuit = Circuit(1)
    theta, other = circuit.add_input("theta"), circuit.add_variable("other", "float")
    count = circuit.add_input("count", "uint", 4)
    assert isinstance(theta, Input)
    assert not isinstance(count, Linear)
    for parameter in (theta * theta, theta + other, 1 / (theta + 1), count * theta, theta < 1):
        assert not isinstance(parameter, Linear)
    circuit.u(theta * theta, theta, 0.5, 0).rx(theta + other, 0)
    assert columns(circuit) == ([], [])
    first = circuit.to_message().operations[0]
    assert [expression.WhichOneof("kind") for expression in first.parameter_expressions] == [
        "binary",
        "variable",
        "literal",
    ]


def test_programs_have_rows_of_values() -> None:
    circuit = Circuit(1)
    circuit.rz(circuit.add_input("theta"), 0).rx(circuit.add_input("phi"), 0)
    (message,) = programs_from(Program(circuit, {"phi": 3, "theta": np.array([0.5, 1.5])}, shots=7))
    assert list(message.inputs.names) == ["phi", "theta"]
    assert list(message.inputs.values) == [3.0, 0.5, 3.0, 1.5]
    assert (message.shots, message.HasField("estimation"), message.circuit.num_qubits) == (7, False, 1)
    program = Program("OPENQASM 2.0;", observables=["ZI", {"XX": 0.5, "IY": -1}], precision=0.1)
    first, second = programs_from([program, circuit])
    assert first.openqasm2 == "OPENQASM 2.0;"
    assert first.estimation.precision == 0.1
    assert [list(one.paulis) for one in first.estimation.observables] == [["ZI"], ["XX", "IY"]]
    assert [list(one.coefficients) for one in first.estimation.observables] == [[1.0], [0.5, -1.0]]
    assert not second.HasField("inputs")


@pytest.mark.parametrize(
    "inputs",
    [
        {"theta": "x"},
        {"theta": [1, 2], "phi": [1, 2, 3]},
        {"theta": "012"},
        {"theta": [[]]},
        {"theta": [[1], [1, 2]]},
        {"theta": [1j, None]},
        {"theta": ["1", ""]},
    ],
)
def test_inputs_that_are_no_rows_are_refused(inputs: dict[str, object]) -> None:
    with pytest.raises(CircuitError, match=r"inputs are no rows|An input's values"):
        programs_from(Program(Circuit(1), inputs))  # type: ignore[arg-type] # that is the point


def given(inputs: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns of what is sent."""
    (message,) = programs_from(Program(Circuit(1), inputs))
    sent = message.inputs
    columns: dict[str, list[Any]] = {
        name: list(sent.values[place :: len(sent.names)]) for place, name in enumerate(sent.names)
    }
    words = sent.words_per_integer or 1
    data = np.array(sent.integers, "<u8").tobytes()
    whole = [
        int.from_bytes(data[at : at + 8 * words], "little", signed=True)
        for at in range(0, len(data), 8 * words)
    ]
    for place, name in enumerate(sent.integer_names):
        columns[name] = whole[place :: len(sent.integer_names)]
    return columns


@hypothesis.given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(-(2**200), 2**200), min_size=1),
    st.integers(1, 3),
)
def test_integers_stay_exact(values: dict[str, int], rows: int) -> None:
    for value in (values, {name: [number] * rows for name, number in values.items()}):
        sent = given(dict(value))
        assert set(sent) == set(values)
        for name, number in values.items():
            assert set(sent[name]) == {number}
            assert isinstance(sent[name][0], float) == (abs(number) <= 2**53)


def test_values_are_numbers_truth_or_bits() -> None:
    assert given({"a": True, "b": "0110", "c": ["1", "0_1"], "d": np.bool_(False)}) == {
        "a": [1.0, 1.0],
        "b": [6.0, 6.0],
        "c": [1.0, 1.0],
        "d": [0.0, 0.0],
    }
    assert given({"a": "1" * 100}) == {"a": [2**100 - 1]}
    # numpy has no type for both of these integers.
    assert given({"a": [2**63 + 1, -1]}) == {"a": [2**63 + 1, -1]}
    assert given({"a": np.array([2**64 - 1], np.uint64)}) == {"a": [2**64 - 1]}
    assert given({"a": [2**60, 0.5]}) == {"a": [2.0**60, 0.5]}
    assert given({"z": 1 + 2j}) == {"z.real": [1.0], "z.imag": [2.0]}
    assert given({"z": [[1j, 2], [3, 4j]]}) == {
        "z[0].real": [0.0, 3.0],
        "z[0].imag": [1.0, 0.0],
        "z[1].real": [2.0, 0.0],
        "z[1].imag": [0.0, 4.0],
    }


def test_an_array_is_an_input_for_each_element() -> None:
    assert given({"a": [[1, 2], [3, 4]], "b": 0.5}) == {"a[0]": [1, 3], "a[1]": [2, 4], "b": [0.5, 0.5]}
    assert given({"m": np.arange(4).reshape(1, 2, 2)}) == {
        "m[0,0]": [0],
        "m[0,1]": [1],
        "m[1,0]": [2],
        "m[1,1]": [3],
    }
    assert given({"a": [[2**60 + 1, 5]], "b": [1, 2]}) == {
        "a[0]": [2**60 + 1] * 2,
        "a[1]": [5] * 2,
        "b": [1, 2],
    }


def test_saves_are_operations_with_labels() -> None:
    circuit = Circuit(2)
    circuit.save_statevector().save_probabilities([1]).save_expectation_value({"ZZ": 0.5}, label="zz")
    message = circuit.to_message()
    assert [(operation.num_qubits, operation.save.label) for operation in message.operations] == [
        (0, "statevector"),
        (1, "probabilities"),
        (2, "zz"),
    ]
    assert list(message.body.qubits) == [1, 0, 1]
    assert message.operations[2].save.expectation_value == pb.Observable(paulis=["ZZ"], coefficients=[0.5])
    with pytest.raises(CircuitError, match="no qubit 2"):
        circuit.save_probabilities([2])
