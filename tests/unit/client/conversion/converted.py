"""What the engine makes of a converted circuit."""

from __future__ import annotations

from typing import Any

from basicaer import simulator as sim
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.execution.circuits.reading import to_simulator


def unitary(circuit: Any) -> Any:
    """The matrix of a Qiskit circuit, as the engine computes it."""
    return sim.unitary(to_simulator(circuit_to_proto(circuit)))
