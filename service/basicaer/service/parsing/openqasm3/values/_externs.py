"""Functions that a program declares as extern: tables of what they give for which arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from basicaer.service.parsing._faults import ProgramFault
from basicaer.service.parsing.openqasm3.values._types import (
    Constant,
    Type,
    Value,
    ValueProblem,
    converted,
    literal,
    wrap,
)
from basicaer.v1 import job_pb2

__all__ = ["MOST_COMPARED", "Table", "externs_from", "joined_key", "key_width", "table_from"]

MOST_COMPARED = 1_000
"""Rows of a table whose arguments together are no number of few bits: each is compared by itself."""

_KINDS = ("bit", "bool", "int", "uint", "float", "angle")
_WIDEST_KEY = 64


@dataclass(frozen=True, slots=True)
class Table:
    """What a function gives: for the arguments of each row, as their types have them, and for all others.

    `result` is None for a function without a value, which has no rows.
    """

    parameters: tuple[Type, ...]
    result: Type | None
    rows: Mapping[tuple[Constant, ...], Constant]
    default: Constant | None

    def known(self, arguments: Sequence[Value]) -> Value | None:
        """Return the value for known arguments; None where there is none."""
        assert self.result is not None
        key = tuple(argument.known for argument in arguments if argument.known is not None)
        found = self.rows.get(key, self.default)
        return None if found is None else Value(self.result, found)

    def is_total(self) -> bool:
        """Whether there is a value for all arguments."""
        if self.default is not None:
            return True
        width = key_width(self.parameters)
        return width is not None and len(self.rows) == 1 << width


def externs_from(message: bytes) -> dict[str, job_pb2.ExternFunction]:
    """Return functions by their names.

    Raises:
        ProgramFault: One has no name of its own, or a number isn't finite.
    """
    found: dict[str, job_pb2.ExternFunction] = {}
    for number, extern in enumerate(job_pb2.Program.FromString(message).externs):
        if not extern.name or extern.name in found:
            raise ProgramFault(f"externs[{number}] has no name of its own")
        numbers = [*extern.arguments, *extern.values, extern.default_value]
        if not all(map(math.isfinite, numbers)):
            raise ProgramFault(f"externs[{number}] has a number that isn't finite")
        found[extern.name] = extern
    return found


def table_from(extern: job_pb2.ExternFunction, parameters: Sequence[Type], result: Type | None) -> Table:
    """Return a function's table.

    Raises:
        ValueProblem: It isn't one of these types, or has two rows for the same arguments.
    """
    name, count = extern.name, len(extern.values)
    for type_ in (*parameters, *([] if result is None else [result])):
        if type_.kind not in _KINDS or type_.axes:
            raise ValueProblem(f"{name!r} has a {type_}; an extern function has numbers, bits and angles")
    if result is None:
        if count or extern.HasField("default_value"):
            raise ValueProblem(f"{name!r} gives no value, and its table has some")
        return Table(tuple(parameters), None, {}, None)
    if len(extern.arguments) != count * len(parameters):
        raise ValueProblem(
            f"the table of {name!r} has {count:,} values for {len(extern.arguments):,} arguments; "
            f"it takes {len(parameters)} for each"
        )
    rows: dict[tuple[Constant, ...], Constant] = {}
    for number, value in enumerate(extern.values):
        start = number * len(parameters)
        given = extern.arguments[start : start + len(parameters)]
        key = tuple(_number(each, type_, name) for each, type_ in zip(given, parameters, strict=True))
        if key in rows:
            raise ValueProblem(f"the table of {name!r} has two rows for the same arguments")
        rows[key] = _number(value, result, name)
    default = _number(extern.default_value, result, name) if extern.HasField("default_value") else None
    if not rows and default is None:
        raise ValueProblem(f"the table of {name!r} has no value to give")
    return Table(tuple(parameters), result, rows, default)


def _number(number: float, type_: Type, name: str) -> Constant:
    """Return a number of a table as a value of a type."""
    if type_.kind in ("float", "angle"):
        known = converted(literal(number), type_).known
    else:
        range_ = type_ if type_.is_integer else Type("uint", type_.width or 1)
        if not number.is_integer() or wrap(int(number), range_) != number:
            raise ValueProblem(f"the table of {name!r} has {number:g}, which is no {type_}")
        known = bool(number) if type_.is_truth else int(number)
    assert known is not None
    return known


def key_width(parameters: Sequence[Type]) -> int | None:
    """Return how many bits the arguments have one behind the other; None for floats, or for too many."""
    if any(type_.kind == "float" for type_ in parameters):
        return None
    width = sum(type_.width or 1 for type_ in parameters)
    return width if 0 < width <= _WIDEST_KEY else None


def joined_key(parameters: Sequence[Type], values: Sequence[Constant]) -> int:
    """Return the bits of known arguments one behind the other, the first lowest."""
    key = shift = 0
    for type_, value in zip(parameters, values, strict=True):
        width = type_.width or 1
        key |= (int(value.real) & ((1 << width) - 1)) << shift
        shift += width
    return key
