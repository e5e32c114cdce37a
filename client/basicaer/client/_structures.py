"""Arrays and dicts of the caller's as messages of the wire, and dicts back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.v1 import circuit_pb2
from google.protobuf import struct_pb2

__all__ = ["complex_array", "struct_from_dict", "struct_to_dict"]


def complex_array(values: npt.ArrayLike, dimensions: int) -> circuit_pb2.ComplexArray:
    """Return numbers as little-endian complex128 in row-major order.

    Raises:
        ValueError: They are not numbers or have another number of axes.
    """
    try:
        array = np.ascontiguousarray(values, "<c16")
    except (TypeError, ValueError) as error:
        raise ValueError(f"is not an array of complex numbers: {error}") from None
    if array.ndim != dimensions:
        raise ValueError(f"has {array.ndim} axes instead of {dimensions}")
    return circuit_pb2.ComplexArray(shape=array.shape, data=array.tobytes())


def struct_from_dict(data: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return a dict as a Struct, without the entries that JSON can't express: these stay with the caller.

    JSON has text, numbers, truth values, None, and lists and dicts of them; numpy's are taken as such.
    """
    struct = struct_pb2.Struct()
    for name, value in data.items():
        entry = struct_pb2.Struct()
        try:
            entry.update({str(name): _as_json(value)})
        except (TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            continue
        struct.MergeFrom(entry)
    return struct


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return value


def struct_to_dict(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return a Struct as a dict, with whole numbers as int again.

    (protobuf's own conversion refuses numbers that JSON hasn't: NaN and the infinities.)
    """
    return {name: _from_value(value) for name, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= 2**53 else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return struct_to_dict(value.struct_value)
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
    return None
