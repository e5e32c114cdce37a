"""Names stand for something in what is never done too; what else is wrong there may depend on values."""

from __future__ import annotations

import pytest

from tests.unit.parsing.openqasm3.test_diagnostics import INCLUDE, places, told

_VARIABLES = "int[8] n; bit b; bit[3] c; array[int[8], 2] v; "
_HEAD = f"{INCLUDE}{_VARIABLES}qubit q; qubit[3] r; "
_SUBROUTINE = f"{INCLUDE}def f(int[8] w, qubit q, qubit[3] r) {{ {_VARIABLES}"

# What is never done, in the third line.
NEVER_DONE = {
    "if": _HEAD + "if (false) {\n@\n}",
    "else": _HEAD + "if (true) { } else {\n@\n}",
    "while": _HEAD + "while (false) {\n@\n}",
    "for": _HEAD + "for int i in [3:2] {\n@\n}",
    "array": _HEAD + "array[int[8], 0] none; for int[8] i in none {\n@\n}",
    "case": _HEAD + "switch (2) { case 1 {\n@\n} default { } }",
    "default": _HEAD + "switch (1) { case 1 { } default {\n@\n} }",
    "no default": _HEAD + "switch (5) { case 1 { } case 2 { if (b) {\n@\n} } }",
    "behind break": _HEAD + "for int i in [0:3] { break;\n@\n}",
    "behind return": _SUBROUTINE + "return;\n@\n} qubit[4] p; f(0, p[0], p[1:3]);",
    "an unused subroutine": _SUBROUTINE + "if (w == 1) {\n@\n} }",
    "behind end": _HEAD + "end;\n@",
    "behind end in a block": _HEAD + "if (true) { end; }\n@",
}
UNKNOWN = {
    "foo q;": 1,
    "ctrl @ foo r, q;": 8,
    "rx(foo) q;": 4,
    "n = foo(3);": 5,
    "n = 2 * foo;": 9,
    "foo = 3;": 1,
    "foo += 1;": 1,
    "c[foo] = 1;": 3,
    "x r[foo];": 5,
    "reset foo;": 7,
    "let a = foo ++ r;": 9,
    "int[foo] k;": 5,
    "for int j in [0:foo] { }": 17,
    "if (foo) { }": 5,
    "if (true) { } else { x foo; }": 24,
    "switch (n) { case foo { } }": 19,
    "{ int[8] k; } k = 1;": 15,
    "for int k in [0:1] { } k = 1;": 24,
    "measure foo -> b;": 9,
    "delay[durationof({x foo;})] q;": 21,
}


@pytest.mark.parametrize("around", NEVER_DONE)
@pytest.mark.parametrize("statement", UNKNOWN)
def test_names_are_looked_up_in_what_is_never_done(around: str, statement: str) -> None:
    assert places(NEVER_DONE[around].replace("@", statement)) == [(3, UNKNOWN[statement])]


@pytest.mark.parametrize("around", NEVER_DONE)
def test_what_is_never_done_may_be_wrong_in_its_values(around: str) -> None:
    right = (
        "c[7] = 1; x r[9]; int[8] k = 1 / 0; k += sizeof(v) + popcount(c) + n; rx(pi) q; U(tau, 0, k) q; "
        "gphase(1); let a = r[1:8]; x a[0]; for int i in [0:5] { c[i] = 0; } const int[8] z = 2; bit[z] y; "
        "{ bit w; w = measure q; } float w2;"
        "w2 = sin(ℇ); array[int[8], 2] u = {n, k}; y[u[9]] = 1; reset $9; "
        "delay[durationof({ x q; })] q; if (w2 > 1.0) { int[8] s = k; s += 1; }"
    )
    assert not told(NEVER_DONE[around].replace("@", right)).diagnostics


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("gate g(a) p {\nfoo p; }", (2, 1)),
        ("gate g(a) p {\nU(a, e, 0) p; }", (2, 6)),
        ("gate g(a) p {\nU(a, 0, 0) r; }", (2, 12)),
        ("gate g(a) p {\nh2 p; } gate h2 p { }", (2, 1)),
        ("def f() -> int[8] {\nreturn g(); } def g() -> int[8] { return f(); }", (2, 8)),
        ("def f() -> int[8] {\nreturn N; } const int[8] N = 3;", (2, 8)),
        ("int[8] n; def f() -> int[8] {\nreturn n; }", (2, 8)),
        ("bool b = false &&\nfoo;", (2, 1)),
        ("bool b = true ||\nfoo(1) > 2;", (2, 1)),
    ],
)
def test_names_are_looked_up_where_a_definition_is(text: str, place: tuple[int, int]) -> None:
    assert places(text) == [place]


def test_mistakes_in_what_is_never_done_are_all_told() -> None:
    text = INCLUDE + (
        "qubit q;\n"
        "if (false) { foo q; x q; y bar; }\n"
        "for int i in [0:9] { if (i > 9) { n = m; } }\n"
        "def f() { s3 $0; }\n"
        "end;\n"
        "x q;\n"
        "s2 q;\n"
        "x q = 1;"
    )
    assert places(text) == [(3, 14), (3, 28), (4, 35), (4, 39), (5, 11), (8, 1), (9, 4)]
