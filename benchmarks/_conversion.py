"""How fast a Qiskit circuit becomes a message, beside a bare loop that reads the same of each instruction."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from basicaer.client.qiskit import circuit_to_proto
from qiskit import QuantumCircuit

from benchmarks._report import Figure

GATES = 100_000
QUBITS = 20
ROUNDS = 7


def _circuit() -> QuantumCircuit:
    """Gates of one and two qubits, with no, one and three parameters."""
    draw = random.Random(1)
    circuit = QuantumCircuit(QUBITS)
    for _ in range(GATES):
        one, other = draw.sample(range(QUBITS), 2)
        match draw.randrange(4):
            case 0:
                circuit.h(one)
            case 1:
                circuit.rz(draw.random(), one)
            case 2:
                circuit.cx(one, other)
            case _:
                circuit.u(draw.random(), draw.random(), draw.random(), one)
    return circuit


def _read(circuit: QuantumCircuit) -> None:
    for instruction in circuit.data:
        _ = instruction.name, instruction.params, instruction.qubits


def _seconds(work: Callable[[QuantumCircuit], object], circuit: QuantumCircuit) -> float:
    start = time.perf_counter()
    work(circuit)
    return time.perf_counter() - start


def measure() -> list[Figure]:
    """Convert and read by turns, so that both meet the same machine."""
    circuit = _circuit()
    pairs = [(_seconds(_read, circuit), _seconds(circuit_to_proto, circuit)) for _ in range(ROUNDS)]
    share = statistics.median(bare / ours for bare, ours in pairs)
    rate = GATES / statistics.median(ours for _, ours in pairs)
    return [
        Figure(
            "converting a Qiskit circuit",
            f"{rate:,.0f} gates/s, {share:.0%} of reading",
            "50 %",
            share >= 0.5,
        )
    ]
