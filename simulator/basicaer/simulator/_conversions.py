"""Classical values and how they change their type.

A value of type bit or bool is a Python bool; uint and int are Python ints in their type's range; float is a
float. An angle is an int too: its turn as a fraction of 2^width, so that its arithmetic is exact and modulo
2π, as OpenQASM 3 defines it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator._expressions import ClassicalKind, ClassicalType

Value: TypeAlias = bool | int | float

BIT = ClassicalType(ClassicalKind.BIT)
BOOL = ClassicalType(ClassicalKind.BOOL)
FLOAT = ClassicalType(ClassicalKind.FLOAT)
TRUTH_KINDS = (ClassicalKind.BIT, ClassicalKind.BOOL)
INTEGER_KINDS = (ClassicalKind.UINT, ClassicalKind.INT)


class Memory:
    """The classical memory of one shot, or of all the shots of one branch.

    Classical bit k of the circuit is bit k of `clbits`; `variables` has the value of each variable.
    """

    __slots__ = ("clbits", "variables")

    def __init__(self, clbits: int, variables: list[Value]) -> None:
        self.clbits = clbits
        self.variables = variables

    def copy(self) -> Memory:
        """An independent memory with the same content."""
        return Memory(self.clbits, self.variables.copy())


Evaluator: TypeAlias = Callable[[Memory], Value]


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression that is ready to be evaluated. `literal` is set for a constant without a type."""

    type: ClassicalType
    evaluate: Evaluator
    literal: Value | None = None


def wrap(value: int, type_: ClassicalType) -> int:
    """`value` modulo 2^width, into the range of an integer or angle type."""
    bits = type_.bits
    value &= (1 << bits) - 1
    if type_.kind is ClassicalKind.INT and value >> (bits - 1):
        value -= 1 << bits
    return value


def fits(value: int, type_: ClassicalType) -> bool:
    """Whether an integer type has `value`."""
    return wrap(value, type_) == value


def radians(turn: int, bits: int) -> float:
    """The value of an angle of `bits` bits as a float."""
    return math.ldexp(turn, -bits) * math.tau


