"""What a branch of shots is: where it stands, what it has seen, and what it may be about to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._outcomes import Words
from basicaer.simulator.classical._conversions import Memory
from basicaer.simulator.compiler._noise_steps import NoisyStep, Pattern
from basicaer.simulator.compiler._steps import Steps
from basicaer.simulator.methods.interface import GatePlan, S


class Frame(NamedTuple):
    """Where a branch stands: at `steps[position]`, of which it has done `turn` parts, and then in `outer`.

    `is_loop` marks the body of a loop, whose step is the next one of `outer`.
    """

    steps: Steps
    position: int = 0
    turn: int = 0
    outer: Frame | None = None
    is_loop: bool = False

    def after(self) -> Frame:
        """Return the place behind the present step."""
        return Frame(self.steps, self.position + 1, 0, self.outer, self.is_loop)

    def again(self, turns: int = 1) -> Frame:
        """Return the same step, so many turns later."""
        return Frame(self.steps, self.position, self.turn + turns, self.outer, self.is_loop)

    def loop_around(self) -> Frame:
        """Return the place of the innermost loop's step, about to begin its next turn."""
        inner: Frame | None = self
        while inner is not None and not inner.is_loop:
            inner = inner.outer
        if inner is None or inner.outer is None:
            raise AssertionError("a jump outside of every loop was validated")
        return inner.outer


class Looked(NamedTuple):
    """What `qubits` may be found in: all values' weights, and the values that are left, with their shots."""

    qubits: list[int]
    weights: npt.NDArray[np.float64]
    values: list[tuple[int, int]]


class Drawn(NamedTuple):
    """Which errors may be among the gates of `step`: patterns in order, each with its shots."""

    step: NoisyStep
    values: list[tuple[Pattern, int]]


class Place(NamedTuple):
    """Where a branch stands in a run of gates: gates that are done, errors that are still to come, and a
    bound: a gate before which a jump is to come, and the weight with which none would.
    """

    turn: int
    pattern: Pattern
    bound: tuple[int, float] | None = None


class Acted(NamedTuple):
    """Which of a channel's operators may act: their weights, their plans, and those left with their shots.

    Within a run of gates, `then` is where it goes on.
    """

    weights: npt.NDArray[np.float64]
    plan: Callable[[int], GatePlan[Any]]
    values: list[tuple[int, int]]
    then: Place | None = None


class Parted(NamedTuple):
    """Whether a jump is to come: two states and their places, with the weights that their norms have."""

    states: list[Any]
    places: tuple[Place, Place]
    norms: tuple[float, float]
    values: list[tuple[int, int]]


class Told(NamedTuple):
    """Which values `clbits` may be told to have, each with its shots."""

    clbits: tuple[int, ...]
    values: list[tuple[int, int]]


Trail: TypeAlias = tuple[tuple[str, npt.NDArray[Any], int | None], object]
"""What saves have kept of each shot of a branch, the latest outermost: labels, values, and classical bits."""

Choice: TypeAlias = Looked | Drawn | Acted | Parted | Told


@dataclass(slots=True)
class Branch(Generic[S]):
    """Shots that have seen the same outcomes.

    `state` is None while the branch waits without it. `seen` has the outcomes so far, the latest outermost;
    `replay` those still to be repeated, the next one last. `is_kept` marks the branch of the shot whose state
    is returned. `known` has the values of qubits that were measured or reset and not touched since.

    `choice` is set while the branch waits in front of several values: it is to become one branch for each.
    `pattern` has the errors that are still to come in the present run of gates, of which it has done as many
    as its frame has turns; it is None outside of one. `bound` is that of its `Place` there. `trail` has what
    is kept of each shot.
    """

    shots: int
    frame: Frame
    memory: Memory
    state: S | None
    is_kept: bool
    seen: tuple[Any, object] | None
    replay: list[Any]
    known: dict[int, int]
    choice: Choice | None = None
    pattern: Pattern | None = None
    bound: tuple[int, float] | None = None
    trail: Trail | None = None

    def go(self, place: Place) -> None:
        """Stand at a place of the present run of gates."""
        self.frame = self.frame.again(place.turn - self.frame.turn)
        self.pattern, self.bound = place.pattern, place.bound


@dataclass(frozen=True, slots=True, eq=False)
class Kept(Generic[S]):
    """The final state of one shot, and that shot's outcome as words."""

    state: S
    words: Words


def latest_first(seen: tuple[Any, object] | None) -> list[Any]:
    """Return the outcomes that a branch has seen, in a list to pop them from in their order."""
    outcomes = []
    rest: object = seen
    while isinstance(rest, tuple):
        outcome, rest = rest
        outcomes.append(outcome)
    return outcomes
