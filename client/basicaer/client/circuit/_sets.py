"""States that a circuit's qubits are given on their way, as methods with the names of Aer's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client._structures import complex_array
from basicaer.client._texts import Encoded
from basicaer.client.circuit._checks import amplitudes_from
from basicaer.client.circuit._saves import Saves
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Sets", "tableau_bytes"]


class Sets(Saves):
    """The instructions that give all qubits a state, whatever they had before: nothing of it is measured.

    A method that can't hold the state refuses it; the default takes one that can. That a state is one, such
    as of norm 1, is the server's to check.
    """

    num_qubits: int

    @Encoded(CircuitError)
    def set_statevector(self, state: npt.ArrayLike) -> Self:
        """Give all qubits a state of 2^n amplitudes, of norm 1."""
        values = amplitudes_from("The state", state, (2**self.num_qubits,))
        return self._set(pb.SetState(statevector=values))

    @Encoded(CircuitError)
    def set_density_matrix(self, matrix: npt.ArrayLike) -> Self:
        """Give all qubits the state with a density matrix of 2^n by 2^n. For the method "density_matrix"."""
        values = amplitudes_from("The density matrix", matrix, (2**self.num_qubits,) * 2)
        return self._set(pb.SetState(density_matrix=values))

    @Encoded(CircuitError)
    def set_stabilizer(self, tableau: npt.ArrayLike) -> Self:
        """Give all qubits the stabilizer state of a tableau, as `save_stabilizer` saves it: 2 n rows of
        2 n + 1 bits, or the n rows of the stabilizers alone.
        """
        return self._set(pb.SetState(stabilizer=tableau_bytes(tableau, self.num_qubits)))

    @Encoded(CircuitError)
    def set_matrix_product_state(self, state: Any) -> Self:
        """Give all qubits the state of a chain of tensors, of shape (left bond, 2, right bond): a result's
        `MatrixProductState`, or one tensor for each qubit.
        """
        tensors: Iterable[npt.ArrayLike] = getattr(state, "tensors", state)
        message = pb.SetState()
        chain = message.matrix_product_state
        for place, tensor in enumerate(tensors):
            try:
                chain.tensors.append(complex_array(tensor, 3))
            except ValueError as error:
                raise CircuitError(f"Tensor {place} {error}.") from None
        if len(chain.tensors) != self.num_qubits:
            raise CircuitError(
                f"{len(chain.tensors)} tensors are not one for each of {self.num_qubits} qubits."
            )
        return self._set(message)

    @Encoded(CircuitError)
    def set_unitary(self, matrix: npt.ArrayLike) -> Self:
        """Begin anew with a unitary matrix of 2^n by 2^n. For `unitary_simulator`."""
        values = amplitudes_from("The matrix", matrix, (2**self.num_qubits,) * 2)
        return self._set(pb.SetState(unitary=values))

    @Encoded(CircuitError)
    def set_superoperator(self, matrix: npt.ArrayLike) -> Self:
        """Begin anew with a superoperator of 4^n by 4^n, as Qiskit's SuperOp. For the method "superop"."""
        values = amplitudes_from("The superoperator", matrix, (4**self.num_qubits,) * 2)
        return self._set(pb.SetState(superoperator=values))

    def _set(self, state: pb.SetState) -> Self:
        operation = pb.Operation(name="set_state", num_qubits=self.num_qubits, set_state=state)
        self._emit(operation, range(self.num_qubits))
        return self


def tableau_bytes(tableau: npt.ArrayLike, num_qubits: int) -> bytes:
    """Return a tableau as the contract has it, a byte a bit.

    Raises:
        CircuitError: It has another shape, or something else than bits.
    """
    try:
        bits = np.asarray(tableau)
    except ValueError:
        bits = np.zeros(0)
    columns = 2 * num_qubits + 1
    if (
        bits.shape not in ((num_qubits, columns), (2 * num_qubits, columns))
        or not np.isin(bits, (0, 1)).all()
    ):
        raise CircuitError(
            f"The tableau, of shape {bits.shape}, isn't one of bits, of n or 2 n rows of 2 n + 1 for"
            f" {num_qubits} qubits."
        )
    return np.ascontiguousarray(bits, dtype=np.uint8).tobytes()
