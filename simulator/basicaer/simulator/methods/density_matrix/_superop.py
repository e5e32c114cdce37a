"""Superoperators as a method: maps of density matrices that are read as a whole, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._outcomes import BasisStates
from basicaer.simulator.circuit._given_states import GivenKind, GivenState
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.density_matrix._lowering import lowered
from basicaer.simulator.methods.density_matrix._maps import MapState, shifted
from basicaer.simulator.methods.density_matrix._method import Share
from basicaer.simulator.methods.interface import Expectations, Floats, GatePlan, Indices, Method
from basicaer.simulator.methods.statevector._engine import Plan

NAME = "superop"


class MapPlan(GatePlan[MapState]):
    """A segment of gates and channels that is ready to be applied."""

    __slots__ = ("_plan", "_work")

    def __init__(self, segment: Segment, work: float, threads: int | None) -> None:
        self._work = work
        own, matrices = lowered(segment, from_zero=False)
        self._plan = Plan(shifted(own), threads, matrices)

    def apply(self, state: MapState, control: RunControl) -> None:
        self._plan.apply(state.wires, Share(control, self._work, self._plan.work))


class Superop(Method[MapState]):
    """The map of density matrices that a circuit is. Its outcomes are those of no bits."""

    __slots__ = ()

    name = NAME

    def zero(self, num_qubits: int, dtype: np.dtype[Any]) -> MapState:
        return MapState.identity(num_qubits, dtype, RunControl())

    def plan(self, segment: Segment, threads: int | None = None) -> MapPlan:
        return MapPlan(segment, self.work(segment.num_qubits, len(segment.block)), threads)

    def superoperator(self, state: MapState, control: RunControl) -> npt.NDArray[np.complexfloating]:
        return state.superoperator(control)

    def given(self, given: GivenState, state: MapState, control: RunControl) -> MapState:
        if given.kind is not GivenKind.SUPEROPERATOR or given.array is None:
            raise SimulationFailed(f"a {given.kind.value} was given to a superoperator")
        return MapState.of(given.array, state.wires.dtype, control)

    def required_bytes(self, num_qubits: int, dtype: np.dtype[Any]) -> int:
        return dtype.itemsize << 4 * num_qubits

    def work(self, num_qubits: int, gates: float) -> float:
        return gates * 16.0**num_qubits

    def sample(
        self,
        state: MapState,
        shots: int,
        generator: np.random.Generator,
        control: RunControl,
        num_active: int,
    ) -> tuple[BasisStates, Indices]:
        _refuse("outcomes")

    def probabilities(self, state: MapState, qubits: Sequence[int], control: RunControl) -> Floats:
        _refuse("probabilities")

    def expectations(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int
    ) -> Expectations[MapState]:
        _refuse("expectation values")

    def statevector(
        self,
        state: MapState,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        phase: complex,
        control: RunControl,
    ) -> npt.NDArray[np.complexfloating]:
        _refuse("amplitudes")

    def amplitudes(
        self, state: MapState, basis_states: Sequence[int], control: RunControl
    ) -> npt.NDArray[np.complexfloating]:
        _refuse("amplitudes")


SUPEROP = Superop()


def _refuse(what: str) -> NoReturn:
    raise SimulationFailed(f"a superoperator has no {what}; save the superoperator itself")
