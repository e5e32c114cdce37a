"""A diagnostic as people see it: the line, carets beneath what is meant, and nothing that moves a cursor."""

from __future__ import annotations

from dataclasses import replace

from basicaer.client import Diagnostic
from hypothesis import given
from hypothesis import strategies as st


def found(line: int, column: int, end_column: int) -> Diagnostic:
    return Diagnostic("error", "it is wrong", line, column, end_column)


def test_a_range_is_shown_beneath_its_line() -> None:
    text = "qubit q;\nint n = durationof({x q;});\n"
    shown = replace(
        found(2, 9, 19),
        hint="leave it out",
        feature="recursion",
        section="Subroutines",
    )
    assert shown.render(text, "a.qasm").splitlines() == [
        "a.qasm:2:9: error: it is wrong",
        "    2 | int n = durationof({x q;});",
        "      |         ^^^^^^^^^^",
        "  hint: leave it out",
        "  not supported: recursion; see 'Subroutines' in the OpenQASM 3 specification",
    ]


def test_carets_stand_beneath_wide_and_escaped_characters() -> None:
    assert found(1, 4, 6).render("量\x1bn\te\u0301;").splitlines()[1:] == [
        "    1 | 量\\x1bn e\u0301;",
        "      |        ^^",
    ]


def test_a_long_line_is_cut() -> None:
    lines = found(1, 5001, 5004).render("a" * 5000 + "bad" + "c" * 5000).splitlines()
    assert max(map(len, lines)) < 120
    at = lines[2].index("^")
    assert lines[1][at : at + 3] == "bad"


def test_without_a_place_the_message_stands_alone() -> None:
    assert Diagnostic("error", "it is empty").render("", "a.qasm") == "a.qasm: error: it is empty\n"


@given(st.text(max_size=60), st.text(max_size=9), st.integers(0, 6), st.integers(0, 70), st.integers(0, 70))
def test_nothing_moves_a_cursor(text: str, name: str, line: int, column: int, end: int) -> None:
    shown = Diagnostic("error", text, line, column, end, hint=text, feature=text, section=text).render(
        text, name
    )
    assert all(each.isprintable() for each in shown.split("\n"))
