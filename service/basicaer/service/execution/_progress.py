"""Stops an attempt at a job, and adds up the progress of its simulations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from basicaer import simulator as sim
from basicaer.v1 import job_pb2

__all__ = ["Control", "Share"]


@dataclass(frozen=True, slots=True)
class Share:
    """What one program adds to a job's work: simulations of equal weight, of so many shots each."""

    simulations: int
    weight: float
    shots: int


class Control:
    """Stops one attempt, and tells how far it is. Each simulation has a `RunControl` of its own.

    One thread runs the programs; others cancel and read. What they read is replaced whole, so that no lock is
    needed.
    """

    __slots__ = ("_before", "_cancelled", "_current", "_shares", "_shots", "_total")

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares
        # For each program: the weight and the shots of those before it.
        self._before = list(accumulate((share.weight * share.simulations for share in shares), initial=0.0))
        self._shots = list(accumulate((share.shots * share.simulations for share in shares), initial=0))
        self._total = self._before[-1] or 1.0
        self._cancelled = False
        # Programs done, simulations of the present one done, and the control of the one that runs.
        self._current = (0, 0, sim.RunControl())

    def cancel(self) -> None:
        """Stop the simulation that runs, and every later one."""
        self._cancelled = True
        self._current[2].cancel()

    @property
    def cancelled(self) -> bool:
        """Whether the attempt is to stop."""
        return self._cancelled

    def begin(self, program: int, simulation: int) -> sim.RunControl:
        """Return the control for a program's simulation, which is run next."""
        control = sim.RunControl()
        self._current = (program, simulation, control)
        # A cancel before this line has set the flag; a later one finds the new control.
        if self._cancelled:
            control.cancel()
        return control

    def end(self) -> None:
        """All programs are done."""
        self._current = (len(self._shares), 0, sim.RunControl())

    def progress(self) -> job_pb2.Progress:
        """How far the attempt is."""
        done, simulations, control = self._current
        weight, shots = self._before[done], self._shots[done]
        if done < len(self._shares):
            share = self._shares[done]
            weight += share.weight * (simulations + control.fraction)
            shots += share.shots * simulations + min(control.shots_done, share.shots)
        return job_pb2.Progress(
            fraction=min(weight / self._total, 1.0),
            shots_done=shots,
            shots_total=self._shots[-1],
            programs_done=done,
            programs_total=len(self._shares),
        )
