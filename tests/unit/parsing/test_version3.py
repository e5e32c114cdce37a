"""OpenQASM 3 is told from OpenQASM 2 with a mistake, with and without the line of its version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

# The sign is the last statement of each that can be one.
VERSION3 = [
    "qubit q;",
    "qubit[2] q;",
    "qubit [ 2 ] q;",
    "bit c;",
    'bit[2] c = "01";',
    "int[32] n = 3;",
    "const float[64] x = 1.5;",
    "input angle[32] theta;",
    "output bit[2] out;",
    "bool done = false;",
    'include "stdgates.inc";',
    "include './stdgates.inc';",
    "def f(qubit q) -> bit { }",
    "gphase(pi/2);",
    "for int i in [0:3] { }",
    "for i in {1, 2} { }",
    "while (n != 0) { }",
    "ctrl @ x q[0], q[1];",
    "inv @ pow(2) @ x q[0];",
    "cx $0, $1;",
    "U(0.1, 0.2, 0.3) $0;",
    "let all = q[0:1];",
    "box { }",
    "#pragma simulator noise",
    "@bind(1)",
    "extern f(int) -> int;",
    "array[int[8], 2] a;",
]
WITH_REGISTERS = [
    "c = measure q;",
    "c[0] = measure q[0];",
    "if (c == 1) { x q[0]; }",
    "h q[0:1];",
    "delay[100ns] q[0];",
    "measure $0;",
]
HEAD2 = 'include "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'

# All of it is OpenQASM 2, but for what stands in the last line.
VERSION2 = [
    "// qubit[2] q; c = measure q;\nfrob q[0];",
    'include "qubit q;";',
    "gate qubit a { h a; }\nqubit q;\nfrob q;",
    "gate bit(t) a { rx(t) a; }\nbit(1) q;\nfrob q[0];",
    "gate gphase(t) a { rx(t) a; }\ngphase(1) q;\nfrob q[0];",
    "gate pow(t) a { rx(t) a; }\npow(1) q;\nfrob q[0];",
    "gate box a { h a; }\nbox q;\nfrob q[0];",
    "gate input a { h a; }\ninput q;\nfrob q[0];",
    "qreg qubit[2]; creg bit[2];\nmeasure qubit -> bit;\nfrob q[0];",
    "qreg for[2];\nh for[0]; frob q[0];",
    "if (c == 1) h q[7];",
    "if (c[0] == 1) h q[0];",
    "measure q;",
    "U(0.1, 0.2) q[0];",
    "x q[0] x q[1];",
    "barrier q[0]; def q[0];",
    "c = c;",
    "h q[0]; }",
    "delay(100) q[0];",
    "/* qubit[2] q; */",
    "gate g a { frob a; }",
]


@pytest.mark.parametrize("text", VERSION3)
@pytest.mark.parametrize(
    "head", ["", "// OPENQASM 2.0;\n\n", "OPENQASM 2.0;\n", "OPENQASM 3.0;\n", "OPENQASM 3;\n"]
)
def test_openqasm3_is_told_as_such(refused: Any, text: str, head: str) -> None:
    fault = refused(f"{head}{text}\nh q[0];")
    line = 1 + head.count("\n")
    assert f"in line {line} is OpenQASM 3, and this was sent as OpenQASM 2" in fault.message
    assert "send it as openqasm3" in fault.message
    assert "include" not in fault.message.partition(" is OpenQASM 3")[2]
    assert fault.where is not None


@pytest.mark.parametrize("text", [*VERSION3, *WITH_REGISTERS])
def test_openqasm3_among_what_is_the_same_in_both(refused: Any, text: str) -> None:
    fault = refused(f"{HEAD2}h q[0];\n{text}\nh q[1];")
    assert "in line 5 is OpenQASM 3, and this was sent as OpenQASM 2" in fault.message


@pytest.mark.parametrize("text", VERSION2)
def test_openqasm2_with_a_mistake_is_no_openqasm3(refused: Any, text: str) -> None:
    assert "OpenQASM 3" not in refused(HEAD2 + text).message


def test_another_version_without_signs(refused: Any) -> None:
    fault = refused("OPENQASM 3.0;\nU(1,2,3) q;")
    assert "write the program in OpenQASM 2.0, or send it as openqasm3" in fault.message


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "circuits" / "qasmbench").glob("*.qasm")), ids=str
)
def test_programs_of_version_2_have_no_signs_of_another(refused: Any, path: Path) -> None:
    text = path.read_text()
    assert "OpenQASM 3" not in refused(f"{text}\nthere_is_no_such_gate;").message


def test_a_long_sign_is_cut(refused: Any) -> None:
    fault = refused("qubit " + "q" * 10_000 + ";")
    assert "OpenQASM 3" in fault.message
    assert len(fault.message) < 500
