"""What the engine's planner and readout make of fixed circuits and states, saved as arrays.

`test_interpreted.py` calls this module compiled, and starts it as a process in which nothing is compiled.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator import GATES, Circuit, Instruction
from basicaer.simulator.methods.statevector.engine._arrays import Columns
from basicaer.simulator.methods.statevector.engine._matrices import operation_table
from basicaer.simulator.methods.statevector.engine._readout import add_weights, collapse, draw, flip
from basicaer.simulator.methods.statevector.engine.planning._compile import compile_columns, lower_columns
from basicaer.simulator.methods.statevector.engine.planning._planner import plan

SPECS = list({spec.name: spec for spec in GATES.values()}.values())
PLANS = [
    # qubits, gates, from the basis state 0, bits of a block, bits of the lanes, padding
    (2, 12, True, 15, 3, 3),
    (5, 30, False, 16, 4, 4),
    (7, 40, True, 15, 3, 0),
    (9, 80, False, 16, 4, 0),
    (13, 90, True, 10, 3, 0),
    (14, 90, False, 12, 4, 0),
]


def random_gates(rng: np.random.Generator, num_qubits: int, count: int) -> list[Instruction]:
    """Gates of every kind, each on random qubits."""
    gates: list[Instruction] = []
    while len(gates) < count:
        spec = SPECS[rng.integers(len(SPECS))]
        width = spec.num_qubits + int(spec.any_controls and rng.integers(3))
        if width <= num_qubits:
            qubits = rng.permutation(num_qubits)[:width].tolist()
            gates.append((spec.name, qubits, rng.uniform(-3, 3, spec.num_parameters).tolist()))
    return gates


def random_circuit(rng: np.random.Generator, num_qubits: int, count: int) -> Circuit:
    """A circuit of them."""
    return Circuit.from_gates(num_qubits, random_gates(rng, num_qubits, count))


def plans() -> dict[str, npt.NDArray[Any]]:
    """Each plan's arrays by their names."""
    found = {}
    for number, (num_qubits, count, fresh, bits, lanes, pad) in enumerate(PLANS):
        circuit = random_circuit(np.random.default_rng(number), num_qubits, count)
        table, pool = operation_table(circuit.operations)
        columns = Columns(circuit.body.operations, circuit.body.qubits, circuit.body.parameters)
        span = np.array([0, count, 0, 0])
        plan, phase, size = compile_columns(table, pool, columns, span, num_qubits, fresh, bits, lanes, pad)
        for name, value in zip(("stages", "rows", "coefs", "terms"), plan, strict=True):
            found[f"{number} {name}"] = value
        found[f"{number} coefs of all"] = np.array([phase])
        found[f"{number} numbers"] = np.array([size, *span])
    return found


def readouts() -> dict[str, npt.NDArray[Any]]:
    """What is read from a state: weights, the place of points, and the state after a collapse."""
    state = np.random.default_rng(9).normal(size=128)
    state[40:44] = 0.0
    total = float(np.square(state).sum())
    points = np.sort(np.random.default_rng(8).uniform(0.0, total, 300))
    hit, times = np.zeros(65, np.int64), np.zeros(65, np.int64)
    written = draw(state, 0, 64, 0.0, points, 0, 300, hit, times)
    found: dict[str, npt.NDArray[Any]] = {"hit": hit[:written], "times": times[:written]}
    for qubits in ([0], [5], [1, 2], [0, 3, 4], [3, 4, 5]):
        sums = np.zeros(1 << len(qubits))
        add_weights(state, np.array(qubits), 0, 64, sums)
        after = state.copy()
        mask = sum(1 << qubit for qubit in qubits)
        collapse(after, mask, 1 << qubits[0], 0.5, 0, 64)
        flip(after, qubits[0], 0, 32)
        found |= {f"coefs of weights {qubits}": sums, f"coefs of collapse {qubits}": after}
    return found


if __name__ == "__main__":
    if not (isinstance(lower_columns, types.FunctionType) and isinstance(plan, types.FunctionType)):
        sys.exit("the planner was compiled")
    arrays: dict[str, Any] = {**plans(), **readouts()}
    np.savez(sys.argv[1], **arrays)
