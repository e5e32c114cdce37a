"""A state over several processes of this machine beside one process with as many threads, and on paper over
eight machines.
"""

from __future__ import annotations

import multiprocessing
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import numpy as np
from basicaer import simulator as sim
from basicaer.simulator.compiler._steps import GateStep
from basicaer.simulator.distributed import Mesh, listen
from basicaer.simulator.distributed._plan import SpreadPlan
from basicaer.simulator.distributed._schedule import Layout, Schedule
from basicaer.simulator.methods.statevector.engine.blocks._run import BLOCK_BITS
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads

from benchmarks._report import Figure

QUBITS = 22
SIZES = (2, 4, 8)
ROUNDS = 7
BOUND = 1.1
EXACT = 1e-12
PAPER_QUBITS, PAPER_NODES = 34, 8
_SAMPLED = 20_000


def _random(num_qubits: int) -> sim.Circuit:
    """Return eight layers of gates of every kind on random qubits."""
    draw = np.random.default_rng(1)
    circuit = sim.Circuit(num_qubits)
    for _ in range(8):
        for qubit in range(num_qubits):
            circuit.append("u", [qubit], draw.uniform(0, 1, 3).tolist())
        order = draw.permutation(num_qubits).tolist()
        for first in range(0, num_qubits - 1, 2):
            circuit.append("cx", order[first : first + 2])
        circuit.append("ccx", order[:3]).append("rzz", order[3:5], [draw.uniform()])
        circuit.append("swap", order[5:7]).append("crx", [order[1], order[4]], [draw.uniform()])
    return circuit


