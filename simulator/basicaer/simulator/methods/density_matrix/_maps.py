"""A map of density matrices: what gates and channels do to any state, as a matrix of coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.density_matrix._basis import FROM_ENTRIES, TO_ENTRIES
from basicaer.simulator.methods.density_matrix._lowering import Piece
from basicaer.simulator.methods.density_matrix._state import Quiet, on_each
from basicaer.simulator.methods.interface import Floats, QuantumState
from basicaer.simulator.methods.statevector._engine import Plan
from basicaer.simulator.methods.statevector._state import Amplitudes, State

_UNREADABLE = "a superoperator has no outcomes; leave out measurements"


class MapState(QuantumState):
    """A map of density matrices of `num_qubits` qubits, as a matrix on `wires`: from the entries of the state
    before, in the less significant half, to the coefficients of that after it.
    """

    __slots__ = ("num_qubits", "wires")

    def __init__(self, num_qubits: int, wires: State) -> None:
        self.num_qubits = num_qubits
        self.wires = wires

    @classmethod
    def identity(cls, num_qubits: int, dtype: np.dtype[Any], control: RunControl) -> MapState:
        """Return the map that changes nothing."""
        return cls._from_entries(num_qubits, State.identity(2 * num_qubits, dtype), control)

    @classmethod
    def of(cls, matrix: npt.NDArray[np.complex128], dtype: np.dtype[Any], control: RunControl) -> MapState:
        """Return the map with a superoperator of shape (4^n, 4^n), for stacked columns."""
        width = (len(matrix).bit_length() - 1) // 2
        return cls._from_entries(width, State.of(matrix, dtype, control), control)

    @classmethod
    def _from_entries(cls, num_qubits: int, wires: State, control: RunControl) -> MapState:
        found = cls(num_qubits, wires)
        found.apply(on_each(FROM_ENTRIES, range(num_qubits)), control)
        return found

    def superoperator(self, control: RunControl) -> Amplitudes:
        """Return the matrix of shape (4^n, 4^n) for stacked columns."""
        copy = self.copy(control)
        copy.apply(on_each(TO_ENTRIES, range(self.num_qubits)), control)
        return copy.wires.to_array().reshape(1 << 2 * self.num_qubits, 1 << 2 * self.num_qubits)

    def apply(self, pieces: Iterable[Piece], control: RunControl) -> None:
        """Apply gates on wires of the state after it, as `DensityState.apply`."""
        given, size = list(pieces), self.num_qubits
        table = tuple(operation for operation, _ in given)
        wires = [(wire >> 1) + (wire & 1) * size for _, own in given for wire in own]
        block = Block(np.arange(len(table), dtype=np.uint32), np.array(wires, dtype=np.uint32))
        shifted_segment = shifted(Segment(2 * size, table, Layout(table), block))
        Plan(shifted_segment, None).apply(self.wires, Quiet(control))

    def copy(self, control: RunControl) -> MapState:
        return MapState(self.num_qubits, self.wires.copy(control))

    def prepare(
        self, qubits: Sequence[int], amplitudes: npt.NDArray[np.complex128], control: RunControl
    ) -> None:
        size = self.num_qubits
        self.apply(on_each(TO_ENTRIES, qubits), control)
        self.wires.prepare([2 * size + qubit for qubit in qubits], amplitudes, control)
        self.wires.prepare([3 * size + qubit for qubit in qubits], amplitudes.conj(), control)
        self.apply(on_each(FROM_ENTRIES, qubits), control)

    def weights(self, qubits: Sequence[int], control: RunControl) -> Floats:
        raise SimulationFailed(_UNREADABLE)

    def collapse(self, values: Mapping[int, int], weight: float, control: RunControl) -> None:
        raise SimulationFailed(_UNREADABLE)

    def flip(self, qubit: int, control: RunControl) -> None:
        raise SimulationFailed(_UNREADABLE)


def shifted(segment: Segment) -> Segment:
    """Return a segment on the wires of density matrices as one for those that a map gives."""
    block, size = segment.block, segment.num_qubits
    own = Block(block.operations, block.qubits + np.uint32(size), parameters=block.parameters)
    return Segment(2 * size, segment.operations, segment.layout, own)
