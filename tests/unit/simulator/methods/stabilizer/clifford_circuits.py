"""Random Clifford circuits of few qubits, and whether counts are those of the reference simulator."""

from __future__ import annotations

from math import pi
from random import Random
from typing import Any

import numpy as np
from basicaer.simulator import Circuit, ClbitRef, RunControl
from basicaer.simulator.methods.stabilizer import _method
from basicaer.simulator.reference import interpret

SINGLE = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg")
DOUBLE = ("cx", "cz", "cy", "swap", "ecr", "iswap", "dcx")
SHOTS = 4000


def add_gates(circuit: Circuit, random: Random, count: int) -> Circuit:
    """Append some gates."""
    size = circuit.num_qubits
    for _ in range(count):
        choice = random.random()
        if choice < 0.5:
            circuit.append(random.choice(SINGLE), [random.randrange(size)])
        elif choice < 0.6:
            circuit.append("rz", [random.randrange(size)], [random.randrange(-8, 8) * pi / 2])
        elif choice < 0.65:
            circuit.append("rzz", random.sample(range(size), 2), [random.randrange(-8, 8) * pi / 2])
        else:
            circuit.append(random.choice(DOUBLE), random.sample(range(size), 2))
    return circuit


def dynamic_circuit(seed: int, conditional: tuple[str, ...]) -> Circuit:
    """A circuit that measures and resets on the way, and does some of the gates `conditional` by outcomes."""
    random = Random(seed)
    circuit = add_gates(Circuit(5, 5), random, 30)
    for clbit in range(3):
        circuit.append("measure", [random.randrange(5)], [], [clbit])
        add_gates(circuit, random, 8)
        if random.random() < 0.5:
            circuit.append("reset", [random.randrange(5)])
            add_gates(circuit, random, 5)
        if conditional:
            circuit.append(random.choice(conditional), [random.randrange(5)], condition=ClbitRef(clbit))
            add_gates(circuit, random, 4)
    return circuit


def outcomes(circuit: Circuit, shots: int = SHOTS, seed: int = 7, **options: bool) -> _method.Outcomes:
    """What the method gives."""
    return _method.run(circuit, shots, np.random.SeedSequence(seed), RunControl(), **options)


def distribution(circuit: Circuit) -> dict[int, float]:
    """The outcomes' probabilities by the reference simulator."""
    found: dict[int, float] = {}
    for leaf in interpret(circuit):
        found[leaf.clbits] = found.get(leaf.clbits, 0.0) + leaf.probability
    return found


def assert_counts_agree(circuit: Circuit, shots: int = SHOTS) -> None:
    """Check that no outcome is impossible, and that the counts are as likely as they should be."""
    expected = distribution(circuit)
    found = outcomes(circuit, shots)
    assert found.counts.sum() == shots
    assert_likely(found.words, found.counts, expected)


def assert_likely(words: Any, numbers: Any, expected: dict[int, float]) -> None:
    """Check counts against the outcomes' probabilities."""
    counts = {int(row[0]): int(count) for row, count in zip(words, numbers, strict=True)}
    shots = sum(counts.values())
    assert all(expected.get(outcome, 0.0) > 1e-9 for outcome in counts)
    likely = {outcome: shots * weight for outcome, weight in expected.items() if weight > 1e-9}
    distance = sum((counts.get(outcome, 0) - mean) ** 2 / mean for outcome, mean in likely.items())
    freedom = len(likely) - 1
    assert distance < freedom + 6 * (2 * freedom) ** 0.5 + 1e-9
