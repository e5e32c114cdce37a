"""Registers, outputs and variables as OpenQASM 3 text; and what it can't say."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.client import Circuit, CircuitError, Expression
from basicaer.client.openqasm3 import dumps
from basicaer.client.openqasm3._names import TAKEN
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing.openqasm3.machine._gates import STANDARD
from basicaer.service.parsing.openqasm3.syntax._declarations import RESERVED
from basicaer.service.parsing.openqasm3.values._functions import BUILT_IN
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.export.reading import counts, read, shares
from tests.unit.parsing.openqasm3.outcomes import circuit


def test_names_that_mean_something_are_avoided() -> None:
    assert {*RESERVED, *STANDARD, *BUILT_IN, "sizeof", "pi", "tau", "euler"} <= TAKEN


def test_registers_and_variables_have_names_that_the_language_allows() -> None:
    original = Circuit()
    original.add_quantum_register("x", 1)
    original.add_quantum_register("gate", 2)
    for name in ("c 1", "3", "pi", "cphase", "wert_ä", "rzz"):
        original.add_classical_register(name, 1)
    original.add_variable("c 1", "bool")
    original.x(0).measure(0, 1)
    again = circuit(original.to_openqasm3())
    names = [each.name for each in again.classical_registers]
    assert names == ["c_1", "_3", "pi_0", "cphase_0", "wert_ä", "rzz"]
    assert [each.name for each in again.quantum_registers] == ["x_0", "gate_0"]


@pytest.mark.parametrize(
    ("registers", "names"),
    [
        ([("a", [0, 1]), ("b", [2, 3])], ["a", "b"]),
        ([("b", [2, 3]), ("a", [0, 1])], ["a", "b"]),
        ([("a", [1, 2])], ["c", "a", "c_0"]),
        ([("a", [1, 0]), ("b", [2, 3])], ["c"]),
        ([("a", [0, 1]), ("b", [1, 2])], ["c"]),
        ([], ["c"]),
        ([("e", []), ("a", [0, 1, 2, 3])], ["a"]),
    ],
)
def test_bits_keep_their_order(registers: list[tuple[str, list[int]]], names: list[str]) -> None:
    original = Circuit(4).x(0).x(2).to_message()
    original.num_clbits = 4
    for name, bits in registers:
        original.classical_registers.add(name=name, size=len(bits), bits=bits)
    for place in range(4):
        original.operations.add(name="measure")
        original.body.operations.append(len(original.operations) - 1)
        original.body.qubits.append(place)
        original.body.clbits.append(place)
    for place in range(len(registers)):
        store = pb.Store(register=place, value=pb.Expression(register=place))
        original.operations.add(name="store", store=store)
        original.body.operations.append(len(original.operations) - 1)
    again = circuit(dumps(original))
    assert [each.name for each in again.classical_registers if not each.name.startswith(".")] == names
    assert counts(to_simulator(again), 4) == {0b0101: 500}


def test_hidden_registers_stay_hidden() -> None:
    text = (
        'include "stdgates.inc"; qubit q; output bit[2] c; output int[3] n; x q; '
        "{ bit b = measure q; if (b) { n = -1; c[1] = measure q; } }"
    )
    first = circuit(text)
    again = circuit(dumps(first))
    shown = [
        [each.name for each in made.classical_registers if each.name[0] != "."] for made in (first, again)
    ]
    assert shown == [["c", "n"], ["c", "n"]]
    assert counts(to_simulator(again), 5) == counts(to_simulator(first), 5) == {0b11110: 500}


OUTPUTS = """
include "stdgates.inc";
qubit q;
output bit b;
output bool f;
output int[4] n;
output angle[3] a;
output bit[2] c;
output float[32] half;
output float whole;
output uint[8] u;
output array[int[8], 2] list;
output array[bit, 2, 2] square;
x q;
b = measure q;
whole = 1.5;
n = -3;
a = pi / 2;
if (b) {
  n -= 1; half = 2.5; half = half / 3; a += 0.9; list[0] = 1; list[1] = -7; f = true; u = 200;
  square[1, 0] = measure q;
}
c[1] = n[3];
if (n < -3 && a > 0.5) { u += 3; }
float[16] tenth;
if (b) { tenth = 0.1; }
whole += tenth * float[16](0.3);
"""


def test_outputs_keep_their_types_and_values() -> None:
    first = circuit(OUTPUTS)
    again = circuit(dumps(first))
    assert again.outputs == first.outputs
    width = sum(each.size for each in first.classical_registers if not each.name.startswith("."))
    found = [sim.run(to_simulator(made), shots=5, seed=7).outcomes for made in (first, again)]
    assert width > 128
    words = [sum(int(word) << (64 * place) for place, word in enumerate(each[0])) for each in found]
    assert words[0] % (1 << width) == words[1] % (1 << width)


def test_bits_of_a_float_are_refused_by_name() -> None:
    first = circuit("output float a; qubit q; bit b = measure q; if (b) { a = 1.5; }")
    first.operations.add(name="store").store.clbit = 0
    first.operations[-1].store.value.literal.bool_value = True
    first.body.operations.append(len(first.operations) - 1)
    with pytest.raises(CircuitError, match="type float"):
        dumps(first)


@pytest.mark.parametrize("size", [70, 1024, 1500])
def test_registers_of_any_size_are_compared(size: int) -> None:
    original = Circuit(1)
    one, other = (
        original.add_classical_register("one", size),
        original.add_classical_register("other", size + 5),
    )
    found = original.add_classical_register("found", 7)
    original.x(0)
    for bit in (one[size - 1], one[0], other[size - 1], other[0]):
        original.measure(0, bit)
    first, second = (Expression(pb.Expression(register=number)) for number in range(2))
    unsigned = original.add_variable("unsigned", "uint", 64)
    signed = original.add_variable("signed", "int", 8)
    low = pb.Expression(type=pb.ClassicalType(kind=pb.CLASSICAL_KIND_UINT), cast=first.message)
    original.store(unsigned, low).store(signed, -1)
    for place, condition in enumerate(
        [
            first == 2 ** (size - 1) + 1,
            first == second,
            first < second,
            (first | first) == first,
            ~first > first,
            unsigned > signed,
            first[size - 1],
        ]
    ):
        with original.if_test(condition):
            original.store(found[place], True)
    exported = original.to_message()
    assert shares(to_simulator(exported), exported.num_clbits) == shares(read(exported), exported.num_clbits)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-9, 9),
    st.floats(-9, 9),
    st.integers(0, 15),
    st.floats(-3, 3),
    st.sampled_from([-1.0, 1.0, math.pi]),
)
def test_inputs_keep_their_names_and_meaning(
    theta: float, constant: float, count: int, scale: float, factor: float
) -> None:
    original = Circuit(2, 2)
    first, second = original.add_input("theta"), original.add_input("c")
    number = original.add_input("count", "uint", 4)
    original.h([0, 1]).rz(factor * first + scale * second + constant, 0).rx(second, 1).crx(-first, 0, 1)
    original.store(number, number + 3)
    with original.if_test(number > 9):
        original.ry(first / 2, 0)
    exported = original.to_message()
    values = {"theta": theta, "c": 0.7, "count": float(count)}
    states = [
        sim.run(sim.bind(made, values), shots=1, statevector=True).statevector
        for made in (to_simulator(exported), read(exported))
    ]
    assert states[0] is not None
    assert states[1] is not None
    np.testing.assert_allclose(states[1], states[0], atol=1e-9)


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda made: made.save_statevector(), "'save'"),
        (lambda made: made.unitary(np.eye(128), range(7)), "unitary of 128 by 128"),
        (lambda made: made.initialize(np.eye(2048)[0], range(11)), "2,048 amplitudes"),
        (lambda made: made.delay(1, 0, "min"), "'min'"),
        (lambda made: made.store(made.add_variable("n", "int", 2000), 1), "2,000"),
    ],
)
def test_what_it_cannot_say_is_refused_by_name(build: Callable[[Circuit], object], wanted: str) -> None:
    original = Circuit(11, 1)
    build(original)
    with pytest.raises(CircuitError, match=wanted):
        original.to_openqasm3()


def test_channels_are_refused_by_name() -> None:
    original = Circuit(1).x(0).to_message()
    original.operations[0].name = "channel"
    original.operations[0].channel.depolarizing.SetInParent()
    with pytest.raises(CircuitError, match="channel"):
        dumps(original)


def test_blocks_that_run_into_millions_are_refused() -> None:
    with pytest.raises(CircuitError, match="more than 10,000,000"):
        dumps(_doubled(40))


def _doubled(depth: int) -> pb.Circuit:
    """Blocks that each run the one below twice."""
    made = Circuit(1).x(0).to_message()
    for place in range(depth):
        made.operations.add(name="while_loop").while_loop.body.operations.extend((place, place))
        made.operations[-1].while_loop.condition.literal.bool_value = False
    made.operations[1].while_loop.body.qubits.extend((0, 0))
    made.body.operations[:] = [depth]
    made.body.qubits[:] = []
    return made
