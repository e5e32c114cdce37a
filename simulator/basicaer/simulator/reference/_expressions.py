"""Evaluates classical expressions by walking their trees, with types that travel with the values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import (
    Binary,
    Call,
    Cast,
    ClassicalType,
    ClbitRef,
    Expression,
    Index,
    Literal,
    MathFunction,
    RegisterRef,
    Unary,
    UnaryOperator,
    VariableRef,
)
from basicaer.simulator.circuit._expressions import (
    BinaryOperator as Op,
)
from basicaer.simulator.circuit._expressions import (
    ClassicalKind as Kind,
)


@dataclass(frozen=True)
class Item:
    """A value and its type. Angles are counted in steps of 2π/2^width. `free` marks a constant without a
    type.
    """

    kind: Kind
    width: int
    value: Any
    free: bool = False


def truth(value: object) -> Item:
    """Return an item of type bool."""
    return Item(Kind.BOOL, 1, bool(value))


def shape(type_: ClassicalType) -> tuple[Kind, int]:
    """Return the kind and the width of a declared type."""
    if type_.kind in (Kind.BOOL, Kind.BIT):
        return type_.kind, 1
    if type_.kind is Kind.FLOAT:
        return Kind.FLOAT, type_.width if type_.width in (16, 32) else 64
    return type_.kind, type_.width if type_.width else 64


def reduce(kind: Kind, width: int, value: Any) -> Item:
    """Return the item of a type for a number that may be out of the type's range."""
    if kind in (Kind.BOOL, Kind.BIT):
        return Item(kind, 1, bool(value))
    if kind is Kind.FLOAT:
        return Item(kind, width, float(value) if width == 64 else narrowed(float(value), width))
    number = int(value) % 2**width
    if kind is Kind.INT and number >= 2 ** (width - 1):
        number -= 2**width
    return Item(kind, width, number)


def narrowed(value: float, width: int) -> float:
    """Return a value as numpy's float of this width has it."""
    with np.errstate(over="ignore"):
        return float((np.float32 if width == 32 else np.float16)(value))


def steps_of(value: float, width: int) -> int:
    """Radians as steps of 2π/2^width, to the nearest, of two to the even one."""
    modulus: int = 2**width
    return round(Fraction(value / math.tau) * modulus) % modulus


def as_type(item: Item, kind: Kind, width: int) -> Item:
    """Return the same value in a type that has it."""
    if kind is Kind.FLOAT and item.kind is Kind.ANGLE:
        return reduce(kind, width, math.tau * item.value / 2**item.width)
    if kind is Kind.ANGLE:
        if item.kind is Kind.ANGLE:
            return Item(kind, width, item.value * 2 ** (width - item.width))
        return Item(kind, width, steps_of(float(item.value), width))
    return reduce(kind, width, item.value)


def meet(left: Item, right: Item) -> tuple[Kind, int]:
    """Return the type of two operands together."""
    if left.free != right.free:
        constant, other = (left, right) if left.free else (right, left)
        if isinstance(constant.value, float):
            return (other.kind, other.width) if other.kind in (Kind.ANGLE, Kind.FLOAT) else (Kind.FLOAT, 64)
        needed = constant.value.bit_length()
        if (
            other.kind in (Kind.UINT, Kind.INT)
            and reduce(other.kind, other.width, constant.value).value != constant.value
        ):
            if constant.value < 0:
                return Kind.INT, max(other.width + 1, needed + 1)
            return other.kind, needed + (other.kind is Kind.INT)
        if other.kind in (Kind.BIT, Kind.BOOL) and constant.value not in (0, 1):
            return constant.kind, constant.width
        return other.kind, other.width
    kinds = {left.kind, right.kind}
    width = max(left.width, right.width)
    if kinds == {Kind.BIT, Kind.BOOL}:
        return Kind.BOOL, 1
    if kinds == {Kind.UINT, Kind.INT}:
        unsigned = left if left.kind is Kind.UINT else right
        return Kind.INT, max(width, unsigned.width + 1)
    for kind in (Kind.FLOAT, Kind.ANGLE, Kind.INT, Kind.UINT, Kind.BOOL, Kind.BIT):
        if kind in kinds:
            wide = [item.width for item in (left, right) if item.kind is kind]
            return kind, max(wide)
    raise AssertionError("unreachable")


