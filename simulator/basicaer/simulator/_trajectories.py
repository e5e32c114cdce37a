"""Runs programs whose shots may part: at every measurement a branch of shots splits by the outcomes.

Shots that agree so far share one branch, with one state and one classical memory. How many of a branch's
shots see which outcome is drawn at once, from the binomial distribution. The branch with fewer shots goes on
and the other one waits, so at most log2(shots) branches wait at any time. When even these states would take
too much memory, a branch waits without its state and runs again from the start later, with the outcomes that
it has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from basicaer.simulator import _engine
from basicaer.simulator._control import RunControl
from basicaer.simulator._conversions import Memory
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator._program import Program
from basicaer.simulator._sampling import Tally, Words, indices_to_words, int_to_words, sample_indices
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
    Steps,
    StoreStep,
    SwitchStep,
    WhileStep,
)

_WAITING_BYTES = 1 << 28


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

    def again(self) -> _Frame:
        """The same step's next turn."""
        return _Frame(self.steps, self.position, self.turn + 1, self.outer, self.is_loop)


@dataclass(slots=True)
class _Branch:
    """Shots that have seen the same outcomes.

    `state` is None while the branch waits without it. `seen` has the outcomes so far, the latest outermost;
    `replay` those still to be repeated, the next one last. `is_kept` marks the branch of the shot whose state
    is returned. `known` has the values of qubits that were measured or reset and not touched since.
    """

    shots: int
    frame: _Frame
    memory: Memory
    state: State | None
    is_kept: bool
    seen: tuple[int, object] | None
    replay: list[int]
    known: dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The final state of one shot, and that shot's outcome as words."""

    state: State
    words: Words


class Executor:
    """Runs one program once, for all its shots.

    `start` makes a new initial state. `generator` draws the outcomes; a program that is not random needs
    none. With a `keeper`, one shot is chosen by it, whose final state is kept. At most `max_waiting` branches
    wait with states.
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
    ) -> None:
        self._program = program
        self._start = start
        self._control = control
        self._threads = threads
        self._generator = generator
        self._keeper = keeper
        self._max_waiting = max_waiting
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
        self._waiting.append(self._first(shots))
        self._stored = 1
        while self._waiting:
            branch = self._waiting.pop()
            if branch.state is not None:
                self._stored -= 1
            state = self._finish_steps(branch)
            words = self._read(branch, state, tally)
            if words is not None:
                kept = Kept(state, words)
            self._control.advance_shots(branch.shots)
        return tally, kept

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
            case MeasureStep():
                operands = zip(
                    step.qubits[frame.turn :].tolist(), step.clbits[frame.turn :].tolist(), strict=True
                )
                for qubit, clbit in operands:
                    self._split(branch, state, qubit, clbit)
            case ResetStep():
                for qubit in step.qubits[frame.turn :].tolist():
                    self._split(branch, state, qubit, None)
            case PrepareStep():
                branch.known.clear()
                for qubits, amplitudes in step.groups:
                    state.prepare(qubits, amplitudes, self._control)
            case StoreStep():
                step.write(memory)
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

    def _split(self, branch: _Branch, state: State, qubit: int, clbit: int | None) -> None:
        """Let the branch's shots see a qubit's value: for `clbit`, or for None to reset the qubit."""
        self._control.check()
        known = branch.known.get(qubit)
        if known is not None:
            self._write(branch, state, qubit, clbit, known)
            return
        weights = state.weights(qubit, self._control)
        if branch.replay:
            outcome = branch.replay.pop()
        else:
            ones = self._draw(branch.shots, weights)
            counts = (branch.shots - ones, ones)
            outcome = 1 if counts[0] == 0 or 0 < counts[1] < counts[0] else 0
            if 0 < ones < branch.shots:
                self._wait(branch, state, qubit, clbit, weights, 1 - outcome, counts[1 - outcome])
        branch.seen = (outcome, branch.seen)
        self._settle(branch, state, qubit, clbit, weights, outcome)

    def _draw(self, shots: int, weights: tuple[float, float]) -> int:
        """How many of `shots` shots see a 1."""
        if self._generator is None:
            raise AssertionError("a program without random steps has come to a random one")
        return int(self._generator.binomial(shots, min(1.0, weights[1] / (weights[0] + weights[1]))))

    def _wait(
        self,
        branch: _Branch,
        state: State,
        qubit: int,
        clbit: int | None,
        weights: tuple[float, float],
        outcome: int,
        shots: int,
    ) -> None:
        """Part `shots` shots from the branch, which have seen `outcome`, and let them wait."""
        is_kept = branch.is_kept and self._keep(shots, branch.shots)
        seen = (outcome, branch.seen)
        branch.shots -= shots
        branch.is_kept = branch.is_kept and not is_kept
        if self._stored < self._max_waiting:
            copy = state.copy(self._control)
            other = _Branch(
                shots, branch.frame, branch.memory.copy(), copy, is_kept, seen, [], dict(branch.known)
            )
            self._settle(other, copy, qubit, clbit, weights, outcome)
            self._stored += 1
        else:
            # It will run again from the start, and see the same.
            memory = self._program.scope.memory()
            frame = _Frame(self._program.steps)
            other = _Branch(shots, frame, memory, None, is_kept, None, _latest_first(seen), {})
        self._waiting.append(other)

    def _keep(self, shots: int, of: int) -> bool:
        """Whether the kept shot is among `shots` of `of` shots."""
        return self._keeper is not None and int(self._keeper.integers(of)) < shots

    def _settle(
        self,
        branch: _Branch,
        state: State,
        qubit: int,
        clbit: int | None,
        weights: tuple[float, float],
        outcome: int,
    ) -> None:
        """Give a branch the outcome of a measurement or reset, and move it on."""
        if weights[outcome] <= 0.0:
            raise SimulationFailed("a state of weight zero was to be measured; its amplitudes underflowed")
        state.collapse(qubit, outcome, weights[outcome], self._control)
        self._write(branch, state, qubit, clbit, outcome)

    def _write(self, branch: _Branch, state: State, qubit: int, clbit: int | None, outcome: int) -> None:
        """Write the value that a qubit has to `clbit`, or make it 0 for None, and move the branch on."""
        branch.known[qubit] = 0 if clbit is None else outcome
        if clbit is None:
            if outcome == 1:
                state.flip(qubit, self._control)
        else:
            branch.memory.clbits = branch.memory.clbits & ~(1 << clbit) | outcome << clbit
        branch.frame = branch.frame.again()

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
            state.collapse(qubit, bit, state.weights(qubit, self._control)[bit], self._control)
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
