"""Each part of the language, by a program that has it and what that program gives."""

from __future__ import annotations

import pytest

from tests.unit.parsing.openqasm3.outcomes import outcomes

INCLUDE = 'include "stdgates.inc";\n'

# A program and its only outcome.
CERTAIN = {
    "version and comments": (
        "/* a */ OPENQASM 3.1; // b\n include 'stdgates.inc'; bit c; qubit q; x q; c = measure q;",
        "c=1",
    ),
    "registers of version 2": (
        INCLUDE + "qreg q[2]; creg c[2]; x q[1]; measure q -> c;",
        "c=10",
    ),
    "broadcast": (
        INCLUDE + "qubit[3] q; qubit t; bit[3] c; bit d; x q; cx q, t; c = measure q; d = measure t;",
        "c=111 d=1",
    ),
    "two registers": (
        INCLUDE + "qubit[2] a; qubit[2] b; bit[2] c; x a; cx a, b; c = measure b;",
        "c=11",
    ),
    "hardware": (
        INCLUDE + "bit c; x $3; cx $3, $1; c = measure $1;",
        "c=1",
    ),
    "alias": (
        INCLUDE + "qubit[2] a; qubit[3] b; bit[5] c; let d = b ++ a; x d[1:2:4]; x d[-1]; c = measure d;",
        "c=11010",
    ),
    "gate": (
        "gate not q { U(pi, 0, pi) q; } gate two a, b { not a; not b; } qubit[2] q; bit[2] c; "
        "two q[0], q[1]; c = measure q;",
        "c=11",
    ),
    "gate with a loop": (
        INCLUDE + "gate turns(a) q { for int i in [1:3] { rx(a / 3) q; } } qubit q; bit c; turns(pi) q; "
        "c = measure q;",
        "c=1",
    ),
    "ctrl": (
        INCLUDE + "qubit[3] q; bit[3] c; x q[0]; ctrl @ x q[0], q[1]; ctrl(2) @ x q[0], q[1], q[2]; "
        "c = measure q;",
        "c=111",
    ),
    "a whole turn under a control": (
        INCLUDE + "qubit[2] q; bit[2] c; h q[0]; ctrl @ rx(2 * pi) q[0], q[1]; crz(-tau) q[0], q[1]; "
        "float a = tau; crx(a) q[0], q[1]; h q[0]; c = measure q;",
        "c=00",
    ),
    "a whole turn that only a run knows": (
        INCLUDE + "qubit[2] q; bit[2] c; x q[1]; bit one = measure q[1]; reset q[1]; h q[0]; "
        "float a = tau * int[8](one); crx(a) q[0], q[1]; gate g(b) p, q { ctrl @ rx(b) p, q; } "
        "g(3 * a) q[0], q[1]; h q[0]; c = measure q;",
        "c=00 one=1",
    ),
    "parameters that are real numbers": (
        INCLUDE
        + "pragma basicaer.real_parameters\nqubit[2] q; bit[2] c; h q[0]; ctrl @ rx(2 * pi) q[0], q[1]; "
        "crz(-tau) q[0], q[1]; float a = tau; crx(a) q[0], q[1]; h q[0]; c = measure q;",
        "c=01",
    ),
    "a parameter keeps its sign": (
        INCLUDE
        + "qubit[2] q; bit[2] c; h q[0]; crz(-pi) q[0], q[1]; crz(pi) q[0], q[1]; h q[0]; c = measure q;",
        "c=00",
    ),
    "negctrl": (
        INCLUDE + "qubit[3] q; bit[3] c; x q[1]; negctrl @ ctrl @ x q[0], q[1], q[2]; c = measure q;",
        "c=110",
    ),
    "inv": (
        INCLUDE + "gate g q { s q; h q; t q; } qubit q; bit c; x q; g q; inv @ g q; c = measure q;",
        "c=1",
    ),
    "pow": (
        INCLUDE + "qubit q; bit c; pow(1 / 3.0) @ x q; pow(2.0 / 3) @ x q; pow(2) @ s q; c = measure q;",
        "c=1",
    ),
    "pow of a gate": (
        INCLUDE + "gate g a, b { cx a, b; } qubit[2] q; bit[2] c; x q[0]; pow(0.5) @ g q[0], q[1]; "
        "pow(0.5) @ g q[0], q[1]; c = measure q;",
        "c=11",
    ),
    "controlled phase": (
        INCLUDE + "qubit q; bit c; h q; ctrl @ gphase(pi) q; h q; c = measure q;",
        "c=1",
    ),
    "integers wrap": (
        "output uint[8] u; output int[8] s; u = 250; u += 10; s = 127; s += 1;",
        "u=00000100 s=10000000",
    ),
    "integers at run time": (
        "qubit q; reset q; output uint[4] u; output int[4] s; bit z = measure q; u = 15; s = 7; "
        "if (!z) { u += 2; s += 1; }",
        "u=0001 s=1000",
    ),
    "division": (
        "output int[8] d; output int[8] m; int[8] a = -7; d = a / 2; m = a % 2;",
        "d=11111101 m=11111111",
    ),
    "complements": ("output uint[4] a; a ~= 5;", "a=1010"),
    "a long sum": (
        "qubit q; output uint[8] a; bit z = measure q; uint[8] x = 1; if (z) x = 2; a = "
        f"{' + '.join(['x'] * 150)};",
        "a=10010110",
    ),
    "many bits": (
        INCLUDE
        + "qubit[200] q; bit[200] c; x q[150]; x q[3]; c = measure q; output bit[101] d; output bit[3] e; "
        "output uint[8] n; d = c[99:199]; e = c[{150, 3, 4}]; n = popcount(c);",
        f"d={1 << 51:0101b} e=011 n=00000010",
    ),
    "shifts": (
        "output uint[4] a; output uint[4] b; a = 3; b = a; a <<= 3; b >>= 1;",
        "a=1000 b=0001",
    ),
    "bits": (
        'output bit[4] c; output bit d; c = "0110"; c[0] = 1; c[3:-1:2] = "10"; d = c[1] ^ c[0];',
        "c=0111 d=0",
    ),
    "bits of an integer": (
        "output uint[4] n; n = 5; n[1] = n[0]; n[0] = 0;",
        "n=0110",
    ),
    "casts": (
        'output int[8] a; output bit[4] b; output bool c; bit[4] v = "1011"; '
        "a = int[8](uint[4](v)); uint[4] n = 9; b = bit[4](n); c = bool(n);",
        "a=00001011 b=1001 c=1",
    ),
    "angles": (
        "output angle[4] a; output bool b; a = 3 * pi / 4; a *= 2; angle[4] c = pi; b = a > c;",
        "a=1100 b=1",
    ),
    "constants": (
        "const int N = 2 ** 3; const float F = N / 2.0; output uint[N] n; n = uint[8](F);",
        "n=00000100",
    ),
    "integer division of constants": (
        "output int[4] n; n = int[4](arccos(3 / 5) * 2);",
        "n=0011",
    ),
    "functions": (
        "output int[8] a; output int[8] b; output uint[8] p; a = int[8](floor(-2.5)); "
        'b = int[8](ceiling(sqrt(2.0)) + mod(7, 4)); p = popcount(bit[4]("1011"));',
        "a=11111101 b=00000101 p=00000011",
    ),
    "functions at run time": (
        "qubit q; reset q; output int[8] a; output uint[4] p; output bit[4] r; float f = -2.5; "
        'bit z = measure q; bit[4] v = "1101"; if (!z) { f = f + 0.0; v = v; } if (z) { f = 3.0; '
        'v = "0000"; } a = int[8](floor(f)); p = popcount(v); r = rotl(v, 1);',
        "a=11111101 p=0011 r=1011",
    ),
    "complex": (
        "output int[8] a; const complex[float[64]] z = (1.0 + 2.0im) * 2im; "
        "a = int[8](real(z)) + int[8](imag(z));",
        "a=11111110",
    ),
    "durations": (
        "output bool b; const duration d = 1us; b = d / 2 > 400ns; qubit q; delay[d] q; "
        "box[2us] { delay[100ns] q; }",
        "b=1",
    ),
    "arrays": (
        "output int[8] s; output uint[8] n; array[int[8], 2, 3] m = {{1, 2, 3}, {4, 5, 6}}; "
        "m[0] = m[1]; s = m[0, 2] + m[1][-1]; n = sizeof(m, 1);",
        "s=00001100 n=00000011",
    ),
    "arrays at run time": (
        "qubit q; reset q; output int[8] s; array[int[8], 4] a = {1, 2, 3, 4}; "
        "bit z = measure q; uint[2] i = 2; if (!z) { i = 3; } a[i] = 9; i = i - 1; "
        "s = a[i] + a[3];",
        "s=00001100",
    ),
    "array arguments": (
        "def fill(mutable array[int[8], #dim = 1] a, int[8] v) { "
        "for int i in [0:sizeof(a) - 1] { a[i] = v; } }\n"
        "def sum(readonly array[int[8], 3] a) -> int[8] { int[8] t = 0; for int[8] x in a { "
        "t += x; } return t; }\narray[int[8], 3] a; output int[8] s; fill(a, 5); s = sum(a);",
        "s=00001111",
    ),
    "for over a set": (
        "output int[8] s; for int[8] i in {1, 10, -3} s += i;",
        "s=00001000",
    ),
    "for over a range": (
        "output int[8] s; for uint i in [6:-2:0] s += int[8](i);",
        "s=00001100",
    ),
    "for over bits": (
        'output int[8] s; bit[4] v = "0111"; for bit b in v { s += int[8](b); }',
        "s=00000011",
    ),
    "for with run-time bounds": (
        "qubit q; reset q; output int[8] s; uint[4] n = 2; bit z = measure q; if (!z) n = 4; "
        "for int i in [1:n] { if (i == 2) continue; s += int[8](i); }",
        "s=00001000",
    ),
    "break": (
        "output int[8] s; for int i in [0:9] { if (i == 4) break; s += 1; }",
        "s=00000100",
    ),
    "break amid an array": (
        "output int[8] s; array[int[8], 3] a = {1, 2, 4}; for int[8] x in a { if (x == 4) break; s += x; }",
        "s=00000011",
    ),
    "while": (
        INCLUDE + "qubit q; output uint[4] n; bit b; while (n < 5) { n += 1; x q; }",
        "n=0101",
    ),
    "while that measures": (
        INCLUDE + "def flip(qubit q) -> bit { x q; return measure q; } qubit q; output uint[4] n; "
        "while (!flip(q)) { n += 1; } if (n == 0) n = 9;",
        "n=1001",
    ),
    "switch": (
        "output int[4] r; int[4] v = 2; switch (v) { case 0, 1 { r = 1; } case 2 { r = 3; } "
        "default { r = 5; } }",
        "r=0011",
    ),
    "switch at run time": (
        INCLUDE + "qubit[2] q; x q[1]; output int[4] r; bit[2] c = measure q; switch (uint[2](c)) { "
        "case 1 { r = 1; } case 2 { r = 3; } }",
        "r=0011",
    ),
    "qubits by run-time indices": (
        INCLUDE + "qubit[3] q; qubit t; output bit[3] c; x t; bit b = measure t; uint[2] i = 1; if (b) { "
        "i = 2; } x q[i]; cx q[i], q[0]; c = measure q;",
        "c=101",
    ),
    "bits by run-time indices": (
        INCLUDE + "qubit t; output bit[3] c; x t; bit b = measure t; uint[2] i = 1; if (b) i = 2; "
        "c[i] = 1; c[0] = c[i];",
        "c=101",
    ),
    "subroutine": (
        INCLUDE + "const int K = 2; def twice(qubit q, int[8] n) -> int[8] { x q; n += K; return 2 * n; } "
        "qubit q; output int[8] r; output bit c; r = twice(q, 3) + twice(q, 1); c = measure q;",
        "r=00010000 c=0",
    ),
    "early returns": (
        INCLUDE + "def f(bit b, int[8] n) -> int[8] { for int i in [0:5] { if (b) { if (i == n) return i; "
        "} } return 9; } qubit[2] q; x q[0]; output int[4] a; output int[4] b; "
        "bit[2] c = measure q; a = f(c[0], 3); b = f(c[1], 3);",
        "a=0011 b=1001",
    ),
    "void and no value": (
        INCLUDE + "def f(qubit q) { x q; return; } qubit q; bit c; f(q); f q; f(q); c = measure q;",
        "c=1",
    ),
    "end": (
        "output int[4] a; a = 1; end; a = 2;",
        "a=0001",
    ),
    "end amid loops": (
        INCLUDE + "qubit q; output int[4] a; x q; for int i in [0:3] { while (true) { bit b = measure q; "
        "a = 3; if (b) { end; } } }",
        "a=0011",
    ),
    "scopes": (
        "output int[8] a; int[8] x = 1; { int[8] x = 5; x += 1; a = x; } a += x;",
        "a=00000111",
    ),
    "effects beside &&": (
        INCLUDE + "def f(qubit q) -> bit { x q; return measure q; } qubit[2] q; output bit[2] c; x q[0]; "
        "bit a = measure q[0]; if (!a && f(q[1])) { x q[0]; } c = measure q;",
        "c=01",
    ),
    "what is skipped": (
        INCLUDE + 'pragma a b\n#pragma c\n@d e\nqubit q; defcalgrammar "openpulse"; cal { a { } } '
        "defcal x $0 { b; } bit c; nop q; barrier; x q; c = measure q;",
        "c=1",
    ),
    "measured angle": (
        "qubit q; angle[3] a; U(pi, 0, pi) q; measure q -> a[1];",
        "a=010",
    ),
    "hidden bits": (
        INCLUDE + "qubit q; x q; { bit b = measure q; if (b) x q; } bit c; c = measure q;",
        "c=0",
    ),
}


