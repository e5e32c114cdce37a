"""Circuits of all kinds, for what the automatic choice of a method is measured on."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from basicaer.simulator import Channel, Circuit, ClbitRef, NoiseModel, ReadoutError

from benchmarks.peers.methods._gate_lists import Gate, brickwork, cliffords, ghz, layers, qaoa, tebd


@dataclass(frozen=True, slots=True)
class Choosing:
    """A circuit with its noise, and how many shots of it are run."""

    name: str
    shots: int
    circuit: Circuit


def _measured(size: int, gates: list[Gate]) -> Circuit:
    circuit = Circuit.from_gates(size, gates, size)
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def _depolarized(circuit: Circuit, probability: float, names: tuple[str, ...] = ("u", "h", "s")) -> Circuit:
    model = NoiseModel().add(Channel.depolarizing(probability), names)
    return model.add(Channel.depolarizing(probability, 2), ["cx"]).applied(circuit)


def _relaxed(circuit: Circuit, time: float) -> Circuit:
    """Amplitudes and phases are damped after each gate, which takes `time` of the relaxation's."""
    channel = Channel.thermal_relaxation(1.0, 1.2, time)
    return NoiseModel().add(channel, ["u", "cx"]).applied(circuit)


def _damped(circuit: Circuit, probability: float) -> Circuit:
    kept, lost = (1.0 - probability) ** 0.5, probability**0.5
    channel = Channel.from_kraus([[[1.0, 0.0], [0.0, kept]], [[0.0, lost], [0.0, 0.0]]])
    return NoiseModel().add(channel, ["u", "cx"]).applied(circuit)


def _misread(circuit: Circuit) -> Circuit:
    return NoiseModel().add_readout(ReadoutError(np.array([[0.98, 0.02], [0.05, 0.95]]))).applied(circuit)


def _rounds(size: int, count: int, names: tuple[str, ...]) -> Circuit:
    """Return rounds of gates, after each of which a qubit is measured, acts on another, and is reset."""
    source = random.Random(3)
    circuit = Circuit(size, size + count)
    for number in range(count):
        for qubit in range(size):
            name = source.choice(names)
            circuit.append(name, [qubit], [0.3 + 0.1 * qubit, 0.2, 0.1] if name == "u" else [])
        for qubit in range(number % 2, size - 1, 2):
            circuit.append("cx", [qubit, qubit + 1])
        own = number % size
        circuit.append("measure", [own], [], [size + number])
        circuit.append("x", [(own + 1) % size], condition=ClbitRef(size + number))
        circuit.append("reset", [own])
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


