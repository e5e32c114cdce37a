"""Circuits by their text, and what they give."""

from __future__ import annotations

from collections import Counter

from basicaer import simulator as sim
from basicaer.client.openqasm3 import dumps
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.simulator.reference import distribution
from basicaer.v1 import circuit_pb2 as pb

from tests.unit.parsing.openqasm3.outcomes import circuit

__all__ = ["counts", "read", "shares"]


def read(exported: pb.Circuit) -> sim.Circuit:
    """The circuit that a server makes of the text."""
    return to_simulator(circuit(dumps(exported)))


def counts(ran: sim.Circuit, num_clbits: int) -> Counter[int]:
    """How often each outcome comes, of the first classical bits: others are the reader's own."""
    found: Counter[int] = Counter()
    result = sim.run(ran, shots=500, seed=7)
    for words, count in zip(result.outcomes, result.counts, strict=True):
        found[int(words[0]) & ((1 << num_clbits) - 1)] += int(count)
    return found


def shares(ran: sim.Circuit, num_clbits: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for outcome, share in distribution(ran).items():
        outcome &= (1 << num_clbits) - 1
        found[outcome] = found.get(outcome, 0.0) + share
    return {outcome: share for outcome, share in found.items() if share > 1e-9}
