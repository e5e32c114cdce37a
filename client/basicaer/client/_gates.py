"""How many qubits and parameters each gate takes, so that a wrong one is refused where it's written."""

from __future__ import annotations

from basicaer.client._qiskit_operations import GATE_SHAPES as QISKIT_SHAPES

__all__ = ["GATE_SHAPES", "OPEN_SHAPES"]

# Qubits and parameters by name: Qiskit's standard gates, and those that qelib1.inc and Qiskit's methods add.
GATE_SHAPES: dict[str, tuple[int, int]] = {
    **QISKIT_SHAPES,
    "u0": (1, 1),
    "c3x": (4, 0),
    "c4x": (5, 0),
}

# Gates with any number of controls: the least qubits, and the parameters.
OPEN_SHAPES: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("mcx", "mcy", "mcz", "mcsx"), (2, 0)),
    **dict.fromkeys(("mcp", "mcrx", "mcry", "mcrz"), (2, 1)),
    "mcswap": (3, 0),
}
