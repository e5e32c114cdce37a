"""Types, values and how values change their type: for what is known here and for what only a run knows alike.

A known value is a Python number: a bool for bool and a single bit, an int for registers, int and uint, a
float, a complex number, and for an angle an int, its turn as a fraction of 2^width, so that it is exact.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from basicaer.service.parsing.openqasm3.values._features import Feature
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "ANGLE",
    "BIT",
    "BOOL",
    "COMPLEX",
    "DURATION",
    "FLOAT",
    "INT",
    "UINT",
    "Constant",
    "Type",
    "Value",
    "ValueProblem",
    "cast",
    "contract_type",
    "converted",
    "is_wide",
    "joined_parts",
    "literal",
    "output_type",
    "part_type",
    "parts_of",
    "real_number",
    "reference",
    "rounded",
    "wrap",
]

Constant: TypeAlias = bool | int | float | complex


class ValueProblem(Exception):  # noqa: N818 - of a program, as ProgramFault, which it becomes
    """What is wrong with a value, or what it needs that isn't supported (`feature`); whoever knows the place
    makes a ProgramFault of it.
    """

    def __init__(self, message: str, feature: Feature | None = None) -> None:
        super().__init__(message)
        self.feature = feature


class Type(NamedTuple):
    """`kind` is bit, bool, int, uint, float, angle, complex, duration or qubit. `width` is in bits, those of
    each part for complex; 0 for what has none, and for a single bit. `axes` are an array's.
    """

    kind: str
    width: int = 0
    axes: tuple[int, ...] = ()

    def __str__(self) -> str:
        size = f"[{self.width}]" if self.width else ""
        if self.kind in ("float", "complex"):
            size = "" if self.width == 64 else f"[float{size}]" if self.kind == "complex" else size
        if self.axes:
            return f"array[{self.kind}{size}, {', '.join(map(str, self.axes))}]"
        return f"{self.kind}{size}"

    @property
    def is_truth(self) -> bool:
        """Whether it has two values."""
        return self.kind == "bool" or self.is_bit

    @property
    def is_bit(self) -> bool:
        """Whether it is a single bit."""
        return self.kind == "bit" and not self.width

    @property
    def is_register(self) -> bool:
        """Whether it is bit[n]."""
        return self.kind == "bit" and self.width > 0

    @property
    def is_integer(self) -> bool:
        """Whether it is int[n] or uint[n]."""
        return self.kind in ("int", "uint")

    @property
    def has_bits(self) -> bool:
        """Whether its values have bits that can be taken."""
        return self.is_integer or self.is_register or self.kind == "angle"


BIT, BOOL, FLOAT = Type("bit"), Type("bool"), Type("float", 64)
INT, UINT, ANGLE = Type("int", 64), Type("uint", 64), Type("angle", 64)
COMPLEX, DURATION = Type("complex", 64), Type("duration")

# Integers of more bits lie in registers.
_WIDEST_VARIABLE = 64

_KINDS = {
    "bool": pb.CLASSICAL_KIND_BOOL,
    "int": pb.CLASSICAL_KIND_INT,
    "uint": pb.CLASSICAL_KIND_UINT,
    "float": pb.CLASSICAL_KIND_FLOAT,
    "angle": pb.CLASSICAL_KIND_ANGLE,
}


@dataclass(slots=True)
class Value:
    """A value: known, or an expression of the contract, or two of them for a complex number's `parts`.
    `is_literal` tells a number without a width.
    """

    type: Type
    known: Constant | None = None
    expression: pb.Expression | None = None
    is_literal: bool = False
    # How deep its expression is at least, about.
    depth: int = 0
    parts: tuple[Value, Value] | None = None


def is_wide(type_: Type) -> bool:
    """Whether a type has more bits than a variable of the contract."""
    return type_.is_integer and type_.width > _WIDEST_VARIABLE


def part_type(type_: Type) -> Type:
    """Return the type of a complex number's parts."""
    return Type("float", type_.width)


def parts_of(value: Value) -> tuple[Value, Value]:
    """Return the real and the imaginary part of a complex number."""
    if value.parts is not None:
        return value.parts
    part = part_type(value.type)
    number = complex(value.known or 0)
    return Value(part, number.real), Value(part, number.imag)


def joined_parts(type_: Type, real: Value, imaginary: Value) -> Value:
    """Return a complex number of its parts."""
    return Value(type_, parts=(real, imaginary), depth=max(real.depth, imaginary.depth))