def towards_zero(left: int, right: int) -> int:
    """Return the integer quotient."""
    return math.trunc(Fraction(left, right))


def evaluate(expression: Expression, circuit: Circuit, clbits: int, variables: Sequence[Any]) -> Item:
    """Return the value of a valid expression. Python's own errors tell of what has no value."""

    def inner(part: Expression) -> Item:
        return evaluate(part, circuit, clbits, variables)

    declared = expression.type if expression.type and expression.type.kind is not Kind.UNSPECIFIED else None
    if isinstance(expression, Literal):
        value = expression.value
        if declared is not None:
            return as_type(Item(Kind.FLOAT, 64, value), *shape(declared))
        if isinstance(value, bool):
            return Item(Kind.BOOL, 1, value, True)
        if isinstance(value, float):
            return Item(Kind.FLOAT, 64, value, True)
        width = max(64, value.bit_length() + (value < 0))
        return Item(Kind.INT if value < 0 else Kind.UINT, width, value, True)
    if isinstance(expression, Cast):
        return cast(inner(expression.operand), *shape(expression.type))
    if isinstance(expression, ClbitRef):
        item = Item(Kind.BIT, 1, bool(clbits >> expression.index & 1))
    elif isinstance(expression, RegisterRef):
        bits = circuit.classical_registers[expression.index].bits
        text = "".join(str(clbits >> bit & 1) for bit in reversed(bits))
        item = Item(Kind.UINT, len(bits), int(text, 2))
    elif isinstance(expression, VariableRef):
        kind, width = shape(circuit.variables[expression.index].type)
        item = Item(kind, width, variables[expression.index])
    elif isinstance(expression, Index):
        target, place = inner(expression.target), inner(expression.index)
        item = Item(Kind.BIT, 1, bool(target.value % 2**target.width // 2**place.value % 2))
    elif isinstance(expression, Call):
        item = Item(
            Kind.FLOAT,
            64,
            call(expression.function, as_type(inner(expression.argument), Kind.FLOAT, 64).value),
        )
    elif isinstance(expression, Unary):
        operand = inner(expression.operand)
        if expression.operator is UnaryOperator.FLOAT_BITS:
            size = declared.bits if declared is not None else 64
            return Item(Kind.UINT, size, ieee_bits(as_type(operand, Kind.FLOAT, 64).value, size))
        item = unary(expression.operator, operand)
    else:
        typed = shape(declared) if declared is not None else None
        item = binary(expression, inner(expression.left), inner(expression.right), typed)
    return item if declared is None else as_type(item, *shape(declared))


def cast(item: Item, kind: Kind, width: int) -> Item:
    """Return a conversion that may lose values."""
    if kind is Kind.ANGLE and item.kind is Kind.ANGLE:
        return reduce(
            kind,
            width,
            round(Fraction(item.value) * Fraction(2) ** (width - item.width)),
        )
    if kind is Kind.ANGLE and (item.kind is Kind.FLOAT or item.free):
        return as_type(Item(Kind.FLOAT, 64, item.value), kind, width)
    if kind is Kind.FLOAT:
        return as_type(item, kind, width)
    return reduce(kind, width, item.value)


def call(function: MathFunction, argument: float) -> float:
    """Return the value of a function."""
    named: dict[str, str] = {"LN": "log", "ABS": "fabs"}
    result: float = getattr(math, named.get(function.name, function.name.lower()))(argument)
    return result


def ieee_bits(number: float, width: int) -> int:
    """Return sign, exponent and fraction of a number as IEEE 754 packs them, counted in exact arithmetic."""
    exponent_bits = {16: 5, 32: 8, 64: 11}[width]
    fraction_bits = width - 1 - exponent_bits
    highest = (1 << exponent_bits) - 1
    if math.isnan(number):
        return highest << fraction_bits | 1 << (fraction_bits - 1)
    sign = math.copysign(1.0, number) < 0
    least = 2 - (1 << exponent_bits - 1)
    packed = highest << fraction_bits
    if math.isfinite(number):
        exponent = max(math.frexp(number)[1] - 1, least) if number else least
        # A half is rounded to even, and what is rounded up to the next exponent carries into it.
        steps = round(Fraction(abs(number)) / Fraction(2) ** (exponent - fraction_bits))
        packed = min(((exponent - least) << fraction_bits) + steps, packed)
    return sign << (width - 1) | packed


def unary(operator: UnaryOperator, item: Item) -> Item:
    """Return the value of an operator with one operand."""
    if operator is UnaryOperator.LOGIC_NOT:
        return truth(not item.value)
    if operator is UnaryOperator.NEGATE:
        if item.free:
            value = -item.value
            return Item(Kind.FLOAT if isinstance(value, float) else Kind.INT, 64, value, True)
        return reduce(item.kind, item.width, -item.value)
    if item.kind in (Kind.BIT, Kind.BOOL):
        return Item(item.kind, 1, not item.value)
    return reduce(item.kind, item.width, -item.value - 1)


def binary(node: Binary, left: Item, right: Item, declared: tuple[Kind, int] | None) -> Item:
    """Return the value of an operator with two operands."""
    operator = node.operator
    if operator is Op.LOGIC_AND:
        return truth(left.value and right.value)
    if operator is Op.LOGIC_OR:
        return truth(left.value or right.value)
    if operator in (Op.SHIFT_LEFT, Op.SHIFT_RIGHT):
        if declared is not None:
            left = as_type(left, *declared)
        factor = Fraction(2) ** (right.value if operator is Op.SHIFT_LEFT else -right.value)
        return reduce(left.kind, left.width, math.floor(left.value * factor))
    angles = [item.kind is Kind.ANGLE for item in (left, right)]
    if operator in (Op.MUL, Op.DIV) and any(angles):
        if operator is Op.MUL:
            angle = left if angles[0] else right
            return reduce(Kind.ANGLE, angle.width, left.value * right.value)
        if not angles[1]:
            return reduce(Kind.ANGLE, left.width, left.value // right.value)
        _, width = meet(left, right)
        first, second = as_type(left, Kind.ANGLE, width), as_type(right, Kind.ANGLE, width)
        return reduce(Kind.UINT, width, first.value // second.value)
    comparing = operator in (Op.EQUAL, Op.NOT_EQUAL, Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL)
    kind, width = declared if declared is not None and not comparing else meet(left, right)
    a, b = as_type(left, kind, width).value, as_type(right, kind, width).value
    match operator:
        case Op.EQUAL:
            return truth(a == b)
        case Op.NOT_EQUAL:
            return truth(a != b)
        case Op.LESS:
            return truth(a < b)
        case Op.LESS_EQUAL:
            return truth(a <= b)
        case Op.GREATER:
            return truth(a > b)
        case Op.GREATER_EQUAL:
            return truth(a >= b)
        case Op.BIT_AND:
            result = a & b
        case Op.BIT_OR:
            result = a | b
        case Op.BIT_XOR:
            result = a ^ b
        case Op.ADD:
            result = a + b
        case Op.SUB:
            result = a - b
        case Op.MUL:
            result = a * b
        case Op.DIV:
            result = a / b if kind is Kind.FLOAT else towards_zero(a, b)
        case Op.MOD:
            result = math.fmod(a, b) if kind is Kind.FLOAT else a - b * towards_zero(a, b)
        case _:
            result = math.pow(a, b) if kind is Kind.FLOAT else a**b
    return reduce(kind, width, result)
