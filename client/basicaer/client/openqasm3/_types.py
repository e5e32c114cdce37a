"""Types of classical values, by the contract's rules, and texts that the language reads as values of them.

A text is what another one is made of: `Text` tells its type, so that wherever the contract's rules and the
language's differ, a cast says what is meant.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from basicaer.client._errors import CircuitError
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "ANGLE",
    "BIT",
    "BOOL",
    "FLOAT",
    "INT",
    "UINT",
    "WIDEST",
    "Text",
    "Type",
    "common",
    "constant",
    "declared",
    "literal",
]

BIT, BOOL = pb.CLASSICAL_KIND_BIT, pb.CLASSICAL_KIND_BOOL
UINT, INT = pb.CLASSICAL_KIND_UINT, pb.CLASSICAL_KIND_INT
FLOAT, ANGLE = pb.CLASSICAL_KIND_FLOAT, pb.CLASSICAL_KIND_ANGLE
TRUTHS = (BIT, BOOL)
_INTEGERS = (UINT, INT)
WIDEST = 1_024
"""Bits of the widest integers that a server reads; registers can be wider."""

_MOST_BITS = 1 << 16
# Of integers and angles that tell no size (bits), and of floats.
_DEFAULT = 64
_WORDS = {UINT: "uint", INT: "int", ANGLE: "angle"}


class Type(NamedTuple):
    """A kind of the contract's, and the size in bits."""

    kind: pb.ClassicalKind.ValueType
    bits: int = 1

    @property
    def is_truth(self) -> bool:
        """Whether it has two values. The language's bit and bool are not told apart."""
        return self.kind in TRUTHS

    @property
    def is_integer(self) -> bool:
        """Whether it is one of integers."""
        return self.kind in _INTEGERS

    @property
    def word(self) -> str:
        """The type in the language.

        Raises:
            CircuitError: It has none.
        """
        if self.is_truth:
            return "bool"
        if self.kind == FLOAT:
            return "float" if self.bits == _DEFAULT else f"float[{self.bits}]"
        if self.bits > WIDEST and self.kind == UINT:
            return f"bit[{self.bits}]"
        if self.bits > WIDEST or self.kind not in _WORDS:
            raise CircuitError(
                f"OpenQASM 3 is written with integers of up to {WIDEST:,} bits, not of {self.bits:,}."
            )
        return f"{_WORDS[self.kind]}[{self.bits}]"


class Text(NamedTuple):
    """A value as text. `literal` is that of a constant whose type depends on what it meets.

    `is_register` tells that the language takes it as bits; with `is_atom` it needs no parentheses.
    """

    text: str
    type: Type
    literal: bool | int | float | None = None
    is_register: bool = False
    is_atom: bool = True

    def within(self) -> str:
        """Return it as an operand."""
        return self.text if self.is_atom else f"({self.text})"

    def as_type(self, target: Type) -> Text:
        """Return it as a value of another type, as the contract converts it without a cast."""
        if self.literal is not None:
            return constant(self.literal, target)
        if self.is_register and target.bits <= WIDEST:
            return self.cast(target)
        if self.type == target or (self.type.is_truth and target.is_truth):
            return self
        return self.cast(target)

    def cast(self, target: Type) -> Text:
        """Return it as a cast to another type."""
        source = self.type
        if source.kind == UINT and source.bits > WIDEST and (target.kind == FLOAT or target.bits > WIDEST):
            raise CircuitError(
                f"OpenQASM 3 has no cast of a register of {source.bits} bits to {target.word}."
            )
        if self.is_register and target.kind == FLOAT:
            return self.cast(source).cast(target)
        if target.kind == ANGLE and (source.is_integer or source.is_truth):
            # The language has no such conversion, but by the bits.
            bits = self.text
            if not (self.is_register and source.bits == target.bits):
                bits = f"bit[{target.bits}](uint[{target.bits}]({bits}))"
            return Text(f"{target.word}({bits})", target)
        if source.kind == ANGLE and target.is_integer and target.bits <= WIDEST:
            return Text(f"{target.word}(bit[{source.bits}]({self.text}))", target)
        return Text(f"{target.word}({self.text})", target, is_register=target.bits > WIDEST)


