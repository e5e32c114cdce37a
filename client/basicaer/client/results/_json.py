"""Anything as what JSON has: text, numbers, truth values, None, and lists and dicts of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np

__all__ = ["as_json"]


def as_json(value: Any) -> Any:
    """Return the value in JSON's types.

    Arrays become lists, a complex number the list of its two parts (as in Qiskit's own JSON), times ISO 8601,
    and what has no such form its text.
    """
    if value is None or isinstance(value, bool):
        return value
    # Children of str, int and float, such as enums, are told by their value.
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    if isinstance(value, complex):
        return [value.real, value.imag]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        return _list(np.asarray(value))
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [as_json(item) for item in value]
    if hasattr(value, "to_dict"):
        return as_json(value.to_dict())
    return str(value)


def _list(array: np.ndarray[Any, Any]) -> Any:
    if np.iscomplexobj(array):
        array = np.stack([array.real, array.imag], axis=-1)
    if array.dtype.kind in "biuf":
        return array.tolist()
    found = array.tolist()
    return [as_json(item) for item in found] if isinstance(found, list) else str(found)
