"""Which of a circuit's qubits a simulation holds.

A qubit that no gate acts on stays in 0: whoever reads it reads 0, and it needs no amplitudes. So a circuit
that was laid out for a device of 127 qubits, of which it uses three, is simulated on three *wires*. In large
circuits, qubits that only flips and phases act on need none either; `_tracking` finds those.

The wires are the qubits that are held, in their order. What reads a qubit is given its wire, or one of two
further numbers: with k wires, k stands for a qubit in 0, and k + 1 for one in 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._layout import Layout, acting, qubits_of
from basicaer.simulator.compiler._tracking import NOTHING_TRACKED, Tracked, track

SMALL_QUBITS = 16
"""Up to so many qubits that gates act on, all of them are held: a state of 1 MiB isn't worth a search."""


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """The qubits that are held, `qubits` (uint32, ascending), and what is known of the others.

    `places` (uint32) has each qubit's wire, and the number of wires for those that aren't held. `num_active`
    counts the qubits that gates act on. `tracked` says where qubits that aren't held are in 1, and what
    becomes of the gates on them; elsewhere they are in 0.
    """

    num_qubits: int
    qubits: npt.NDArray[np.uint32]
    places: npt.NDArray[np.uint32]
    num_active: int
    tracked: Tracked

    @property
    def count(self) -> int:
        """How many wires there are."""
        return len(self.qubits)

    @property
    def is_whole(self) -> bool:
        """Whether every qubit is held."""
        return len(self.qubits) == self.num_qubits


def find_wires(circuit: Circuit, *, from_zero: bool, as_matrix: bool, has_parameters: bool) -> Wires:
    """Return the wires of a valid circuit.

    `from_zero` says that all qubits start in 0, or for a matrix that it starts as the identity.
    `has_parameters` says that the gates' parameters are known.
    """
    if not from_zero:
        return _wires(np.ones(circuit.num_qubits, dtype=np.bool_), circuit.num_qubits, NOTHING_TRACKED)
    active = _active(circuit)
    count = int(np.count_nonzero(active))
    if count == circuit.num_qubits <= SMALL_QUBITS:
        return _whole(count)
    if as_matrix or count <= SMALL_QUBITS:
        return _wires(active, count, NOTHING_TRACKED)
    live, tracked = track(circuit, Layout(circuit.operations), active, has_parameters=has_parameters)
    return _wires(live, count, tracked)


@cache
def _whole(num_qubits: int) -> Wires:
    """Return the wires of a small circuit that are all its qubits."""
    return _wires(np.ones(num_qubits, dtype=np.bool_), num_qubits, NOTHING_TRACKED)


def _wires(held: npt.NDArray[np.bool_], num_active: int, tracked: Tracked) -> Wires:
    qubits = np.flatnonzero(held).astype(np.uint32)
    places = np.full(len(held), len(qubits), dtype=np.uint32)
    places[qubits] = np.arange(len(qubits), dtype=np.uint32)
    return Wires(len(held), qubits, places, num_active, tracked)


def num_active(circuit: Circuit) -> int:
    """Return how many qubits of a valid circuit gates act on, of which wires may be fewer."""
    return int(np.count_nonzero(_active(circuit)))


def _active(circuit: Circuit) -> npt.NDArray[np.bool_]:
    """Which qubits a gate or an initialize acts on, in any block that may be run."""
    active = np.zeros(circuit.num_qubits, dtype=np.bool_)
    table = circuit.operations
    acts = acting(table)
    widths = np.array([qubits_of(operation) for operation in table], dtype=np.int64)
    inner = [operation.blocks() for operation in table]
    waiting, seen = [circuit.body], set[int]()
    while waiting:
        block = waiting.pop()
        if len(block.qubits):
            used = block.operations
            active[block.qubits[acts[used].repeat(widths[used])]] = True
        if any(inner):
            found = set(np.unique(block.operations).tolist()) - seen
            seen |= found
            waiting.extend(part for number in found for _, part in inner[number])
    return active
