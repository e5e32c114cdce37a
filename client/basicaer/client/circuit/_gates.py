"""How many qubits and parameters each gate takes, so that a wrong one is refused where it's written.

Made from the simulator's table of gates by `make gates`: change that.
"""

from __future__ import annotations

__all__ = ["GATE_SHAPES", "OPEN_SHAPES", "QISKIT_SHAPES"]

# The gates that a gate of that name in Qiskit's library is.
QISKIT_SHAPES: dict[str, tuple[int, int]] = {
    "id": (1, 0),
    "x": (1, 0),
    "y": (1, 0),
    "z": (1, 0),
    "h": (1, 0),
    "s": (1, 0),
    "sdg": (1, 0),
    "sx": (1, 0),
    "sxdg": (1, 0),
    "t": (1, 0),
    "tdg": (1, 0),
    "p": (1, 1),
    "u1": (1, 1),
    "u2": (1, 2),
    "u3": (1, 3),
    "u": (1, 3),
    "r": (1, 2),
    "rx": (1, 1),
    "ry": (1, 1),
    "rz": (1, 1),
    "global_phase": (0, 1),
    "cx": (2, 0),
    "cy": (2, 0),
    "cz": (2, 0),
    "ch": (2, 0),
    "cs": (2, 0),
    "csdg": (2, 0),
    "csx": (2, 0),
    "cp": (2, 1),
    "cu1": (2, 1),
    "cu3": (2, 3),
    "cu": (2, 4),
    "crx": (2, 1),
    "cry": (2, 1),
    "crz": (2, 1),
    "ccx": (3, 0),
    "ccz": (3, 0),
    "cswap": (3, 0),
    "c3sx": (4, 0),
    "swap": (2, 0),
    "iswap": (2, 0),
    "dcx": (2, 0),
    "ecr": (2, 0),
    "rxx": (2, 1),
    "ryy": (2, 1),
    "rzz": (2, 1),
    "rzx": (2, 1),
    "xx_minus_yy": (2, 2),
    "xx_plus_yy": (2, 2),
    "rccx": (3, 0),
    "rcccx": (4, 0),
}

# All gates: qubits and parameters.
GATE_SHAPES: dict[str, tuple[int, int]] = {
    **QISKIT_SHAPES,
    "u0": (1, 1),
    "c3x": (4, 0),
    "c4x": (5, 0),
}

# Gates with any number of controls: the least qubits, and the parameters.
OPEN_SHAPES: dict[str, tuple[int, int]] = {
    "mcx": (2, 0),
    "mcy": (2, 0),
    "mcz": (2, 0),
    "mcsx": (2, 0),
    "mcp": (2, 1),
    "mcrx": (2, 1),
    "mcry": (2, 1),
    "mcrz": (2, 1),
    "mcr": (2, 2),
    "mcu2": (2, 2),
    "mcu3": (2, 3),
    "mcu": (2, 4),
    "mcswap": (3, 0),
}
