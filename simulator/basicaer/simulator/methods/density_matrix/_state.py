"""A density matrix, and everything that is done to it besides gates and channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Operation
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.density_matrix._basis import (
    FROM_ENTRIES,
    TO_ENTRIES,
    Complexes,
    walsh_hadamard,
)
from basicaer.simulator.methods.density_matrix._lowering import Piece, starting
from basicaer.simulator.methods.interface import Floats, QuantumState
from basicaer.simulator.methods.statevector._engine import Plan
from basicaer.simulator.methods.statevector._state import State


class DensityState(QuantumState):
    """The coefficients of a density matrix of `num_qubits` qubits, as amplitudes of `wires`.

    Its norm is its trace.
    """

    __slots__ = ("num_qubits", "wires")

    def __init__(self, num_qubits: int, wires: State) -> None:
        self.num_qubits = num_qubits
        self.wires = wires

    @classmethod
    def zero(cls, num_qubits: int, dtype: np.dtype[Any]) -> DensityState:
        """All qubits in 0; memory is taken when it is first needed."""
        return cls(num_qubits, State.zero(2 * num_qubits, dtype))

    @classmethod
    def of(
        cls, amplitudes: npt.NDArray[np.complex128], dtype: np.dtype[Any], control: RunControl
    ) -> DensityState:
        """Return the density matrix of a state vector."""
        return cls.from_entries(np.outer(amplitudes, amplitudes.conj()), dtype, control)

    @classmethod
    def from_entries(
        cls, matrix: npt.NDArray[np.complex128], dtype: np.dtype[Any], control: RunControl
    ) -> DensityState:
        """Return the state with a density matrix of shape (2^n, 2^n)."""
        num_qubits = len(matrix).bit_length() - 1
        # Columns are the more significant half, as z is.
        state = cls(num_qubits, State.of(np.ascontiguousarray(matrix.T), dtype, control))
        # Coefficients become entries times 2^n.
        state.apply(on_each(2.0 * FROM_ENTRIES, range(num_qubits)), control)
        return state

    @property
    def coefficients(self) -> Complexes:
        """The coefficients c[z, x], of shape (2^n, 2^n), which may be written to."""
        if self.wires.is_fresh:
            memory = self.wires.new_memory()
            memory[:: 1 << self.num_qubits] = 1.0
            self.wires.adopt(memory)
        return self.wires.amplitudes.reshape(1 << self.num_qubits, 1 << self.num_qubits)

    def apply(self, pieces: Iterable[Piece], control: RunControl) -> None:
        """Apply gates on wires, which have the numbers 2 q and 2 q + 1 for the x and z of qubit q."""
        given = list(pieces)
        if self.wires.is_fresh:
            given = [*starting(self.num_qubits), *given]
        table = tuple(operation for operation, _ in given)
        wires = [(wire >> 1) + (wire & 1) * self.num_qubits for _, own in given for wire in own]
        block = Block(np.arange(len(table), dtype=np.uint32), np.array(wires, dtype=np.uint32))
        plan = Plan(Segment(2 * self.num_qubits, table, Layout(table), block), None)
        plan.apply(self.wires, Quiet(control))

    def copy(self, control: RunControl) -> DensityState:
        return DensityState(self.num_qubits, self.wires.copy(control))

    def part(self, qubits: Sequence[int]) -> Complexes:
        """Return the coefficients of the density matrix of `qubits`, in any order, of shape (2^k, 2^k).

        They may be the state's own.
        """
        if list(qubits) == list(range(self.num_qubits)):
            return self.coefficients
        places = places_of(qubits)
        return self.coefficients[np.ix_(places, places)]

    def weights(self, qubits: Sequence[int], control: RunControl) -> Floats:
        control.check()
        found: Floats = walsh_hadamard(self.coefficients[places_of(qubits), 0]).real / (1 << len(qubits))
        # Rounding may leave a little less than nothing.
        return np.maximum(found, 0.0, dtype=np.float64)

    def collapse(self, values: Mapping[int, int], weight: float, control: RunControl) -> None:
        pieces: list[Piece] = []
        factor = 1.0 / weight
        for qubit, value in values.items():
            sign = -1.0 if value else 1.0
            matrix = np.zeros((4, 4), dtype=np.complex128)
            matrix[np.ix_([0, 2], [0, 2])] = np.array([[1.0, sign], [sign, 1.0]]) * (factor / 2.0)
            pieces.append((Operation("unitary", 2, matrix=matrix), (2 * qubit, 2 * qubit + 1)))
            factor = 1.0
        if pieces:
            self.apply(pieces, control)
        else:
            self.wires.scale(factor, control)

    def flip(self, qubit: int, control: RunControl) -> None:
        sign = np.diag([1.0, -1.0]).astype(np.complex128)
        self.apply([(Operation("unitary", 1, matrix=sign), (2 * qubit + 1,))], control)

    def prepare(
        self, qubits: Sequence[int], amplitudes: npt.NDArray[np.complex128], control: RunControl
    ) -> None:
        self.apply(on_each(TO_ENTRIES, qubits), control)
        self.wires.prepare(qubits, amplitudes, control)
        self.wires.prepare([self.num_qubits + qubit for qubit in qubits], amplitudes.conj(), control)
        self.apply(on_each(FROM_ENTRIES, qubits), control)


class Quiet(RunControl):
    """Cancels with another control, and reports nothing to it."""

    __slots__ = ()

    def __init__(self, control: RunControl) -> None:
        super().__init__()
        self.flag = control.flag


def places_of(qubits: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the numbers with bits of `qubits` alone, in the order of these bits' values."""
    values = np.arange(1 << len(qubits))
    places = np.zeros_like(values)
    for place, qubit in enumerate(qubits):
        places |= (values >> place & 1) << qubit
    return places


def on_each(matrix: npt.NDArray[np.complex128], qubits: Iterable[int]) -> list[Piece]:
    """Return a gate on the two wires of each of some qubits."""
    operation = Operation("unitary", 2, matrix=matrix)
    return [(operation, (2 * qubit, 2 * qubit + 1)) for qubit in qubits]
