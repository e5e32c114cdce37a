"""Qiskit programs through the service, beside Aer in the program's own process; by turns, medians."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from basicaer.client.qiskit import BasicAerProvider, EstimatorV2
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2 as AerEstimatorV2

from benchmarks._report import Figure
from benchmarks._servers import real_server

BELL_ROUNDS = 60
BATCH = 1000
BATCH_ROUNDS = 5
VQE_QUBITS = 12
VQE_STEPS = 100
VQE_ROUNDS = 3


def _by_turns(rounds: int, works: Sequence[Callable[[], Any]]) -> list[float]:
    """Seconds of each work, the median of rounds in which each has its turn; a first round warms up."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, found in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if number:
                found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def _bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def _bell_figures(backend: Any) -> list[Figure]:
    circuit, aer = _bell(), AerSimulator()
    ours, theirs, bare = _by_turns(
        BELL_ROUNDS,
        [
            lambda: backend.run(circuit, shots=1024).result().get_counts(),
            lambda: aer.run(transpile(circuit, aer), shots=1024).result().get_counts(),
            lambda: aer.run(circuit, shots=1024).result().get_counts(),
        ],
    )
    return [
        Figure(
            "Qiskit, Bell, run().result(), beside transpile and Aer",
            f"{ours * 1e3:.1f} ms against {theirs * 1e3:.1f} ms",
            "faster",
            ours < theirs,
        ),
        Figure(
            "the same beside AerSimulator.run alone: what a service costs",
            f"{ours * 1e3:.1f} ms against {bare * 1e3:.1f} ms",
            "stated",
            True,
        ),
    ]


def _batch_figure(backend: Any) -> Figure:
    generator = np.random.default_rng(7)
    circuits = []
    for number in range(BATCH):
        circuit = QuantumCircuit(4, name=f"circuit-{number}")
        for layer in range(4):
            for qubit in range(4):
                circuit.ry(generator.uniform(0, np.pi), qubit)
            circuit.cx(layer % 4, (layer + 1) % 4)
        circuit.measure_all()
        circuits.append(circuit)
    aer = AerSimulator()
    ours, theirs = _by_turns(
        BATCH_ROUNDS,
        [
            lambda: backend.run(circuits, shots=1024).result().get_counts(),
            lambda: aer.run(circuits, shots=1024).result().get_counts(),
        ],
    )
    return Figure(
        f"Qiskit, {BATCH:,} circuits of 4 qubits in a job, beside AerSimulator.run",
        f"{ours:.2f} s against {theirs:.2f} s",
        "stated",
        True,
    )


def _vqe_figure(provider: Any) -> Figure:
    ansatz = efficient_su2(VQE_QUBITS, reps=3)
    ring = [(qubit, (qubit + 1) % VQE_QUBITS) for qubit in range(VQE_QUBITS)]
    hamiltonian = SparsePauliOp.from_sparse_list(
        [("ZZ", pair, 1.0) for pair in ring]
        + [("XX", pair, 0.3) for pair in ring]
        + [("X", [qubit], 0.5) for qubit in range(VQE_QUBITS)],
        VQE_QUBITS,
    )
    start = np.random.default_rng(1).normal(size=ansatz.num_parameters)

    def energy(estimator: Any, point: Any) -> float:
        return float(estimator.run([(ansatz, hamiltonian, point)]).result()[0].data.evs)

    def optimize(estimator: Any) -> float:
        """Simultaneous perturbation (SPSA, Spall 1992): two energies a step, whatever the parameters."""
        generator, point = np.random.default_rng(2), start.copy()
        for _ in range(VQE_STEPS // 2):
            direction = generator.choice([-1.0, 1.0], size=point.size)
            energies = [
                float(
                    estimator.run([(ansatz, hamiltonian, point + sign * 0.1 * direction)])
                    .result()[0]
                    .data.evs
                )
                for sign in (1, -1)
            ]
            point -= 0.05 * (energies[0] - energies[1]) / 0.2 * direction
        return float(estimator.run([(ansatz, hamiltonian, point)]).result()[0].data.evs)

    ours, theirs = EstimatorV2(provider), AerEstimatorV2(options={"default_precision": 0.0})
    if not np.isclose(optimize(ours), optimize(theirs), atol=1e-6):
        raise RuntimeError("the two estimators don't agree")
    own, aer = _by_turns(VQE_ROUNDS, [lambda: optimize(ours), lambda: optimize(theirs)])
    return Figure(
        f"VQE, {VQE_STEPS} energies, {VQE_QUBITS} qubits, beside Aer's EstimatorV2",
        f"{aer / own:.1f} times as fast ({own:.2f} against {aer:.2f} s)",
        "≥ 2",
        aer >= 2 * own,
    )


def measure() -> list[Figure]:
    """Run Aer here and the service in a process of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        real_server(f"{folder}/data") as (address, _),
        BasicAerProvider(address) as provider,
    ):
        backend = provider.get_backend("qasm_simulator")
        return [*_bell_figures(backend), _batch_figure(backend), _vqe_figure(provider)]
