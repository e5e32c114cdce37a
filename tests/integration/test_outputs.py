"""Typed outputs through a live server: what a program computes is what its caller gets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from basicaer.client import BasicAerProvider, Outputs, Program, ProgramInvalidError
from basicaer.v1 import circuit_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import ServerProcess

PROGRAM = """
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
output int[8] n;
output bit[2] c;
output bool both;
output float mean;
output complex z;
output array[uint[4], 2, 2] m;
x q[0];
h q[1];
c = measure q;
n = int[8](popcount(c)) - 2;
both = n == 0;
mean = n / 2.0;
z = 0.5 - 2im;
m = {{1, 2}, {3, 4}};
if (both) { m[1, 0] = 9; }
"""


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def outputs(provider: BasicAerProvider, program: Any, **options: Any) -> Outputs:
    return provider.get_backend("qasm_simulator").run(program, **options).result().get_outputs()


def test_a_program_gives_its_variables_values(provider: BasicAerProvider) -> None:
    found = outputs(provider, PROGRAM, shots=500, memory=True)
    assert repr(found) == (
        "Outputs(n: int[8], c: bit[2], both: bool, mean: float[64], z: complex[float[64]], "
        "m: array[uint[4], 2, 2])"
    )
    assert found.is_declared
    assert found["z"].value == 0.5 - 2j
    rows = {
        (-1, 0b01, False, -0.5, 0.5 - 2j, ((1, 2), (3, 4))),
        (0, 0b11, True, 0.0, 0.5 - 2j, ((1, 2), (9, 4))),
    }
    assert set(found.counts) == rows
    assert sum(found.counts.values()) == 500
    n, m, mean = (found[name].values for name in ("n", "m", "mean"))
    assert n.shape == (500,)
    assert m.shape == (500, 2, 2)
    assert np.array_equal(mean, n / 2)
    assert np.array_equal(m[:, 1, 0], np.where(found["both"].values, 9, 3))
    assert found["n"].counts == {int(value): int(np.sum(n == value)) for value in (-1, 0)}


ECHO = """
OPENQASM 3.0;
input uint[64] u;
input int[64] i;
input bit[4] b;
input bit one;
input bool ok;
input float f;
input float[16] half;
input array[int[8], 2, 2] m;
output uint[64] u_out;
output int[64] i_out;
output bit[4] b_out;
output bit one_out;
output bool ok_out;
output float f_out;
output float[16] half_out;
output array[int[8], 2, 2] m_out;
u_out = u; i_out = i; b_out = b; one_out = one; ok_out = ok; f_out = f; half_out = half; m_out = m;
"""


@given(
    st.fixed_dictionaries(
        {
            "u": st.integers(0, 2**64 - 1),
            "i": st.integers(-(2**63), 2**63 - 1),
            "b": st.integers(0, 15).map(lambda number: format(number, "04b")),
            "one": st.integers(0, 1),
            "ok": st.booleans(),
            "f": st.floats(allow_nan=False, allow_infinity=False),
            "half": st.floats(allow_nan=False, allow_infinity=False, width=16),
            "m": st.lists(st.integers(-128, 127), min_size=4, max_size=4),
        }
    )
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_inputs_of_any_type_come_back_exactly(provider: BasicAerProvider, values: dict[str, Any]) -> None:
    inputs = {**values, "m": np.array(values["m"]).reshape(1, 2, 2)}
    found = outputs(provider, Program(ECHO, inputs), shots=1)
    assert found["u_out"].value == values["u"]
    assert found["i_out"].value == values["i"]
    assert found["b_out"].value == int(values["b"], 2)
    assert found["one_out"].value == values["one"]
    assert found["ok_out"].value is values["ok"]
    assert repr(found["f_out"].value) == repr(values["f"])
    assert repr(found["half_out"].value) == repr(values["half"])
    assert found["m_out"].value.reshape(-1).tolist() == values["m"]


@given(
    st.integers(-(2**99), 2**99 - 1),
    st.integers(0, 2**1024 - 1),
    st.lists(st.complex_numbers(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wide_integers_and_complex_numbers_come_back_exactly(
    provider: BasicAerProvider, number: int, bits: int, pair: list[complex]
) -> None:
    text = """
    OPENQASM 3.0;
    input int[100] n; input bit[1024] b; input complex z; input array[complex, 1] more;
    output int[100] n_out; output bit[1024] b_out; output complex z_out; output array[complex, 1] more_out;
    n_out = n; b_out = b; z_out = z; more_out = more;
    """
    inputs: dict[str, Any] = {
        "n": number,
        "b": format(bits, "b"),
        "z": pair[0],
        "more": [pair[1:]],
    }
    found = outputs(provider, Program(text, inputs), shots=1)
    assert found["n_out"].value == number
    assert found["b_out"].value == bits
    assert repr([found["z_out"].value, found["more_out"].value[0].item()]) == repr(pair)


GOOD: dict[str, Any] = {
    "u": 0,
    "i": 0,
    "b": 0,
    "one": 0,
    "ok": 0,
    "f": 0,
    "half": 0,
    "m": np.zeros((1, 2, 2)),
}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"u": 2**64}, "the input 'u' of type uint[64] is 18446744073709551616 in row 0"),
        ({"u": -1}, "the input 'u' of type uint[64] is -1.0 in row 0"),
        ({"i": [0, 2**63]}, "the input 'i' of type int[64] is 9223372036854775808 in row 1"),
        ({"b": "10000"}, "the input 'b' of type uint[4] is 16.0 in row 0"),
        ({"one": 2}, "the input 'one' of type bit is 2.0 in row 0"),
        ({"ok": 2**60}, "the input 'ok' of type bool is 1152921504606846976 in row 0"),
        ({"f": 10**400}, "the input 'f' of type float is an integer of 1,329 bits in row 0"),
        ({"m": [[[1, 2], [3, 128]]]}, "the input 'm[1,1]' of type int[8] is 128.0 in row 0"),
        (
            {"m": [1, 2]},
            "the circuit has no input 'm'; it is an array, each of whose elements is an input, such",
        ),
        ({"half": 65_520}, "the input 'half' of type float[16] is 65520.0 in row 0"),
        ({"half": 2**60}, "the input 'half' of type float[16] is 1152921504606846976 in row 0"),
        ({"x": 1}, "the circuit has no input 'x'"),
    ],
)
def test_an_input_of_a_wrong_value_is_named(
    provider: BasicAerProvider, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(ProgramInvalidError, match=re.escape(words)):
        provider.get_backend("qasm_simulator").run(Program(ECHO, {**GOOD, **wrong}))


def test_rows_of_exact_integers_are_run_one_by_one(provider: BasicAerProvider) -> None:
    text = "OPENQASM 3.0; input uint[64] u; input float f; output uint[64] n; output float g; n = u; g = f;"
    program = Program(text, {"u": [2**63 + 1, 5, 2**64 - 1], "f": [0.5, 1, 1.5]})
    result = provider.get_backend("qasm_simulator").run(program, shots=1).result()
    found = [result.get_outputs(row) for row in range(3)]
    assert [each["n"].value for each in found] == [2**63 + 1, 5, 2**64 - 1]
    assert [each["g"].value for each in found] == [0.5, 1.0, 1.5]


def test_without_outputs_the_bits_are_typed(provider: BasicAerProvider) -> None:
    text = "OPENQASM 3.0; qubit[2] q; bit[2] c; bit d; U(pi, 0, pi) q[1]; c = measure q;"
    found = outputs(provider, text)
    assert repr(found) == "Outputs(c: bit[2], d: bit)"
    assert found.counts == {(0b10, 0): 1024}


def test_openqasm_2_has_its_registers(provider: BasicAerProvider) -> None:
    text = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg a[1]; creg b[2]; x q; measure q[0] -> b[1];'
    found = outputs(provider, text, shots=3)
    assert not found.is_declared
    assert repr(found) == "Outputs(a: bit[1], b: bit[2])"
    assert found.counts == {(0, 0b10): 3}


def test_a_circuit_in_the_packed_form_has_outputs_of_its_own(provider: BasicAerProvider) -> None:
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=6)
    circuit.operations.add(name="x")
    circuit.operations.add(name="measure")
    circuit.body.operations.extend([0, 1])
    circuit.body.qubits.extend([0, 0])
    circuit.body.clbits.append(5)
    for name, clbit in (("low", 0), ("high", 3)):
        output = circuit.outputs.add(name=name, clbit=clbit)
        output.type.kind, output.type.width = circuit_pb2.CLASSICAL_KIND_INT, 3
    found = outputs(provider, circuit)
    assert found["low"].value == 0
    assert found["high"].value == -4