@pytest.mark.parametrize("part", CERTAIN)
def test_a_program_gives_its_one_outcome(part: str) -> None:
    text, outcome = CERTAIN[part]
    assert outcomes(text, shots=50) == {outcome: 1.0}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (INCLUDE + "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;", {"c=00": 0.5, "c=11": 0.5}),
        (INCLUDE + "qubit[2] q; output int[4] n; h q; bit[2] c = measure q; "
         "if (c == 3) n = -1; else if (c[0]) n = 1;",
         {"n=1111": 0.25, "n=0001": 0.25, "n=0000": 0.5}),
        (INCLUDE + "qubit q; output uint[3] n; bit b = 1; "
         "while (b && n < 3) { h q; b = measure q; reset q; n += 1; }",
         {"n=001": 0.5, "n=010": 0.25, "n=011": 0.25}),
        (INCLUDE + "output bit a; output bit b; qubit[2] q; h q[0]; a = measure q[0]; "
         "if (a) { end; } x q[1]; b = measure q[1];",
         {"a=1 b=0": 0.5, "a=0 b=1": 0.5}),
    ],
)  # fmt: skip
def test_a_program_gives_a_distribution(text: str, wanted: dict[str, float]) -> None:
    assert outcomes(text, shots=20_000) == pytest.approx(wanted, abs=0.02)
