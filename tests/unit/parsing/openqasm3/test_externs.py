"""Extern functions, which are given with a program as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from basicaer.service.parsing import (
    OPENQASM2,
    OPENQASM3,
    Parsers,
    ParsersHere,
    Patience,
    ProgramFault,
    externs_of,
)
from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import ExternFunction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.outcomes import circuit, outcomes

# Both are one, and only a run knows the second.
HEAD = "qubit q; U(pi, 0, pi) q; output {result} r; {type} a = {value}; "
UNKNOWN = "bit t; t = measure q; if (t) a = a; "
MAJORITY = ExternFunction(name="vote", arguments=range(8), values=[0, 0, 0, 1, 0, 1, 1, 1])


@pytest.mark.parametrize("outcome", range(8))
def test_a_table_of_bits_is_looked_up(outcome: int) -> None:
    flips = " ".join(f"U(pi, 0, pi) q[{place}];" for place in range(3) if outcome >> place & 1)
    text = f"extern vote(bit[3]) -> bit; qubit[3] q; output bit r; {flips} bit[3] c = measure q; r = vote(c);"
    wanted = MAJORITY.values[outcome]
    assert outcomes(text, shots=10, externs=[MAJORITY]) == {f"r={wanted:.0f}": 1.0}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_folded_and_what_a_run_looks_up_agree(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 6))
    kind = data.draw(st.sampled_from(["int", "uint"]))
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if kind == "int" else (0, (1 << width) - 1)
    number = st.integers(low, high)
    rows = data.draw(st.dictionaries(number, st.integers(-100, 100), max_size=8))
    default = data.draw(st.integers(-100, 100))
    value = data.draw(number)
    table = ExternFunction(name="f", arguments=rows, values=rows.values(), default_value=default)
    wanted = {f"r={rows.get(value, default) % 256:08b}": 1.0}
    text = f"extern f({kind}[{width}]) -> int[8]; " + HEAD.format(
        result="int[8]", type=f"{kind}[{width}]", value=value
    )
    loop = "bit t; t = measure q; for int i in [1:uint[1](t)] { a = a; } "
    for program in (f"{text}r = f(a);", f"{text}{loop}r = f(a);"):
        assert outcomes(program, shots=1, externs=[table]) == wanted


@pytest.mark.parametrize("between", ["", UNKNOWN])
def test_floats_and_angles_are_arguments_and_values(between: str) -> None:
    table = ExternFunction(
        name="f", arguments=[0.5, 0.0, 0.5, 3.141592653589793], values=[1, 2.5], default_value=9
    )
    text = "extern f(float, angle[4]) -> float; " + HEAD.format(result="int[8]", type="float", value=0.5)
    text += f"angle[4] b = pi; {between}r = int[8](2 * f(a, b) + f(a + 1, b));"
    assert outcomes(text, shots=1, externs=[table]) == {f"r={14:08b}": 1.0}


def test_arguments_of_more_than_64_bits_are_compared() -> None:
    table = ExternFunction(name="f", arguments=[1 << 52, 5], values=[1, 2], default_value=3)
    text = "extern f(bit[80]) -> int[8]; qubit q; U(pi, 0, pi) q; output int[8] r; bit[80] c; "
    text += "c[52] = measure q; r = 10 * f(c) + f(c >> 1);"
    assert outcomes(text, shots=1, externs=[table]) == {f"r={13:08b}": 1.0}


def test_a_function_without_a_value_does_nothing() -> None:
    text = 'extern log(int[8], creg[2]); extern done; output int[8] r; r = 3; log(r, "10"); done();'
    tables = [ExternFunction(name="log"), ExternFunction(name="done")]
    assert outcomes(text, shots=1, externs=tables) == {"r=00000011": 1.0}


F = "extern f(int[4]) -> uint[2]; output uint[2] r; "
MISTAKES: list[tuple[str, Sequence[ExternFunction], str]] = [
    (F + "r = f(1);", [], "'f' is an extern function without a table"),
    (F + "r = f(1);", [ExternFunction(name="f", arguments=[2], values=[1])], "neither these arguments nor"),
    (F + "r = f(1, 2);", [ExternFunction(name="f", default_value=1)], "takes 1 arguments, not 2"),
    (F, [ExternFunction(name="g", default_value=1)], "no extern function 'g'"),
    (F, [ExternFunction(name="f", default_value=1)] * 2, "externs[1] has no name of its own"),
    (F, [ExternFunction(name="f", default_value=float("nan"))], "isn't finite"),
    (F, [ExternFunction(name="f", default_value=4)], "has 4, which is no uint[2]"),
    (F, [ExternFunction(name="f", arguments=[9], values=[1])], "has 9, which is no int[4]"),
    (F, [ExternFunction(name="f", arguments=[1, 2], values=[1])], "1 values for 2 arguments"),
    (F, [ExternFunction(name="f", arguments=[1, 1], values=[1, 2])], "two rows for the same arguments"),
    (F, [ExternFunction(name="f")], "has no value to give"),
    ("extern f(int[4]);", [ExternFunction(name="f", default_value=1)], "gives no value, and"),
    ("extern f(readonly array[int[8], 2]);", [ExternFunction(name="f")], "takes an array"),
    ("extern f(complex) -> int[8];", [ExternFunction(name="f", default_value=1)], "has a complex"),
    (
        F + "qubit q; bit t; t = measure q; r = f(int[4](t));",
        [ExternFunction(name="f", arguments=[0], values=[1])],
        "give a default",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "externs", "words"), MISTAKES)
def test_what_doesnt_fit_is_told(text: str, externs: Sequence[ExternFunction], words: str) -> None:
    with pytest.raises(ProgramFault) as caught:
        circuit(text, externs=externs)
    assert words in caught.value.message


def test_a_process_gets_the_tables_too() -> None:
    text = 'extern vote(bit[3]) -> bit; qubit q; bit c; if (vote("110")) { U(1, 0, 0) q; } c = measure q;'
    given = externs_of(job_pb2.Program(externs=[MAJORITY]))
    limits: dict[str, Any] = {"max_bytes": 1 << 20, "max_instructions": 10}
    parsers = Parsers(1, 1 << 30)
    try:
        made = parsers.parse(OPENQASM3, text + " " * 50_000, **limits, patience=Patience(), externs=given)
        where = parsers.locate_instruction(OPENQASM3, text, 0, Patience(), given)
    finally:
        parsers.close()
    assert made.columns is not None
    assert len(made.columns[0]) == 2
    assert where is not None
    assert where.column == text.index("if") + 1


def test_other_languages_have_none() -> None:
    given = externs_of(job_pb2.Program(externs=[MAJORITY]))
    with pytest.raises(ProgramFault, match="this is OpenQASM 2"):
        ParsersHere().parse(
            OPENQASM2, "qreg q[1];", max_bytes=100, max_instructions=10, patience=None, externs=given
        )
