"""Random circuits with noise, and whether counts are those of the reference simulator."""

from __future__ import annotations

from random import Random

import numpy as np
from basicaer.simulator import Channel, Circuit, ClbitRef, Observable, ReadoutError, RunResult, Save, SaveKind
from basicaer.simulator.reference import distribution
from qiskit.quantum_info import SuperOp, random_quantum_channel

DAMPING = Channel.from_kraus([np.diag([1.0, 0.8**0.5]), [[0.0, 0.2**0.5], [0.0, 0.0]]])
WRONG = ReadoutError(np.array([[0.9, 0.1], [0.3, 0.7]]))


def random_channel(random: Random) -> Channel:
    """A channel of any kind."""
    match random.randrange(7):
        case 0:
            return Channel.depolarizing(random.random(), random.choice([1, 2]))
        case 1:
            return Channel.thermal_relaxation(
                50, random.choice([30, 70]), random.uniform(1, 60), random.random()
            )
        case 2:
            return DAMPING
        case 3:
            entangling, broken = [("h", [0]), ("cx", [0, 1])], [("x", [1]), ("reset", [0])]
            return Channel.mixture([(0.25, entangling), (0.5, broken), (0.25, [("s", [1])])])
        case 4:
            given = random_quantum_channel(2, 2, rank=random.randrange(1, 5), seed=random.randrange(2**31))
            return Channel.from_superoperator(SuperOp(given).data)
        case 5:
            return Channel.mixture([(0.2, [("reset", [0])]), (0.8, [("sx", [0])])])
        case _:
            return Channel.pauli({"IX": 0.1, "ZY": 0.3, "II": 0.6})


def noisy_circuit(
    random: Random,
    size: int = 3,
    count: int = 10,
    *,
    dynamic: bool = True,
    saves: bool = False,
    states: bool = False,
) -> Circuit:
    """A circuit of gates and channels, perhaps `dynamic`, which is measured as a whole; `saves` adds means of
    all kinds at two places, `states` density matrices.
    """
    circuit = Circuit(size, size)
    places = {count // 2, count}
    for number in range(count + 1):
        if saves and number in places:
            _add_saves(circuit, random, str(number), states)
        kind = random.random()
        if kind < 0.35:
            angles = [random.uniform(-3, 3) for _ in range(3)]
            circuit.append("u", [random.randrange(size)], angles)
        elif kind < 0.5:
            circuit.append(random.choice(["cx", "cz", "swap", "ecr"]), random.sample(range(size), 2))
        elif kind < 0.6:
            name = random.choice(["rzz", "cp", "rxx"])
            circuit.append(name, random.sample(range(size), 2), [random.uniform(-3, 3)])
        elif kind < 0.8:
            _add_channel(circuit, random)
        elif dynamic:
            _add_dynamic(circuit, random)
    for qubit in range(size):
        circuit.append("measure", [qubit], [], [qubit])
    if random.random() < 0.5:
        rows = np.random.default_rng(random.randrange(2**31)).dirichlet([1.0] * 4, 4)
        circuit.append("readout_error", [], [], random.sample(range(size), 2), readout=ReadoutError(rows))
    return circuit


def _add_channel(circuit: Circuit, random: Random, condition: ClbitRef | None = None) -> None:
    channel = random_channel(random)
    qubits = random.sample(range(circuit.num_qubits), channel.num_qubits)
    circuit.append("channel", qubits, channel=channel, condition=condition)


def _add_dynamic(circuit: Circuit, random: Random) -> None:
    qubit, clbit = random.randrange(circuit.num_qubits), random.randrange(circuit.num_clbits)
    match random.randrange(6):
        case 0:
            circuit.append("measure", [qubit], [], [clbit])
        case 1:
            circuit.append("reset", [qubit])
        case 2:
            circuit.append("measure", [qubit], [], [clbit])
            circuit.append("readout_error", [], [], [clbit], readout=WRONG)
        case 3:
            circuit.append("ry", [qubit], [0.7], condition=ClbitRef(clbit))
        case 4:
            circuit.append("reset", [qubit], condition=ClbitRef(clbit))
        case _:
            _add_channel(circuit, random, ClbitRef(clbit))


def _add_saves(circuit: Circuit, random: Random, label: str, states: bool) -> None:
    size = circuit.num_qubits
    letters = "".join(random.choice("IXYZ") for _ in range(size))
    observables = (
        Observable((letters, "Z" * size), (0.7, -1.1)),
        Observable(("XY" + "I" * (size - 2),), (1.0,)),
    )
    values = Save("values" + label, SaveKind.EXPECTATION_VALUES, observables)
    circuit.append("save", random.sample(range(size), size), save=values)
    pair = random.sample(range(size), 2)
    circuit.append("save", pair, save=Save("probabilities" + label, SaveKind.PROBABILITIES))
    if states:
        circuit.append("save", pair, save=Save("pair" + label, SaveKind.DENSITY_MATRIX))
        whole = Save("whole" + label, SaveKind.DENSITY_MATRIX)
        circuit.append("save", random.sample(range(size), size), save=whole)


def assert_counts_are_the_references(circuit: Circuit, result: RunResult) -> None:
    """Check that each outcome's count is within five standard deviations of its mean."""
    expected = distribution(circuit, mixed=True)
    counts = {int(row[0]): int(count) for row, count in zip(result.outcomes, result.counts, strict=True)}
    shots = sum(counts.values())
    for outcome in expected.keys() | counts.keys():
        mean = shots * expected.get(outcome, 0.0)
        # The normal distribution's tails are thinner than those of a few counts.
        assert abs(counts.get(outcome, 0) - mean) < 5 * mean**0.5 + 5, outcome
        assert mean > 1e-9 or outcome not in counts
