"""How far a chain may be cut, and how far it was."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from basicaer.simulator._errors import OptionError


@dataclass(frozen=True, slots=True)
class MatrixProductStateOptions:
    """Bounds of the bonds of matrix product states.

    A bond has at most `max_bond_dimension` values; None sets no bound. Of each bond the least weights are
    left out that together are at most `truncation_threshold` of all, a number from 0 to 1: the default is
    what double precision rounds anyway. Raises `OptionError` for other values.
    """

    max_bond_dimension: int | None = None
    truncation_threshold: float = 1e-16

    def __post_init__(self) -> None:
        most, threshold = self.max_bond_dimension, self.truncation_threshold
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            raise OptionError("max_bond_dimension", f"it is {most!r}; it is an integer from 1, or None")
        if (
            isinstance(threshold, bool)
            or not isinstance(threshold, int | float)
            or not isfinite(threshold)
            or not 0.0 <= threshold < 1.0
        ):
            raise OptionError("truncation_threshold", f"it is {threshold!r}; it is a number from 0 below 1")


@dataclass(slots=True)
class Cuts:
    """What was cut in the states of a run, of which there may be several.

    `largest_bond` is the largest that any had. `discarded_weight` is the sum of the weights that were left
    out, each as a fraction of all, in the state that lost most. `kept_weight` is the product of what was
    kept, in the state where it is least: an estimate of the fidelity, and no bound of it.
    """

    largest_bond: int = 1
    discarded_weight: float = 0.0
    kept_weight: float = 1.0
