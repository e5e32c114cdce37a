"""Numbers as text that is read as exactly the same number."""

from __future__ import annotations

import math

from basicaer.client._errors import CircuitError

__all__ = ["number"]


def _fractions() -> dict[float, str]:
    made = {}
    for below in (16, 12, 8, 6, 5, 4, 3, 2, 1):
        for above in range(1, 2 * below + 1):
            if math.gcd(above, below) == 1:
                text = "pi" if above == 1 else f"{above}*pi"
                made[above * math.pi / below] = text if below == 1 else f"{text}/{below}"
    return {**made, **{-value: f"-{text}" for value, text in made.items()}}


_OF_PI = _fractions()


def number(value: float) -> str:
    """Return a number as text, as a fraction of π where it is one.

    Raises:
        CircuitError: It isn't finite.
    """
    text = _OF_PI.get(value)
    if text is not None:
        return text
    if not math.isfinite(value):
        raise CircuitError(f"OpenQASM 3 has no number {value}.")
    return repr(value)
