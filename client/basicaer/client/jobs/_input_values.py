"""Values of inputs, as `Program` takes them, made into the contract's rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.v1 import job_pb2

__all__ = ["floats", "inputs_message", "rows_of"]

# Up to here a double has every integer.
_EXACT = 1 << 53
_WORD = 64

_Array = npt.NDArray[Any]


def inputs_message(inputs: Mapping[str, Any]) -> job_pb2.Inputs:
    """Return the rows of inputs' values, by their names.

    A value is a number, a truth value or text of bits such as "0110", or has one of these for each row; what
    has more axes has for each row an array, whose elements are inputs. Integers stay exact; a complex number
    is two inputs, its parts.

    Raises:
        CircuitError: A value is none of these, or they make up no rows.
    """
    columns: dict[str, _Array] = {}
    for name, value in inputs.items():
        column = _column(name, value)
        for place in np.ndindex(column.shape[1:]):
            element = f"{name}[{','.join(map(str, place))}]" if place else name
            values = column[(slice(None), *place)] if place else column
            if values.dtype.kind == "c":
                columns[f"{element}.real"], columns[f"{element}.imag"] = values.real, values.imag
            else:
                columns[element] = values
    exact = {name: column for name, column in columns.items() if column.dtype == object}
    plain = {name: column for name, column in columns.items() if name not in exact}
    rows = rows_of([*plain.values(), *(np.zeros(column.shape) for column in exact.values())])
    message = job_pb2.Inputs(names=plain, values=rows[:, : len(plain)].reshape(-1))
    if exact:
        message.integer_names.extend(exact)
        _add_integers(message, [np.broadcast_to(column, len(rows)) for column in exact.values()])
    return message


def floats(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return numbers as an array.

    Raises:
        CircuitError: They are none.
    """
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise CircuitError(f"The inputs are no rows of numbers: {error}") from None


def rows_of(columns: list[_Array]) -> npt.NDArray[np.float64]:
    """Columns of values, or single ones for all rows, as an array of shape (rows, inputs).

    Raises:
        CircuitError: The values are no rows of numbers.
    """
    try:
        rows = np.stack(np.broadcast_arrays(*columns, np.zeros(1))[:-1], axis=-1)
    except ValueError as error:
        raise CircuitError(f"The inputs are no rows of numbers: {error}") from None
    if rows.ndim != 2:
        raise CircuitError("An input's values are a number, or a list with one for each row.")
    if not len(rows):
        raise CircuitError("The inputs have no rows; give each input a number, or a list that isn't empty.")
    return rows


def _column(name: str, value: Any) -> _Array:
    """Return an input's values: as floats, or as Python's integers where floats don't have all of them."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "f" and not isinstance(value, np.ndarray) and (abs(array) >= _EXACT).any():
            # numpy makes floats of integers that no type of its own has together.
            array = np.array(value, dtype=object)
    except ValueError as error:
        raise CircuitError(f"The inputs are no rows of numbers: {name!r}: {error}") from None
    if array.dtype.kind == "U":
        bits = [_bits(name, text) for text in array.reshape(-1).tolist()]
        array = np.array(bits, object).reshape(array.shape)
    if array.dtype.kind == "c":
        return array
    if array.dtype.kind == "O" and not all(isinstance(each, int | np.integer) for each in array.flat):
        return floats(array)
    if array.dtype.kind in "iuO" and array.size and max(int(array.max()), -int(array.min())) > _EXACT:
        return array.astype(object)
    return floats(array)


def _bits(name: str, text: str) -> int:
    if not text or set(text) - set("01_"):
        raise CircuitError(f"The inputs are no rows of numbers: {name!r} is {text[:40]!r}, which isn't bits.")
    return int(text.replace("_", ""), 2)


def _add_integers(message: job_pb2.Inputs, columns: list[_Array]) -> None:
    """Write integers row by row, in as many words as the largest of them takes with its sign."""
    rows = np.stack(columns, axis=-1).reshape(-1).tolist()
    words = max(number.bit_length() // _WORD + 1 for number in rows)
    data = b"".join(number.to_bytes(8 * words, "little", signed=True) for number in rows)
    message.integers.extend(np.frombuffer(data, "<u8").tolist())
    message.words_per_integer = words
