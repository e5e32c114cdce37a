"""The contract's states that circuits are given as the simulator's, which checks them while it makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.execution.circuits.arrays import complex_array
from basicaer.service.parsing import Pause, ProgramFault
from basicaer.service.wire import Columns
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["given_bytes", "given_state"]

# What is given by one array.
_MAKERS: Mapping[str, Callable[[npt.NDArray[np.complex128]], sim.GivenState]] = {
    "statevector": sim.GivenState.from_statevector,
    "density_matrix": sim.GivenState.from_density_matrix,
    "unitary": sim.GivenState.from_unitary,
    "superoperator": sim.GivenState.from_superoperator,
}


def given_state(message: pb.SetState, path: str, columns: Columns, pause: Pause) -> sim.GivenState:
    """Return a state that a circuit is given.

    Raises:
        GivenUpError: By `pause`.
        ProgramFault: It is none; with its place.
    """
    kind = message.WhichOneof("state")
    if kind is None:
        names = ", ".join(field.name for field in pb.SetState.DESCRIPTOR.fields)
        raise ProgramFault(f"it gives nothing; set one of {names}", path=path)
    path = f"{path}.{kind}"
    pause()
    try:
        if kind == "stabilizer":
            return sim.GivenState.from_tableau(_tableau(message.stabilizer, path))
        if kind == "matrix_product_state":
            return sim.GivenState.from_tensors(
                complex_array(tensor, f"{path}.tensors[{place}]", columns, most_axes=3)
                for place, tensor in enumerate(message.matrix_product_state.tensors)
            )
        return _MAKERS[kind](complex_array(getattr(message, kind), path, columns))
    except sim.CircuitError as error:
        raise ProgramFault(error.message, path=path) from None


def given_bytes(operation: sim.Operation) -> int:
    """Return how many bytes the state takes that an operation gives."""
    return 0 if operation.set_state is None else operation.set_state.nbytes


def _tableau(data: bytes, path: str) -> npt.NDArray[np.uint8]:
    """Return the rows of a tableau: n or 2 n of them, of 2 n + 1 bytes."""
    bits = np.frombuffer(data, dtype=np.uint8)
    # Of n rows 2 n^2 + n bytes, of 2 n rows twice as many.
    for rows in (1, 2):
        width = int((bits.size / rows / 2.0) ** 0.5)
        if width and rows * width * (2 * width + 1) == bits.size:
            return bits.reshape(rows * width, 2 * width + 1)
    raise ProgramFault(f"{bits.size:,} bytes; a tableau has n or 2 n rows of 2 n + 1", path=path)
