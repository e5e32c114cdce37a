"""Takes branches through runs of gates with errors among them.

Errors that are drawn beforehand are put among the gates. Jumps are found by the norm: the gates' operators
make it less by what a jump is likely, so that whole runs are applied at once, and halved where a shot jumps
until it is known at which of them (as in the Monte Carlo wave function method; Dalibard, Castin and Molmer,
Phys. Rev. Lett. 68, 580).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.compiler._noise_steps import NoisyStep, Pattern, operator_plan, weights_of
from basicaer.simulator.methods.interface import GatePlan, Method, S
from basicaer.simulator.running._branches import Acted, Branch, Choice, Drawn, Parted, Place

Choose: TypeAlias = Callable[[Branch[S], S, Choice, "npt.NDArray[np.float64] | None"], None]
"""Lets a branch's shots see one of the values of a choice each."""


class Errors(Generic[S]):
    """Follows steps with errors by one method; `choose` splits branches."""

    def __init__(
        self, method: Method[S], threads: int | None, control: RunControl, choose: Choose[S]
    ) -> None:
        self._method = method
        self._threads = threads
        self._control = control
        self._choose = choose

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
            self._control.check()
            state, pattern, turn = _held(branch), branch.pattern, branch.frame.turn
            several = (at for at, event in enumerate(pattern) if len(step.operators(event)) > 1)
            at = next(several, len(pattern))
            stop = int(step.places[pattern[at][0]]) if at < len(pattern) else step.count
            if branch.bound is not None:
                self._find_jump(branch, state, step, *branch.bound)
            elif ((step.damped >= turn) & (step.damped < stop)).any():
                self._part(branch, state, step, Place(stop, pattern[at:]), None)
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
        if events or stop > start:
            step.plan(self._method, self._threads, start, stop, events).apply(state, self._control)

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
        pattern, turn = branch.pattern or (), branch.frame.turn
        inside = np.flatnonzero((step.damped >= turn) & (step.damped < stop))
        gate = int(step.damped[inside[len(inside) // 2]])
        passed = sum(int(step.places[place]) <= gate for place, _ in pattern)
        if len(inside) > 1:
            self._part(branch, state, step, Place(gate, pattern[passed:]), (stop, weight))
            return
        self._gates(branch, state, step, gate, pattern[:passed])
        branch.go(Place(gate, pattern[passed:]))
        numbers = step.jumps[inside[0]]
        then = Place(gate + 1, pattern[passed:])
        self._act(branch, state, step, numbers, step.qubits_of(gate), then)

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
        read = weights_of(self._method, step.segment, numbers, qubits)
        weights = np.maximum(read.values(state, self._control), 0.0)
        if not weights.sum() > 0.0:
            raise SimulationFailed(
                "a channel was to act on a state of weight zero; its amplitudes underflowed"
            )

        def plan(which: int) -> GatePlan[S]:
            return operator_plan(self._method, step.segment, numbers[which], qubits, self._threads)

        self._choose(branch, state, Acted(weights, plan, [], then), weights)


def _held(branch: Branch[S]) -> S:
    if branch.state is None:
        raise AssertionError("a branch that runs has no state")
    return branch.state
