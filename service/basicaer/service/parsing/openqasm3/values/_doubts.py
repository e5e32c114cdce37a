"""What an operator between two values may not mean."""

from __future__ import annotations

import math

from basicaer.service.parsing.openqasm3.values._operators import common
from basicaer.service.parsing.openqasm3.values._types import Type, Value, wrap

__all__ = ["doubtful"]

# Numbers of more bits are told as powers of 2.
_WIDEST_SHOWN = 33


def doubtful(sign: str, left: Value, right: Value) -> str:
    """Return what is doubtful about an operator between these values, and what to do; "" where nothing is.

    Raises:
        ValueProblem: The values can't be compared.
    """
    if sign == "/" and left.is_literal and right.is_literal:
        first, second = left.known, right.known
        if type(first) is int and type(second) is int and second and first % second:
            quotient = abs(first) // abs(second) * (1 if (first < 0) == (second < 0) else -1)
            return f"{first} / {second} divides integers, which gives {quotient}; write {first}.0 / {second}"
    if sign in ("==", "!="):
        for value, number in ((left, right), (right, left)):
            if number.is_literal and not value.is_literal and _never_equals(value, number):
                return (
                    f"a value of type {value.type} never equals {number.known}; it holds {_range(value.type)}"
                )
    return ""


def _never_equals(value: Value, number: Value) -> bool:
    """Whether no value of a type with whole numbers equals a number where the two meet."""
    type_, known = value.type, number.known
    if type_.axes or not (type_.is_truth or type_.is_integer or type_.is_register):
        return False
    meeting = common(value, number)
    if meeting.kind == "float" and isinstance(known, int | float):
        if not math.isfinite(known) or known != int(known):
            return True
        known = int(known)
    elif not (meeting.is_integer and isinstance(known, int)):
        return False
    if type_.is_truth:
        return known not in (0, 1)
    held = wrap(known, Type("uint", type_.width) if type_.is_register else type_)
    return (wrap(held, meeting) if meeting.is_integer else held) != known


def _range(type_: Type) -> str:
    """Return which whole numbers a type has."""
    if type_.is_truth:
        return "0 and 1"
    width = type_.width - (type_.kind == "int")
    most = f"{(1 << width) - 1:,}" if width < _WIDEST_SHOWN else f"2^{width} - 1"
    least = f"-{1 << width:,}" if width < _WIDEST_SHOWN else f"-2^{width}"
    return f"{least if type_.kind == 'int' else 0} to {most}"
