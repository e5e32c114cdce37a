"""Matrices of channels: Kraus operators, superoperators, and the basis of products X^x Z^z.

A product of k qubits has the number Σ (x_j + 2 z_j) 4^j, where qubit 0 is the least significant bit of the
matrices' index. Superoperators act on density matrices whose columns are stacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Matrix: TypeAlias = npt.NDArray[np.complex128]
Floats: TypeAlias = npt.NDArray[np.float64]

_X: Matrix = np.array([[0, 1], [1, 0]], dtype=np.complex128)
_Z: Matrix = np.diag([1.0, -1.0]).astype(np.complex128)


@cache
def products(num_qubits: int) -> Matrix:
    """Return the products X^x Z^z, of shape (4^k, 2^k, 2^k), in the order of their numbers."""
    single = np.stack([np.eye(2, dtype=np.complex128), _X, _Z, _X @ _Z])
    found: Matrix = np.ones((1, 1, 1), dtype=np.complex128)
    for _ in range(num_qubits):
        # The new qubit is the more significant one, in the numbers and in the matrices.
        found = np.einsum("aij,bkl->abikjl", single, found).reshape(
            4 * len(found), 2 * found.shape[1], 2 * found.shape[2]
        )
    found.flags.writeable = False
    return found


def superoperator_of(operators: Sequence[Matrix]) -> Matrix:
    """Return the superoperator of Kraus operators, of shape (4^k, 4^k)."""
    size = len(operators[0])
    flat = np.stack(operators).reshape(len(operators), size**2)
    # Row (i, j) and column (k, l) of the product hold K*_ij K_kl, summed over the operators.
    found = (flat.conj().T @ flat).reshape((size,) * 4).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(found).reshape(size**2, size**2)


def transfer_of(superoperator: Matrix) -> Matrix:
    """Return what a superoperator does to the coefficients of products X^x Z^z, of shape (4^k, 4^k)."""
    basis = products((len(superoperator).bit_length() - 1) // 2)
    columns = basis.transpose(0, 2, 1).reshape(len(basis), -1).T
    found: Matrix = columns.conj().T @ superoperator @ columns / len(basis) ** 0.5
    found[np.abs(found) < 1e-15] = 0.0
    return found


def transfers_of(matrices: Matrix) -> Matrix:
    """Return what gates of one qubit, of shape (m, 2, 2), do to the coefficients of products X^x Z^z, as an
    array of shape (m, 4, 4).
    """
    basis = products(1)
    turned = matrices[:, None] @ basis @ matrices[:, None].conj().swapaxes(2, 3)
    found: Matrix = (turned.reshape(-1, 4, 4) @ basis.reshape(4, 4).conj().T).swapaxes(1, 2) / 2.0
    found[np.abs(found) < 1e-15] = 0.0
    return found


def kraus_of(superoperator: Matrix) -> tuple[list[Matrix], float]:
    """Return the fewest Kraus operators of a superoperator, and the least eigenvalue of its Choi matrix,
    below 0 where the map isn't completely positive.
    """
    size = int(len(superoperator) ** 0.5)
    # Entry (c', r', c, r) is that of output (r', c') by input (r, c).
    choi = superoperator.reshape((size,) * 4).transpose(3, 1, 2, 0).reshape(size**2, size**2)
    values, vectors = np.linalg.eigh(choi)
    scale = max(1.0, float(values.max()))
    operators = [
        np.ascontiguousarray((value**0.5 * vector).reshape(size, size).T)
        for value, vector in zip(values[::-1], vectors.T[::-1], strict=True)
        if value > 1e-14 * scale
    ]
    return operators, float(values.min())


def pauli_probabilities_of(transfer: Matrix, tolerance: float) -> Floats | None:
    """Return how likely each product is, of a channel that draws one; None for other channels."""
    eigenvalues = np.diag(transfer)
    if (
        np.abs(transfer - np.diag(eigenvalues)).max() > tolerance
        or np.abs(eigenvalues.imag).max() > tolerance
    ):
        return None
    width = (len(transfer).bit_length() - 1) // 2
    # An X commutes with X and not with Z: the signs are those of a Walsh-Hadamard transform, x against z.
    found = eigenvalues.real.reshape((2,) * (2 * width)) / len(transfer)
    for axis in range(2 * width):
        even, odd = np.take(found, 0, axis), np.take(found, 1, axis)
        found = np.stack([even + odd, even - odd], axis)
    order = [axis ^ 1 for axis in range(2 * width)]
    probabilities: Floats = found.transpose(order).reshape(-1).copy()
    if probabilities.min() < -tolerance:
        return None
    probabilities[probabilities < 1e-16] = 0.0
    probabilities /= probabilities.sum()
    return probabilities


def embedded(matrix: Matrix, qubits: Sequence[int], num_qubits: int) -> Matrix:
    """Return the matrix on `num_qubits` qubits that is `matrix` on `qubits`, the first of which is its least
    significant bit.
    """
    width = len(qubits)
    size = 1 << num_qubits
    whole: Matrix = np.eye(size, dtype=np.complex128).reshape((2,) * num_qubits + (size,))
    axes = [num_qubits - 1 - qubit for qubit in reversed(qubits)]
    gate = matrix.reshape((2,) * (2 * width))
    whole = np.tensordot(gate, whole, (list(range(width, 2 * width)), axes))
    return np.ascontiguousarray(np.moveaxis(whole, list(range(width)), axes).reshape(size, size))