def declared(message: pb.ClassicalType) -> Type | None:
    """Return a type that is given; None for one that is left to be inferred."""
    kind = message.kind
    if kind == pb.CLASSICAL_KIND_UNSPECIFIED:
        return None
    if kind in TRUTHS:
        return Type(kind)
    if kind == FLOAT:
        return Type(kind, message.width if message.width in (16, 32) else _DEFAULT)
    if message.width > _MOST_BITS:
        raise CircuitError(f"There is no type of {message.width:,} bits.")
    return Type(kind, message.width or _DEFAULT)


def literal(value: bool | int | float) -> Text:
    """Return a constant that takes the type of what it meets."""
    if isinstance(value, bool):
        type_ = Type(BOOL)
    elif isinstance(value, int):
        type_ = Type(INT if value < 0 else UINT, max(_DEFAULT, value.bit_length() + (value < 0)))
    else:
        type_ = Type(FLOAT, _DEFAULT)
    return constant(value, type_)._replace(literal=value)


def constant(value: bool | int | float, type_: Type) -> Text:
    """Return a constant of a type, modulo its size."""
    if isinstance(value, float) and not math.isfinite(value):
        raise CircuitError(f"OpenQASM 3 has no number {value}.")
    if type_.is_truth:
        return Text("true" if value else "false", type_)
    if type_.kind in (FLOAT, ANGLE):
        try:
            text = repr(float(value))
        except OverflowError:
            raise CircuitError("An integer is too large for a float.") from None
        if type_.kind == ANGLE or type_.bits < _DEFAULT:
            return Text(f"{type_.word}({text})", type_)
        return Text(text, type_, is_atom=not text.startswith("-"))
    whole = wrapped(int(value), type_)
    if type_.bits > WIDEST and type_.kind == UINT:
        return Text(f'"{whole:0{type_.bits}b}"', type_, is_register=True)
    return Text(f"{type_.word}({whole})", type_)


def wrapped(value: int, type_: Type) -> int:
    """Return an integer modulo the size of its type."""
    value &= (1 << type_.bits) - 1
    if type_.kind == INT and value >> (type_.bits - 1):
        value -= 1 << type_.bits
    return value


def common(left: Text, right: Text) -> Type:
    """Return the type in which two operands meet.

    Raises:
        CircuitError: There is none.
    """
    if left.literal is not None and right.literal is None:
        return _beside(left.literal, right.type)
    if right.literal is not None and left.literal is None:
        return _beside(right.literal, left.type)
    first, second = left.type, right.type
    bits = max(first.bits, second.bits)
    kinds = {first.kind, second.kind}
    if first == second or (first.is_truth and second.is_truth):
        return first
    if len(kinds) == 1:
        return Type(first.kind, bits)
    if kinds == {UINT, INT}:
        unsigned = first if first.kind == UINT else second
        return Type(INT, max(bits, unsigned.bits + 1))
    for type_, other in ((first, second), (second, first)):
        if type_.is_integer and other.is_truth:
            return type_
        if type_.kind == FLOAT and other.is_integer:
            return type_
    raise CircuitError("An expression has operands of types that don't go together; add a cast.")


def _beside(value: bool | int | float, other: Type) -> Type:
    """Return the type in which a constant meets a value of another type."""
    if isinstance(value, float):
        return other if other.kind in (ANGLE, FLOAT) else Type(FLOAT, _DEFAULT)
    whole = int(value)
    if other.is_integer and wrapped(whole, other) != whole:
        if value < 0:
            return Type(INT, max(other.bits + 1, whole.bit_length() + 1))
        return Type(other.kind, whole.bit_length() + (other.kind == INT))
    if other.is_truth and not isinstance(value, bool) and value not in (0, 1):
        return literal(value).type
    return other
