"""Qiskit's measurements, resets, barriers, delays and noise, on as many qubits as one instruction has."""

from __future__ import annotations

from typing import Any

from basicaer.client.conversion._expressions import ConversionError, is_expression
from basicaer.client.conversion._frames import Columns, Table
from basicaer.client.conversion._noise import is_noise, noise_to_protos
from basicaer.client.conversion._parameters import ParameterScope, parameters_to_proto
from basicaer.client.conversion._sets import is_set, set_to_proto
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["append_delay", "append_simple"]


def append_simple(
    columns: Columns, table: Table, operation: Any, qubits: list[int], clbits: list[int]
) -> None:
    """Append a barrier, noise, a state that is set, or a measurement or reset of each of the qubits.

    Raises:
        ConversionError: A measurement has not one classical bit for each qubit, or noise not what it is of.
    """
    name = operation.name
    if is_noise(operation):
        for noise, places, parameters in noise_to_protos(operation, len(qubits), len(clbits)):
            chosen = qubits if places is None else [qubits[place] for place in places]
            columns.append(table.intern(noise), chosen, clbits, list(parameters))
        return
    if is_set(operation):
        columns.append(table.intern(set_to_proto(operation, len(qubits))), qubits, [], [])
        return
    if name == "barrier":
        index = table.index((name, len(qubits)), name=name, num_qubits=len(qubits))
        columns.append(index, qubits, [], [])
        return
    bits = 1 if name == "measure" else 0
    if len(clbits) != bits * len(qubits):
        raise ConversionError(
            f"{name!r} acts on {len(qubits)} qubits and {len(clbits)} classical bits; "
            f"it takes {'as many of both' if bits else 'qubits alone'}"
        )
    index = table.index((name, 1), name=name, num_qubits=1, num_clbits=bits)
    for place, qubit in enumerate(qubits):
        columns.append(index, [qubit], clbits[place : place + bits], [])


def append_delay(
    columns: Columns, table: Table, operation: Any, qubits: list[int], scope: ParameterScope
) -> None:
    """Append a delay.

    Raises:
        ConversionError: Its duration isn't a number, nor a parameter that gets one.
    """
    (duration,) = operation.params
    if is_expression(duration):
        raise ConversionError("a delay's duration is an expression; give it as a number")
    unit = getattr(operation, "unit", None) or "dt"
    numbers, terms, expressions = parameters_to_proto([duration], scope)
    if expressions:
        delay = pb.Operation(
            name="delay", num_qubits=len(qubits), unit=unit, parameter_expressions=expressions
        )
        columns.append(table.intern(delay), qubits, [], [])
        return
    index = table.index(
        ("delay", len(qubits), unit), name="delay", num_qubits=len(qubits), num_parameters=1, unit=unit
    )
    columns.append(index, qubits, [], numbers, terms)
