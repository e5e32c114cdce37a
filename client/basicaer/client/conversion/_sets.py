"""Aer's instructions that set the state of all qubits, as the contract's operation that does.

Nothing of Aer is imported: its instructions are told by their names. What is given goes over the wire as it
is, so that a method that holds such states takes it at any size, and none of the qubits is measured or reset
for it: a preparation after resets would part the shots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from basicaer.client._structures import complex_array
from basicaer.client.circuit._sets import tableau_bytes
from basicaer.client.conversion._expressions import ConversionError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["SET_NAMES", "is_set", "set_to_proto"]


def is_set(operation: Any) -> bool:
    """Whether an operation of a circuit sets a state."""
    return operation.name.startswith("set_") and getattr(operation, "_definition", None) is None


def set_to_proto(operation: Any, num_qubits: int) -> pb.Operation:
    """Return what sets the state of so many qubits.

    Raises:
        ConversionError: The service can't set this.
    """
    make = _SETS.get(operation.name)
    if make is None:
        raise ConversionError(
            f"the service can't set what {operation.name!r} asks for; it knows {', '.join(_SETS)}"
        )
    (state,) = operation.params
    try:
        given = make(state, num_qubits)
    except (TypeError, ValueError) as error:
        raise ConversionError(f"the state of {operation.name!r} is none: {error}") from None
    return pb.Operation(name="set_state", num_qubits=num_qubits, set_state=given)


def _statevector(state: Any, num_qubits: int) -> pb.SetState:
    return pb.SetState(statevector=complex_array(np.asarray(state, dtype=np.complex128).reshape(-1), 1))


def _density_matrix(state: Any, num_qubits: int) -> pb.SetState:
    return pb.SetState(density_matrix=complex_array(state, 2))


def _unitary(state: Any, num_qubits: int) -> pb.SetState:
    return pb.SetState(unitary=complex_array(state, 2))


def _superoperator(state: Any, num_qubits: int) -> pb.SetState:
    return pb.SetState(superoperator=complex_array(state, 2))


def _matrix_product_state(state: Any, num_qubits: int) -> pb.SetState:
    """Aer has for each qubit two matrices, and between neighbours singular values."""
    matrices, weights = state
    given = pb.SetState()
    for qubit, pair in enumerate(matrices):
        tensor = np.stack([np.asarray(matrix, dtype=np.complex128) for matrix in pair], axis=1)
        if qubit < len(weights):
            tensor = tensor * np.asarray(weights[qubit], dtype=np.float64)
        given.matrix_product_state.tensors.append(complex_array(tensor, 3))
    return given


def _stabilizer(state: Any, num_qubits: int) -> pb.SetState:
    if not isinstance(state, Mapping):
        raise ConversionError("a stabilizer state is given by its tableau, as Qiskit's Clifford.to_dict()")
    rows = [str(row) for row in state["stabilizer"]]
    if len(rows) != num_qubits or any(len(row) != num_qubits + 1 for row in rows):
        raise ConversionError(f"a stabilizer state of {len(rows)} rows is not for {num_qubits} qubits")
    # The last letter is the first qubit's.
    letters = np.array([list(row[:0:-1]) for row in rows]).reshape(num_qubits, num_qubits)
    signs = np.array([[row[0] == "-"] for row in rows], dtype=np.bool_)
    tableau = np.hstack([np.isin(letters, ("X", "Y")), np.isin(letters, ("Z", "Y")), signs])
    return pb.SetState(stabilizer=tableau_bytes(tableau, num_qubits))


_SETS: Mapping[str, Callable[[Any, int], pb.SetState]] = {
    "set_statevector": _statevector,
    "set_density_matrix": _density_matrix,
    "set_stabilizer": _stabilizer,
    "set_matrix_product_state": _matrix_product_state,
    "set_unitary": _unitary,
    "set_superop": _superoperator,
}
SET_NAMES = tuple(_SETS)
