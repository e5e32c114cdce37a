"""How long a run by chains may take, whose bonds nobody knows before.

It is counted by the sizes of what is computed, so that the same run always ends in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import SimulationFailed

RATE = 4e9
"""Products of complex numbers that a core makes in a second, in singular value decompositions."""
SPLIT_SECONDS = 150e-6
"""What a decomposition takes with all around it, however small it is."""
_PRODUCTS = 20.0

Sizes = TypeVar("Sizes", float, npt.NDArray[np.float64])


def split_seconds(rows: Sizes, columns: Sizes) -> Sizes:
    """Return about how long the decomposition of a matrix takes, whose columns are the shorter side."""
    return _PRODUCTS * rows * columns * columns / RATE


@dataclass(slots=True)
class Meter:
    """About how many seconds of one core a run may take, and has taken; None sets no bound."""

    most_seconds: float | None = None
    seconds: float = 0.0
    _latest: float = 0.0
    _before: float = 0.0

    def count(self, rows: int, columns: int) -> None:
        """Count a decomposition. Raises `SimulationFailed` where that is too much."""
        if self.most_seconds is not None:
            short, long = sorted((float(rows), float(columns)))
            self.seconds += SPLIT_SECONDS + split_seconds(long, short)
            if self.seconds > self.most_seconds:
                raise _too_long()

    def foresee(self, left: int, window: int) -> None:
        """Count a gate, behind which `left` more come; `window` gates go through the chain once, about.

        Raises `SimulationFailed` where that is too much if those take as long as the latest ones: bonds grow
        as a rule.
        """
        if self.most_seconds is not None:
            self._latest += (self.seconds - self._before - self._latest) / window
            self._before = self.seconds
            if self.seconds + left * self._latest > self.most_seconds:
                raise _too_long()


def _too_long() -> SimulationFailed:
    return SimulationFailed("a matrix product state takes longer than it was given")
