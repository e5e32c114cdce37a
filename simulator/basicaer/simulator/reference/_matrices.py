"""Matrices on all qubits of the reference simulator, and what is read from its states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Initialize, Operation, Save, SaveKind

Matrix = npt.NDArray[np.complex128]

_PAULIS: dict[str, Matrix] = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]).astype(complex),
}


def gate_matrix(operation: Operation, parameters: Sequence[float], width: int) -> Matrix:
    """Return the matrix of an instruction on its `width` qubits, controls first."""
    if operation.matrix is not None:
        matrix = np.asarray(operation.matrix, dtype=complex)
    else:
        matrix = GATES[operation.name].matrix(*parameters)
    # The table's matrix of mcx and its like has one control; each further one is added on 1 before it.
    known = int(np.log2(len(matrix)))
    further = width - operation.num_controls - known
    for _ in range(further):
        matrix = _with_control(matrix, 1)
    state = operation.control_state
    for place in reversed(range(operation.num_controls)):
        matrix = _with_control(matrix, 1 if state is None else state // 2**place % 2)
    return matrix


def _with_control(matrix: Matrix, value: int) -> Matrix:
    """`matrix` with one more qubit, the new least significant one, on whose `value` it acts."""
    on, off = np.zeros((2, 2)), np.zeros((2, 2))
    on[value, value] = 1.0
    off[1 - value, 1 - value] = 1.0
    return np.asarray(np.kron(matrix, on) + np.kron(np.eye(len(matrix)), off), dtype=np.complex128)


def embed(matrix: Matrix, qubits: Sequence[int], size: int) -> Matrix:
    """Return the matrix on all qubits, entry by entry."""
    whole = np.zeros((2**size, 2**size), dtype=complex)
    for column in range(2**size):
        inner = sum((column >> qubit & 1) << place for place, qubit in enumerate(qubits))
        for row_inner in range(len(matrix)):
            row = column
            for place, qubit in enumerate(qubits):
                row = row & ~(1 << qubit) | (row_inner >> place & 1) << qubit
            whole[row, column] += matrix[row_inner, inner]
    return whole


def kept(save: Save, qubits: Sequence[int], size: int, state: Matrix) -> Matrix:
    """Return what a save keeps of a state, without the circuit's phase."""
    if save.kind is SaveKind.STATEVECTOR:
        return state
    if save.kind is SaveKind.AMPLITUDES:
        return state[list(save.basis_states)]
    if state.ndim == 1:
        state = np.outer(state, state.conj())
    if save.kind is SaveKind.AMPLITUDES_SQUARED:
        return np.diag(state)[list(save.basis_states)].astype(complex)
    if save.kind is SaveKind.DENSITY_MATRIX:
        return _part(state, qubits)
    if save.kind is SaveKind.PROBABILITIES:
        return np.diag(_part(state, qubits)).astype(complex)
    values = []
    for observable in save.observables:
        matrix: Matrix = np.zeros((2 ** len(qubits),) * 2, dtype=complex)
        for pauli, coefficient in zip(observable.paulis, observable.coefficients, strict=True):
            product: Matrix = np.ones((1, 1), dtype=complex)
            for letter in pauli:
                product = np.asarray(np.kron(product, _PAULIS[letter]), dtype=np.complex128)
            matrix = matrix + coefficient * product
        values.append(np.trace(embed(matrix, qubits, size) @ state))
        if save.kind is SaveKind.EXPECTATION_VALUE_VARIANCE:
            square = np.trace(embed(matrix @ matrix, qubits, size) @ state)
            values.append(square - values[0] ** 2)
    return np.array(values)


def _part(state: Matrix, qubits: Sequence[int]) -> Matrix:
    """Return the density matrix of some qubits, entry by entry."""
    own = [
        sum((index >> qubit & 1) << place for place, qubit in enumerate(qubits))
        for index in range(len(state))
    ]
    mask = sum(1 << qubit for qubit in qubits)
    found: Matrix = np.zeros((2 ** len(qubits),) * 2, dtype=complex)
    for row in range(len(state)):
        for column in range(len(state)):
            if row & ~mask == column & ~mask:
                found[own[row], own[column]] += state[row, column]
    return found


def initial_amplitudes(initialize: Initialize, width: int) -> Matrix:
    if initialize.amplitudes is not None:
        return np.asarray(initialize.amplitudes, dtype=complex)
    if initialize.basis_state is not None:
        return np.asarray(np.eye(2**width)[initialize.basis_state], dtype=np.complex128)
    root = np.sqrt(0.5)
    letters = {
        "0": [1, 0],
        "1": [0, 1],
        "+": [root, root],
        "-": [root, -root],
        "r": [root, 1j * root],
        "l": [root, -1j * root],
    }
    state: Matrix = np.ones(1, dtype=complex)
    for letter in initialize.label or "":
        state = np.asarray(np.kron(state, letters[letter]), dtype=np.complex128)
    return state
