"""Stops a run from another thread, and tells that thread how far the run is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import SimulationCancelled

# Loops of unknown length may outrun the estimate; only `finish` says that a run has ended.
_ALMOST = 0.99


class RunControl:
    """Cancellation and progress of one run, or of several runs one after another.

    One thread simulates and calls `check`, `advance` and `advance_shots`; any other thread may call `cancel`
    and read `fraction` and `shots_done`. Each attribute is replaced whole, so that no lock is needed.

    `flag` is a uint8 array of shape (1,) that turns from 0 to 1 when the run is cancelled: compiled kernels
    that hold no GIL read it between blocks.
    """

    __slots__ = ("_fraction", "_shots", "_shots_done", "_work", "_work_done", "flag")

    def __init__(self) -> None:
        self.flag: npt.NDArray[np.uint8] = np.zeros(1, dtype=np.uint8)
        self._work = 0.0
        self._work_done = 0.0
        self._shots = 0
        self._shots_done = 0
        self._fraction = 0.0

    def cancel(self) -> None:
        """Stop the run at its next check. This also stops every later run with the same control."""
        self.flag[0] = 1

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return bool(self.flag[0])

    def check(self) -> None:
        """Raise `SimulationCancelled` after `cancel`. Called at least every 50 ms of work."""
        if self.flag[0]:
            raise SimulationCancelled

    @property
    def fraction(self) -> float:
        """How much of the present run is done, from 0 to 1, by the estimated work. It never goes back."""
        return self._fraction

    @property
    def shots_done(self) -> int:
        """How many shots of the present run are finished."""
        return self._shots_done

    def start(self, *, work: float, shots: int) -> None:
        """Begin a run of `work` units (see `advance`) and `shots` shots; progress starts from 0."""
        self._work = work
        self._work_done = 0.0
        self._shots = shots
        self._shots_done = 0
        self._fraction = 0.0

    def advance(self, work: float) -> None:
        """Add finished work, and raise `SimulationCancelled` after `cancel`."""
        self._work_done += work
        if self._work > 0.0:
            self._fraction = max(self._fraction, min(_ALMOST, self._work_done / self._work))
        self.check()

    def advance_shots(self, shots: int) -> None:
        """Add finished shots; when there is no estimate of the work, the fraction follows them."""
        self._shots_done += shots
        if self._work <= 0.0 and self._shots > 0:
            self._fraction = max(self._fraction, min(_ALMOST, self._shots_done / self._shots))

    def finish(self) -> None:
        """End a run that has succeeded."""
        self._fraction = 1.0