def turn(value: float, bits: int) -> int:
    """The angle of `bits` bits that is nearest to `value` radians."""
    if not math.isfinite(value):
        raise SimulationFailed(f"{value} cannot become an angle")
    numerator, denominator = (value / math.tau).as_integer_ratio()
    return ((numerator << (bits + 1)) // denominator + 1 >> 1) & ((1 << bits) - 1)


def literal(value: Value) -> Typed:
    """A constant without a declared type: its type is the widest that can be meant."""
    if isinstance(value, bool):
        type_ = BOOL
    elif isinstance(value, int):
        kind = ClassicalKind.INT if value < 0 else ClassicalKind.UINT
        type_ = ClassicalType(kind, max(64, value.bit_length() + (value < 0)))
    else:
        type_ = FLOAT
    return Typed(type_, lambda memory: value, value)


def constant(value: Value, type_: ClassicalType, path: tuple[str | int, ...]) -> Typed:
    """A constant of a declared type. Raises `CircuitError` when the type does not have the value."""
    kind = type_.kind
    result: Value | None = None
    if isinstance(value, float) and not math.isfinite(value):
        raise CircuitError(f"the constant {value} is not finite", path)
    if kind in TRUTH_KINDS and value in (0, 1) and not isinstance(value, float):
        result = bool(value)
    elif kind in INTEGER_KINDS and not isinstance(value, float) and fits(int(value), type_):
        result = int(value)
    elif kind is ClassicalKind.FLOAT and not isinstance(value, bool):
        result = _to_float(value)
    elif kind is ClassicalKind.ANGLE and not isinstance(value, bool):
        result = turn(_to_float(value), type_.bits)
    if result is None:
        raise CircuitError(f"{value} is not a value of type {type_}", path)
    known = result
    return Typed(type_, lambda memory: known)


def convert(typed: Typed, target: ClassicalType, path: tuple[str | int, ...]) -> Typed:
    """`typed` as `target`, when no value can be lost by it. Raises `CircuitError` when one could."""
    source = typed.type
    if typed.literal is not None:
        return constant(typed.literal, target, path)
    if source.kind is target.kind and source.bits == target.bits:
        return typed
    both = (source.kind, target.kind)
    evaluate = typed.evaluate
    if source.kind in TRUTH_KINDS and target.kind in TRUTH_KINDS:
        return Typed(target, evaluate)
    if source.kind in TRUTH_KINDS and (target.kind is ClassicalKind.UINT or target.kind is ClassicalKind.INT):
        if target.kind is ClassicalKind.UINT or target.bits > 1:
            return Typed(target, lambda memory: int(evaluate(memory)))
    elif both in (
        (ClassicalKind.UINT, ClassicalKind.UINT),
        (ClassicalKind.INT, ClassicalKind.INT),
    ):
        if source.bits <= target.bits:
            return Typed(target, evaluate)
    elif both == (ClassicalKind.UINT, ClassicalKind.INT):
        if source.bits < target.bits:
            return Typed(target, evaluate)
    elif source.kind in INTEGER_KINDS and target.kind is ClassicalKind.FLOAT:
        return Typed(target, lambda memory: _to_float(evaluate(memory)))
    elif both == (ClassicalKind.ANGLE, ClassicalKind.ANGLE):
        shift = target.bits - source.bits
        if shift >= 0:
            return Typed(target, lambda memory: int(evaluate(memory)) << shift)
    elif both == (ClassicalKind.ANGLE, ClassicalKind.FLOAT):
        bits = source.bits
        return Typed(target, lambda memory: radians(int(evaluate(memory)), bits))
    raise CircuitError(f"a value of type {source} is not one of type {target}; add a cast", path)


def cast(typed: Typed, target: ClassicalType, path: tuple[str | int, ...]) -> Typed:
    """`typed` converted to `target`, where values may be lost.

    Numbers become bit or bool by comparison with zero; floats are cut towards zero; integers, and the bits of
    angles, are taken modulo 2^width; floats become angles modulo 2π, rounded to the nearest.
    """
    source, evaluate, bits = typed.type, typed.evaluate, target.bits
    if target.kind in TRUTH_KINDS:
        return Typed(target, lambda memory: evaluate(memory) != 0)
    if target.kind in INTEGER_KINDS:
        return Typed(target, lambda memory: wrap(_cut(evaluate(memory)), target))
    if target.kind is ClassicalKind.FLOAT:
        if source.kind is ClassicalKind.ANGLE:
            return Typed(target, lambda memory: radians(int(evaluate(memory)), source.bits))
        return Typed(target, lambda memory: _to_float(evaluate(memory)))
    if target.kind is not ClassicalKind.ANGLE:
        raise CircuitError("a cast needs the type to convert to", path)
    if source.kind is ClassicalKind.FLOAT:
        return Typed(target, lambda memory: turn(float(evaluate(memory)), bits))
    if source.kind is ClassicalKind.ANGLE:
        return Typed(target, lambda memory: _rescale(int(evaluate(memory)), source.bits, bits))
    if typed.literal is not None:
        return constant(typed.literal, target, path)
    return Typed(target, lambda memory: wrap(int(evaluate(memory)), target))


def common(left: Typed, right: Typed, path: tuple[str | int, ...]) -> ClassicalType:
    """The type in which two operands meet. Raises `CircuitError` when there is none without a cast."""
    if left.literal is not None and right.literal is None:
        return _beside(left.literal, right.type)
    if right.literal is not None and left.literal is None:
        return _beside(right.literal, left.type)
    first, second = left.type, right.type
    if first == second:
        return first
    kinds = {first.kind, second.kind}
    bits = max(first.bits, second.bits)
    if kinds <= set(TRUTH_KINDS):
        return BOOL
    if len(kinds) == 1:
        return ClassicalType(first.kind, bits)
    if kinds == set(INTEGER_KINDS):
        unsigned = first if first.kind is ClassicalKind.UINT else second
        return ClassicalType(ClassicalKind.INT, max(bits, unsigned.bits + 1))
    for kind in (*INTEGER_KINDS, ClassicalKind.FLOAT):
        others = kinds - {kind}
        if kind in kinds and others <= {*TRUTH_KINDS, *INTEGER_KINDS}:
            integer = first if first.kind is kind else second
            if kind is ClassicalKind.FLOAT and not others <= set(INTEGER_KINDS):
                break
            return integer
    raise CircuitError(f"the types {first} and {second} do not go together; add a cast", path)


def _beside(value: Value, other: ClassicalType) -> ClassicalType:
    """The type in which an untyped constant and an operand of type `other` meet."""
    if isinstance(value, float):
        return other if other.kind is ClassicalKind.ANGLE else FLOAT
    if other.kind in INTEGER_KINDS and not fits(int(value), other):
        if value < 0:
            return ClassicalType(ClassicalKind.INT, max(other.bits + 1, int(value).bit_length() + 1))
        return ClassicalType(other.kind, int(value).bit_length() + (other.kind is ClassicalKind.INT))
    if other.kind in TRUTH_KINDS and not isinstance(value, bool) and value not in (0, 1):
        return literal(value).type
    return other


def _cut(value: Value) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        raise SimulationFailed(f"{value} cannot become an integer")
    return int(value)


def _to_float(value: Value) -> float:
    try:
        return float(value)
    except OverflowError:
        raise SimulationFailed("an integer is too large to become a float") from None


def _rescale(value: int, source_bits: int, target_bits: int) -> int:
    """An angle with another number of bits, rounded to the nearest."""
    shift = target_bits - source_bits
    if shift >= 0:
        return value << shift
    return ((value + (1 << (-shift - 1))) >> -shift) & ((1 << target_bits) - 1)
