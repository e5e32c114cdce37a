"""What every instruction of a circuit is checked for: its name, how much it acts on, and its numbers."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client._structures import complex_array
from basicaer.client._texts import Encoded
from basicaer.client.circuit._gate_methods import Qubits
from basicaer.client.circuit._gates import GATE_SHAPES, OPEN_SHAPES
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["amplitudes_from", "finite", "index_from", "operation_of", "sequence"]

# Operations that are no gates: qubits, classical bits and parameters; None where they vary.
_OTHERS: dict[str, tuple[int | None, int, int]] = {
    "measure": (1, 1, 0),
    "reset": (1, 0, 0),
    "barrier": (None, 0, 0),
    "delay": (None, 0, 1),
    "unitary": (None, 0, 0),
    "initialize": (None, 0, 0),
}


@Encoded(CircuitError)
def operation_of(
    name: str, qubits: int, clbits: int, parameters: int, controls: int, control_state: int | None, label: str
) -> pb.Operation:
    """Return an entry for the table, if the operation exists and takes so many operands."""
    base = qubits - controls
    if not 0 <= controls <= qubits or (control_state is not None and not 0 <= control_state < 2**controls):
        raise CircuitError(
            f"{name} on {qubits} qubits can't have {controls} controls in state {control_state}."
        )
    if name in _OTHERS:
        if controls:
            raise CircuitError(f"{name} can't be controlled.")
        shape = _OTHERS[name]
    elif name in OPEN_SHAPES:
        least, takes = OPEN_SHAPES[name]
        shape = (max(least, base), 0, takes)
    elif name in GATE_SHAPES:
        count, takes = GATE_SHAPES[name]
        shape = (count, 0, takes)
    else:
        near = difflib.get_close_matches(name, [*GATE_SHAPES, *OPEN_SHAPES, *_OTHERS], 3)
        raise CircuitError(f"There is no gate {name!r}{'; near it are ' + ', '.join(near) if near else ''}.")
    for got, takes_, what in zip(
        (base, clbits, parameters), shape, ("qubits", "classical bits", "parameters"), strict=True
    ):
        if takes_ is not None and got != takes_:
            raise CircuitError(f"{name} takes {takes_} {what}, not {got}.")
    return pb.Operation(
        name=name,
        num_qubits=qubits,
        num_clbits=clbits,
        num_parameters=parameters,
        num_controls=controls,
        control_state=control_state,
        label=label,
    )


def sequence(qubits: Qubits) -> list[int]:
    return list(qubits) if isinstance(qubits, Iterable) else [qubits]


def index_from(what: str, value: Any) -> int:
    if isinstance(value, bool):
        raise CircuitError(f"{what} must be an integer, not {value!r}.")
    try:
        return operator.index(value)
    except TypeError:
        raise CircuitError(f"{what} must be an integer, not {value!r}.") from None


def finite(what: str, value: Any) -> float:
    """Return a real, finite number."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise CircuitError(f"{what} must be a number, not {value!r}; bind a free parameter first.") from None
    if not math.isfinite(number):
        raise CircuitError(f"{what} must be finite, not {number}.")
    return number


def amplitudes_from(what: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> pb.ComplexArray:
    """Return finite complex numbers of a shape."""
    try:
        message = complex_array(values, len(shape))
    except ValueError as error:
        raise CircuitError(f"{what} {error}.") from None
    if tuple(message.shape) != shape:
        raise CircuitError(f"{what} has the shape {tuple(message.shape)} instead of {shape}.")
    if not np.isfinite(np.frombuffer(message.data)).all():
        raise CircuitError(f"{what} has an element that isn't finite.")
    return message
