"""Expressions: what is folded and what a run calculates agree, with each other and with Python's integers."""

from __future__ import annotations

from dataclasses import dataclass

from basicaer import simulator as sim
from basicaer.service.parsing import ProgramFault
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.outcomes import outcomes

TYPES = ("int[8]", "uint[8]", "int[5]", "uint[16]", "bit[8]", "float", "angle[6]", "bool")
OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "**",
)


@dataclass(frozen=True)
class Case:
    """Two variables with their types and values, and an expression of them."""

    first: str
    second: str
    expression: str
    result: str


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    def leaf() -> str:
        return draw(
            st.sampled_from(["a", "b", "3", "1", "-2", "a[1]", "uint[8](b)", "int[8](a)", "float(a)"])
        )

    def node(depth: int) -> str:
        if depth == 0 or draw(st.booleans()):
            return leaf()
        if draw(st.integers(0, 5)) == 0:
            return f"{draw(st.sampled_from('-~!'))}({node(depth - 1)})"
        return f"({node(depth - 1)} {draw(st.sampled_from(OPERATORS))} {node(depth - 1)})"

    def declared(name: str) -> str:
        type_ = draw(st.sampled_from(TYPES))
        value = draw(st.integers(-130, 260))
        if type_ == "bool":
            return f"bool {name} = {'true' if value & 1 else 'false'};"
        if type_ == "bit[8]":
            return f'bit[8] {name} = "{value & 255:08b}";'
        if type_ in ("float", "angle[6]"):
            return f"{type_} {name} = {value / 16};"
        return f"{type_} {name} = {value};"

    result = draw(st.sampled_from(["int[8]", "uint[16]", "int[40]", "bool", "uint[3]"]))
    return Case(declared("a"), declared("b"), node(2), result)


def _outcome(text: str) -> object:
    """What a program gives; None when it is refused, or fails while it runs."""
    try:
        return outcomes(text, shots=1)
    except (ProgramFault, sim.SimulationFailed):
        return None


@settings(max_examples=400, deadline=None)
@given(_cases())
def test_a_run_calculates_what_is_folded(case: Case) -> None:
    head = f"output {case.result} r; {case.first} {case.second}\n"
    last = f"r = {case.expression};"
    folded = _outcome(head + last)
    # A loop of one turn, of a number that only a run knows, leaves them unknown as they are.
    loop = "qubit q; uint[1] z; bit m = measure q; z[0] = m;\nfor int i in [0:z] { a = a; b = b; }\n"
    run = _outcome(head + loop + last)
    if folded is not None and run is not None:
        assert run == folded


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 64),
    st.booleans(),
    st.integers(-(1 << 64), 1 << 64),
    st.integers(-(1 << 64), 1 << 64),
    st.sampled_from(["+", "-", "*", "&", "|", "^"]),
)
def test_integers_are_pythons_modulo_their_width(
    width: int, signed: bool, first: int, second: int, operator: str
) -> None:
    modulus = 1 << width
    a, b = first % modulus, second % modulus
    wanted = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[operator] % modulus
    type_ = f"{'int' if signed else 'uint'}[{width}]"
    text = f"output {type_} r; {type_} a; {type_} b; a = {a}; b = {b};\n"
    loop = "qubit q; uint[1] z; bit m = measure q; z[0] = m;\nfor int i in [0:z] { a = a; b = b; }\n"
    for program in (text, text + loop):
        assert outcomes(f"{program}r = a {operator} b;", shots=1) == {f"r={wanted:0{width}b}": 1.0}
