"""What a circuit becomes before it runs: steps, each a segment of gates, a measurement, or a piece of control
flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator import _engine
from basicaer.simulator._conversions import Memory
from basicaer.simulator._observables import PauliSums
from basicaer.simulator._operations import Save


@dataclass(slots=True, eq=False)
class GateStep:
    """A segment of gates, planned when it is first reached."""

    segment: _engine.Segment
    _plan: _engine.Plan | None = field(default=None, init=False)

    def plan(self, threads: int | None) -> _engine.Plan:
        """The segment's plan."""
        if self._plan is None:
            self._plan = _engine.prepare(self.segment, threads)
        return self._plan


@dataclass(frozen=True, slots=True, eq=False)
class DynamicGateStep:
    """One gate whose parameters are computed when it is reached; `segment` makes it of their values."""

    parameters: tuple[Callable[[Memory], float], ...]
    segment: Callable[[list[float]], _engine.Segment]


@dataclass(frozen=True, slots=True, eq=False)
class MeasureStep:
    """Measurements of `qubits[i]` into `clbits[i]`, one after another."""

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
class StoreStep:
    """An assignment."""

    write: Callable[[Memory], None]


@dataclass(slots=True, eq=False)
class SaveStep:
    """Something of the state to be kept; `qubits` are the instruction's."""

    save: Save
    qubits: tuple[int, ...]
    _sums: PauliSums | None = field(default=None, init=False)

    def sums(self) -> PauliSums:
        """The observables as tables, made when they are first needed."""
        if self._sums is None:
            self._sums = PauliSums(self.save.observables, self.qubits)
        return self._sums


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
    | StoreStep
    | SaveStep
    | IfStep
    | WhileStep
    | ForStep
    | SwitchStep
    | JumpStep
)
Steps: TypeAlias = tuple[Step, ...]