def contract_type(type_: Type) -> pb.ClassicalType:
    """Return a type as the contract has it; a register is an unsigned integer."""
    if type_.kind == "bit":
        if not type_.width:
            return pb.ClassicalType(kind=pb.CLASSICAL_KIND_BIT)
        return pb.ClassicalType(kind=pb.CLASSICAL_KIND_UINT, width=type_.width)
    kind = _KINDS.get(type_.kind)
    if kind is None:
        raise ValueProblem(
            f"a value of type {type_} that only a run knows isn't possible; make it a constant"
        )
    width = 0 if type_.kind == "bool" or type_ == FLOAT else type_.width
    return pb.ClassicalType(kind=kind, width=width)


def output_type(type_: Type) -> pb.ClassicalType:
    """Return the type of what results show, or of an element of an array."""
    kinds = {**_KINDS, "bit": pb.CLASSICAL_KIND_BIT, "complex": pb.CLASSICAL_KIND_COMPLEX}
    return pb.ClassicalType(kind=kinds[type_.kind], width=type_.width)


def literal(value: Constant) -> Value:
    """Return a number as it stands in the text."""
    if isinstance(value, bool):
        return Value(BOOL, value, is_literal=True)
    if isinstance(value, int):
        return Value(_integer_type(value), value, is_literal=True)
    return Value(FLOAT if isinstance(value, float) else COMPLEX, value, is_literal=True)


def _integer_type(value: int) -> Type:
    """Return int, or the type that is as wide as a number needs."""
    if -(1 << 63) <= value < 1 << 63:
        return INT
    if 0 <= value < 1 << 64:
        return UINT
    return Type("int", value.bit_length() + 1) if value < 0 else Type("uint", value.bit_length())


def wrap(value: int, type_: Type) -> int:
    """Return `value` modulo 2^width, in the type's range."""
    value &= (1 << type_.width) - 1
    if type_.kind == "int" and value >> (type_.width - 1):
        value -= 1 << type_.width
    return value


