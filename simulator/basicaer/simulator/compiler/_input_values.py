"""The values of a circuit's inputs: rows of numbers, each checked against its input's type."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import OptionError
from basicaer.simulator.circuit._expressions import ClassicalKind, ClassicalType
from basicaer.simulator.circuit._operations import Variable
from basicaer.simulator.classical._conversions import Value, fits, rounded, shown, turn

Rows = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]

NO_INTEGERS: Mapping[str, Any] = MappingProxyType({})
"""Those of inputs that are given as floats."""

_DOUBLE = ClassicalType(ClassicalKind.FLOAT)
_LARGEST_FLOAT = int(sys.float_info.max)


def rows_of(
    inputs: Sequence[Variable], names: Sequence[str], values: npt.ArrayLike, integers: Mapping[str, Integers]
) -> Rows:
    """Return the rows of `Template.rows`."""
    known = [variable.name for variable in inputs]
    _check_names([*names, *integers], known)
    given = np.array(values, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != len(names):
        raise OptionError("values", f"the shape is {given.shape}; give rows of {len(names)} values")
    places = {name: place for place, name in enumerate(names)}
    table = np.empty((len(given), len(inputs)))
    for column, variable in enumerate(inputs):
        if variable.name in places:
            table[:, column] = given[:, places[variable.name]]
            continue
        numbers = integers[variable.name]
        if len(numbers) != len(given):
            message = f"there are {len(numbers):,} rows of them, and {len(given):,} of values"
            raise OptionError("integers", message)
        table[:, column] = _from_integers(numbers, variable)
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0].tolist()
        raise OptionError(
            "values",
            f"the input {known[column]!r} is {table[row, column]} in row {row}; give finite numbers",
        )
    for column, variable in enumerate(inputs):
        if variable.type != _DOUBLE and variable.name in places:
            for row, value in enumerate(table[:, column].tolist()):
                if not _suits(value, variable):
                    raise OptionError(
                        "values",
                        f"the input {variable.name!r} of type {variable.type} is {value} in row {row}",
                    )
    return table


def _check_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Find out whether names are those of the inputs, each once."""
    places = {name: place for place, name in enumerate(names)}
    if len(places) != len(names):
        twice = next(name for place, name in enumerate(names) if places[name] != place)
        raise OptionError("names", f"the input {twice!r} is given twice")
    for name in sorted(places.keys() ^ set(known)):
        if name not in places:
            raise OptionError("names", f"the input {name!r} is missing")
        message = f"the circuit has no input {name!r}"
        element = next((each for each in known if each.startswith(f"{name}[")), None)
        if element is not None:
            message += f"; it is an array, each of whose elements is an input, such as {element!r}"
        raise OptionError("names", message)


def _from_integers(column: Integers, variable: Variable) -> Rows:
    """Return a column of integers as floats, of an input that holds floats; of others they are checked."""
    type_ = variable.type
    is_float = type_.kind in (ClassicalKind.FLOAT, ClassicalKind.ANGLE)
    for row, value in enumerate(column.tolist()):
        if not _suits_exactly(value, variable):
            raise OptionError(
                "integers", f"the input {variable.name!r} of type {type_} is {shown(value)} in row {row}"
            )
    return np.array(column, dtype=np.float64) if is_float else np.zeros(len(column))


def _suits_exactly(value: int, variable: Variable) -> bool:
    """Whether an integer is a value of the variable's type, or near to one of a float's."""
    kind = variable.type.kind
    if kind in (ClassicalKind.FLOAT, ClassicalKind.ANGLE):
        return abs(value) <= _LARGEST_FLOAT and _suits(float(value), variable)
    if kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
        return value in (0, 1)
    return fits(value, variable.type)


def _suits(value: float, variable: Variable) -> bool:
    """Whether a finite number is a value of the variable's type, or near to one of a float's."""
    kind = variable.type.kind
    if kind is ClassicalKind.FLOAT:
        return math.isfinite(rounded(value, variable.type.bits))
    if kind is ClassicalKind.ANGLE:
        return True
    if kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
        return value in (0.0, 1.0)
    return value.is_integer() and fits(int(value), variable.type)


def typed(value: float, variable: Variable) -> Value:
    """Return the value of a variable from a number that suits its type."""
    kind = variable.type.kind
    if kind is ClassicalKind.FLOAT:
        return rounded(float(value), variable.type.bits)
    if kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
        return bool(value)
    if kind is ClassicalKind.ANGLE:
        return turn(value, variable.type.bits)
    return int(value)
