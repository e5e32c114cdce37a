"""The nodes of classical expressions, one to one with those of `circuit.proto`.

The nodes are plain data. `classical/_scope.py` gives them types and values. Enumerations have the numbers of
the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias


class ClassicalKind(IntEnum):
    """The families of classical types."""

    UNSPECIFIED = 0
    BIT = 1
    BOOL = 2
    UINT = 3
    INT = 4
    FLOAT = 5
    ANGLE = 6


class UnaryOperator(IntEnum):
    """Operators with one operand."""

    BIT_NOT = 1
    LOGIC_NOT = 2
    NEGATE = 3
    FLOAT_BITS = 4


class BinaryOperator(IntEnum):
    """Operators with two operands."""

    BIT_AND = 1
    BIT_OR = 2
    BIT_XOR = 3
    LOGIC_AND = 4
    LOGIC_OR = 5
    EQUAL = 6
    NOT_EQUAL = 7
    LESS = 8
    LESS_EQUAL = 9
    GREATER = 10
    GREATER_EQUAL = 11
    SHIFT_LEFT = 12
    SHIFT_RIGHT = 13
    ADD = 14
    SUB = 15
    MUL = 16
    DIV = 17
    MOD = 18
    POW = 19


class MathFunction(IntEnum):
    """Functions of floats."""

    SIN = 1
    COS = 2
    TAN = 3
    ASIN = 4
    ACOS = 5
    ATAN = 6
    EXP = 7
    LN = 8
    SQRT = 9
    ABS = 10


@dataclass(frozen=True, slots=True)
class ClassicalType:
    """A type: its kind and its size in bits, where 0 means 64.

    A float has 16, 32 or 64, which any other size means; bit and bool ignore it.
    """

    kind: ClassicalKind
    width: int = 0

    @property
    def bits(self) -> int:
        """The size in bits of a value: 1 for bit and bool."""
        if self.kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
            return 1
        if self.kind is ClassicalKind.FLOAT:
            return self.width if self.width in (16, 32) else 64
        return self.width or 64

    def __str__(self) -> str:
        if self.kind in (ClassicalKind.UINT, ClassicalKind.INT, ClassicalKind.ANGLE):
            return f"{self.kind.name.lower()}[{self.bits}]"
        if self.kind is ClassicalKind.FLOAT and self.bits < 64:
            return f"float[{self.bits}]"
        return self.kind.name.lower()


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Without a `type`, an int takes the integer type, and a float the angle type, of its
    neighbour.

    The value of an angle is given in radians.
    """

    value: bool | int | float
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class ClbitRef:
    """The value of the circuit's classical bit `index`, of type bit."""

    index: int
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class RegisterRef:
    """The value of the classical register `index`, as uint of the register's size (more than 64 bits too)."""

    index: int
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class VariableRef:
    """The value of the variable `index`, of its declared type."""

    index: int
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class Unary:
    """An operator and its operand."""

    operator: UnaryOperator
    operand: Expression
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator and its operands."""

    operator: BinaryOperator
    left: Expression
    right: Expression
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """A conversion of `operand` to `type`."""

    operand: Expression
    type: ClassicalType


@dataclass(frozen=True, slots=True)
class Index:
    """Bit `index` of an integer, the least significant being 0, of type bit."""

    target: Expression
    index: Expression
    type: ClassicalType | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its argument, which is converted to float."""

    function: MathFunction
    argument: Expression
    type: ClassicalType | None = None


Expression: TypeAlias = Literal | ClbitRef | RegisterRef | VariableRef | Unary | Binary | Cast | Index | Call
"""Any node."""

Reference: TypeAlias = ClbitRef | RegisterRef | VariableRef
"""The nodes that a value can be stored in."""
