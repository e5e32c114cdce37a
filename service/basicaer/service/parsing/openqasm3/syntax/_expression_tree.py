"""What expressions are read as. `at` is the offset in the text at which each begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Binary",
    "Bits",
    "Call",
    "Cast",
    "DurationOf",
    "Expression",
    "Hardware",
    "Index",
    "List",
    "Measure",
    "Name",
    "Node",
    "Number",
    "Range",
    "Time",
    "TypeNode",
    "Unary",
]


@dataclass(slots=True)
class Node:
    """Anything that was read."""

    at: int


@dataclass(slots=True)
class Number(Node):
    """An integer, a real or an imaginary number, or a truth value."""

    value: bool | int | float | complex


@dataclass(slots=True)
class Bits(Node):
    """A literal such as "0101"."""

    value: int
    width: int


@dataclass(slots=True)
class Time(Node):
    """A duration in nanoseconds."""

    value: float


@dataclass(slots=True)
class Name(Node):
    """An identifier."""

    name: str


@dataclass(slots=True)
class Hardware(Node):
    """A physical qubit, such as $0."""

    number: int


@dataclass(slots=True)
class Unary(Node):
    """One of - ~ ! and its operand."""

    operator: str
    operand: Expression


@dataclass(slots=True)
class Binary(Node):
    """An operator and its operands; `++` and `in` too."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True)
class TypeNode(Node):
    """A type: its word, its size in brackets, and for arrays the sizes of all axes.

    `access` is "readonly" or "mutable" for a reference to an array, whose number of axes alone may be given.
    """

    word: str
    size: Expression | None = None
    axes: list[Expression] | None = None
    access: str = ""
    count: Expression | None = None


@dataclass(slots=True)
class Cast(Node):
    """A conversion."""

    type: TypeNode
    operand: Expression


@dataclass(slots=True)
class Call(Node):
    """A function and its arguments."""

    name: str
    arguments: list[Expression]


@dataclass(slots=True)
class Range(Node):
    """start:step:stop, each of which may be left out."""

    start: Expression | None
    step: Expression | None
    stop: Expression | None


@dataclass(slots=True)
class List(Node):
    """{a, b, …}: an array's values, or a set of indices."""

    items: list[Expression]


@dataclass(slots=True)
class Index(Node):
    """base[items]."""

    base: Expression
    items: list[Expression]


@dataclass(slots=True)
class Measure(Node):
    """measure operand."""

    operand: Expression


@dataclass(slots=True)
class DurationOf(Node):
    """durationof({ … }); `body` are statements."""

    body: Sequence[Node]


Expression: TypeAlias = (
    Number
    | Bits
    | Time
    | Name
    | Hardware
    | Unary
    | Binary
    | Cast
    | Call
    | Range
    | List
    | Index
    | Measure
    | DurationOf
)
