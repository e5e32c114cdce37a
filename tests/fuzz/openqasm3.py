"""OpenQASM 3 text: a circuit that is valid and can be run, or a refusal that points into the text."""

from __future__ import annotations

from basicaer import simulator as sim
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import _languages
from basicaer.v1 import circuit_pb2

from tests.fuzz.inputs.mutation import mutate_program
from tests.fuzz.openqasm2 import read_both_ways
from tests.fuzz.targets import Target

__all__ = ["OPENQASM3"]

_MAX_BYTES = 20_000
_MAX_INSTRUCTIONS = 5_000
# Of a circuit that is run, and of its loops, which may never end otherwise.
_MOST_QUBITS = 6
_ENDLESS = ("while_loop", "for_loop")

_WORDS = (
    *("OPENQASM 3.0;", 'include "stdgates.inc";', "qubit", "bit", "int[8]", "uint[4]", "float"),
    *("angle[5]", "bool", "complex[float]", "array[int[8], 2, 3]", "const", "input", "output"),
    *("let", "def", "gate", "extern", "return", "if", "else", "for", "in", "while", "switch"),
    *("case", "default", "break;", "continue;", "end;", "measure", "reset", "barrier"),
    *("delay[10ns]", "box", "ctrl @", "negctrl(2) @", "inv @", "pow(0.5) @", "gphase(pi)"),
    *("readonly", "mutable", "#dim = 1", "sizeof(", "popcount(", "rotl(", "arccos(", "mod(", "->"),
    *("++", "**", "<<=", "&&", "||", "==", "!=", "!", "~", "-", "+", "*", "/", "%", "[0:2]"),
    *("[-1]", "{0, 1}", "(", ")", "[", "]", "{", "}", ";", ",", ":", "=", "+=", "q", "q[0]", "c"),
    *("c[1]", "n", "i", "a[i, 1]", "$0", '"0101"', "true", "pi", "1", "0", "7.5", "2im", "0x1F"),
    *("1_0", "3dt", "x", "h", "cx", "U(1, 2, 3)", "rz(n)", "@note", "pragma p\n", "/*", "*/", "//"),
    *("float[16]", "uint[100]", "stretch s;", "durationof({", "})", "pow(n) @", "[0:n:6]", "a[0][1:2]"),
    *("\n", "\t", "π", "é", "\ufeff", "cal { }", "durationof"),
)

_SEEDS = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q; bit[3] c; h q; cx q[0], q[1]; '
    "c = measure q;\nif (c == 3) { x q[2]; } else h q[0];\nc[0] = measure q[2];",
    'include "stdgates.inc"; gate g(a) x, y { rx(a / 2) x; ctrl @ rz(-a) x, y; } qubit[2] q; '
    "output int[8] n;\nfor int i in [0:3] { g(i) q[0], q[1]; n += i; } "
    "inv @ pow(2) @ g(0.3) q[0], q[1]; bit b = measure q[0]; n *= 2;",
    'include "stdgates.inc"; qubit[4] q; uint[2] i = 1; bit b; h q[0]; b = measure q[0]; '
    "if (b) i += 1; x q[i];\narray[int[8], 2, 3] a = {{1, 2, 3}, {4, 5, 6}}; a[i - 1, 2] = 9; "
    "int[8] s = a[0, i] + a[1][-1]; b = s[0];",
    'include "stdgates.inc"; def f(qubit p, int[8] n) -> int[8] { bit m = measure p; if (m) { '
    "return n; } return -n; }\nqubit[2] q; h q; output int[8] s; s = f(q[0], 3) + f(q[1], 4); "
    "while (s > 0) { s -= 1; if (s == 2) end; }\nswitch (s) { case 0, -1 { x q[0]; } default { "
    's = 1; } } output bit[4] r; r = rotl(bit[4]("0011"), s);',
    "qubit q; bit t; t = measure q; output complex[float[32]] z; output uint[100] n; float[16] f = 0.1; "
    "z = 1.0 + 2im; if (t) { z = z * 1im / (2.0 + f); n <<= 70; }\nbit[4] c; let a = t ++ c[1:2]; "
    "a[0] = 1 in {0, 1}; array[int[8], 2, 2] m; m[0:1, 1] = m[0] ++ m[1][0:-1]; c = popcount(n);",
    'include "stdgates.inc"; qubit q; uint[2] k = 1; bit b = measure q; if (b) { k = 2; } pow(k) @ h q; '
    "def f(int[8] n) -> int[8] { if (n < 1) { return 1; } return n * f(n - 1); }\noutput int[8] r; r = f(4);"
    "for int i in [0:k:6] { r ^= i; if (r in [0:k]) break; } x[20ns] q; "
    "duration d = durationof({ x q; delay[3ns] q; }); extern g(bit[2]) -> bit; extern v; stretch s;",
    "input angle[8] t; qubit q; U(t, 0, 1) q; let p = q; delay[3us] p; box { reset p; } bit c; "
    "measure p -> c;",
)


def _run(data: bytes) -> None:
    message = read_both_ways(_languages.OPENQASM3, data, _MAX_BYTES, _MAX_INSTRUCTIONS)
    if message is None:
        return
    assert len(message.body.operations) <= _MAX_INSTRUCTIONS
    _check_circuit(message)


def _check_circuit(message: circuit_pb2.Circuit) -> None:
    """Check that a circuit can be sent, is valid, and can be run."""
    assert circuit_pb2.Circuit.FromString(message.SerializeToString()) == message
    try:
        compiled = sim.ValidCircuit(to_simulator(message), max_instructions=_MAX_INSTRUCTIONS)
    except sim.CircuitError as error:
        # Bounds of the simulator's own; all else the reader has to refuse, at its place.
        assert "nested more than" in error.message, error.message
        return
    loops = any(operation.name in _ENDLESS for operation in message.operations)
    if message.num_qubits > _MOST_QUBITS or loops or any(each.input for each in message.variables):
        return
    try:
        result = sim.run(compiled, shots=3, seed=1, threads=1)
    except sim.SimulationFailed as error:
        assert error.message
        return
    assert int(result.counts.sum()) == 3


OPENQASM3 = Target(
    name="openqasm3",
    run=_run,
    seeds=lambda: [text.encode() for text in _SEEDS],
    mutate=mutate_program(_WORDS),
    words=_WORDS,
)
