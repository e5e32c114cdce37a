"""The state vector as a method: where its parts are what `methods/interface.py` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.circuit._given_states import GivenKind, GivenState
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.interface import Floats, Indices, Method
from basicaer.simulator.methods.statevector._engine import Plan
from basicaer.simulator.methods.statevector._observables import PauliSums, density_matrix, probabilities
from basicaer.simulator.methods.statevector._sampler import sample_indices
from basicaer.simulator.methods.statevector._state import Amplitudes, State, beside_identity


class Statevector(Method[State]):
    """All amplitudes in one array."""

    __slots__ = ()

    name = "statevector"

    def zero(self, num_qubits: int, dtype: np.dtype[Any]) -> State:
        return State.zero(num_qubits, dtype)

    def plan(self, segment: Segment, threads: int | None = None) -> Plan:
        return Plan(segment, threads)

    def sample(
        self, state: State, shots: int, generator: np.random.Generator, control: RunControl, num_active: int
    ) -> tuple[Indices, Indices]:
        return sample_indices(state, shots, generator, control, num_active)

    def probabilities(self, state: State, qubits: Sequence[int], control: RunControl) -> Floats:
        return probabilities(state, qubits, control)

    def expectations(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int
    ) -> PauliSums:
        return PauliSums(observables, qubits, num_qubits)

    def given(self, given: GivenState, state: State, control: RunControl) -> State:
        # A matrix is the state of twice as many qubits.
        own = given.array if given.kind is GivenKind.UNITARY else given.amplitudes()
        if own is None or own.size != 1 << state.num_qubits:
            raise SimulationFailed(f"a {given.kind.value} was given to states of {state.num_qubits} qubits")
        return State.of(own, state.dtype, control)

    def statevector(
        self,
        state: State,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        phase: complex,
        control: RunControl,
    ) -> Amplitudes:
        copy = state.copy(control, num_qubits)
        if len(qubits) < num_qubits:
            copy.widen(num_qubits, qubits, ones, control)
        if phase != 1.0:
            copy.scale(phase, control)
        return copy.to_array()

    def amplitudes(self, state: State, basis_states: Sequence[int], control: RunControl) -> Amplitudes:
        control.check()
        return state.amplitudes[np.array(basis_states, dtype=np.int64)]

    def unitary(
        self, state: State, num_qubits: int, qubits: Sequence[int], phase: complex, control: RunControl
    ) -> Amplitudes:
        copy = state.copy(control)
        if phase != 1.0:
            copy.scale(phase, control)
        matrix = copy.to_array().reshape(1 << len(qubits), 1 << len(qubits))
        return matrix if len(qubits) == num_qubits else beside_identity(matrix, num_qubits, qubits, control)

    def density_matrix(
        self, state: State, qubits: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        return density_matrix(state, qubits, control)

    def required_bytes(self, num_qubits: int, dtype: np.dtype[Any]) -> int:
        return dtype.itemsize << num_qubits

    def work(self, num_qubits: int, gates: float) -> float:
        return gates * 2.0**num_qubits


STATEVECTOR = Statevector()
