"""Expectation values of large states, read by one thread and by two."""

from __future__ import annotations

import random
import statistics
import time

import numpy as np
from basicaer import simulator as sim

from benchmarks._report import Figure

QUBITS = (20, 22)
PRODUCTS = 100
ROUNDS = 5
WANTED = 1.8


def _circuit(num_qubits: int) -> sim.Circuit:
    """Return a state whose amplitudes all differ."""
    circuit = sim.Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.append("ry", [qubit], [0.3 + qubit / num_qubits])
    for qubit in range(num_qubits - 1):
        circuit.append("cx", [qubit, qubit + 1])
    return circuit


def _with_values(num_qubits: int) -> sim.Circuit:
    """Return the same, with the value of a sum of random products."""
    draw = random.Random(1)
    products = tuple("".join(draw.choices("IXYZ", k=num_qubits)) for _ in range(PRODUCTS))
    observable = sim.Observable(products, tuple(draw.uniform(-1, 1) for _ in products))
    values = sim.Save("values", sim.SaveKind.EXPECTATION_VALUES, (observable,))
    return _circuit(num_qubits).append("save", range(num_qubits), save=values)


def _seconds(circuit: sim.Circuit, threads: int) -> tuple[float, float]:
    """Return how long a run takes, and the value that it saves, 0 without one."""
    start = time.perf_counter()
    outcome = sim.run(circuit, shots=1, seed=1, method="statevector", threads=threads)
    took = time.perf_counter() - start
    values = outcome.saved.get("values")
    return took, 0.0 if values is None else float(np.ravel(values)[0])


def measure() -> list[Figure]:
    """Run with and without the values, on one thread and on two, by turns: the difference is the reading."""
    figures = []
    for num_qubits in QUBITS:
        bare, whole = _circuit(num_qubits), _with_values(num_qubits)
        reading: dict[int, list[float]] = {1: [], 2: []}
        found = set()
        for _ in range(ROUNDS):
            for threads, times in reading.items():
                without, _ = _seconds(bare, threads)
                took, value = _seconds(whole, threads)
                # With sizes of a smoke test the difference is noise.
                times.append(max(took - without, 1e-9))
                found.add(value)
        one, two = (statistics.median(times) for times in reading.values())
        figures.append(
            Figure(
                f"{PRODUCTS} products of {num_qubits} qubits, two threads",
                f"{one * 1e3:.0f} ms by one, {two * 1e3:.0f} by two: {one / two:.2f}",
                f"{WANTED} times, the same value",
                one / two >= WANTED and len(found) == 1,
            )
        )
    return figures
