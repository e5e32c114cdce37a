"""Runs programs whose shots may part: at every measurement a branch of shots splits by the outcomes.

Shots that agree so far share one branch, with one state and one classical memory. How many of a branch's
shots see which outcome is drawn at once, from the multinomial distribution. The outcome with the fewest shots
goes on and the others wait, in one state from which theirs are made one after another, so at most
log2(shots) states wait at any time. When even these would take too much memory, branches wait without a state
and run again from the start later, with the outcomes that they have seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.simulator import _engine
from basicaer.simulator._control import RunControl
from basicaer.simulator._conversions import Memory
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._program import Program
from basicaer.simulator._sampling import (
    Tally,
    Words,
    indices_to_words,
    int_to_words,
    sample_few,
    sample_indices,
)
from basicaer.simulator._saving import Saved
from basicaer.simulator._state import State
from basicaer.simulator._steps import (
    DynamicGateStep,
    ForStep,
    GateStep,
    IfStep,
    JumpStep,
    MeasureStep,
    PrepareStep,
    ResetStep,
    SaveStep,
    Steps,
    StoreStep,
    SwitchStep,
    WhileStep,
)

_WAITING_BYTES = 1 << 28

_TOGETHER = 6
"""So many qubits at most are looked at together: their values are drawn at once."""


def waiting_states(state_bytes: int, shots: int) -> int:
    """How many states may wait at a time, beside the one that runs and perhaps none."""
    return min(shots.bit_length() - 1, _WAITING_BYTES // state_bytes)


class _Frame(NamedTuple):
    """Where a branch stands: at `steps[position]`, of which it has done `turn` parts, and then in `outer`.

    `is_loop` marks the body of a loop, whose step is the next one of `outer`.
    """

    steps: Steps
    position: int = 0
    turn: int = 0
    outer: _Frame | None = None
    is_loop: bool = False

    def after(self) -> _Frame:
        """The place behind the present step."""
        return _Frame(self.steps, self.position + 1, 0, self.outer, self.is_loop)

    def again(self, turns: int = 1) -> _Frame:
        """The same step, so many turns later."""
        return _Frame(self.steps, self.position, self.turn + turns, self.outer, self.is_loop)


class _Choice(NamedTuple):
    """What `qubits` may be found in: the values' weights, and the values that are left, each with its shots.

    The values ascend by their shots.
    """

    qubits: list[int]
    weights: npt.NDArray[np.float64]
    values: list[tuple[int, int]]


@dataclass(slots=True)
class _Branch:
    """Shots that have seen the same outcomes.

    `state` is None while the branch waits without it. `seen` has the outcomes so far, the latest outermost;
    `replay` those still to be repeated, the next one last. `is_kept` marks the branch of the shot whose state
    is returned. `known` has the values of qubits that were measured or reset and not touched since.

    `choice` is set while the branch waits in front of several values: it is to become one branch for each.
    """

    shots: int
    frame: _Frame
    memory: Memory
    state: State | None
    is_kept: bool
    seen: tuple[int, object] | None
    replay: list[int]
    known: dict[int, int]
    choice: _Choice | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The final state of one shot, and that shot's outcome as words."""

    state: State
    words: Words


