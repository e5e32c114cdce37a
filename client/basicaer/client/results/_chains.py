"""A matrix product state, as results have it and circuits may be given it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import ProtocolError

__all__ = ["BONDS", "WEIGHTS", "MatrixProductState", "chain_of"]

# The arrays that belong to the tensors', by what stands behind its name.
BONDS, WEIGHTS = ".bonds", ".weights"


@dataclass(frozen=True, slots=True, eq=False)
class MatrixProductState:
    """A state of n qubits as a chain of tensors, one for each qubit, of shape (left bond, 2, right bond).

    An amplitude is the product of the matrices that its bits choose. All tensors but the first are isometries
    from the right. `weights` are the singular values of the n - 1 bonds between neighbours.
    """

    tensors: tuple[npt.NDArray[np.complex128], ...]
    weights: tuple[npt.NDArray[np.float64], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays by the names of the fields."""
        return {"tensors": list(self.tensors), "weights": list(self.weights)}

    def amplitudes(self) -> npt.NDArray[np.complex128]:
        """Return all 2^n amplitudes; qubit 0 is the index's least significant bit."""
        found = np.ones((1, 1), dtype=np.complex128)
        for tensor in self.tensors:
            found = np.concatenate([found @ tensor[:, bit] for bit in (0, 1)])
        return found.reshape(-1)

    def __repr__(self) -> str:
        bonds = [tensor.shape[2] for tensor in self.tensors[:-1]]
        return f"<MatrixProductState of {len(self.tensors)} qubits, bonds up to {max(bonds, default=1)}>"


def chain_of(
    numbers: npt.NDArray[np.complexfloating], bonds: Sequence[int], weights: npt.NDArray[np.float64]
) -> MatrixProductState:
    """Return the tensors of a saved chain from the numbers of all, the bonds and the singular values.

    Raises:
        ProtocolError: They don't belong together.
    """
    sizes = [2 * left * right for left, right in pairwise(bonds)]
    if len(bonds) < 2 or sum(sizes) != numbers.size or sum(bonds[1:-1]) != weights.size:
        raise ProtocolError("The server sent a matrix product state whose tensors don't fit together.")
    tensors, values = [], []
    start = begin = 0
    for (left, right), size in zip(pairwise(bonds), sizes, strict=True):
        tensors.append(numbers[start : start + size].reshape(left, 2, right).astype(np.complex128))
        values.append(weights[begin : begin + right])
        start, begin = start + size, begin + right
    return MatrixProductState(tuple(tensors), tuple(values[:-1]))
