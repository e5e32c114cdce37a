"""All mistakes of a text are told, and none that follows from another; what is doubtful is a warning."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from basicaer.service.parsing import MOST_DIAGNOSTICS, OPENQASM3, ProgramFault
from basicaer.v1 import diagnostic_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

INCLUDE = 'include "stdgates.inc";\n'
LIMITS: dict[str, Any] = {"max_bytes": 1 << 20, "max_instructions": 10_000}


def told(text: str) -> pb.Diagnostics:
    """What is said about a text, whether or not it can be run."""
    warnings: list[pb.Diagnostic] = []
    try:
        OPENQASM3.parse(text, warnings=warnings, **LIMITS)
    except ProgramFault as fault:
        return fault.diagnostics
    return pb.Diagnostics(diagnostics=warnings)


def places(text: str) -> list[tuple[int, int]]:
    return [(each.line, each.column) for each in told(text).diagnostics]


# Statements of a line each that are right, or that have one mistake each, whatever the others have.
RIGHT = (
    "h q[0];",
    "n = n + 1;",
    "for int i in [0:2] { x q[i]; }",
    "if (c[0]) { x q; } else { n = 2; }",
    "c = measure q;",
    "bar q[0], q[1];",
    "n = twice(n);",
)
WRONG = (
    "h q[7];",
    "cx q[0];",
    "n = 2 +;",
    "x q[0",
    "n = n + missing@;",
    "qubit[2 r@;",
    "if (c[0] { x q; }",
    "for i in [0:2] { x q[0]; }",
    "uint[4] u@ = 1 / 0;",
    "float f@ = durationof({x q;});",
    "c = measure q[0:1];",
    "gate g@ a { x b@; }",
    "def d@(int[8] a -> int[8] { return a; }",
    "const int K@;",
    "missing@ q[0];",
    "switch (n) { case 1 { } other }",
    "$ x q;",
    "default;",
    "bar q[0],\n  q[8];",
)
HEAD = (
    "OPENQASM 3.0; "
    + INCLUDE
    + "qubit[3] q; output bit[3] c; output int[8] n; gate bar a, b { cx a, b; } "
    + "def twice(int[8] a) -> int[8] { return 2 * a; } c = measure q;"
)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=1, max_size=12))
def test_each_mistake_is_told_once(chosen: Sequence[tuple[bool, int]]) -> None:
    lines = [HEAD]
    wrong: list[int] = []
    for is_wrong, number in chosen:
        # Names of their own, so that nothing is declared twice.
        statements = WRONG if is_wrong else RIGHT
        lines.append(statements[number % len(statements)].replace("@", str(len(lines))))
        if is_wrong:
            # In its last line; the head has two.
            wrong.append("\n".join(lines).count("\n") + 1)
    lines.append("n = 3;")
    found = [line for line, _ in places("\n".join(lines))]
    assert set(found) == {*wrong}
    assert found == sorted(found)


def test_what_follows_from_a_mistake_is_no_other() -> None:
    text = INCLUDE + (
        "qubit[two] q; bit[2] c;\n"  # two
        "h q[9]; cx q[0], q[7];\n"
        "c = measure q;\n"
        "int[8] n = m; n += 1; array[int[8], n] a;\n"  # m
        "a[0] = 1; int[8] k = 1 / n; k = m; bit[k] d;\n"
        "def f(int[8] p) -> int[8] { return s + p; }\n"  # s
        "int[8] v = f(3); uint[v] w; let t = q[0:v];\n"
        "if (n > 3) { h t; foo t; } foo q;\n"  # foo
        "while (n > 1) { n -= 1; if (m == 1) break; }\n"
        "for int i in [0:n] { k = i; bit e = measure q[i]; }\n"
        "gate g a { h b; } g q[0]; inv @ g q[1];\n"  # b
    )
    diagnostics = told(text).diagnostics
    assert [each.message for each in diagnostics] == [
        "'two' isn't declared",
        "'m' isn't declared",
        "'s' isn't declared",
        "the gate 'foo' isn't declared",
        "'b' isn't declared",
    ]


def test_a_value_that_a_mistake_leaves_unknown_is_no_mistake() -> None:
    assert places('qubit q; int[8] n = 0;\nn = 3 + "01;\nint[8] k = 1 / n;\nbit[n] c;\nn = 4;') == [(2, 9)]


def test_a_mistake_of_a_loop_or_a_subroutine_is_told_once() -> None:
    assert places(
        INCLUDE + "qubit[3] q;\nfor int i in [0:50] { x q[i]; h q[8]; }\n"
        "def f(qubit p) { u9 p; rx p; }\nf(q[0]);\nf(q[1]);\n"
    ) == [(3, 27), (3, 35), (4, 18), (4, 24)]


def test_a_text_is_read_on_behind_a_missing_semicolon() -> None:
    diagnostics = told(INCLUDE + "qubit[2] q\nbit c\nh q[5];\nc = measure q[0]").diagnostics
    assert [(each.line, each.column, each.expected) for each in diagnostics] == [
        (2, 11, "';' behind a declaration"),
        (3, 6, "';' behind a declaration"),
        (4, 5, ""),
        (5, 17, "';' behind an assignment"),
    ]


def test_a_block_without_its_end_is_read() -> None:
    text = (
        INCLUDE
        + "qubit[2] q; bit c;\nc = measure q[0];\nif (c) { x q[3];\n"
        + "qubit r; def f() { } gate g a { h a; }\nz2 q;"
    )
    assert places(text) == [(4, 8), (4, 14), (6, 1)]


def test_a_missing_include_is_told_once() -> None:
    diagnostics = told("qubit[2] q;\nh q[0]; cx q[0], q[1];\nx q[2];").diagnostics
    assert [(each.line, each.hint) for each in diagnostics] == [
        (2, 'write include "stdgates.inc"; before it'),
        (3, "there are 2, from 0 on"),
    ]


def test_no_more_than_twenty_are_told() -> None:
    found = told("\n".join(f"a{number} = 1;" for number in range(50)))
    assert [each.line for each in found.diagnostics] == list(range(1, MOST_DIAGNOSTICS + 1))
    assert found.left_out == 50 - MOST_DIAGNOSTICS


@pytest.mark.parametrize(
    ("text", "columns", "expected", "feature", "section"),
    [
        ("int[8] count = 1; count = 2 count;", (28, 29), "';' behind an assignment", "", ""),
        ("int[8] n = ) + 1;", (12, 13), "a value", "", ""),
        ("output duration d;", (1, 7), "", "durations as outputs", "Directives > Input/output"),
        (
            "extern f(readonly array[int, 2]) -> int;",
            (10, 18),
            "",
            "arrays of extern functions",
            "Classical instructions > Extern function calls",
        ),
        ('include "my.inc";', (1, 8), "", "files beside stdgates.inc", "Comments > Included files"),
    ],
)
def test_a_diagnostic_has_its_parts(
    text: str, columns: tuple[int, int], expected: str, feature: str, section: str
) -> None:
    (found,) = told(text).diagnostics
    assert found.severity == pb.SEVERITY_ERROR
    assert (found.line, found.column, found.end_column) == (1, *columns)
    assert (found.expected, found.feature, found.section) == (expected, feature, section)
    assert found.message


QUBIT = INCLUDE + "qubit q; bit b; uint[2] n; int[4] s; b = measure q; if (b) { n = 1; s = 2; }\n"
DOUBTFUL = [
    (QUBIT + "rx(arccos(3/5)) q;", 12, "3 / 5 divides integers, which gives 0"),
    (QUBIT + "rx(-(7/2)) q;", 7, "7 / 2 divides integers, which gives 3"),
    (QUBIT + "if (uint[1](s) == 2) x q;", 16, "a value of type uint[1] never equals 2"),
    (QUBIT + "if (n != 4) x q;", 7, "a value of type uint[2] never equals 4"),
    (QUBIT + "if (n == -1) x q;", 7, "a value of type uint[2] never equals -1"),
    (QUBIT + "if (s == 8) x q;", 7, "a value of type int[4] never equals 8"),
    (QUBIT + "if (b == 2) x q;", 7, "a value of type bit never equals 2"),
    (QUBIT + "if (s == 0.5) x q;", 7, "a value of type int[4] never equals 0.5"),
    (QUBIT + "const int[8] A = 2; const int[8] A = 2;", 21, "'A' is declared twice, as the same constant"),
    (QUBIT + "const float euler = 2.718281828459045;", 1, "'euler' is declared twice, as the same constant"),
    (QUBIT + "def f(qubit p) { reset p; } f q;", 29, "'f' is a subroutine, called like a gate"),
]


@pytest.mark.parametrize(("text", "column", "message"), DOUBTFUL)
def test_what_is_doubtful_is_a_warning(text: str, column: int, message: str) -> None:
    (found,) = told(text).diagnostics
    assert found.severity == pb.SEVERITY_WARNING
    assert (found.line, found.column, found.message) == (3, column, message)
    assert found.hint


@pytest.mark.parametrize(
    "statement",
    [
        "rx(arccos(3.0/5)) q;",
        "rx(6/3) q;",
        "n = 7; n = n / 2;",
        "if (n == 3) x q;",
        "if (s == -8) x q;",
        "if (s == 18446744073709551615) x q;",
        "if (b == 1) x q;",
        "if (b == true) x q;",
        "if (n == 1.0) x q;",
        "if (uint[64](s) == 18446744073709551615) x q;",
        "int[8] k = 5; if (n == k) x q;",
        "{ int[8] k = 5; } { int[8] k = 5; }",
    ],
)
def test_what_is_clear_is_no_warning(statement: str) -> None:
    assert not told(QUBIT + statement).diagnostics


def test_a_doubt_in_a_loop_is_told_once() -> None:
    assert len(told(QUBIT + "for int i in [0:9] { rx(1/2) q; }").diagnostics) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(qubit p, int[8] n) { } qubit q;\nf(3) q;",
        "def f(qubit p) -> bit { return measure p; } qubit q;\nf q;",
    ],
)
def test_a_subroutine_with_a_value_is_called_as_one(text: str) -> None:
    (found,) = told(text).diagnostics
    assert (found.severity, found.line, found.hint) == (pb.SEVERITY_ERROR, 2, "call it as f(…)")


def test_warnings_stand_beside_errors() -> None:
    found = told(QUBIT + "rx(1/2) q;\nfoo q;\nrx(1/4) q;").diagnostics
    assert [(each.line, pb.Severity.Name(each.severity)) for each in found] == [
        (3, "SEVERITY_WARNING"),
        (4, "SEVERITY_ERROR"),
        (5, "SEVERITY_WARNING"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "int[8] a = b;\n" + "a = a + 1;\n" * 80_000,
        "int[8] a = b;\nfor int i in [0:60000] { int[8] c = a; }",
        "\n".join(f"a{number} = b{number} + ;" for number in range(50_000)),
        "def f( {" * 20_000,
        "gate g a { foo a; " * 20_000,
        "\u20ac " * 100_000,
        *("\u20ac" * 300_000, "$" * 500_000, "\u00b2" * 300_000, "a\u00b2" * 100_000, "\x00" * 500_000),
    ],
)
def test_many_mistakes_take_no_time(text: str) -> None:
    begun = time.process_time()
    assert told(text).diagnostics
    assert time.process_time() - begun < 10


def test_a_call_whose_meaning_is_clear_is_looked_into() -> None:
    text = INCLUDE + "\ndef f(int[8] n, qubit[2] a) {\n  h a[n];\n}\nqubit[2] q;\nf(2) q;"
    assert places(text) == [(4, 7), (7, 1)]
