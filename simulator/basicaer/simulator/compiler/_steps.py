"""What a circuit becomes before it runs: steps, each a segment of gates, a measurement, or a piece of control
flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._given_states import TABLEAU_GATES, GivenState
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Initialize, Operation, Save, SaveKind
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.circuit._squares import squared
from basicaer.simulator.classical._conversions import Memory
from basicaer.simulator.compiler._noise_steps import KrausStep, NoisyStep, ReadoutStep
from basicaer.simulator.methods.interface import Expectations, GatePlan, Method, S


@dataclass(slots=True, eq=False)
class GateStep:
    """A segment of gates, planned when it is first reached."""

    segment: Segment
    plans: dict[str, GatePlan[Any]] = field(default_factory=dict, init=False)
    """Plans by the names of their methods."""

    def plan(self, method: Method[S], threads: int | None) -> GatePlan[S]:
        """Return the segment's plan."""
        plan = self.plans.get(method.name)
        if plan is None:
            plan = self.plans[method.name] = method.plan(self.segment, threads)
        return plan


@dataclass(frozen=True, slots=True, eq=False)
class DynamicGateStep:
    """One gate whose parameters are computed when it is reached; `segment` makes it of their values."""

    parameters: tuple[Callable[[Memory], float], ...]
    segment: Callable[[list[float]], Segment]


@dataclass(frozen=True, slots=True, eq=False)
class MeasureStep:
    """Measurements of `qubits[i]` into `clbits[i]`, one after another; see `_wires` for qubits not held."""

    qubits: npt.NDArray[np.uint32]
    clbits: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class ResetStep:
    """Resets of qubits to 0, one after another."""

    qubits: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class PrepareStep:
    """States for qubits that are all in 0: groups of qubits, the first being least significant, and
    amplitudes.
    """

    groups: tuple[tuple[tuple[int, ...], npt.NDArray[np.complex128]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class SetStep:
    """A state for all qubits, which lie there in their order."""

    given: GivenState


@dataclass(frozen=True, slots=True, eq=False)
class StoreStep:
    """An assignment."""

    write: Callable[[Memory], None]


@dataclass(slots=True, eq=False)
class SaveStep:
    """Something of the state to be kept; `qubits` are the instruction's.

    Of the circuit's qubits that aren't held, `ones` are in 1.
    """

    save: Save
    qubits: tuple[int, ...]
    ones: tuple[int, ...] = ()
    _observables: dict[str, Expectations[Any]] = field(default_factory=dict, init=False)

    def expectations(self, method: Method[S], num_wires: int) -> Expectations[S]:
        """Return the observables as a method reads them, made when they are first needed."""
        found = self._observables.get(method.name)
        if found is None:
            observables = self.save.observables
            if self.save.kind is SaveKind.EXPECTATION_VALUE_VARIANCE:
                observables = (observables[0], squared(observables[0]))
            found = method.expectations(observables, self.qubits, num_wires)
            self._observables[method.name] = found
        return found


@dataclass(frozen=True, slots=True, eq=False)
class IfStep:
    """A choice between two lists of steps."""

    condition: Callable[[Memory], bool]
    then_steps: Steps
    else_steps: Steps = ()


@dataclass(frozen=True, slots=True, eq=False)
class WhileStep:
    """Steps that are repeated while the condition holds."""

    condition: Callable[[Memory], bool]
    body: Steps


@dataclass(frozen=True, slots=True, eq=False)
class ForStep:
    """Steps that are repeated for each of `count` values; `variable` takes them, unless it is None."""

    values: range | tuple[int, ...]
    count: int
    variable: int | None
    body: Steps


@dataclass(frozen=True, slots=True, eq=False)
class SwitchStep:
    """The first case whose values contain the selector's; a case with None fits every value."""

    selector: Callable[[Memory], int]
    cases: tuple[tuple[frozenset[int] | None, Steps], ...]


@dataclass(frozen=True, slots=True, eq=False)
class JumpStep:
    """Break out of the innermost loop, or go on with its next turn."""

    leaves: bool


Step: TypeAlias = (
    GateStep
    | DynamicGateStep
    | MeasureStep
    | ResetStep
    | PrepareStep
    | SetStep
    | StoreStep
    | SaveStep
    | IfStep
    | WhileStep
    | ForStep
    | SwitchStep
    | JumpStep
    | NoisyStep
    | KrausStep
    | ReadoutStep
)
Steps: TypeAlias = tuple[Step, ...]

_R = 2.0**-0.5
_LETTERS = {
    "0": (1.0, 0.0),
    "1": (0.0, 1.0),
    "+": (_R, _R),
    "-": (_R, -_R),
    "r": (_R, _R * 1j),
    "l": (_R, _R * -1j),
}


def gate_steps(steps: Steps) -> Iterator[GateStep]:
    """Return the segments of gates among `steps`, those within others too, in the same order each time."""
    for step in steps:
        match step:
            case GateStep():
                yield step
            case IfStep():
                yield from gate_steps(step.then_steps)
                yield from gate_steps(step.else_steps)
            case WhileStep() | ForStep():
                yield from gate_steps(step.body)
            case SwitchStep():
                for _, inner in step.cases:
                    yield from gate_steps(inner)


def prepare_step(initialize: Initialize, qubits: tuple[int, ...], wires: int) -> PrepareStep:
    """Return the step that gives `qubits`, which are in 0, their state; product states qubit by qubit.

    Those that are not among the `wires` have got theirs already.
    """
    if initialize.amplitudes is not None:
        return PrepareStep(((qubits, np.asarray(initialize.amplitudes, dtype=np.complex128)),))
    label = initialize.label
    if label is None:
        label = f"{initialize.basis_state:0{len(qubits)}b}" if qubits else ""
    return PrepareStep(
        tuple(
            ((qubit,), np.array(_LETTERS[letter], dtype=np.complex128))
            for qubit, letter in zip(qubits, reversed(label), strict=True)
            if letter != "0" and qubit < wires
        )
    )


_TABLEAU_TABLE = tuple(Operation(name) for name in TABLEAU_GATES)
_TABLEAU_LAYOUT = Layout(_TABLEAU_TABLE)


def set_steps(given: GivenState, qubits: Sequence[int], shift: int) -> list[Step]:
    """Return the steps that give `qubits`, all that are held, a state. A tableau's is prepared by gates.

    A matrix has its rows' qubits from `shift` on.
    """
    own = given.ordered([qubit - shift for qubit in qubits])
    if own.operations is None or own.qubits is None:
        return [SetStep(own)]
    block = Block(own.operations.astype(np.uint32), own.qubits)
    segment = Segment(own.num_qubits, _TABLEAU_TABLE, _TABLEAU_LAYOUT, block)
    return [SetStep(GivenState.zero(own.num_qubits)), GateStep(segment)]
