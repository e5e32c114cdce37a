"""Matrix product states in quimb, whose package is no part of this environment.

`--packages` of the command names a folder that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from basicaer.simulator.circuit._gate_table import GATES

from benchmarks.peers.methods._gate_lists import Gate

_CUTOFF = 1e-16
"""Of the squares of singular values, in all: what our own chains leave out, too."""


def quimb(size: int, gates: Sequence[Gate]) -> Callable[[], Any]:
    """Return what has quimb make a chain, of which nothing is drawn: that takes it long."""
    tensor = import_module("quimb.tensor")
    # The least significant bit of ours is the last qubit of a matrix there.
    own = [(np.asarray(GATES[name].matrix(*values)), places[::-1]) for name, places, values in gates]

    def run() -> Any:
        circuit = tensor.CircuitMPS(size, gate_opts={"cutoff": _CUTOFF, "cutoff_mode": "rsum2"})
        for matrix, places in own:
            circuit.apply_gate_raw(matrix, places)
        return circuit.psi

    return run
