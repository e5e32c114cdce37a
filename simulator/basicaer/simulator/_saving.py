"""Collects what a run's `save` instructions keep: means over the shots that reach them, or the state of
one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._observables import probabilities
from basicaer.simulator._operations import SaveKind
from basicaer.simulator._state import State
from basicaer.simulator._steps import SaveStep


class Saved:
    """The saved arrays of one run; `phase` is the circuit's, as a factor."""

    __slots__ = ("_phase", "_states", "_sums", "_weights")

    def __init__(self, phase: complex) -> None:
        self._phase = phase
        self._states: dict[str, State] = {}
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._weights: dict[str, int] = {}

    def add(self, step: SaveStep, state: State, shots: int, is_kept: bool, control: RunControl) -> None:
        """Take what `step` keeps of the state of `shots` shots. `is_kept` tells that the last shot is one."""
        label, kind = step.save.label, step.save.kind
        if kind is SaveKind.STATEVECTOR:
            if is_kept or label not in self._states:
                # The array before it goes first, so that there are never two.
                self._states.pop(label, None)
                copy = state.copy(control)
                if self._phase != 1.0:
                    copy.scale(self._phase, control)
                self._states[label] = copy
            return
        if kind is SaveKind.PROBABILITIES:
            values = probabilities(state, step.qubits, control)
        else:
            values = step.sums().values(state, control)
        values *= shots
        if label in self._sums:
            self._sums[label] += values
            self._weights[label] += shots
        else:
            self._sums[label] = values
            self._weights[label] = shots

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by label. What no shot has reached isn't there."""
        found: dict[str, npt.NDArray[Any]] = {
            label: state.to_array() for label, state in self._states.items()
        }
        for label, total in self._sums.items():
            total /= self._weights[label]
            found[label] = total
        return found
