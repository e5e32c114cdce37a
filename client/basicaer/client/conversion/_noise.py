"""Qiskit Aer's noise as the contract's: its errors, and the instructions that are made of them.

Nothing of Aer is imported: its objects are told by their attributes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from basicaer.client._structures import complex_array
from basicaer.client.conversion._errors_of_aer import PlacedChannel, channels_of_error, kraus_channel
from basicaer.client.conversion._expressions import ConversionError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["is_noise", "noise_to_protos"]

# Aer's and Qiskit's, which have no definition; the last one stands for an error that a noise model names.
_NAMES = ("kraus", "superop", "roerror", "qerror_loc")


def is_noise(operation: Any) -> bool:
    """Whether an operation of a circuit is noise: an error of Aer's, Kraus operators, a superoperator, a
    readout error, or the place of an error.
    """
    if hasattr(operation, "_quantum_error"):
        return True
    return operation.name in _NAMES and getattr(operation, "_definition", None) is None


class Noise(NamedTuple):
    """An operation of noise, the places of its qubits among the instruction's (None for all), and its
    parameters.
    """

    operation: pb.Operation
    places: tuple[int, ...] | None = None
    parameters: tuple[float, ...] = ()


def noise_to_protos(operation: Any, num_qubits: int, num_clbits: int) -> list[Noise]:
    """Return what `is_noise`, on so many qubits and classical bits, as operations one after another.

    Raises:
        ConversionError: It is of others, or can't be said.
    """
    if operation.name == "roerror":
        # Aer gives the matrix, of which Qiskit makes a list of rows.
        rows = np.array(list(operation.params), dtype=np.float64)
        if rows.size != 4**num_clbits or num_qubits:
            raise ConversionError(f"a readout error of {rows.size} numbers is not for {num_clbits} bits")
        readout = pb.ReadoutError(probabilities=rows.reshape(-1).tolist())
        return [Noise(pb.Operation(name="readout_error", num_clbits=num_clbits, readout=readout))]
    if operation.name == "qerror_loc":
        # Rules of a noise model go by labels too, and to wait for no time does nothing else.
        wait = pb.Operation(name="delay", num_qubits=num_qubits, num_parameters=1, unit="s")
        wait.label = operation.label or ""
        return [Noise(wait, parameters=(0.0,))]
    return [
        Noise(
            pb.Operation(
                name="channel", num_qubits=num_qubits if places is None else len(places), channel=channel
            ),
            places,
        )
        for channel, places in _channels(operation)
    ]


def _channels(operation: Any) -> list[PlacedChannel]:
    error = getattr(operation, "_quantum_error", None)
    if error is not None:
        return channels_of_error(error)
    if operation.name == "kraus":
        return [PlacedChannel(kraus_channel(operation.params), None)]
    (matrix,) = operation.params
    return [PlacedChannel(pb.Channel(superoperator=complex_array(np.asarray(matrix), 2)), None)]
