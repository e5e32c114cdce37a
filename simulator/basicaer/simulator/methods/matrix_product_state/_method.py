"""The matrix product state as a method: where its parts are what `methods/interface.py` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._outcomes import BasisStates
from basicaer.simulator.circuit._given_states import GivenState
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.interface import Floats, Indices, Method, SavedChain
from basicaer.simulator.methods.matrix_product_state._chain import Chain
from basicaer.simulator.methods.matrix_product_state._meter import Meter
from basicaer.simulator.methods.matrix_product_state._options import Cuts, MatrixProductStateOptions
from basicaer.simulator.methods.matrix_product_state._plan import ChainPlan
from basicaer.simulator.methods.matrix_product_state._reading import (
    PauliSums,
    amplitudes,
    chosen_amplitudes,
    sample,
)
from basicaer.simulator.methods.matrix_product_state._saved import saved_chain

NAME = "matrix_product_state"
MOST_AMPLITUDES = 30
"""Of so many qubits at most all amplitudes are computed."""

_INDEX_QUBITS = 62


class MatrixProductState(Method[Chain]):
    """A chain of tensors, one for each qubit. There is one object for each run: `cuts` says what was left
    out.
    """

    __slots__ = ("cuts", "meter", "most_bytes", "options")

    name = NAME

    def __init__(
        self,
        options: MatrixProductStateOptions | None = None,
        most_bytes: int | None = None,
        most_seconds: float | None = None,
    ) -> None:
        self.options = options or MatrixProductStateOptions()
        self.most_bytes = most_bytes
        self.cuts = Cuts()
        self.meter = Meter(most_seconds)

    def zero(self, num_qubits: int, dtype: np.dtype[Any]) -> Chain:
        return Chain(num_qubits, self.options, self.cuts, self.most_bytes, self.meter)

    def plan(self, segment: Segment, threads: int | None = None) -> ChainPlan:
        return ChainPlan(segment)

    def sample(
        self, state: Chain, shots: int, generator: np.random.Generator, control: RunControl, num_active: int
    ) -> tuple[BasisStates, Indices]:
        words, counts = sample(state, shots, generator, control)
        if state.num_qubits > _INDEX_QUBITS:
            return words, counts
        indices = words[:, 0].astype(np.int64)
        order = np.argsort(indices)
        return indices[order], counts[order]

    def probabilities(self, state: Chain, qubits: Sequence[int], control: RunControl) -> Floats:
        size = state.num_qubits
        held = sorted(qubit for qubit in qubits if qubit < size)
        weights = state.copy(control).weights(held, control)
        values = np.arange(len(weights))
        places = [qubits.index(qubit) for qubit in held]
        index = sum((values >> k & 1) << place for k, place in enumerate(places)) + np.zeros_like(values)
        index += sum(1 << place for place, qubit in enumerate(qubits) if qubit > size)
        found = np.zeros(1 << len(qubits))
        found[index] = weights
        return found

    def expectations(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int
    ) -> PauliSums:
        return PauliSums(observables, qubits, num_qubits)

    def given(self, given: GivenState, state: Chain, control: RunControl) -> Chain:
        fresh = self.zero(state.num_qubits, np.dtype(np.complex128))
        if given.tensors:
            fresh.adopt(given.tensors, given.wires, control)
        else:
            fresh.prepare(range(state.num_qubits), given.amplitudes(), control)
        return fresh

    def chain(
        self,
        state: Chain,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        control: RunControl,
    ) -> SavedChain:
        return saved_chain(state, num_qubits, qubits, ones, control)

    def statevector(
        self,
        state: Chain,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        phase: complex,
        control: RunControl,
    ) -> npt.NDArray[np.complexfloating]:
        if num_qubits > MOST_AMPLITUDES:
            raise SimulationFailed(
                f"{num_qubits} qubits have 2^{num_qubits} amplitudes; all are computed of at most"
                f" {MOST_AMPLITUDES} qubits"
            )
        own = amplitudes(state, control)
        if phase != 1.0:
            own = own * phase
        if len(qubits) == num_qubits:
            return own
        values = np.arange(len(own))
        index = np.full(len(own), sum(1 << qubit for qubit in ones))
        for wire, qubit in enumerate(qubits):
            index += (values >> wire & 1) << qubit
        found = np.zeros(1 << num_qubits, dtype=np.complex128)
        found[index] = own
        return found

    def amplitudes(
        self, state: Chain, basis_states: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        return chosen_amplitudes(state, basis_states, control)

    def required_bytes(self, num_qubits: int, dtype: np.dtype[Any]) -> int:
        """Return what one state takes, at most."""
        most = self.options.max_bond_dimension
        total = 0
        for site in range(num_qubits):
            left, right = (1 << min(bond, num_qubits - bond) for bond in (site, site + 1))
            if most is not None:
                left, right = min(left, most), min(right, most)
            total += 32 * left * right
        return max(total, 1)

    def work(self, num_qubits: int, gates: float) -> float:
        return gates