def _qft(num_qubits: int) -> sim.Circuit:
    """Return the Fourier transform of a product state."""
    circuit = sim.Circuit(num_qubits)
    for qubit in reversed(range(num_qubits)):
        circuit.append("rx", [qubit], [0.1 + qubit / num_qubits])
    for qubit in reversed(range(num_qubits)):
        circuit.append("h", [qubit])
        for other in range(qubit):
            circuit.append("cp", [other, qubit], [np.pi / 2 ** (qubit - other)])
    for qubit in range(num_qubits // 2):
        circuit.append("swap", [qubit, num_qubits - 1 - qubit])
    return circuit


def _quantum_volume(num_qubits: int) -> sim.Circuit:
    """Return twelve layers of random gates on random pairs."""
    draw = np.random.default_rng(2)
    circuit = sim.Circuit(num_qubits)
    for _ in range(12):
        order = draw.permutation(num_qubits).tolist()
        for first in range(0, num_qubits - 1, 2):
            made = draw.normal(size=(4, 4)) + 1j * draw.normal(size=(4, 4))
            circuit.append("unitary", order[first : first + 2], matrix=np.linalg.qr(made)[0])
    return circuit


CIRCUITS = {"random": _random, "qft": _qft, "quantum volume": _quantum_volume}


def _with_amplitudes(circuit: sim.Circuit) -> tuple[sim.Circuit, tuple[int, ...]]:
    """Return a circuit that also saves some of its amplitudes, and which."""
    numbers = np.random.default_rng(3).integers(0, 1 << circuit.num_qubits, _SAMPLED)
    chosen = tuple(numbers.tolist())
    save = sim.Save("some", sim.SaveKind.AMPLITUDES, basis_states=chosen)
    return circuit.append("save", range(circuit.num_qubits), save=save), chosen


def _rank(number: int, threads: int, circuits: dict[str, sim.Circuit], pipe: Connection) -> None:
    """Be a rank: run each circuit that is asked for, and tell how long that took."""
    sim.warm_up()
    listener, port = listen("127.0.0.1")
    pipe.send(port)
    addresses, secret = pipe.recv()
    mesh = Mesh.connect(number, addresses, listener, secret)
    while (name := pipe.recv()) is not None:
        start, sent = time.perf_counter(), mesh.bytes_sent
        result = sim.run(circuits[name], shots=1, seed=1, threads=threads, spread=mesh)
        took = time.perf_counter() - start
        pipe.send((took, mesh.bytes_sent - sent, result.saved.get("some")))
    mesh.close()


@contextmanager
def _ranks(size: int, circuits: dict[str, sim.Circuit]) -> Iterator[list[Connection]]:
    """Start ranks, which share the processors' threads."""
    context = multiprocessing.get_context("spawn")
    threads = max(1, default_threads() // size)
    pipes, processes = [], []
    for number in range(size):
        own, its = context.Pipe()
        processes.append(context.Process(target=_rank, args=(number, threads, circuits, its)))
        pipes.append(own)
    for process in processes:
        process.start()
    secret = secrets.token_bytes(32)
    addresses = [("127.0.0.1", pipe.recv()) for pipe in pipes]
    for pipe in pipes:
        pipe.send((addresses, secret))
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join()


def _asked(pipes: list[Connection], name: str) -> tuple[float, int, np.ndarray | None]:
    """Return how long the slowest rank took, how much each sent at most, and what was saved."""
    for pipe in pipes:
        pipe.send(name)
    answers = [pipe.recv() for pipe in pipes]
    return max(answer[0] for answer in answers), max(answer[1] for answer in answers), answers[0][2]


def planned(circuit: sim.Circuit, nodes: int) -> Schedule:
    """Return the schedule of a circuit of gates over so many nodes."""
    program = sim.ValidCircuit(circuit).program(from_zero=True, threads=1)
    (step,) = program.steps
    if not isinstance(step, GateStep):
        raise AssertionError("gates alone become one step")
    plan = SpreadPlan(step.segment, 1)
    bits = circuit.num_qubits
    layout = Layout(np.arange(bits), bits - nodes.bit_length() + 1, 0, BLOCK_BITS[8], 3)
    return plan.schedule(0, layout)[0]


def _paper() -> list[Figure]:
    figures = []
    part = (16 << PAPER_QUBITS) // PAPER_NODES
    for name, make in CIRCUITS.items():
        found = planned(make(PAPER_QUBITS), PAPER_NODES)
        moved = sum(part * (1 - 0.5 ** len(sector.exchange.bits)) for sector in found.sectors)
        passes = sum(len(sector.plan.stages) for sector in found.sectors)
        figures.append(
            Figure(
                f"on paper: {name}, {PAPER_QUBITS} qubits on {PAPER_NODES} nodes, {part >> 30} GiB each",
                f"{passes} passes over memory, {moved / 2**30:.0f} GiB each way in {len(found.sectors) - 1}",
                "",
                True,
            )
        )
    return figures


def measure() -> list[Figure]:
    """Run the circuits by turns in one process and on ranks of their own, and compare what comes out."""
    figures = []
    circuits = {name: make(QUBITS) for name, make in CIRCUITS.items() if name != "quantum volume"}
    bare = dict(circuits)
    whole = {f"{name}, saved": _with_amplitudes(CIRCUITS[name](QUBITS))[0] for name in circuits}
    for size in SIZES:
        with _ranks(size, bare | whole) as pipes:
            for name, circuit in bare.items():
                ratios, times = [], []
                moved = 0
                for _ in range(ROUNDS):
                    start = time.perf_counter()
                    sim.run(circuit, shots=1, seed=1, method="statevector")
                    one = time.perf_counter() - start
                    took, moved, _ = _asked(pipes, name)
                    ratios.append(took / one)
                    times.append((one, took))
                one, took = (statistics.median(each) for each in zip(*times, strict=True))
                wanted = sim.run(whole[f"{name}, saved"], shots=1, seed=1, method="statevector").saved["some"]
                _, _, found = _asked(pipes, f"{name}, saved")
                error = float(np.abs(found - wanted).max())
                ratio = statistics.median(ratios)
                is_figure = size == SIZES[0] and name == "random"
                spent = f"{took * 1e3:.0f} ms, one {one * 1e3:.0f}: {ratio:.2f}"
                figures.append(
                    Figure(
                        f"{name}, {QUBITS} qubits, {size} processes",
                        f"{spent}; {moved >> 20} MiB each; {error:.0e}",
                        f"{BOUND} times, {EXACT:.0e}" if is_figure else f"{EXACT:.0e}",
                        error < EXACT and (ratio <= BOUND or not is_figure),
                    )
                )
    return figures + _paper()
