"""A state vector in parts as a method, for one run on the ranks of a transport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.circuit._given_states import GivenState
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.distributed._expectations import SpreadPauliSums
from basicaer.simulator.distributed._plan import SpreadPlan
from basicaer.simulator.distributed._state import SpreadState
from basicaer.simulator.distributed._transport import Transport
from basicaer.simulator.methods.interface import Floats, Indices, Method
from basicaer.simulator.methods.statevector._observables import density_matrix, probabilities
from basicaer.simulator.methods.statevector._sampler import points_among, sample_blocks
from basicaer.simulator.methods.statevector._state import BLOCK_BITS

__all__ = ["SpreadStatevector"]


class SpreadStatevector(Method[SpreadState]):
    """Amplitudes on several ranks, all of which run the same program with the same random numbers."""

    __slots__ = ("_transport",)

    # Not that of states on one node: a step keeps its plans by it.
    name = "spread statevector"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def zero(self, num_qubits: int, dtype: np.dtype[Any]) -> SpreadState:
        return SpreadState(num_qubits, dtype, self._transport)

    def plan(self, segment: Segment, threads: int | None = None) -> SpreadPlan:
        return SpreadPlan(segment, threads)

    def sample(
        self,
        state: SpreadState,
        shots: int,
        generator: np.random.Generator,
        control: RunControl,
        num_active: int,
    ) -> tuple[Indices, Indices]:
        # In blocks of the same amplitudes as on one node: a seed gives the same counts.
        numbers = state.straighten(control)
        place = numbers.index(state.number)
        own = np.zeros((len(numbers), 1 << max(0, state.local - BLOCK_BITS)))
        own[place] = state.part.block_weights(control)
        weights = state.total(own, control).reshape(-1)
        drawn = points_among(weights, shots, generator)
        each = own.shape[1]
        blocks = range(place * each, (place + 1) * each)
        found, counts = sample_blocks(state.part, drawn, blocks.start, blocks, control)
        packed = np.concatenate([found + (place << state.local), counts])
        parts = self._transport.gather(packed, control)
        ordered = [parts[state.rank_of(number)].reshape(2, -1) for number in numbers]
        indices, times = np.concatenate(ordered, axis=1)
        return indices, times

    def probabilities(self, state: SpreadState, qubits: Sequence[int], control: RunControl) -> Floats:
        return state.total(probabilities(state.part, state.local_bits(qubits), control), control)

    def expectations(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int
    ) -> SpreadPauliSums:
        return SpreadPauliSums(observables, qubits)

    def given(self, given: GivenState, state: SpreadState, control: RunControl) -> NoReturn:
        raise SimulationFailed(f"a state over several nodes can't be set to a {given.kind.value}")

    def density_matrix(
        self, state: SpreadState, qubits: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        state.bring_near([qubit for qubit in qubits if qubit < state.num_qubits], control)
        own = density_matrix(state.part, state.local_bits(qubits), control)
        return self._transport.sum(own, control)

    def statevector(
        self,
        state: SpreadState,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        phase: complex,
        control: RunControl,
    ) -> NoReturn:
        raise SimulationFailed("a state over several nodes isn't brought together on one")

    def amplitudes(
        self, state: SpreadState, basis_states: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        control.check()
        wanted = np.array(basis_states, dtype=np.int64)
        index = np.zeros_like(wanted)
        for qubit, bit in enumerate(state.bits.tolist()):
            index |= (wanted >> qubit & 1) << bit
        found = np.zeros(len(wanted), dtype=state.dtype)
        own = index >> state.local == state.number
        found[own] = state.part.amplitudes[index[own] & (1 << state.local) - 1]
        return self._transport.sum(found, control)

    def required_bytes(self, num_qubits: int, dtype: np.dtype[Any]) -> int:
        """Return what a rank's part takes, at most."""
        return max(1, (dtype.itemsize << num_qubits) // self._transport.size)

    def work(self, num_qubits: int, gates: float) -> float:
        return gates * 2.0**num_qubits
