"""Numbers as people give them: `1e4` is whole, and numpy's numbers are numbers."""

from __future__ import annotations

import contextlib
import math
import operator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["real", "whole"]

_FRACTIONAL = (float, np.floating, Decimal, Fraction)


def whole(value: Any) -> int:
    """Return a whole number, whatever its type: an int, a numpy number or array without axes, 1e4.

    Raises:
        TypeError: For what isn't one: 2.5, NaN, infinities, truth values, text.
    """
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, bool):
        with contextlib.suppress(TypeError):
            return operator.index(value)
        if isinstance(value, _FRACTIONAL) and math.isfinite(value) and value % 1 == 0:
            return int(value)
    raise TypeError(f"{value!r} is not an integer")


def real(value: Any) -> float:
    """Return a number of any type as a float.

    Raises:
        TypeError: It isn't one, such as a text.
        ValueError: It isn't one either.
    """
    if isinstance(value, str | bytes):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
