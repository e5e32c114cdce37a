"""From coefficients of products X^x Z^z to entries of density matrices, and back."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Complexes: TypeAlias = npt.NDArray[np.complexfloating]
Reals: TypeAlias = npt.NDArray[np.floating]

TO_ENTRIES = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 1, 0, -1], [1, 0, -1, 0]], dtype=np.complex128)
"""On the wires x and z of a qubit: they become row and column of twice its part of the density matrix, since
X^x Z^z takes column c to row c ^ x with the sign (-1)^(z c).
"""

_MOST_PRODUCTS = 1 << 18
"""OpenBLAS multiplies on one thread up to this number of rows times columns times what is summed."""
_AT_ONCE = 1 << 14
"""Entries that are exchanged at once."""

FROM_ENTRIES = TO_ENTRIES.T / 2.0


def entries_of(coefficients: Complexes) -> Complexes:
    """Return the density matrix of shape (2^k, 2^k) from coefficients of that shape, those of z in row z."""
    columns = _signed_sums(coefficients)
    columns *= 1.0 / len(columns)
    _exchange(columns)
    return columns.T


def coefficients_of(matrix: Complexes) -> Complexes:
    """Return the coefficients of a density matrix, as `entries_of` takes them."""
    columns = matrix.T.copy()
    _exchange(columns)
    return _signed_sums(columns)


def _exchange(columns: Complexes) -> None:
    """Bring what is at c ^ x of row c to x, or back: X^x takes column c to row c ^ x."""
    places = np.arange(len(columns))
    several = max(1, _AT_ONCE // len(columns))
    for start in range(0, len(columns), several):
        some = columns[start : start + several]
        some[:] = np.take_along_axis(some, places ^ places[start : start + several, None], axis=1)


def _signed_sums(values: Complexes) -> Complexes:
    """Return what `walsh_hadamard` does of contiguous values, by two products with small matrices: these are
    an order of magnitude faster than as many passes over large ones as there are qubits.
    """
    real = values.real.dtype
    width = len(values).bit_length() - 1
    low, high = (
        walsh_hadamard(np.eye(1 << part, dtype=np.complex128)).real.astype(real)
        for part in (width // 2, width - width // 2)
    )
    # Complex numbers are pairs of columns.
    parts = np.ascontiguousarray(values).view(real).reshape(len(high), len(low), -1)
    sums = np.empty_like(parts)
    for part, own in zip(parts, sums, strict=True):
        _multiply(low, part, own)
    # One array of this size and no more: the first touch of its memory takes as long as a product.
    flat = sums.reshape(len(high), -1)
    _multiply(high, flat, flat)
    found: Complexes = sums.view(values.dtype).reshape(values.shape)
    return found


def _multiply(matrix: Reals, columns: Reals, product: Reals) -> None:
    """Write the product of a small matrix and columns, which may be the same array, by so few of these at a
    time that BLAS does it alone: it waits for threads that a busy machine lets run late.
    """
    several = max(1, _MOST_PRODUCTS // matrix.size)
    for start in range(0, columns.shape[1], several):
        product[:, start : start + several] = matrix @ columns[:, start : start + several]


def walsh_hadamard(values: Complexes) -> Complexes:
    """Return the sums of the rows of `values`, 2^k of any length, with the signs (-1)^(i j)."""
    found = values.copy()
    step = 1
    while step < len(found):
        view = found.reshape(-1, 2, step, *found.shape[1:])
        view[:, 0] += view[:, 1]
        view[:, 1] *= -2.0
        view[:, 1] += view[:, 0]
        step *= 2
    return found
