"""How long OpenQASM 3 takes to be read, and how much memory; beside Qiskit's reader of OpenQASM 2, and other
readers of version 3.
"""

from __future__ import annotations

import math
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from basicaer.client.openqasm3 import dumps
from basicaer.service.parsing import openqasm3
from qiskit import qasm2

from benchmarks._readers import beside_peers
from benchmarks._report import Figure

LINES = 100_000
SHORT = 1_000
ROUNDS = 5
# Of texts that all readers read: ANTLR's take a third of a millisecond for each line.
PEER_LINES = 2_000
_LIMITS: dict[str, Any] = {"max_bytes": 64 << 20, "max_instructions": 10_000_000}
_HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[24] q;\nbit[24] c;\nc[0] = measure q[0];\n'
# In a process of its own, whose peak is the text's; `ru_maxrss` would have this process's in it.
_PEAK = """
import re, sys
from basicaer.service.parsing import openqasm3
text = sys.stdin.read()
openqasm3.parse(text, max_bytes=1 << 30, max_instructions=1 << 30)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) >> 10)
"""


def _gates(lines: int, *, conditional: bool) -> str:
    """Return a program of so many gates on single qubits, each in a line."""
    chance = random.Random(1)
    made = [_HEAD]
    for _ in range(lines):
        one, other = chance.sample(range(24), 2)
        gate = chance.choice(
            (
                f"h q[{one}];\n",
                f"cx q[{one}], q[{other}];\n",
                f"rz({chance.uniform(-3, 3):.12f}) q[{one}];\n",
                f"cp(pi/{1 << chance.randrange(8)}) q[{one}], q[{other}];\n",
            )
        )
        made.append(f"if (c[{other}]) {gate}" if conditional else gate)
    return "".join(made)


def _seconds(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _row(name: str, text: str, bound: float) -> Figure:
    took = _seconds(lambda: openqasm3.parse(text, **_LIMITS), ROUNDS)
    return Figure(name, f"{took * 1e3:,.1f} ms", f"≤ {bound * 1e3:,.0f} ms", took <= bound)


def _written(text: str, bound: float) -> Figure:
    circuit = openqasm3.parse(text, **_LIMITS)
    took = _seconds(lambda: dumps(circuit), ROUNDS)
    name = f"{LINES:,} gates written as OpenQASM 3"
    return Figure(name, f"{took * 1e3:,.1f} ms", f"≤ {bound * 1e3:,.0f} ms", took <= bound)


def _peak(text: str) -> Figure:
    run = subprocess.run(
        [sys.executable, "-c", _PEAK], input=text, capture_output=True, text=True, check=True, timeout=600
    )
    peak = int(run.stdout)
    return Figure(f"memory for {LINES:,} gates of OpenQASM 3", f"{peak} MiB", "≤ 200 MiB", peak <= 200)


def _beside_qiskit(text: str) -> Figure:
    """Compare with a reader in Rust, which makes an object of Qiskit's for each gate."""
    second = text.replace(_HEAD, 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[24];\n').replace("cp(", "cu1(")
    ours = _seconds(lambda: openqasm3.parse(text, **_LIMITS), ROUNDS)
    theirs = _seconds(lambda: qasm2.loads(second), ROUNDS)
    return Figure(
        f"{LINES:,} gates of OpenQASM 3, beside the same by qiskit.qasm2.loads",
        f"{theirs / ours:.1f} times as fast ({ours * 1e3:,.0f} of {theirs * 1e3:,.0f} ms)",
        "half as fast",
        ours <= 2 * theirs,
    )


def measure() -> list[Figure]:
    """Read gates, gates under conditions and a short program."""
    gates = _gates(LINES, conditional=False)
    rows = [
        _row(f"{LINES:,} gates of OpenQASM 3", gates, 1.5),
        _row("the same, each under an if", _gates(LINES, conditional=True), 3.0),
        _row(f"{SHORT:,} gates of OpenQASM 3", _gates(SHORT, conditional=False), 0.030),
        _peak(gates),
        _written(gates, 1.5),
    ]
    return [*rows, _beside_qiskit(gates), *beside_peers(_common_texts(), ROUNDS)]


def _common_texts() -> dict[str, str]:
    """Return texts that peers read too: without π, which one of them refuses, and with braces."""
    flat = _gates(PEER_LINES, conditional=False)
    flat = re.sub(r"pi/(\d+)", lambda found: repr(math.pi / int(found[1])), flat)
    braced = _gates(PEER_LINES, conditional=True)
    braced = re.sub(r"^(if \(c\[\d+\]\)) (.*)$", r"\1 { \2 }", braced, flags=re.M)
    return {f"{PEER_LINES:,} gates": flat, f"{PEER_LINES:,} gates under an if": braced}
