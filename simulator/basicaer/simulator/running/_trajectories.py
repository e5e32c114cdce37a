"""Runs programs whose shots may part: at every measurement, and at noise, a branch of shots splits by what
happens.

Shots that agree so far share one branch, with one state and one classical memory. How many of a branch's
shots see which outcome is drawn at once, from the multinomial distribution. The outcome with the fewest shots
goes on and the others wait, in one state from which theirs are made one after another, so at most
log2(shots) states wait at any time. When even these would take too much memory, branches wait without a state
and run again from the start later, with the outcomes that they have seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._outcomes import (
    Tally,
    sample_few,
)
from basicaer.simulator.compiler._noise_steps import (
    KrausStep,
    NoisyStep,
    ReadoutStep,
)
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.compiler._steps import (
    DynamicGateStep,
    ForStep,
    GateStep,
    IfStep,
    JumpStep,
    MeasureStep,
    PrepareStep,
    ResetStep,
    SaveStep,
    SetStep,
    StoreStep,
    SwitchStep,
    WhileStep,
)
from basicaer.simulator.methods.interface import Method, S
from basicaer.simulator.running._branches import (
    Acted,
    Branch,
    Choice,
    Drawn,
    Frame,
    Kept,
    Looked,
    Parted,
    Told,
    latest_first,
)
from basicaer.simulator.running._errors_among import Errors
from basicaer.simulator.running._saving import Saved
from basicaer.simulator.running._tail import read_tail

_WAITING_BYTES = 1 << 28

_TOGETHER = 6
"""So many qubits at most are looked at together: their values are drawn at once."""


def waiting_states(state_bytes: int, shots: int) -> int:
    """How many states may wait at a time, beside the one that runs and perhaps none."""
    return min(shots.bit_length() - 1, _WAITING_BYTES // state_bytes)


class ShotRunner(Generic[S]):
    """Runs one program once by `method`, for all its shots.

    `start` makes a new initial state. `generator` draws the outcomes; a program that is not random needs
    none. With a `keeper`, one shot is chosen by it, whose final state is kept. At most `max_waiting` branches
    wait with states. What the program saves goes to `saved`, if that is given.
    """

    def __init__(
        self,
        program: StepProgram,
        method: Method[S],
        start: Callable[[], S],
        control: RunControl,
        *,
        threads: int | None = None,
        generator: np.random.Generator | None = None,
        keeper: np.random.Generator | None = None,
        max_waiting: int = 0,
        saved: Saved[S] | None = None,
    ) -> None:
        self._program = program
        self._method = method
        self._num_wires = program.wires.count
        self._start = start
        self._control = control
        self._threads = threads
        self._generator = generator
        self._keeper = keeper
        self._max_waiting = max_waiting
        self._saved = saved
        self._errors = Errors(method, threads, control, self._choose, generator)
        self._waiting: list[Branch[S]] = []
        self._stored = 0

    def evolve(self) -> S:
        """Return the final state of a program that is not random; the measurements of its tail are left
        out.
        """
        branch = self._first(1)
        return self._finish_steps(branch)

    def run(self, shots: int) -> tuple[Tally, Kept[S] | None]:
        """Return the outcomes of `shots` shots, and what the keeper keeps."""
        tally = Tally(self._program.num_clbits)
        kept: Kept[S] | None = None
        branch: Branch[S] | None = self._first(shots)
        while branch is not None:
            state = self._finish_steps(branch)
            # What is kept of each shot belongs to its own outcome.
            lists = self._saved if self._saved is not None and self._saved.is_per_shot else None
            own = tally if lists is None else Tally(self._program.num_clbits)
            words = read_tail(
                *(self._program, self._method, branch, state, own),
                *(self._generator, self._keeper, self._control),
            )
            if words is not None:
                kept = Kept(state, words)
            if lists is not None:
                outcomes, counts = own.totals()
                tally.extend(outcomes, counts)
                lists.end(branch, outcomes, counts, is_kept=words is not None)
            self._control.advance_shots(branch.shots)
            branch = self._next() if self._waiting else None
        return tally, kept

    def _next(self) -> Branch[S]:
        """Return the next branch to run: one that waits, or one of those that it is to become."""
        branch = self._waiting.pop()
        choice = branch.choice
        state = branch.state
        if state is None:
            return branch
        if choice is None:
            raise AssertionError("a branch with a state waits in front of several values")
        if isinstance(choice, Drawn):
            self._errors.approach(branch, state, choice)
        value, shots = choice.values.pop(0)
        if choice.values:
            self._waiting.append(branch)
            state = state.copy(self._control)
            branch.shots -= shots
            is_kept = branch.is_kept and not self._keep(branch.shots, branch.shots + shots)
            branch.is_kept = branch.is_kept and not is_kept
            memory, known, pattern = branch.memory.copy(), dict(branch.known), branch.pattern
            branch = Branch(
                *(shots, branch.frame, memory, state, is_kept, branch.seen, [], known),
                pattern=pattern,
                trail=branch.trail,
            )
        else:
            self._stored -= 1
            branch.choice = None
        self._settle(branch, state, choice, value)
        return branch

    def _first(self, shots: int) -> Branch[S]:
        frame = Frame(self._program.steps)
        memory = self._program.scope.memory()
        return Branch(shots, frame, memory, self._start(), self._keeper is not None, None, [], {})

    def _finish_steps(self, branch: Branch[S]) -> S:
        """Take a branch to the end of its steps; return its state."""
        if branch.state is None:
            branch.state = self._start()
        state = branch.state
        while True:
            self._control.check()
            frame = branch.frame
            if frame.position < len(frame.steps):
                self._take(branch, state, frame)
                state = branch.state
            elif frame.outer is not None:
                branch.frame = frame.outer
            else:
                return state

    def _take(self, branch: Branch[S], state: S, frame: Frame) -> None:
        """Take the step at `frame`, and move the branch on."""
        step = frame.steps[frame.position]
        memory = branch.memory
        following: Frame | None = None
        match step:
            case GateStep():
                branch.known.clear()
                step.plan(self._method, self._threads).apply(state, self._control)
            case DynamicGateStep():
                branch.known.clear()
                segment = step.segment([parameter(memory) for parameter in step.parameters])
                self._method.plan(segment, self._threads).apply(state, self._control)
            case MeasureStep() | ResetStep():
                while branch.frame.turn < len(step.qubits):
                    self._look(branch, state, step)
            case PrepareStep():
                branch.known.clear()
                for qubits, amplitudes in step.groups:
                    state.prepare(qubits, amplitudes, self._control)
            case SetStep():
                branch.known.clear()
                branch.state = self._method.given(step.given, state, self._control)
            case StoreStep():
                step.write(memory)
            case SaveStep():
                if self._saved is not None:
                    self._saved.add(step, branch, state, self._control)
            case IfStep():
                chosen = step.then_steps if step.condition(memory) else step.else_steps
                following = Frame(chosen, outer=frame.after())
            case WhileStep():
                if step.condition(memory):
                    following = Frame(step.body, outer=frame, is_loop=True)
            case ForStep():
                if frame.turn < step.count:
                    if step.variable is not None:
                        memory.variables[step.variable] = step.values[frame.turn]
                    following = Frame(step.body, outer=frame.again(), is_loop=True)
            case SwitchStep():
                selected = step.selector(memory)
                for values, steps in step.cases:
                    if values is None or selected in values:
                        following = Frame(steps, outer=frame.after())
                        break
            case JumpStep():
                loop = frame.loop_around()
                following = loop.after() if step.leaves else loop
            case NoisyStep():
                branch.known.clear()
                self._errors.follow(branch, step)
            case KrausStep():
                branch.known.clear()
                weights = step.weights(self._method).values(state, self._control)
                plan = partial(step.plan, self._method, self._threads)
                self._choose(branch, state, Acted(weights, plan, []), weights)
            case ReadoutStep():
                bits = (memory.clbits >> clbit & 1 for clbit in step.clbits)
                true = sum(bit << place for place, bit in enumerate(bits))
                self._choose(branch, state, Told(step.clbits, []), step.probabilities[true])
        branch.frame = following or frame.after()

    def _look(self, branch: Branch[S], state: S, step: MeasureStep | ResetStep) -> None:
        """Let the branch's shots see the next qubits of `step`, and write their values or reset them."""
        self._control.check()
        turn = branch.frame.turn
        window = set(step.qubits[turn : turn + _TOGETHER].tolist())
        qubits = sorted(window.difference(branch.known, (self._num_wires, self._num_wires + 1)))
        if not qubits:
            self._write(branch, state)
            return
        weights = state.weights(qubits, self._control)
        if not weights.sum() > 0.0:
            raise SimulationFailed("a state of weight zero was to be measured; its amplitudes underflowed")
        self._choose(branch, state, Looked(qubits, weights, []), weights)

    def _choose(
        self, branch: Branch[S], state: S, choice: Choice, weights: npt.NDArray[np.float64] | None
    ) -> None:
        """Let the branch's shots see one of the values of a choice each: those with these weights, or errors
        among gates.
        """
        if branch.replay:
            value = branch.replay.pop()
        else:
            if self._generator is None:
                raise AssertionError("a program without random steps has come to a random one")
            values: list[tuple[Any, int]] = choice.values
            if isinstance(choice, Drawn):
                values.extend(choice.step.draw(branch.shots, self._generator))
                self._errors.approach(branch, state, choice)
            elif weights is not None:
                # Rounding may leave a little less than nothing of what can't be.
                drawn, counts = sample_few(np.maximum(weights, 0.0), branch.shots, self._generator)
                values.extend(
                    (int(drawn[place]), int(counts[place])) for place in np.argsort(counts, kind="stable")
                )
            value, shots = values.pop(0)
            if values:
                self._wait(branch, state, choice, shots)
        self._settle(branch, state, choice, value)

    def _wait(self, branch: Branch[S], state: S, choice: Choice, shots: int) -> None:
        """Leave `shots` shots to the branch; the others wait, and will see the values of `choice`."""
        rest = branch.shots - shots
        is_kept = branch.is_kept and self._keep(rest, branch.shots)
        branch.shots = shots
        branch.is_kept = branch.is_kept and not is_kept
        if self._stored < self._max_waiting:
            memory, known = branch.memory.copy(), dict(branch.known)
            if isinstance(choice, Parted):
                copy: S = choice.states[choice.values[0][0]]
            else:
                copy = state.copy(self._control)
            self._waiting.append(
                Branch(
                    *(rest, branch.frame, memory, copy, is_kept, branch.seen, [], known, choice),
                    pattern=branch.pattern,
                    bound=branch.bound,
                    trail=branch.trail,
                )
            )
            self._stored += 1
            return
        # They will run again from the start, and see the same: the one with the fewest shots is the next.
        for value, count in reversed(choice.values):
            is_its = is_kept and self._keep(count, rest)
            is_kept = is_kept and not is_its
            rest -= count
            frame, memory = Frame(self._program.steps), self._program.scope.memory()
            replay = latest_first((value, branch.seen))
            self._waiting.append(Branch(count, frame, memory, None, is_its, None, replay, {}))

    def _keep(self, shots: int, of: int) -> bool:
        """Whether the kept shot is among `shots` of `of` shots."""
        return self._keeper is not None and int(self._keeper.integers(of)) < shots

    def _settle(self, branch: Branch[S], state: S, choice: Choice, value: Any) -> None:
        """Give a branch one of the values of a choice, and move it on."""
        branch.seen = (value, branch.seen)
        match choice:
            case Looked():
                values = {qubit: value >> place & 1 for place, qubit in enumerate(choice.qubits)}
                state.collapse(values, float(choice.weights[value]), self._control)
                branch.known.update(values)
                self._write(branch, state)
            case Drawn():
                branch.pattern = value
            case Acted():
                choice.plan(value).apply(state, self._control)
                state.collapse({}, float(choice.weights[value]), self._control)
                if choice.then is None:
                    branch.frame = branch.frame.after()
                else:
                    branch.go(choice.then)
            case Parted():
                branch.state = choice.states[value]
                # The other one's is no longer held by this choice.
                choice.states[value] = None
                branch.go(choice.places[value])
                if value == 0:
                    choice_norm = choice.norms[0]
                    branch.state.collapse({}, choice_norm, self._control)
            case Told():
                for place, clbit in enumerate(choice.clbits):
                    bit = value >> place & 1
                    branch.memory.clbits = branch.memory.clbits & ~(1 << clbit) | bit << clbit
                branch.frame = branch.frame.after()

    def _write(self, branch: Branch[S], state: S) -> None:
        """Write the known values of the next qubits of a branch's step to their bits, or make them 0."""
        frame, known = branch.frame, branch.known
        step = frame.steps[frame.position]
        if not isinstance(step, (MeasureStep, ResetStep)):
            raise AssertionError("only these look at qubits")
        chosen = slice(frame.turn, frame.turn + _TOGETHER)
        qubits = step.qubits[chosen].tolist()
        if isinstance(step, MeasureStep):
            for qubit, clbit in zip(qubits, step.clbits[chosen].tolist(), strict=True):
                # A qubit that isn't held has its value in its number.
                value = known[qubit] if qubit < self._num_wires else qubit - self._num_wires
                branch.memory.clbits = branch.memory.clbits & ~(1 << clbit) | value << clbit
        else:
            for qubit in qubits:
                if qubit < self._num_wires and known[qubit]:
                    state.flip(qubit, self._control)
                    known[qubit] = 0
        branch.frame = frame.again(len(qubits))