class Executor:
    """Runs one program once, for all its shots.

    `start` makes a new initial state. `generator` draws the outcomes; a program that is not random needs
    none. With a `keeper`, one shot is chosen by it, whose final state is kept. At most `max_waiting` branches
    wait with states. What the program saves goes to `saved`, if that is given.
    """

    def __init__(
        self,
        program: Program,
        start: Callable[[], State],
        control: RunControl,
        *,
        threads: int | None = None,
        generator: np.random.Generator | None = None,
        keeper: np.random.Generator | None = None,
        max_waiting: int = 0,
        saved: Saved | None = None,
    ) -> None:
        self._program = program
        self._start = start
        self._control = control
        self._threads = threads
        self._generator = generator
        self._keeper = keeper
        self._max_waiting = max_waiting
        self._saved = saved
        self._waiting: list[_Branch] = []
        self._stored = 0

    def evolve(self) -> State:
        """The final state of a program that is not random; the measurements of its tail are left out."""
        branch = self._first(1)
        return self._finish_steps(branch)

    def run(self, shots: int) -> tuple[Tally, Kept | None]:
        """The outcomes of `shots` shots, and what the keeper keeps."""
        tally = Tally(self._program.num_clbits)
        kept: Kept | None = None
        branch: _Branch | None = self._first(shots)
        while branch is not None:
            state = self._finish_steps(branch)
            words = self._read(branch, state, tally)
            if words is not None:
                kept = Kept(state, words)
            self._control.advance_shots(branch.shots)
            branch = self._next() if self._waiting else None
        return tally, kept

    def _next(self) -> _Branch:
        """The next branch to run: one that waits, or one of those that it is to become."""
        branch = self._waiting.pop()
        choice = branch.choice
        state = branch.state
        if state is None:
            return branch
        if choice is None:
            raise AssertionError("a branch with a state waits in front of several values")
        value, shots = choice.values.pop(0)
        if choice.values:
            self._waiting.append(branch)
            state = state.copy(self._control)
            branch.shots -= shots
            is_kept = branch.is_kept and not self._keep(branch.shots, branch.shots + shots)
            branch.is_kept = branch.is_kept and not is_kept
            memory, known = branch.memory.copy(), dict(branch.known)
            branch = _Branch(shots, branch.frame, memory, state, is_kept, branch.seen, [], known)
        else:
            self._stored -= 1
            branch.choice = None
        self._settle(branch, state, choice, value)
        return branch

    def _first(self, shots: int) -> _Branch:
        frame = _Frame(self._program.steps)
        memory = self._program.scope.memory()
        return _Branch(shots, frame, memory, self._start(), self._keeper is not None, None, [], {})

    def _finish_steps(self, branch: _Branch) -> State:
        """Take a branch to the end of its steps; return its state."""
        if branch.state is None:
            branch.state = self._start()
        state = branch.state
        while True:
            self._control.check()
            frame = branch.frame
            if frame.position < len(frame.steps):
                self._take(branch, state, frame)
            elif frame.outer is not None:
                branch.frame = frame.outer
            else:
                return state

    def _take(self, branch: _Branch, state: State, frame: _Frame) -> None:
        """Take the step at `frame`, and move the branch on."""
        step = frame.steps[frame.position]
        memory = branch.memory
        following: _Frame | None = None
        match step:
            case GateStep():
                branch.known.clear()
                step.plan(self._threads).apply(state, self._control)
            case DynamicGateStep():
                branch.known.clear()
                segment = step.segment([parameter(memory) for parameter in step.parameters])
                _engine.prepare(segment, self._threads).apply(state, self._control)
            case MeasureStep() | ResetStep():
                while branch.frame.turn < len(step.qubits):
                    self._look(branch, state, step)
            case PrepareStep():
                branch.known.clear()
                for qubits, amplitudes in step.groups:
                    state.prepare(qubits, amplitudes, self._control)
            case StoreStep():
                step.write(memory)
            case SaveStep():
                # What a branch comes by again, it has counted before it parted from another.
                if self._saved is not None and not branch.replay:
                    self._saved.add(step, state, branch.shots, branch.is_kept, self._control)
            case IfStep():
                chosen = step.then_steps if step.condition(memory) else step.else_steps
                following = _Frame(chosen, outer=frame.after())
            case WhileStep():
                if step.condition(memory):
                    following = _Frame(step.body, outer=frame, is_loop=True)
            case ForStep():
                if frame.turn < step.count:
                    if step.variable is not None:
                        memory.variables[step.variable] = step.values[frame.turn]
                    following = _Frame(step.body, outer=frame.again(), is_loop=True)
            case SwitchStep():
                selected = step.selector(memory)
                for values, steps in step.cases:
                    if values is None or selected in values:
                        following = _Frame(steps, outer=frame.after())
                        break
            case JumpStep():
                loop = _loop_around(frame)
                following = loop.after() if step.leaves else loop
        branch.frame = following or frame.after()

    def _look(self, branch: _Branch, state: State, step: MeasureStep | ResetStep) -> None:
        """Let the branch's shots see the next qubits of `step`, and write their values or reset them."""
        self._control.check()
        turn = branch.frame.turn
        qubits = sorted(set(step.qubits[turn : turn + _TOGETHER].tolist()).difference(branch.known))
        if not qubits:
            self._write(branch, state)
            return
        weights = state.weights(qubits, self._control)
        if not weights.sum() > 0.0:
            raise SimulationFailed("a state of weight zero was to be measured; its amplitudes underflowed")
        choice = _Choice(qubits, weights, [])
        if branch.replay:
            value = branch.replay.pop()
        else:
            if self._generator is None:
                raise AssertionError("a program without random steps has come to a random one")
            drawn, counts = sample_few(weights, branch.shots, self._generator)
            choice.values.extend(
                (int(drawn[place]), int(counts[place])) for place in np.argsort(counts, kind="stable")
            )
            value, shots = choice.values.pop(0)
            if choice.values:
                self._wait(branch, state, choice, shots)
        self._settle(branch, state, choice, value)

    def _wait(self, branch: _Branch, state: State, choice: _Choice, shots: int) -> None:
        """Leave `shots` shots to the branch; the others wait, and will see the values of `choice`."""
        rest = branch.shots - shots
        is_kept = branch.is_kept and self._keep(rest, branch.shots)
        branch.shots = shots
        branch.is_kept = branch.is_kept and not is_kept
        if self._stored < self._max_waiting:
            memory, known = branch.memory.copy(), dict(branch.known)
            copy = state.copy(self._control)
            self._waiting.append(
                _Branch(rest, branch.frame, memory, copy, is_kept, branch.seen, [], known, choice)
            )
            self._stored += 1
            return
        # They will run again from the start, and see the same: the one with the fewest shots is the next.
        for value, count in reversed(choice.values):
            is_its = is_kept and self._keep(count, rest)
            is_kept = is_kept and not is_its
            rest -= count
            frame, memory = _Frame(self._program.steps), self._program.scope.memory()
            replay = _latest_first((value, branch.seen))
            self._waiting.append(_Branch(count, frame, memory, None, is_its, None, replay, {}))

    def _keep(self, shots: int, of: int) -> bool:
        """Whether the kept shot is among `shots` of `of` shots."""
        return self._keeper is not None and int(self._keeper.integers(of)) < shots

    def _settle(self, branch: _Branch, state: State, choice: _Choice, value: int) -> None:
        """Give a branch one value of the qubits that it has looked at, and move it on."""
        values = {qubit: value >> place & 1 for place, qubit in enumerate(choice.qubits)}
        state.collapse(values, float(choice.weights[value]), self._control)
        branch.seen = (value, branch.seen)
        branch.known.update(values)
        self._write(branch, state)

    def _write(self, branch: _Branch, state: State) -> None:
        """Write the known values of the next qubits of a branch's step to their bits, or make them 0."""
        frame, known = branch.frame, branch.known
        step = frame.steps[frame.position]
        if not isinstance(step, (MeasureStep, ResetStep)):
            raise AssertionError("only these look at qubits")
        chosen = slice(frame.turn, frame.turn + _TOGETHER)
        qubits = step.qubits[chosen].tolist()
        if isinstance(step, MeasureStep):
            for qubit, clbit in zip(qubits, step.clbits[chosen].tolist(), strict=True):
                branch.memory.clbits = branch.memory.clbits & ~(1 << clbit) | known[qubit] << clbit
        else:
            for qubit in qubits:
                if known[qubit]:
                    state.flip(qubit, self._control)
                    known[qubit] = 0
        branch.frame = frame.again(len(qubits))

    def _read(self, branch: _Branch, state: State, tally: Tally) -> Words | None:
        """Do the measurements of the tail for a branch. For the kept one, also collapse its state."""
        tail, before, num_clbits = self._program.tail, branch.memory.clbits, self._program.num_clbits
        if len(tail.qubits) == 0:
            tally.add(before, branch.shots)
            return int_to_words(before, num_clbits) if branch.is_kept else None
        if self._generator is None:
            raise AssertionError("outcomes are drawn without a generator")
        indices, counts = sample_indices(state, branch.shots, self._generator, self._control)
        qubits = tail.qubits.tolist()
        words = indices_to_words(indices, qubits, tail.clbits.tolist(), before, num_clbits)
        tally.extend(words, counts)
        if not branch.is_kept or self._keeper is None:
            return None
        drawn = int(np.searchsorted(np.cumsum(counts), self._keeper.integers(branch.shots), side="right"))
        for qubit in sorted(set(qubits)):
            bit = int(indices[drawn]) >> qubit & 1
            weight = float(state.weights([qubit], self._control)[bit])
            state.collapse({qubit: bit}, weight, self._control)
        kept: Words = words[drawn]
        return kept


def _loop_around(frame: _Frame) -> _Frame:
    """The place of the innermost loop's step, about to begin its next turn."""
    inner: _Frame | None = frame
    while inner is not None and not inner.is_loop:
        inner = inner.outer
    if inner is None or inner.outer is None:
        raise AssertionError("a jump outside of every loop was validated")
    return inner.outer


def _latest_first(seen: tuple[int, object] | None) -> list[int]:
    """The outcomes that a branch has seen, in a list to pop them from in their order."""
    outcomes = []
    rest: object = seen
    while isinstance(rest, tuple):
        outcome, rest = rest
        outcomes.append(outcome)
    return outcomes
