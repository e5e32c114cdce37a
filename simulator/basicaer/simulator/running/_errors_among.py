"""Takes branches through runs of gates with errors among them.

Errors that are drawn beforehand are put among the gates. Jumps are found by the norm: the gates' operators
make it less by what a jump is likely, so that whole runs are applied at once, and halved where a shot jumps
until it is known at which of them (as in the Monte Carlo wave function method; Dalibard, Castin and Molmer,
Phys. Rev. Lett. 68, 580).

All shots take the same runs: those between numbers of damped gates that are a multiple of a power of two and
the next one. So there are few, and their plans are made once, wherever the shots have jumped before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.compiler._noise_steps import NoisyStep, Pattern, operator_plan, weights_of
from basicaer.simulator.methods.interface import Expectations, GatePlan, Method, S
from basicaer.simulator.running._branches import Acted, Branch, Choice, Drawn, Parted, Place

Choose: TypeAlias = Callable[[Branch[S], S, Choice, "npt.NDArray[np.float64] | None"], None]
"""Lets a branch's shots see one of the values of a choice each."""

_MOST_KEPT = 1 << 16
"""Plans of so many gates in all are kept, in about ten megabytes."""

_NOTHING_LEFT = "a channel was to act on a state of weight zero; its amplitudes underflowed"


