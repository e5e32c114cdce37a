"""Squares of observables, for variances."""

from __future__ import annotations

import numpy as np
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._operations import Observable

MOST_SQUARED = 1_000
"""Of so many products at most a square is made, which has as many as the pairs of these."""

_LETTERS = "IXZY"
"""By the bits of X and Z, of which Y has both."""
# Of two letters' product, times i to which power the letter of their bits' sum is.
_POWERS = np.array([[0, 0, 0, 0], [0, 0, 3, 1], [0, 1, 0, 3], [0, 3, 1, 0]], dtype=np.int64)


def squared(observable: Observable) -> Observable:
    """Return the square of a valid observable of at most `MOST_SQUARED` products."""
    if not observable.paulis:
        return observable
    pause = current_pause()
    text = "".join(observable.paulis).translate(str.maketrans(_LETTERS, "0123"))
    width = len(observable.paulis[0])
    letters = (np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")).reshape(
        len(observable.paulis), width
    )
    factors = np.array(observable.coefficients, dtype=np.float64)
    found: dict[bytes, float] = {bytes(width): float(factors @ factors)}
    for number in range(len(letters) - 1):
        pause()
        others = letters[number + 1 :]
        powers = _POWERS[letters[number], others].sum(axis=1) & 3
        # Of two that anticommute, the products in both orders cancel.
        chosen = np.flatnonzero(powers % 2 == 0)
        products = letters[number] ^ others[chosen]
        values = 2.0 * factors[number] * factors[number + 1 :][chosen] * (1.0 - powers[chosen])
        for row, value in zip(products, values.tolist(), strict=True):
            key = row.tobytes()
            found[key] = found.get(key, 0.0) + value
    paulis = tuple("".join(_LETTERS[letter] for letter in key) for key in found)
    return Observable(paulis, tuple(found.values()))
