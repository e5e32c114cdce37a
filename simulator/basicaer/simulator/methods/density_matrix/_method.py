"""The density matrix as a method: where its parts are what `methods/interface.py` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._outcomes import sample_few
from basicaer.simulator.circuit._given_states import GivenKind, GivenState
from basicaer.simulator.circuit._operations import Observable
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.density_matrix._basis import Complexes, entries_of, walsh_hadamard
from basicaer.simulator.methods.density_matrix._lowering import lowered
from basicaer.simulator.methods.density_matrix._state import DensityState, places_of
from basicaer.simulator.methods.interface import Expectations, Floats, GatePlan, Indices, Method
from basicaer.simulator.methods.statevector._engine import Plan

NAME = "density_matrix"


class DensityPlan(GatePlan[DensityState]):
    """A segment of gates and channels that is ready to be applied, to a state in 0 or to another one."""

    __slots__ = ("_plans", "_segment", "_threads", "_work")

    def __init__(self, segment: Segment, work: float, threads: int | None) -> None:
        self._segment = segment
        self._work = work
        self._threads = threads
        self._plans: dict[bool, Plan] = {}

    def __getstate__(self) -> tuple[Any, ...]:
        # The dictionary may grow meanwhile.
        return self._segment, self._work, self._threads, self._plans.copy()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._segment, self._work, self._threads, self._plans = state

    def apply(self, state: DensityState, control: RunControl) -> None:
        fresh = state.wires.is_fresh
        plan = self._plans.get(fresh)
        if plan is None:
            segment, matrices = lowered(self._segment, from_zero=fresh)
            plan = self._plans.setdefault(fresh, Plan(segment, self._threads, matrices))
        plan.apply(state.wires, Share(control, self._work, plan.work))


class Share(RunControl):
    """Reports the work of a plan on wires as that of the plan that it stands for."""

    __slots__ = ("_control", "_factor")

    def __init__(self, control: RunControl, work: float, of: float) -> None:
        super().__init__()
        self.flag = control.flag
        self._control = control
        self._factor = work / of if of else 0.0

    def advance(self, work: float) -> None:
        self._control.advance(work * self._factor)


class DensitySums(Expectations[DensityState]):
    """Observables, as places of coefficients and factors."""

    __slots__ = ("_count", "_factors", "_owners", "_x", "_z")

    def __init__(self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int) -> None:
        self._count = len(observables)
        owners, xs, zs, factors = list[int](), list[int](), list[int](), list[complex]()
        for number, observable in enumerate(observables):
            for pauli, coefficient in zip(observable.paulis, observable.coefficients, strict=True):
                x = z = 0
                factor: complex = coefficient
                for qubit, letter in zip(qubits, reversed(pauli), strict=True):
                    if qubit >= num_qubits:
                        # It is in 0, or the next number in 1.
                        factor *= {"I": 1, "Z": 1 - 2 * (qubit - num_qubits)}.get(letter, 0)
                        continue
                    x |= (letter in "XY") << qubit
                    z |= (letter in "ZY") << qubit
                    factor *= -1j if letter == "Y" else 1
                owners.append(number)
                xs.append(x)
                zs.append(z)
                factors.append(factor)
        self._owners, self._x, self._z = (
            np.array(owners, np.int64),
            np.array(xs, np.int64),
            np.array(zs, np.int64),
        )
        self._factors = np.array(factors, dtype=np.complex128)

    def values(self, state: DensityState, control: RunControl, threads: int | None = 1) -> Floats:
        control.check()
        terms = (state.coefficients[self._z, self._x] * self._factors).real
        found: Floats = np.bincount(self._owners, weights=terms, minlength=self._count).astype(np.float64)
        return found


class DensityMatrix(Method[DensityState]):
    """All entries of a density matrix."""

    __slots__ = ()

    name = NAME

    def zero(self, num_qubits: int, dtype: np.dtype[Any]) -> DensityState:
        return DensityState.zero(num_qubits, dtype)

    def plan(self, segment: Segment, threads: int | None = None) -> DensityPlan:
        return DensityPlan(segment, self.work(segment.num_qubits, len(segment.block)), threads)

    def sample(
        self,
        state: DensityState,
        shots: int,
        generator: np.random.Generator,
        control: RunControl,
        num_active: int,
    ) -> tuple[Indices, Indices]:
        return sample_few(state.weights(range(state.num_qubits), control), shots, generator)

    def probabilities(self, state: DensityState, qubits: Sequence[int], control: RunControl) -> Floats:
        held, places, ones = _held(qubits, state.num_qubits)
        control.check()
        weights = walsh_hadamard(state.coefficients[places_of(held), 0]).real / (1 << len(held))
        found = np.zeros(1 << len(qubits))
        found[places_of(places) | ones] = weights
        return found

    def density_matrix(self, state: DensityState, qubits: Sequence[int], control: RunControl) -> Complexes:
        held, places, ones = _held(qubits, state.num_qubits)
        control.check()
        own = entries_of(state.part(held))
        if len(held) == len(qubits):
            return own
        index = places_of(places) | ones
        found = np.zeros((1 << len(qubits),) * 2, dtype=own.dtype)
        found[np.ix_(index, index)] = own
        return found

    def expectations(
        self, observables: Sequence[Observable], qubits: Sequence[int], num_qubits: int
    ) -> DensitySums:
        return DensitySums(observables, qubits, num_qubits)

    def given(self, given: GivenState, state: DensityState, control: RunControl) -> DensityState:
        dtype = state.wires.dtype
        if given.kind is GivenKind.DENSITY_MATRIX and given.array is not None:
            return DensityState.from_entries(given.array, dtype, control)
        return DensityState.of(given.amplitudes(), dtype, control)

    def statevector(
        self,
        state: DensityState,
        num_qubits: int,
        qubits: Sequence[int],
        ones: Sequence[int],
        phase: complex,
        control: RunControl,
    ) -> npt.NDArray[np.complexfloating]:
        raise SimulationFailed("a density matrix has no amplitudes; save the density matrix itself")

    def amplitudes(self, state: DensityState, basis_states: Sequence[int], control: RunControl) -> Complexes:
        raise SimulationFailed("a density matrix has no amplitudes; save the density matrix itself")

    def amplitudes_squared(
        self, state: DensityState, basis_states: Sequence[int], control: RunControl
    ) -> Floats:
        weights = state.weights(range(state.num_qubits), control)
        found: Floats = weights[np.array(basis_states, dtype=np.int64)]
        return found

    def required_bytes(self, num_qubits: int, dtype: np.dtype[Any]) -> int:
        return dtype.itemsize << 2 * num_qubits

    def work(self, num_qubits: int, gates: float) -> float:
        return gates * 4.0**num_qubits


DENSITY_MATRIX = DensityMatrix()


def _held(qubits: Sequence[int], size: int) -> tuple[list[int], list[int], int]:
    """Return the qubits that are held, their places, and the number with the bits of those in 1."""
    places = [place for place, qubit in enumerate(qubits) if qubit < size]
    ones = sum(1 << place for place, qubit in enumerate(qubits) if qubit > size)
    return [qubits[place] for place in places], places, ones
