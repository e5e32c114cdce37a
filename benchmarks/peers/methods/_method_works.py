"""Works for methods other than state vectors, each as what we run and what a peer runs, on the same threads.

Stabilizer circuits are run beside stim and Aer, matrix product states beside Aer. A work gives two functions
without arguments.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import qiskit
import qiskit_aer
import stim
from basicaer.simulator import Circuit, ClbitRef, RunControl, read_stim, sample_detectors
from basicaer.simulator._chains import run_chains
from basicaer.simulator.compiler._valid import validated
from basicaer.simulator.methods.stabilizer import _method as stabilizer

from benchmarks.peers.methods import _chain_peer
from benchmarks.peers.methods._gate_lists import Gate, brickwork, cliffords, ghz, qaoa, tebd

Runs: TypeAlias = tuple[Callable[[], Any], Callable[[], Any]]

SHOTS = 1000
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
"""Those of both sides: libraries ask the environment when they are loaded."""
_STIM = {"h": "H", "s": "S", "sx": "SQRT_X", "x": "X", "cx": "CX"}


@dataclass(frozen=True, slots=True)
class Work:
    """A work: its name, the peer, how many times as fast as the peer we are to be, and what makes both
    programs.
    """

    name: str
    peer: str
    bound: float
    make: Callable[[], Runs]
    rounds: int = 3


def _ours(size: int, gates: Iterable[Gate]) -> Circuit:
    circuit = Circuit.from_gates(size, gates, size)
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def _sampled(circuit: Circuit, shots: int) -> Any:
    return stabilizer.run(circuit, shots, np.random.SeedSequence(1), RunControl(), threads=THREADS)


def _qiskit(size: int, gates: Iterable[Gate]) -> qiskit.QuantumCircuit:
    circuit = qiskit.QuantumCircuit(size, size)
    for name, qubits, parameters in gates:
        getattr(circuit, name)(*parameters, *qubits)
    circuit.measure(range(size), range(size))
    return circuit


def _aer(circuit: qiskit.QuantumCircuit, method: str, shots: int) -> Any:
    simulator = qiskit_aer.AerSimulator(method=method, max_parallel_threads=THREADS)
    result = simulator.run(circuit, shots=shots, seed_simulator=1).result()
    if not result.success:
        raise RuntimeError(result.status)
    return result


def stabilizer_beside_aer(size: int, gates: list[Gate], shots: int) -> Runs:
    """Return counts of a Clifford circuit."""
    ours, theirs = _ours(size, gates), _qiskit(size, gates)
    return lambda: _sampled(ours.replaced(), shots), lambda: _aer(theirs, "stabilizer", shots)


def stabilizer_beside_stim(size: int, gates: list[Gate], shots: int) -> Runs:
    """Return counts of a Clifford circuit; stim gives the shots, uncounted."""
    ours, theirs = _ours(size, gates), stim.Circuit()
    for name, qubits, _ in gates:
        theirs.append(_STIM[name], qubits)
    theirs.append("M", range(size))
    return (
        lambda: _sampled(ours.replaced(), shots),
        lambda: theirs.compile_sampler(seed=1).sample(shots, bit_packed=True),
    )


def memory_experiment(task: str, distance: int, shots: int) -> Runs:
    """Detectors and observables of a code with as many rounds as its distance, from a text that was read
    before.
    """
    circuit = stim.Circuit.generated(
        task,
        distance=distance,
        rounds=distance,
        after_clifford_depolarization=1e-3,
        before_measure_flip_probability=1e-3,
        after_reset_flip_probability=1e-3,
        before_round_data_depolarization=1e-3,
    )
    program = read_stim(str(circuit))
    sampler = circuit.compile_detector_sampler(seed=1)
    return (
        lambda: sample_detectors(program, shots=shots, seed=1, threads=THREADS),
        lambda: sampler.sample(shots, bit_packed=True, separate_observables=True),
    )


def feed_forward(size: int, rounds: int, names: tuple[str, ...], shots: int) -> Runs:
    """Return rounds of gates, after each of which a fifth of the qubits is measured, acts on others, and is
    reset.
    """
    source = random.Random(3)
    ours, theirs = Circuit(size, size), qiskit.QuantumCircuit(size, size)
    for number in range(rounds):
        for qubit in range(size):
            name = source.choice(("h", "s"))
            ours.append(name, [qubit])
            getattr(theirs, name)(qubit)
        for qubit in range(number % 2, size - 1, 2):
            ours.append("cx", [qubit, qubit + 1])
            theirs.cx(qubit, qubit + 1)
        for qubit in range(0, size, 5):
            name, target = source.choice(names), (qubit + 1) % size
            ours.append("measure", [qubit], [], [qubit])
            ours.append(name, [target], condition=ClbitRef(qubit)).append("reset", [qubit])
            theirs.measure(qubit, qubit)
            with theirs.if_test((theirs.clbits[qubit], 1)):
                getattr(theirs, name)(target)
            theirs.reset(qubit)
    for qubit in range(size):
        ours.append("measure", [qubit], [], [qubit])
    theirs.measure(range(size), range(size))
    return lambda: _sampled(ours.replaced(), shots), lambda: _aer(theirs, "stabilizer", shots)


def chain(size: int, gates: list[Gate]) -> Runs:
    """Return counts of a matrix product state."""
    ours, theirs = _ours(size, gates), _qiskit(size, gates)

    def run() -> Any:
        return run_chains(validated(ours.replaced()), SHOTS, np.random.SeedSequence(1), RunControl())

    return run, lambda: _aer(theirs, "matrix_product_state", SHOTS)


def chain_beside_quimb(size: int, gates: list[Gate]) -> Runs:
    """Return one shot of a matrix product state, beside the making of one alone."""
    ours = _ours(size, gates)

    def run() -> Any:
        return run_chains(validated(ours.replaced()), 1, np.random.SeedSequence(1), RunControl())

    return run, _chain_peer.quimb(size, gates)


WORKS = (
    Work(
        "random Clifford, 100 qubits",
        "Aer",
        100,
        lambda: stabilizer_beside_aer(100, cliffords(100, 10), SHOTS),
        rounds=15,
    ),
    Work(
        "random Clifford, 1,000 qubits",
        "Aer",
        100,
        lambda: stabilizer_beside_aer(1000, cliffords(1000, 2), SHOTS),
        rounds=1,
    ),
    Work(
        "random Clifford, 1,000 qubits",
        "stim",
        1,
        lambda: stabilizer_beside_stim(1000, cliffords(1000, 10), SHOTS),
    ),
    Work(
        "random Clifford, 5,000 qubits",
        "stim",
        1,
        lambda: stabilizer_beside_stim(5000, cliffords(5000, 10), SHOTS),
    ),
    Work(
        "GHZ, 1,000 qubits, 100,000 shots",
        "stim",
        1,
        lambda: stabilizer_beside_stim(1000, ghz(1000), 100_000),
    ),
    Work(
        "surface code, d=5, 10^6 shots",
        "stim",
        3,
        lambda: memory_experiment("surface_code:rotated_memory_z", 5, 10**6),
    ),
    Work(
        "surface code, d=11, 2·10^5 shots",
        "stim",
        3,
        lambda: memory_experiment("surface_code:rotated_memory_z", 11, 200_000),
    ),
    Work(
        "repetition code, d=9, 10^6 shots",
        "stim",
        3,
        lambda: memory_experiment("repetition_code:memory", 9, 10**6),
    ),
    Work(
        "feed-forward of Pauli gates, 50 qubits", "Aer", 10, lambda: feed_forward(50, 10, ("x", "z"), SHOTS)
    ),
    Work(
        "feed-forward of h, s and x, 50 qubits",
        "Aer",
        10,
        lambda: feed_forward(50, 10, ("h", "s", "x"), SHOTS),
    ),
    Work("chain: TEBD of 50 qubits, 14 steps", "Aer", 3, lambda: chain(50, tebd(50, 14)), rounds=1),
    Work("chain: QAOA of 50 qubits", "Aer", 3, lambda: chain(50, qaoa(50))),
    Work("chain: brickwork of 100 qubits", "Aer", 3, lambda: chain(100, brickwork(100, 8, 1.0))),
    Work("chain: brickwork of 40 qubits", "Aer", 3, lambda: chain(40, brickwork(40, 10, 1.5))),
    Work("chain: brickwork of 24 qubits", "Aer", 3, lambda: chain(24, brickwork(24, 14, 3.0))),
    Work("chain: GHZ of 1,000 qubits", "Aer", 15, lambda: chain(1000, ghz(1000))),
    Work("chain: TEBD of 50 qubits, the state", "quimb", 2, lambda: chain_beside_quimb(50, tebd(50, 14))),
    Work(
        "chain: brickwork of 24 qubits, the state",
        "quimb",
        2,
        lambda: chain_beside_quimb(24, brickwork(24, 14, 3.0)),
        rounds=1,
    ),
)
