"""Runs circuits on matrix product states: what `run` does where that method was chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator._outcomes import Counts, Words
from basicaer.simulator._programs import run_program
from basicaer.simulator.compiler._valid import ValidCircuit
from basicaer.simulator.methods.matrix_product_state._estimate import refuses
from basicaer.simulator.methods.matrix_product_state._method import MatrixProductState
from basicaer.simulator.methods.matrix_product_state._options import Cuts, MatrixProductStateOptions

T = TypeVar("T")

_KIND = np.dtype(np.complex128)
_BRANCH_BYTES = 1 << 20
"""About what a state takes that waits for its shots: chains share the tensors that they have in common."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainOutcomes:
    """What a run gives, as in `RunResult`; and what was cut."""

    words: Words
    counts: Counts
    memory: Words | None
    cuts: Cuts
    is_random: bool
    saved: dict[str, npt.NDArray[Any]] = field(default_factory=dict)


def run_chains(
    ready: ValidCircuit,
    shots: int,
    sequence: np.random.SeedSequence,
    control: RunControl,
    *,
    options: MatrixProductStateOptions | None = None,
    memory: bool = False,
    most_bytes: int | None = None,
    most_seconds: float | None = None,
) -> ChainOutcomes:
    """Run a circuit `shots` times from the state 0. A state may come to `most_bytes`, and the run
    to about `most_seconds` of one core, if these are given.

    The same seed, circuit and options give the same outcomes, where numpy and its BLAS are the same.

    Raises `CircuitError`, `SimulationCancelled`, and `SimulationFailed`.
    """
    reason = refuses(ready.circuit)
    if reason is not None:
        raise CircuitError(f"the matrix product state method can't do this: {reason}")
    program = ready.program(from_zero=True)
    method = MatrixProductState(options, most_bytes, most_seconds)
    found = run_program(
        *(program, method, lambda: method.zero(program.wires.count, _KIND), shots, sequence, control),
        state_bytes=_BRANCH_BYTES,
        memory=memory,
    )
    control.finish()
    return ChainOutcomes(found.words, found.counts, found.memory, method.cuts, program.is_random, found.saved)


def attempted(run: Callable[[RunControl], T], control: RunControl, shots: int) -> T | None:
    """Return what a run gives that may take more than it was given, and then None.

    None of it is told as progress until it ends, since that never goes back.
    """
    quiet = RunControl()
    quiet.flag = control.flag
    try:
        found = run(quiet)
    except SimulationFailed:
        return None
    control.start(work=0.0, shots=shots)
    control.advance_shots(shots)
    return found
