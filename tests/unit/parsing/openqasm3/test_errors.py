"""Mistakes are told at their place, with what to do about them."""

from __future__ import annotations

import contextlib

import pytest
from basicaer.service.parsing import OPENQASM3, ProgramFault, TakesLongError
from basicaer.v1 import error_reason_pb2 as reasons

from tests.unit.parsing.openqasm3.outcomes import circuit

INCLUDE = 'include "stdgates.inc";\n'
QUBITS = INCLUDE + "qubit[3] q;\n"

# A program, where its mistake stands, and words of what is said.
# The largest integer that there is; no double is as large.
HUGE = "const uint[1024] a = ~uint[1024](0); qubit q;\n"
MISTAKES = [
    ("OPENQASM 2.0;\nqreg q[1];", (1, 10), "2.0 as openqasm2"),
    ("qubit[2] q\nh q;", (1, 11), "expected ';'"),
    (QUBITS + "h q[3];", (3, 5), "index 3 is out of range; there are 3"),
    (QUBITS + "cx q[0], q[0];", (3, 1), "twice"),
    (QUBITS + "cx q[0];", (3, 1), "takes 2 operands here, not 1"),
    (QUBITS + "rx q[0];", (3, 1), "takes 1 parameter, not 0"),
    (QUBITS + "rx(1, 2) q[0];", (3, 1), "takes 1 parameter, not 2"),
    (QUBITS + "foo q[0];", (3, 1), "define it with gate foo"),
    (QUBITS + "cxx q[0], q[1];", (3, 1), "did you mean 'cx'"),
    ("int[8] count; count = coumt + 1;", (1, 23), "did you mean 'count'"),
    ("qubit q;\nh q;", (2, 1), 'write include "stdgates.inc"'),
    ('include "qelib1.inc";', (1, 1), 'write include "stdgates.inc"'),
    (QUBITS + "bit[2] c; c = measure q;", (3, 11), "3 qubits are measured into 2 bits"),
    (QUBITS + "int[8] n = m + 1;", (3, 12), "'m' isn't declared"),
    (QUBITS + "int[8] n;\nint[9] n;", (4, 8), "declared already"),
    (QUBITS + "qubit[2] a; cx a, q;", (3, 13), "different sizes, 2 and 3"),
    ("const float pi = 3;", (1, 1), "declared already"),
    ("int[8] n; int[8] tau;", (1, 18), "declared already"),
    (QUBITS + "x q[0];\nbit x;\nx q[1];", (5, 1), "'x' is no gate"),
    ("const int N = 3;\nN = 4;", (2, 1), "can't be assigned to"),
    ("int[1025] n;", (1, 5), "at most 1,024 bits"),
    ("angle[65] a;", (1, 7), "at most 64 bits"),
    ("float[128] a;", (1, 7), "16, 32 or 64 bits, not 128"),
    ("complex[int[8]] a;", (1, 9), "parts of type float"),
    ("int[8] n = 1 / 0;", (1, 14), "division by zero"),
    ("bit[4] b; bit[3] c; c = b;", (1, 21), "take as many bits"),
    ("array[int[8], 2] a = {1, 2, 3};", (1, 22), "3 values for an axis of 2"),
    ("array[int[8], 2] a; int[8] b = a;", (1, 32), "take one of its elements"),
    ("int[8] n; if (n) { n = 1;", (1, 18), "isn't closed"),
    ("break;", (1, 1), "outside of a loop"),
    ("bit a;\n@note", (2, 1), "none follows"),
    ("if (true) { bit b;\n@note x y\n}", (2, 1), "none follows"),
    ("int[8] k = 1; angle[4] a = 2 * k;", (1, 30), "make it a float first"),
    ("bool k; angle[4] a; a = k;", (1, 21), "make it a float first"),
    ("bit[3] k; angle[4] a = angle[4](k);", (1, 24), "take as many bits"),
    ("angle[4] a; int[4] k = a;", (1, 24), "take its bits"),
    ("angle[4] a; uint[4] k = uint[4](a);", (1, 25), "take its bits"),
    ("def f(angle[4] a) { } int[8] k; f(k);", (1, 35), "make it a float first"),
    ("return 1;", (1, 1), "outside of a subroutine"),
    ("def f(int[8] n) -> int[8] { return f(n); }\nint[8] a = f(1);", (1, 36), "calls itself"),
    ("extern f(int[8]) -> int[8];\nint[8] a = f(1);", (2, 12), "extern function"),
    ("int[8] n;\ndef f() -> int[8] { return n; }\nint[8] a = f();", (2, 28), "give it as an argument"),
    ("gate g a { g a; }", (1, 6), "defined by itself"),
    ("qubit q; float f = 1; bit b = measure q; if (b) f = 2; "
     "array[int[8], 2] a; a[int(f)] = 1; output duration z;", (1, 91), "no durations"),
    ("int n = 08é;", (1, 11), "'é'"),
    ("x \x07;", (1, 3), "U+0007"),
    ("bit c = \"012\";", (1, 9), "digits 0 and 1"),
    ("/* a", (1, 1), "write */"),
    ("int n = 1__0;", (1, 10), "expected ';'"),
    ("int n = 10_;", (1, 11), "expected ';'"),
    ("int n = 0x_1;", (1, 10), "expected ';'"),
    ("int n = 0b1__0;", (1, 12), "expected ';'"),
    ("float f = 1._5;", (1, 13), "expected ';'"),
    ("int n = 1\u0663;", (1, 10), "arabic-indic digit three"),
    ("bit[\uff12] c;", (1, 5), "fullwidth digit two"),
    ("bit a\u00b2;", (1, 6), "superscript two"),
    ("qubit[2] q; U(0, 0, 0) q[\u0661];", (1, 26), "arabic-indic digit one"),
    ("reset $\u0661;", (1, 7), "dollar sign"),
    ("bit \u00bd;", (1, 5), "vulgar fraction one half"),
    ("duration d = durationof({ if (true) { } });", (1, 27), "durationof is of gates"),
    ("qubit q; delay[-1ns] q;", (1, 16), "isn't negative"),
    ("bit[4] c; let a = c[1:2] ++ c[2:3];", (1, 26), "a part of itself"),
    ("qubit[4] q; let a = q[1:2] ++ q[2:3];", (1, 28), "a part of itself"),
    ("qubit[2] q; let a = q[{}];", (1, 22), "at least one qubit"),
    ("output qubit[2] q;", (1, 8), "expected a classical type"),
    ("array[qubit, 3] a;", (1, 1), "not of qubit"),
    ("bit[4] b = 1.5;", (1, 12), "cast it to uint[4]"),
    ("gate g q { U(0, 0, 0) $0; }", (1, 23), "not on physical ones"),
    ("array[int[8], 2] a; array[int[16], 2] b; a = b;", (1, 46), "and not array[int[8], 2]"),
    ("qubit[2] q; def f(qubit[3] a) { }\nf(q);", (2, 3), "has 3 qubits, and these are 2"),
    ("switch (1.5) { case 1 { } }", (1, 9), "an integer, not of type float"),
    ("for i in [0:3] { }", (1, 5), "type"),
    ("output qubit[2] q;", (1, 8), "expected a classical type"),
    ("def f() -> qubit { }", (1, 12), "expected a classical type"),
    ("float f = 1e999;", (1, 11), "too large"),
    ("float f = 1e300; f *= 1e300;", (1, 18), "too large"),
    ("uint[4] n = 3; n[4] = 1;", (1, 18), "index 4 is out of range"),
    *((HUGE + text, (2, column), "too large") for text, column in (
        ("gate no p { } pow(a) @ no q;", 15),
        ("pow(a) @ U(1, 2, 3) q;", 1),
        ("pow(a) @ gphase(1);", 1),
        ("U(a, 0, 0) q;", 3),
        ("delay[a * 1ns] q;", 9),
        ("complex c = a;", 13),
        ("float[32] f = a;", 15),
        ("gphase(2.0 ** a);", 12),
        ("bool b = a > 1.5;", 12),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "words"), MISTAKES)
def test_a_mistake_is_told_at_its_place(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(ProgramFault) as caught:
        circuit(text)
    fault = caught.value
    assert fault.where is not None
    assert (fault.message, (fault.where.line, fault.where.column)) == (fault.message, place)
    assert words in fault.message
    assert fault.reason == reasons.ERROR_REASON_PROGRAM_INVALID


LARGE = {
    "turns": "qubit[2] q; for int i in [0:9999] { for int j in [0:9999] { let a = q[0:(i + j) % 2]; } }",
    "gates": INCLUDE + "qubit q; gate a0 q { x q; x q; } "
    + " ".join(f"gate a{n} q {{ a{n - 1} q; a{n - 1} q; }}" for n in range(1, 40)) + " a39 q;",
    "powers": INCLUDE + "qubit q; gate g q { h q; t q; } pow(100000000) @ g q;",
    "elements": "array[int[8], 1000, 1000] a;",
    "bits": "bit[1000000] c;",
    "qubits": "qubit[99999] a; qubit[99999] b;",
    "broadcasts": INCLUDE + "qubit[90000] q; " + "x q; " * 4,
    "depth": "int[8] n = " + "(" * 5000 + "1" + ")" * 5000 + ";",
    "blocks": "{" * 5000,
    "signs": "int[8] n = " + "-" * 5000 + "1;",
    "sums": "int[8] n = " + "1 + " * 20000 + "1;",
    "indices": "qubit[2000] q; qubit t; uint[16] i; bit b = measure t; if (b) i = 1; "
    "for int j in [0:60] { let a = q[0:j]; U(0, 0, 1) q[i]; }",
    "digits": "int n = " + "9" * 100_000 + ";",
    "subroutines": "".join(
        f"def f{n}(int[8] a) -> int[8] {{ return {f'f{n - 1}(a) + f{n - 1}(a)' if n else 'a'}; }}\n"
        for n in range(40)
    )
    + "int[8] n = f39(1);",
}  # fmt: skip


@pytest.mark.parametrize("what", LARGE)
def test_a_short_text_that_means_much_is_refused(what: str) -> None:
    with pytest.raises(ProgramFault):
        circuit(LARGE[what])
    with pytest.raises((ProgramFault, TakesLongError)):
        OPENQASM3.parse_at_once(LARGE[what], max_bytes=1 << 20, max_instructions=1 << 20)


@pytest.mark.parametrize("what", ["sums", "conditions"])
def test_what_is_nested_too_deep_is_told_at_its_statement(what: str) -> None:
    part = {"sums": "int[8] n = 1" + " + 1" * 20_000, "conditions": "bool n = true" + " && true" * 20_000}[
        what
    ]
    with pytest.raises(ProgramFault, match="nested too deep") as caught:
        circuit(f"qubit q;\n  {part};\nreset q;")
    assert caught.value.where is not None
    assert (caught.value.where.line, caught.value.where.column) == (2, 3)


def test_a_text_of_more_bytes_is_refused() -> None:
    with pytest.raises(ProgramFault, match="11 bytes"):
        OPENQASM3.parse("qubit[9] q;", max_bytes=10, max_instructions=10)


@pytest.mark.parametrize(
    "text",
    [
        QUBITS + "bit[2] c; c[0] = measure q[0];\nif (c[0]) x q[0];" + " \n" * 5000 + "h q[0];",
        QUBITS + "int[4] n; measure q[0] -> n[0]; //" + " measure" * 50_000 + "\n//" + "a" * 200_000,
        QUBITS + "// " + "/* " * 50_000 + "\n" + "x q[0];" * 100,
        QUBITS + "x q[0" + "0" * 100_000 + "];",
        QUBITS + "inv @ " * 30_000 + "x q[0];",
        "".join(f"def f{n}(readonly array[int[8], #dim = 1] a) {{ }} " for n in range(15_000)),
        "@a " * 200_000,
    ],
)
def test_blanks_and_repetitions_take_no_time(text: str) -> None:
    """Patterns that go back would take longer than the test may."""
    with contextlib.suppress(ProgramFault):
        circuit(text)