def _repetition(distance: int, rounds: int, probability: float) -> Circuit:
    """Parities of neighbours are measured, round by round, with errors of all gates."""
    size = 2 * distance - 1
    circuit = Circuit(size, rounds * (distance - 1) + distance)
    for number in range(rounds):
        for check in range(1, size, 2):
            circuit.append("cx", [check - 1, check]).append("cx", [check + 1, check])
        for check in range(1, size, 2):
            circuit.append("measure", [check], [], [number * (distance - 1) + check // 2])
            circuit.append("reset", [check])
    for place in range(distance):
        circuit.append("measure", [2 * place], [], [rounds * (distance - 1) + place])
    return _depolarized(circuit, probability)


def _ideal() -> list[Choosing]:
    found = [
        Choosing(f"layers, {size} qubits", shots, _measured(size, layers(size, 20)))
        for size, shots in ((2, 1000), (5, 1000), (10, 100_000), (16, 1000), (20, 1000), (22, 1000))
    ]
    found += [
        Choosing(f"Clifford, {size} qubits", shots, _measured(size, cliffords(size, 10)))
        for size, shots in ((5, 1000), (12, 100_000), (20, 1000), (22, 1000), (25, 10_000), (200, 1000))
    ]
    found += [
        Choosing(f"GHZ, {size} qubits", 1000, _measured(size, ghz(size))) for size in (10, 21, 24, 40, 500)
    ]
    for name, gates in (
        ("TEBD, 22 qubits, 4 steps", tebd(22, 4)),
        ("TEBD, 24 qubits, 10 steps", tebd(24, 10)),
        ("TEBD, 50 qubits, 6 steps", tebd(50, 6)),
        ("QAOA, 21 qubits", qaoa(21)),
        ("QAOA, 25 qubits", qaoa(25, 2)),
        ("QAOA, 40 qubits", qaoa(40, 2)),
        ("brickwork, 21 qubits", brickwork(21, 12, 3.0)),
        ("brickwork, 24 qubits", brickwork(24, 4, 1.0)),
        ("brickwork, 100 qubits", brickwork(100, 6, 1.0)),
    ):
        size = int(name.split()[1])
        found.append(Choosing(name, 1000, _measured(size, gates)))
    return found


def _noisy() -> list[Choosing]:
    found = [
        Choosing(
            f"depolarized layers, {size} qubits, p={rate:g}",
            shots,
            _depolarized(_measured(size, layers(size, depth)), rate),
        )
        for size, depth, rate, shots in (
            (2, 20, 1e-2, 1000),
            (3, 20, 1e-3, 100),
            (4, 20, 1e-2, 10_000),
            (5, 20, 1e-3, 1000),
            (6, 20, 1e-2, 100),
            (7, 20, 1e-3, 10_000),
            (8, 20, 1e-3, 100),
            (8, 20, 1e-2, 1000),
            (9, 20, 1e-4, 1000),
            (10, 20, 1e-3, 1000),
            (10, 10, 1e-2, 100),
            (11, 10, 1e-3, 100),
            (12, 10, 1e-2, 200),
            (12, 10, 1e-4, 10_000),
            (14, 10, 1e-3, 200),
            (16, 10, 1e-4, 1000),
        )
    ]
    found += [
        Choosing(
            f"damped layers, {size} qubits, p={rate:g}",
            shots,
            _damped(_measured(size, layers(size, 10)), rate),
        )
        for size, rate, shots in (
            (2, 0.02, 1000),
            (5, 0.01, 100),
            (6, 1e-3, 10_000),
            (8, 0.01, 100),
            (10, 1e-3, 100),
            (10, 0.01, 1000),
            (12, 1e-3, 50),
            (14, 1e-3, 50),
        )
    ]
    found += [
        Choosing("relaxed layers, 5 qubits", 1000, _relaxed(_measured(5, layers(5, 10)), 1e-2)),
        Choosing("relaxed layers, 11 qubits", 50, _relaxed(_measured(11, layers(11, 10)), 1e-3)),
        Choosing("misread layers, 6 qubits", 1000, _misread(_measured(6, layers(6, 20)))),
        Choosing("misread layers, 14 qubits", 1000, _misread(_measured(14, layers(14, 20)))),
    ]
    found += [
        Choosing(
            f"depolarized Clifford, {size} qubits",
            shots,
            _depolarized(_measured(size, cliffords(size, 10)), 1e-3),
        )
        for size, shots in ((3, 1000), (10, 10_000), (30, 1000))
    ]
    found.append(
        Choosing(
            "depolarized TEBD, 30 qubits",
            20,
            (NoiseModel().add(Channel.depolarizing(1e-4, 2), ["rzz"]).applied(_measured(30, tebd(30, 4)))),
        )
    )
    return found


def _dynamic() -> list[Choosing]:
    turning, clifford = ("u",), ("h", "s", "x")
    return [
        Choosing("measured on the way, 4 qubits", 1000, _rounds(4, 4, turning)),
        Choosing("measured on the way, 8 qubits", 1000, _rounds(8, 8, turning)),
        Choosing("measured on the way, 12 qubits", 200, _rounds(12, 8, turning)),
        Choosing("Clifford, measured on the way, 8 qubits", 1000, _rounds(8, 8, clifford)),
        Choosing("Clifford, measured on the way, 22 qubits", 1000, _rounds(22, 8, clifford)),
        Choosing(
            "depolarized, measured on the way, 4 qubits",
            1000,
            _depolarized(_rounds(4, 4, turning), 1e-2),
        ),
        Choosing(
            "depolarized, measured on the way, 6 qubits",
            200,
            _depolarized(_rounds(6, 6, turning), 1e-3),
        ),
        Choosing("damped, measured on the way, 3 qubits", 100, _damped(_rounds(3, 3, turning), 1e-2)),
        Choosing("repetition code, 3 of 5 qubits", 10_000, _repetition(3, 3, 1e-3)),
        Choosing("repetition code, 9 of 17 qubits", 10_000, _repetition(9, 9, 1e-3)),
    ]


def works() -> list[Choosing]:
    """Return the circuits: ideal ones, noisy ones, and those that are measured on the way."""
    return [*_ideal(), *_noisy(), *_dynamic()]
