"""Measurements that tell wrong values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError

_MOST_CLBITS = 6
_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class ReadoutError:
    """How likely k classical bits are told to have each value, for each value that they have.

    `probabilities` is float64 of shape (2^k, 2^k): row t has those of the values told when t is true, and the
    first bit is the least significant one of a value.

    >>> ReadoutError([[0.98, 0.02], [0.05, 0.95]]).num_clbits
    1

    Raises:
        CircuitError: The matrix has another shape, or a row of it isn't one of probabilities.
    """

    probabilities: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        try:
            rows = np.array(self.probabilities, dtype=np.float64)
        except (TypeError, ValueError):
            raise CircuitError("the probabilities of a readout error are no matrix of numbers") from None
        sizes = [1 << width for width in range(1, _MOST_CLBITS + 1)]
        if rows.ndim != 2 or rows.shape[0] != rows.shape[1] or len(rows) not in sizes:
            shape = " by ".join(map(str, rows.shape))
            raise CircuitError(
                f"the probabilities are {shape}; k bits need 2^k by 2^k, for k from 1 to {_MOST_CLBITS}"
            )
        if not np.isfinite(rows).all() or rows.min() < -_TOLERANCE:
            raise CircuitError("a probability of a readout error is negative or not finite")
        sums = rows.sum(axis=1)
        worst = int(np.argmax(np.abs(sums - 1.0)))
        if abs(sums[worst] - 1.0) > _TOLERANCE:
            raise CircuitError(f"row {worst} of a readout error sums to {sums[worst]:.9g} instead of 1")
        rows = np.maximum(rows, 0.0)
        rows /= rows.sum(axis=1, keepdims=True)
        rows.flags.writeable = False
        object.__setattr__(self, "probabilities", rows)

    @property
    def num_clbits(self) -> int:
        """How many bits it is of."""
        return len(self.probabilities).bit_length() - 1
