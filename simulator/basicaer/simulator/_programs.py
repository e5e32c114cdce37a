"""Takes all shots of a program by one method, and gives what the run keeps."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._options import generator
from basicaer.simulator._outcomes import Counts, Words
from basicaer.simulator.circuit._operations import SINGLE
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.methods.interface import Method, S
from basicaer.simulator.running._branches import Kept
from basicaer.simulator.running._saving import Saved
from basicaer.simulator.running._trajectories import ShotRunner, waiting_states

_SAVING = 1 << 16
"""The stream of what is saved, far from those that others take of a seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Shots(Generic[S]):
    """The distinct outcomes and their counts, the outcome of each shot where they were asked for, the last
    shot's state where it is kept, and saved arrays by label.
    """

    words: Words
    counts: Counts
    memory: Words | None
    kept: Kept[S] | None
    saved: dict[str, npt.NDArray[Any]]


def run_program(
    program: StepProgram,
    method: Method[S],
    start: Callable[[], S],
    shots: int,
    sequence: np.random.SeedSequence,
    control: RunControl,
    *,
    state_bytes: int,
    memory: bool = False,
    keeps: bool = False,
    threads: int | None = None,
) -> Shots[S]:
    """Run a program `shots` times from what `start` makes; `keeps` keeps the state of the last shot.

    A state takes about `state_bytes`. Raises `SimulationCancelled` and `SimulationFailed`.
    """
    work = 0.0 if program.is_random else method.work(program.wires.count, program.gates)
    control.start(work=work, shots=shots)
    saved = None
    if program.saves:
        saved = Saved(method, phase_of(program), program, generator(sequence, _SAVING), threads)
    # States that are saved belong to one shot, even where nobody asks for its final state.
    keeps = keeps or any(save.kind in SINGLE for save in program.saves)
    # Three streams, so that neither the memory's order nor the kept state changes the counts.
    runner = ShotRunner(
        program,
        method,
        start,
        control,
        threads=threads,
        generator=generator(sequence, 0),
        keeper=generator(sequence, 2) if keeps else None,
        max_waiting=waiting_states(state_bytes, shots),
        saved=saved,
    )
    tally, kept = runner.run(shots)
    words, counts = tally.totals()
    rows: Words | None = None
    ends = None
    if saved is not None and saved.is_per_shot:
        permutation = generator(sequence, 1).permutation(shots)
        rows, ends = saved.shots(permutation, None if kept is None else kept.words)
    elif memory:
        rows = np.repeat(words, counts, axis=0)[generator(sequence, 1).permutation(shots)]
        if kept is not None:
            last = int(np.flatnonzero((rows == kept.words).all(axis=1))[0])
            rows[[last, -1]] = rows[[-1, last]]
    found = {} if saved is None else saved.arrays(ends)
    return Shots(words, counts, rows if memory else None, kept, found)


def phase_of(program: StepProgram) -> complex:
    """Return the circuit's phase as a factor."""
    return cmath.exp(1j * program.global_phase) if program.global_phase else 1.0
