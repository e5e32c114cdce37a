"""Integers and angles of any width: what is folded and what a run calculates are Python's, modulo 2^width."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.parsing.openqasm3.outcomes import outcomes

# A loop of no turns, of which only a run knows that.
UNKNOWN = "qubit q; uint[1] z; bit m = measure q; z[0] = m; for int i in [1:z] { a = a; b = b; c = c; }\n"
WIDTHS = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 32, 33, 63, 64, 65, 90, 128])
ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "/": lambda left, right: _quotient(left, right),
    "%": lambda left, right: left - right * _quotient(left, right),
}
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Number(NamedTuple):
    """An expression, its type and its value."""

    text: str
    kind: str
    width: int
    value: int

    @property
    def bits(self) -> int:
        """The value's bits."""
        return self.value & ((1 << self.width) - 1)


def _number(text: str, kind: str, width: int, value: int) -> Number:
    value &= (1 << width) - 1
    return Number(text, kind, width, value - (1 << width if kind == "int" and value >> (width - 1) else 0))


def _quotient(left: int, right: int) -> int:
    assume(right)
    size = abs(left) // abs(right)
    return size if (left < 0) == (right < 0) else -size


def _meeting(left: Number, right: Number) -> tuple[str, int]:
    """The type of two integers together: as in C, with ranks by width."""
    if left.kind == right.kind:
        return left.kind, max(left.width, right.width)
    signed, unsigned = (left, right) if left.kind == "int" else (right, left)
    return ("uint", unsigned.width) if unsigned.width >= signed.width else ("int", signed.width)


@st.composite
def _variables(draw: st.DrawFn) -> list[Number]:
    made = []
    for name in "abc":
        width, kind = draw(WIDTHS), draw(st.sampled_from(["int", "uint"]))
        top = 1 << (width - 1)
        value = draw(st.one_of(st.sampled_from([0, 1, -1, top - 1, -top]), st.integers(-top, 2 * top)))
        made.append(_number(name, kind, width, value))
    return made


def _expression(draw: st.DrawFn, variables: list[Number], depth: int) -> Number:
    if not depth or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(variables))
    first = _expression(draw, variables, depth - 1)
    match draw(
        st.sampled_from(["two", "two", "two", "one", "cast", "shift", "turned", "count", "slice", "compared"])
    ):
        case "one":
            sign = draw(st.sampled_from("-~"))
            value = -first.value if sign == "-" else ~first.value
            return _number(f"({sign}{first.text})", first.kind, first.width, value)
        case "cast":
            kind, width = draw(st.sampled_from(["int", "uint"])), draw(WIDTHS)
            return _number(f"{kind}[{width}]({first.text})", kind, width, first.value)
        case "shift":
            places = draw(st.sampled_from([0, 1, first.width - 1, first.width, first.width + 7, 500]))
            to_left = draw(st.booleans())
            value = first.value << places if to_left else first.value >> places
            text = f"({first.text} {'<<' if to_left else '>>'} uint[16]({places}))"
            return _number(text, first.kind, first.width, value)
        case "turned":
            distance = draw(st.integers(-2 * first.width, 2 * first.width + 1))
            name = draw(st.sampled_from(["rotl", "rotr"]))
            turn = (distance if name == "rotl" else -distance) % first.width
            value = first.bits << turn | first.bits >> (first.width - turn)
            return _number(
                f"{name}(uint[{first.width}]({first.text}), {distance})", "uint", first.width, value
            )
        case "count":
            return _number(f"popcount(uint[{first.width}]({first.text}))", "uint", 64, first.bits.bit_count())
        case "slice":
            start = draw(st.integers(0, first.width - 1))
            stop, step = draw(st.integers(start, first.width - 1)), draw(st.integers(1, 3))
            taken = range(start, stop + 1, step)
            value = sum((first.bits >> place & 1) << number for number, place in enumerate(taken))
            shown = (
                f"{start - first.width}:{step}:{stop - first.width}"
                if draw(st.booleans())
                else f"{start}:{step}:{stop}"
            )
            return _number(f"uint[{len(taken)}](({first.text})[{shown}])", "uint", len(taken), value)
        case kind:
            second = _expression(draw, variables, depth - 1)
            type_ = _meeting(first, second)
            left, right = (_number("", *type_, each.value).value for each in (first, second))
            if kind == "compared":
                sign = draw(st.sampled_from(sorted(COMPARISONS)))
                holds = COMPARISONS[sign](left, right)
                return _number(f"uint[3]({first.text} {sign} {second.text})", "uint", 3, holds)
            sign = draw(st.sampled_from(sorted(ARITHMETIC)))
            return _number(f"({first.text} {sign} {second.text})", *type_, ARITHMETIC[sign](left, right))


@st.composite
def _cases(draw: st.DrawFn) -> tuple[list[Number], Number]:
    variables = draw(_variables())
    return variables, _expression(draw, variables, 3)


@settings(max_examples=250, deadline=None)
@given(_cases())
def test_expressions_are_pythons(case: tuple[list[Number], Number]) -> None:
    variables, number = case
    text = f"output {number.kind}[{number.width}] r;\n"
    text += "".join(
        f"{each.kind}[{each.width}] {each.text}; {each.text} = {each.value};\n" for each in variables
    )
    wanted = {f"r={number.bits:0{number.width}b}": 1.0}
    for between in ("", UNKNOWN):
        assert outcomes(f"{text}{between}r = {number.text};", shots=1) == wanted


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 64),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 64) - 1),
    st.sampled_from(
        [
            "a + b",
            "a - b",
            "a * c",
            "c * a",
            "a / c",
            "-a",
            "~a",
            "a & b",
            "a | b",
            "a ^ b",
            "a << 3",
            "a >> 3",
        ]
    ),
)
def test_angles_are_integers_of_their_bits(width: int, first: int, second: int, expression: str) -> None:
    modulus = 1 << width
    a, b = first % modulus, second % modulus
    c = b
    assume(c or "/" not in expression)
    wanted = eval(expression.replace("/", "//"), {"a": a, "b": b, "c": c}) % modulus
    bits = [f'"{value:0{width}b}"' for value in (a, b)]
    text = f"output angle[{width}] r; angle[{width}] a; angle[{width}] b; uint[{width}] c; "
    text += f"a = angle[{width}]({bits[0]}); b = angle[{width}]({bits[1]}); c = {c};\n"
    for between in ("", UNKNOWN):
        assert outcomes(f"{text}{between}r = {expression};", shots=1) == {f"r={wanted:0{width}b}": 1.0}