def reference(value: Value) -> pb.Expression:
    """Return a value as an expression."""
    if value.expression is not None:
        return value.expression
    known, type_ = value.known, value.type
    made = pb.Expression(type=contract_type(type_))
    if type_.is_truth:
        made.literal.bool_value = bool(known)
    elif type_.kind == "int" and type_.width > _WIDEST_VARIABLE:
        bits = Type("uint", type_.width)
        made.cast.CopyFrom(reference(Value(bits, wrap(_integer(known), bits))))
    elif type_.kind == "int":
        made.literal.int_value = _integer(known)
    elif type_.kind == "float":
        made.literal.float_value = real_number(known)
    elif type_.kind == "angle":
        # By its bits, which a number in radians wouldn't have exactly.
        made.cast.type.CopyFrom(pb.ClassicalType(kind=pb.CLASSICAL_KIND_UINT, width=type_.width))
        made.cast.literal.uint_value = _integer(known)
    elif _integer(known) < 1 << 64:
        made.literal.uint_value = _integer(known)
    else:
        whole = _integer(known)
        made.literal.wide_value = whole.to_bytes((whole.bit_length() + 7) // 8, "little")
    return made


def cast(value: Value, target: Type) -> Value:
    """Return a value as one of another type, if the language has that conversion.

    Raises:
        ValueProblem: It hasn't, or it isn't supported.
    """
    source = value.type
    if target.kind == "angle" and not value.is_literal and source.kind in ("int", "uint", "bool", "bit"):
        if not source.is_register:
            raise ValueProblem(
                f"a value of type {source} can't become an angle; make it a float first, float(…)"
            )
        if source.width != target.width:
            raise ValueProblem(f"{source} can't become {target}, which has other bits; take as many bits")
    if source.kind == "angle" and target.is_integer:
        raise ValueProblem(f"an angle can't become {target}; take its bits, as in bit[{source.width}](…)")
    return converted(value, target)


def converted(value: Value, target: Type) -> Value:
    """Return a value as one of another type, whether or not something of it is lost.

    Raises:
        ValueProblem: It can't become one.
    """
    source = value.type
    if source == target and not value.is_literal:
        return value
    if source.axes or target.axes:
        raise ValueProblem(f"a value of type {source} can't become one of type {target}")
    if value.known is not None:
        return Value(target, _known(value, target))
    if source == target or (target.kind == "float" == source.kind and target.width >= source.width):
        return Value(target, expression=value.expression, depth=value.depth, parts=value.parts)
    _check_cast(source, target)
    if target.kind == "complex":
        real, imaginary = value.parts or (value, Value(FLOAT, 0.0))
        part = part_type(target)
        return Value(target, parts=(converted(real, part), converted(imaginary, part)), depth=value.depth + 1)
    made = pb.Expression(type=contract_type(target), cast=value.expression)
    return Value(target, expression=made, depth=value.depth + 1)


def _check_cast(source: Type, target: Type) -> None:
    if target.kind == "duration" or source.kind == "duration" or "qubit" in (source.kind, target.kind):
        raise ValueProblem(f"a value of type {source} can't become one of type {target}")
    if source.kind == "float" and target.is_register:
        raise ValueProblem(f"a float can't become {target}; cast it to uint[{target.width}] first")
    if source.kind == "complex" != target.kind:
        raise ValueProblem(f"a complex number can't become {target}; take its real part, real(…)")
    if source.is_register and target.is_register and source.width != target.width:
        raise ValueProblem(
            f"a value of type {source} isn't one of type {target}; take as many bits, as in "
            f"name[0:{target.width - 1}]"
        )
    if source.is_register and target.kind == "float":
        raise ValueProblem(
            f"a value of type {source} can't become a float; cast it to uint[{source.width}] first"
        )


def _known(value: Value, target: Type) -> Constant:
    """Return a known value in another type."""
    source, known = value.type, value.known
    assert known is not None
    if not (value.is_literal and source.kind != "float") and not isinstance(known, complex):
        _check_cast(source, target)
    elif "duration" in (source.kind, target.kind) and source.kind != target.kind:
        raise ValueProblem(f"a value of type {source} can't become one of type {target}")
    if target.kind == "complex":
        number = known if isinstance(known, complex) else complex(real_number(known))
        exact: complex = rounded(complex(_radians(value)) if source.kind == "angle" else number, target.width)
        return exact
    if target.kind == "duration":
        return known
    if isinstance(known, complex):
        if known.imag:
            raise ValueProblem(f"a complex number can't become {target}; take its real part, real(…)")
        known = known.real
    if target.is_truth:
        return known != 0
    if target.kind == "float":
        nearest: float = rounded(
            _radians(value) if source.kind == "angle" else real_number(known), target.width
        )
        return nearest
    if target.kind == "angle" and source.kind == "angle":
        return _rescaled(_integer(known), source.width, target.width) & ((1 << target.width) - 1)
    if target.kind == "angle" and (isinstance(known, float) or value.is_literal):
        return _turn(real_number(known), target.width)
    if isinstance(known, float):
        if not math.isfinite(known):
            raise ValueProblem(f"{known} can't become {target}")
        known = int(known)
    return wrap(int(known), target)


def rounded(value: Any, width: int) -> Any:
    """Return the float, or the complex number of two, that has the size and is nearest to a value.

    Raises:
        ValueProblem: It is larger than any.
    """
    if width == 64:
        return value
    if isinstance(value, complex):
        return complex(rounded(value.real, width), rounded(value.imag, width))
    form = "<f" if width == 32 else "<e"
    try:
        return struct.unpack(form, struct.pack(form, value))[0]
    except OverflowError:
        raise ValueProblem(f"{value:g} is too large for a float[{width}]") from None


def _integer(known: Constant | None) -> int:
    assert isinstance(known, int)
    return int(known)


def real_number(known: Constant | None) -> float:
    """Return an integer or a float as a float.

    Raises:
        ValueProblem: It is larger than any.
    """
    assert known is not None
    assert not isinstance(known, complex)
    try:
        return float(known)
    except OverflowError:
        raise ValueProblem("a number is too large for a float") from None


def _radians(value: Value) -> float:
    return math.ldexp(_integer(value.known), -value.type.width) * math.tau


def _turn(value: float, width: int) -> int:
    """Return the angle of `width` bits that is nearest to so many radians."""
    if not math.isfinite(value):
        raise ValueProblem(f"{value} can't become an angle")
    numerator, denominator = (value / math.tau).as_integer_ratio()
    # The denominator is a power of two.
    return _rescaled(numerator, denominator.bit_length() - 1, width) & ((1 << width) - 1)


def _rescaled(value: int, source: int, target: int) -> int:
    """Return value / 2^source in steps of 1 / 2^target: the nearest, of two the even one."""
    shift = target - source
    if shift >= 0:
        return value << shift
    quotient, rest = value >> -shift, value & ((1 << -shift) - 1)
    half = 1 << (-shift - 1)
    return quotient + (rest > half or (rest == half and quotient & 1))
