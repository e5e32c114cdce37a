"""How often a shot comes by each operation."""

from __future__ import annotations

import numpy as np
from basicaer.simulator.circuit._circuit import Circuit


def visits(circuit: Circuit) -> list[int | None]:
    """Return for each operation how often a shot comes by it at most; None where a while loop decides."""
    table = circuit.operations
    found: list[int | None] = np.bincount(circuit.body.operations, minlength=len(table)).tolist()
    # No block holds a later operation than its own, so that each is final before it is handed on.
    for number in range(len(table) - 1, -1, -1):
        operation, own = table[number], found[number]
        for _, block in operation.blocks():
            turns: int | None = 1
            if operation.while_loop is not None:
                turns = None
            elif operation.for_loop is not None:
                turns = len(operation.for_loop.values)
            for inner, times in enumerate(np.bincount(block.operations, minlength=number).tolist()):
                before = found[inner]
                if times and before is not None:
                    if own is None or turns is None:
                        found[inner] = None
                    else:
                        found[inner] = before + own * turns * times
    return found