class Errors(Generic[S]):
    """Follows steps with errors by one method; `choose` splits branches, `generator` draws for single
    shots.
    """

    def __init__(
        self,
        method: Method[S],
        threads: int | None,
        control: RunControl,
        choose: Choose[S],
        generator: np.random.Generator | None,
    ) -> None:
        self._generator = generator
        self._method = method
        self._threads = threads
        self._control = control
        self._choose = choose
        self._plans: dict[tuple[NoisyStep, int, int, int], GatePlan[S]] = {}
        self._channels: dict[tuple[NoisyStep, tuple[int, ...], bytes], _Channel[S]] = {}
        self._room = _MOST_KEPT

    def approach(self, branch: Branch[S], state: S, choice: Drawn) -> None:
        """Take a branch to where the first of several patterns of errors parts from the others."""
        step, pattern = choice.step, choice.values[0][0]
        # Where shots may jump on the way, each pattern goes by itself.
        if not len(step.damped):
            stop = int(step.places[pattern[0][0]]) if pattern else step.count
            self._gates(branch, state, step, stop, ())
            branch.frame = branch.frame.again(stop - branch.frame.turn)

    def follow(self, branch: Branch[S], step: NoisyStep) -> None:
        """Take a branch to the end of a step."""
        if branch.pattern is None:
            self._choose(branch, _held(branch), Drawn(step, []), None)
        while branch.pattern is not None:
            if branch.shots == 1 and not branch.replay and len(step.damped):
                self._follow_alone(branch, step)
                return
            self._control.check()
            state, pattern, turn = _held(branch), branch.pattern, branch.frame.turn
            at, stop = _first_choice(step, pattern)
            if branch.bound is not None:
                self._find_jump(branch, state, step, *branch.bound)
            elif (run := _run(step, turn, stop)) is not None:
                to = Place(stop, pattern[at:]) if run == stop else _place(step, pattern, run)
                self._part(branch, state, step, to, None)
            else:
                self._gates(branch, state, step, stop, pattern[:at])
                branch.go(Place(stop, pattern[at:]))
                if at == len(pattern):
                    branch.pattern = None
                    return
                numbers, qubits = step.operators(pattern[at]), step.qubits[pattern[at][0]]
                self._act(branch, state, step, numbers, qubits, Place(stop, pattern[at + 1 :]))

    def _gates(self, branch: Branch[S], state: S, step: NoisyStep, stop: int, events: Pattern) -> None:
        """Apply the gates up to `stop`, with these errors among them, to the state of a branch."""
        start = branch.frame.turn
        if events:
            step.plan(self._method, self._threads, start, stop, events).apply(state, self._control)
        elif stop > start:
            self._plan(step, start, stop).apply(state, self._control)

    def _plan(self, step: NoisyStep, start: int, stop: int, behind: int = -1) -> GatePlan[S]:
        """Return the plan of gates, and perhaps of an operator of the jump at the next one."""
        key = step, start, stop, behind
        plan = self._plans.get(key)
        if plan is None:
            jump = (behind, step.qubits_of(stop)) if behind >= 0 else None
            plan = step.plan(self._method, self._threads, start, stop, (), jump)
            if self._room > 0 and len(step.damped):
                self._plans[key] = plan
                self._room -= stop - start + 1
        return plan

    def _part(
        self,
        branch: Branch[S],
        state: S,
        step: NoisyStep,
        to: Place,
        without: tuple[int, float] | None,
    ) -> None:
        """Let shots jump on the way to a place, or not. Those that are to jump before a gate, and else would
        not with a weight, as `without` has them, jump on the way or behind that place.
        """
        pattern = branch.pattern or ()
        before = state.copy(self._control)
        self._gates(branch, state, step, to.turn, pattern[: len(pattern) - len(to.pattern)])
        weight = min(1.0, float(state.weights([], self._control)[0]))
        here = Place(branch.frame.turn, pattern, (to.turn, weight))
        rest = 0.0
        if without is not None:
            rest = without[1]
            to = to._replace(bound=(without[0], min(1.0, rest / weight) if weight else 0.0))
        choice = Parted([state, before], (to, here), (weight, 1.0), [])
        self._choose(branch, state, choice, np.array([weight - rest, 1.0 - weight]))

    def _find_jump(self, branch: Branch[S], state: S, step: NoisyStep, stop: int, weight: float) -> None:
        """Take shots that jump before the gate `stop` closer to where they do, or let them."""
        first, last = step.damped.searchsorted((branch.frame.turn, stop)).tolist()
        if last - first > 1:
            to = _place(step, branch.pattern or (), _end(step, _middle(first, last)))
            self._part(branch, state, step, to, (stop, weight))
            return
        self._jump(branch, state, step, first)

    def _jump(self, branch: Branch[S], state: S, step: NoisyStep, number: int) -> None:
        """Take a branch to a damped gate, and let it jump there."""
        pattern, turn = branch.pattern or (), branch.frame.turn
        gate, numbers = int(step.damped[number]), step.jumps[number]
        here = _place(step, pattern, gate)
        then = Place(gate + 1, here.pattern)
        passed = pattern[: len(pattern) - len(here.pattern)]
        if len(numbers) == 1 and not passed:
            self._plan(step, turn, gate, numbers[0]).apply(state, self._control)
            left = float(state.weights([], self._control)[0])
            if not left > 0.0:
                raise SimulationFailed(_NOTHING_LEFT)
            state.collapse({}, left, self._control)
            branch.go(then)
            return
        self._gates(branch, state, step, gate, passed)
        branch.go(here)
        self._act(branch, state, step, numbers, step.qubits_of(gate), then)

    def _follow_alone(self, branch: Branch[S], step: NoisyStep) -> None:
        """Take a branch of one shot to the end of a step: one random number says at which norm it jumps."""
        norm, level = 1.0, self._drawn()
        if branch.bound is not None:
            stop, weight = branch.bound
            self._descend(branch, step, stop, weight + (1.0 - weight) * level)
            level = self._drawn()
        while branch.pattern is not None:
            self._control.check()
            state, pattern, turn = _held(branch), branch.pattern, branch.frame.turn
            at, stop = _first_choice(step, pattern)
            run = _run(step, turn, stop)
            if run is not None:
                to = Place(stop, pattern[at:]) if run == stop else _place(step, pattern, run)
                before = state.copy(self._control)
                norm = self._norm_at(branch, step, to)
                if norm < level:
                    branch.state = before
                    self._descend(branch, step, to.turn, level)
                    norm, level = 1.0, self._drawn()
                else:
                    branch.go(to)
                continue
            self._gates(branch, state, step, stop, pattern[:at])
            branch.go(Place(stop, pattern[at:]))
            state.collapse({}, norm, self._control)
            if at == len(pattern):
                branch.pattern = None
                return
            numbers, qubits = step.operators(pattern[at]), step.qubits[pattern[at][0]]
            self._act(branch, state, step, numbers, qubits, Place(stop, pattern[at + 1 :]))
            norm, level = 1.0, self._drawn()

    def _drawn(self) -> float:
        if self._generator is None:
            raise AssertionError("a program without random steps has come to a random one")
        return float(self._generator.random())

    def _descend(self, branch: Branch[S], step: NoisyStep, stop: int, level: float) -> None:
        """Take a branch of one shot to where its norm falls below `level`, before the gate `stop`, and let
        it jump there.
        """
        while True:
            first, last = step.damped.searchsorted((branch.frame.turn, stop)).tolist()
            if last - first == 1:
                self._jump(branch, _held(branch), step, first)
                return
            to = _place(step, branch.pattern or (), _end(step, _middle(first, last)))
            before = _held(branch).copy(self._control)
            if self._norm_at(branch, step, to) < level:
                branch.state, stop = before, to.turn
            else:
                branch.go(to)

    def _norm_at(self, branch: Branch[S], step: NoisyStep, to: Place) -> float:
        """Take the state of a branch to a place; return its norm there."""
        state, pattern = _held(branch), branch.pattern or ()
        self._gates(branch, state, step, to.turn, pattern[: len(pattern) - len(to.pattern)])
        return float(state.weights([], self._control)[0])

    def _act(
        self,
        branch: Branch[S],
        state: S,
        step: NoisyStep,
        numbers: tuple[int, ...],
        qubits: npt.NDArray[np.uint32],
        then: Place,
    ) -> None:
        """Let one of several operators act, as the state says, and go on at `then`."""
        channel = self._channel(step, numbers, qubits)
        weights = np.maximum(channel.weights.values(state, self._control), 0.0)
        if not weights.sum() > 0.0:
            raise SimulationFailed(_NOTHING_LEFT)
        self._choose(branch, state, Acted(weights, channel.plans.__getitem__, [], then), weights)

    def _channel(
        self, step: NoisyStep, numbers: tuple[int, ...], qubits: npt.NDArray[np.uint32]
    ) -> _Channel[S]:
        key = step, numbers, qubits.tobytes()
        found = self._channels.get(key)
        if found is None:
            method, segment = self._method, step.segment
            found = _Channel(
                weights_of(method, segment, numbers, qubits),
                [operator_plan(method, segment, number, qubits, self._threads) for number in numbers],
            )
            if self._room > 0:
                self._channels[key] = found
                self._room -= len(numbers)
        return found


