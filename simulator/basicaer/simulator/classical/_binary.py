"""Classical operators with two operands, by operator and type."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator.circuit._expressions import BinaryOperator, ClassicalKind, ClassicalType
from basicaer.simulator.classical._conversions import (
    BOOL,
    INTEGER_KINDS,
    TRUTH_KINDS,
    Memory,
    Typed,
    Value,
    common,
    convert,
    rounded,
    shown,
    wrap,
)

_Path = tuple[str | int, ...]

# Of the integers that can be raised to a power (bits).
_WIDEST_POWER = 64

_COMPARISONS: dict[BinaryOperator, Callable[[Value, Value], bool]] = {
    BinaryOperator.EQUAL: operator.eq,
    BinaryOperator.NOT_EQUAL: operator.ne,
    BinaryOperator.LESS: operator.lt,
    BinaryOperator.LESS_EQUAL: operator.le,
    BinaryOperator.GREATER: operator.gt,
    BinaryOperator.GREATER_EQUAL: operator.ge,
}
_BITWISE: dict[BinaryOperator, Callable[[int, int], int]] = {
    BinaryOperator.BIT_AND: operator.and_,
    BinaryOperator.BIT_OR: operator.or_,
    BinaryOperator.BIT_XOR: operator.xor,
}


def _remainder(left: int, right: int) -> int:
    return left - right * _quotient(left, right)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise SimulationFailed("division by zero in an expression")
    size = abs(left) // abs(right)
    return size if (left < 0) == (right < 0) else -size


_INTEGER: dict[BinaryOperator, Callable[[int, int], int]] = {
    BinaryOperator.ADD: operator.add,
    BinaryOperator.SUB: operator.sub,
    BinaryOperator.MUL: operator.mul,
    BinaryOperator.DIV: _quotient,
    BinaryOperator.MOD: _remainder,
}


def _float_quotient(left: float, right: float) -> float:
    if right == 0.0:
        raise SimulationFailed("division by zero in an expression")
    return left / right


def _float_remainder(left: float, right: float) -> float:
    try:
        return math.fmod(left, right)
    except ValueError:
        raise SimulationFailed(f"the remainder of {left} and {right} does not exist") from None


def _float_power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except (ValueError, OverflowError):
        raise SimulationFailed(f"{left} to the power of {right} has no finite value") from None


_FLOAT: dict[BinaryOperator, Callable[[float, float], float]] = {
    BinaryOperator.ADD: operator.add,
    BinaryOperator.SUB: operator.sub,
    BinaryOperator.MUL: operator.mul,
    BinaryOperator.DIV: _float_quotient,
    BinaryOperator.MOD: _float_remainder,
    BinaryOperator.POW: _float_power,
}


def binary(
    operator_: BinaryOperator, left: Typed, right: Typed, declared: ClassicalType | None, path: _Path
) -> Typed:
    """`left operator_ right`. `declared` is the node's declared type, in which arithmetic is done.

    Raises `CircuitError` when the operator does not apply to the operands' types.
    """
    if operator_ in (BinaryOperator.LOGIC_AND, BinaryOperator.LOGIC_OR):
        return _logic(operator_, left, right, path)
    if operator_ in _COMPARISONS:
        return _comparison(operator_, left, right, path)
    if operator_ in (BinaryOperator.SHIFT_LEFT, BinaryOperator.SHIFT_RIGHT):
        return _shift(operator_, convert(left, declared, path) if declared else left, right, path)
    scaled = _scaled_angle(operator_, left, right, path)
    if scaled is not None:
        return scaled
    type_ = declared or common(left, right, path)
    left, right = convert(left, type_, path), convert(right, type_, path)
    first, second, kind = left.evaluate, right.evaluate, type_.kind
    if operator_ in _BITWISE and kind is not ClassicalKind.FLOAT:
        combine = _BITWISE[operator_]
        if kind in TRUTH_KINDS:
            return Typed(type_, lambda memory: bool(combine(int(first(memory)), int(second(memory)))))
        return Typed(type_, lambda memory: combine(int(first(memory)), int(second(memory))))
    if operator_ in _FLOAT and kind is ClassicalKind.FLOAT:
        apply, bits = _FLOAT[operator_], type_.bits
        if bits < 64:
            return Typed(
                type_, lambda memory: rounded(apply(float(first(memory)), float(second(memory))), bits)
            )
        return Typed(type_, lambda memory: apply(float(first(memory)), float(second(memory))))
    if operator_ in _INTEGER and kind in INTEGER_KINDS:
        compute = _INTEGER[operator_]
        return Typed(type_, lambda memory: wrap(compute(int(first(memory)), int(second(memory))), type_))
    if operator_ is BinaryOperator.POW and kind in INTEGER_KINDS:
        if type_.bits > _WIDEST_POWER:
            # Such a power takes minutes, and can't be left.
            raise CircuitError(f"POW applies to integers of up to {_WIDEST_POWER} bits, not to {type_}", path)
        return Typed(type_, lambda memory: _power(int(first(memory)), int(second(memory)), type_))
    if operator_ in (BinaryOperator.ADD, BinaryOperator.SUB) and kind is ClassicalKind.ANGLE:
        compute = _INTEGER[operator_]
        return Typed(type_, lambda memory: wrap(compute(int(first(memory)), int(second(memory))), type_))
    raise CircuitError(f"{operator_.name} does not apply to type {type_}", path)


def _logic(operator_: BinaryOperator, left: Typed, right: Typed, path: _Path) -> Typed:
    for operand in (left, right):
        if operand.type.kind not in TRUTH_KINDS:
            raise CircuitError(
                f"{operator_.name} applies to bool and bit, not to {operand.type}; compare it", path
            )
    first, second = left.evaluate, right.evaluate
    if operator_ is BinaryOperator.LOGIC_AND:
        return Typed(BOOL, lambda memory: bool(first(memory)) and bool(second(memory)))
    return Typed(BOOL, lambda memory: bool(first(memory)) or bool(second(memory)))


def _comparison(operator_: BinaryOperator, left: Typed, right: Typed, path: _Path) -> Typed:
    type_ = common(left, right, path)
    compare = _COMPARISONS[operator_]
    first, second = convert(left, type_, path).evaluate, convert(right, type_, path).evaluate
    return Typed(BOOL, lambda memory: compare(first(memory), second(memory)))


def _shift(operator_: BinaryOperator, value: Typed, amount: Typed, path: _Path) -> Typed:
    type_ = value.type
    if type_.kind not in (*INTEGER_KINDS, ClassicalKind.ANGLE) or amount.type.kind not in INTEGER_KINDS:
        raise CircuitError(f"{operator_.name} does not apply to {type_} and {amount.type}", path)
    number, places, bits = value.evaluate, amount.evaluate, type_.bits
    to_left = operator_ is BinaryOperator.SHIFT_LEFT

    def shifted(memory: Memory) -> int:
        distance = int(places(memory))
        if distance < 0:
            raise SimulationFailed(f"a shift by {shown(distance)} places does not exist")
        distance = min(distance, bits)
        content = int(number(memory))
        return wrap(content << distance if to_left else content >> distance, type_)

    return Typed(type_, shifted)


def _scaled_angle(operator_: BinaryOperator, left: Typed, right: Typed, path: _Path) -> Typed | None:
    """Return the products and quotients of angles with integers; None when the operands are something
    else.
    """
    kinds = (left.type.kind, right.type.kind)
    first, second, type_ = left.evaluate, right.evaluate, left.type
    if operator_ is BinaryOperator.MUL and kinds == (ClassicalKind.UINT, ClassicalKind.ANGLE):
        first, second, type_, kinds = second, first, right.type, kinds[::-1]
    if kinds == (ClassicalKind.ANGLE, ClassicalKind.UINT) and operator_ is BinaryOperator.MUL:
        return Typed(type_, lambda memory: wrap(int(first(memory)) * int(second(memory)), type_))
    if kinds == (ClassicalKind.ANGLE, ClassicalKind.UINT) and operator_ is BinaryOperator.DIV:
        return Typed(type_, lambda memory: _quotient(int(first(memory)), int(second(memory))))
    if kinds == (ClassicalKind.ANGLE, ClassicalKind.ANGLE) and operator_ is BinaryOperator.DIV:
        meeting = common(left, right, path)
        first, second = convert(left, meeting, path).evaluate, convert(right, meeting, path).evaluate
        quotient = ClassicalType(ClassicalKind.UINT, meeting.bits)
        return Typed(quotient, lambda memory: _quotient(int(first(memory)), int(second(memory))))
    return None


def _power(base: int, exponent: int, type_: ClassicalType) -> int:
    if exponent < 0:
        raise SimulationFailed(f"an integer to the power of {shown(exponent)} is not an integer")
    return wrap(pow(base, exponent, 1 << type_.bits), type_)
