"""The functions that the language has, applied to values."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

from basicaer.service.parsing.openqasm3.values._mathematics import FUNCTIONS, called
from basicaer.service.parsing.openqasm3.values._operators import binary
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    COMPLEX,
    FLOAT,
    INT,
    UINT,
    Type,
    Value,
    ValueProblem,
    contract_type,
    converted,
    joined_parts,
    parts_of,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["BUILT_IN", "MOST_JOINED", "balanced", "float_bits"]

MOST_JOINED = 1_000
"""Bits that one expression puts together: it may have 8,192 parts."""

_Function: TypeAlias = Callable[[str, Sequence[Value]], Value]


def _take(name: str, values: Sequence[Value], count: int) -> Sequence[Value]:
    if len(values) != count:
        raise ValueProblem(f"{name} takes {count} argument{'s' * (count > 1)}, not {len(values)}")
    return values


def _rounded(name: str, values: Sequence[Value]) -> Value:
    (value,) = _take(name, values, 1)
    value = converted(value, FLOAT)
    down = name == "floor"
    if value.known is not None:
        assert isinstance(value.known, float)
        if not math.isfinite(value.known):
            return value
        return Value(FLOAT, float(math.floor(value.known) if down else math.ceil(value.known)))
    # A cast cuts towards zero; what it cut away to the wrong side is put right.
    cut = converted(converted(value, INT), FLOAT)
    wrong = binary("<" if down else ">", value, cut)
    return binary("-" if down else "+", cut, converted(wrong, FLOAT))


def _modulo(name: str, values: Sequence[Value]) -> Value:
    left, right = _take(name, values, 2)
    return binary("%" if name == "mod" else "**", left, right)


def _part(name: str, values: Sequence[Value]) -> Value:
    (value,) = _take(name, values, 1)
    if value.type.kind != "complex":
        raise ValueProblem(f"{name} is of complex numbers, not of {value.type}")
    return parts_of(value)[name == "imag"]


def _bits_of(name: str, value: Value) -> Value:
    if not (value.type.is_register or value.type.kind in ("uint", "angle")) or value.is_literal:
        raise ValueProblem(f"{name} applies to bit[n], uint[n] and angle[n], not to {value.type}")
    return value


def balanced(sign: str, parts: Sequence[Value]) -> Value:
    """Return what an associative operator makes of several values, without a deep expression."""
    made = list(parts)
    while len(made) > 1:
        pairs = [binary(sign, *made[place : place + 2]) for place in range(0, len(made) - 1, 2)]
        made = pairs + made[len(pairs) * 2 :]
    return made[0]


def _popcount(name: str, values: Sequence[Value]) -> Value:
    (value,) = _take(name, values, 1)
    value = _bits_of(name, value)
    if value.known is not None:
        assert isinstance(value.known, int)
        return Value(UINT, value.known.bit_count())
    if value.type.width > MOST_JOINED:
        raise ValueProblem(f"{name} of a value that only a run knows takes up to {MOST_JOINED:,} bits")
    bits = []
    for place in range(value.type.width):
        index = pb.IndexExpression(target=reference(value), index=reference(Value(UINT, place)))
        bits.append(converted(Value(BIT, expression=pb.Expression(index=index)), UINT))
    return balanced("+", bits)


def _rotated(name: str, values: Sequence[Value]) -> Value:
    value, distance = _take(name, values, 2)
    value = _bits_of(name, value)
    width = value.type.width
    size = Value(INT, width)
    distance = binary("%", binary("+", binary("%", converted(distance, INT), size), size), size)
    if name == "rotr":
        distance = binary("%", binary("-", size, distance), size)
    rest = binary("-", size, distance)
    bits = converted(value, Type("bit", width))
    joined = binary("|", binary("<<", bits, distance), binary(">>", bits, rest))
    return converted(joined, value.type)


def _mathematical(name: str, values: Sequence[Value]) -> Value:
    if len(values) == 1 and values[0].parts is not None:
        return _of_parts(name, values[0])
    return called(name, list(values))


def _of_parts(name: str, value: Value) -> Value:
    """Return a function of a complex number that only a run knows."""
    real, imaginary = parts_of(value)
    if name == "exp":
        size = called("exp", [real])
        turned = [binary("*", size, called(turn, [imaginary])) for turn in ("cos", "sin")]
        return converted(joined_parts(COMPLEX, *turned), value.type)
    if name != "sqrt":
        raise ValueProblem(f"{name} is of real numbers; take a part, as in real(…)")
    squares = binary("+", binary("*", real, real), binary("*", imaginary, imaginary))
    size = called("sqrt", [squares])
    first, second = (
        called("sqrt", [binary("/", binary(sign, size, real), Value(FLOAT, 2.0))]) for sign in ("+", "-")
    )
    # The principal root lies to the right, on the side of the number itself.
    above = converted(binary(">=", imaginary, Value(FLOAT, 0.0)), INT)
    side = binary("-", binary("*", above, Value(INT, 2)), Value(INT, 1))
    return converted(joined_parts(COMPLEX, first, binary("*", second, side)), value.type)


def float_bits(value: Value) -> Value:
    """Return the bits of a float, or of a complex number those of both its parts, the real one lowest."""
    width = value.type.width
    bits = Type("bit", width)
    if value.type.kind == "complex":
        real, imaginary = (float_bits(part) for part in parts_of(value))
        whole = Type("bit", 2 * width)
        real, imaginary = (
            converted(converted(each, Type("uint", width)), whole) for each in (real, imaginary)
        )
        return binary("|", real, binary("<<", imaginary, Value(UINT, width)))
    if value.known is not None:
        return Value(bits, _ieee(float(value.known.real), width))
    unary = pb.UnaryExpression(operator=pb.UNARY_OPERATOR_FLOAT_BITS, operand=reference(value))
    expression = pb.Expression(type=contract_type(bits), unary=unary)
    return Value(bits, expression=expression, depth=value.depth + 1)


def _ieee(number: float, width: int) -> int:
    form = {16: "<e", 32: "<f", 64: "<d"}[width]
    return int.from_bytes(struct.pack(form, math.nan if math.isnan(number) else number), "little")


BUILT_IN: dict[str, _Function] = {
    **dict.fromkeys(FUNCTIONS, _mathematical),
    **dict.fromkeys(("floor", "ceiling"), _rounded),
    **dict.fromkeys(("mod", "pow"), _modulo),
    **dict.fromkeys(("real", "imag"), _part),
    **dict.fromkeys(("rotl", "rotr"), _rotated),
    "popcount": _popcount,
}
"""By their names."""