class _Channel(NamedTuple, Generic[S]):
    """What reads how likely operators are, and their plans."""

    weights: Expectations[S]
    plans: list[GatePlan[S]]


def _held(branch: Branch[S]) -> S:
    if branch.state is None:
        raise AssertionError("a branch that runs has no state")
    return branch.state


def _first_choice(step: NoisyStep, pattern: Pattern) -> tuple[int, int]:
    """Return which error of a pattern is the first that leaves a choice to the state, and how many gates come
    before it; if there is none, the numbers of all errors and gates.
    """
    for at, event in enumerate(pattern):
        if len(step.operators(event)) > 1:
            return at, int(step.places[event[0]])
    return len(pattern), step.count


def _middle(first: int, last: int) -> int:
    """Return the number between two others that the most powers of two divide."""
    return last - 1 & -1 << (first ^ last - 1).bit_length() - 1


def _end(step: NoisyStep, number: int) -> int:
    """Return how many gates there are up to that of the damped ones before which `number` others are."""
    return int(step.damped[number - 1]) + 1


def _run(step: NoisyStep, turn: int, stop: int) -> int | None:
    """Return where the run of gates from `turn` on ends in which a shot may jump, at most at `stop`; None if
    it can't up to there.
    """
    first, last = step.damped.searchsorted((turn, stop)).tolist()
    if first == last:
        return None
    end = first + (first & -first) if first else last
    return stop if end >= last else _end(step, end)


def _place(step: NoisyStep, pattern: Pattern, turn: int) -> Place:
    """Return the place behind `turn` gates, where the pattern's errors up to there are done."""
    passed = sum(int(step.places[place]) <= turn for place, _ in pattern)
    return Place(turn, pattern[passed:])
