"""Classical values and how they change their type.

A value of type bit or bool is a Python bool; uint and int are Python ints in their type's range; float is a
float. An angle is an int too: its turn as a fraction of 2^width, so that its arithmetic is exact and modulo
2π, as OpenQASM 3 defines it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator.circuit._expressions import ClassicalKind, ClassicalType

Value: TypeAlias = bool | int | float

BIT = ClassicalType(ClassicalKind.BIT)
BOOL = ClassicalType(ClassicalKind.BOOL)
FLOAT = ClassicalType(ClassicalKind.FLOAT)
TRUTH_KINDS = (ClassicalKind.BIT, ClassicalKind.BOOL)
INTEGER_KINDS = (ClassicalKind.UINT, ClassicalKind.INT)
# Integers of more bits are shown in part.
_LONGEST_SHOWN = 128


class Memory:
    """The classical memory of one shot, or of all the shots of one branch.

    Classical bit k of the circuit is bit k of `clbits`; `variables` has the value of each variable.
    """

    __slots__ = ("clbits", "variables")

    def __init__(self, clbits: int, variables: list[Value]) -> None:
        self.clbits = clbits
        self.variables = variables

    def copy(self) -> Memory:
        """Return an independent memory with the same content."""
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
    """Return the value of an angle of `bits` bits as a float."""
    return math.ldexp(turn, -bits) * math.tau


def turn(value: float, bits: int) -> int:
    """Return the angle of `bits` bits that is nearest to `value` radians; of two the even one."""
    if not math.isfinite(value):
        raise SimulationFailed(f"{value} cannot become an angle")
    numerator, denominator = (value / math.tau).as_integer_ratio()
    # The denominator is a power of two.
    shift = bits - denominator.bit_length() + 1
    turns = numerator << shift if shift >= 0 else _halved(numerator, -shift)
    return turns & ((1 << bits) - 1)


def rounded(value: float, bits: int) -> float:
    """Return the float of `bits` bits that is nearest to `value`, infinite beyond the largest."""
    if bits == 64:
        return value
    form = "<f" if bits == 32 else "<e"
    try:
        nearest: float = struct.unpack(form, struct.pack(form, value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return nearest


def _halved(value: int, times: int) -> int:
    """Return the integer that is nearest to value / 2^times; of two the even one."""
    quotient, rest = value >> times, value & ((1 << times) - 1)
    half = 1 << (times - 1)
    return quotient + (rest > half or (rest == half and quotient & 1))


def float_bits(value: float, width: int) -> int:
    """Return the bits of a float by IEEE 754, in its format of 16, 32 or 64 bits; NaN has always the same."""
    with np.errstate(over="ignore"):
        number = np.array(math.nan if math.isnan(value) else value, dtype=f"<f{width // 8}")
    return int.from_bytes(number.tobytes(), "little")


def literal(value: Value) -> Typed:
    """Return a constant without a declared type: its type is the widest that can be meant."""
    if isinstance(value, bool):
        type_ = BOOL
    elif isinstance(value, int):
        kind = ClassicalKind.INT if value < 0 else ClassicalKind.UINT
        type_ = ClassicalType(kind, max(64, value.bit_length() + (value < 0)))
    else:
        type_ = FLOAT
    return Typed(type_, lambda memory: value, value)


def constant(value: Value, type_: ClassicalType, path: tuple[str | int, ...]) -> Typed:
    """Return a constant of a declared type. Raises `CircuitError` when the type does not have the value."""
    kind = type_.kind
    result: Value | None = None
    if isinstance(value, float) and not math.isfinite(value):
        raise CircuitError(f"the constant {value} is not finite", path)
    if kind in TRUTH_KINDS and value in (0, 1) and not isinstance(value, float):
        result = bool(value)
    elif kind in INTEGER_KINDS and not isinstance(value, float) and fits(int(value), type_):
        result = int(value)
    elif kind in (ClassicalKind.FLOAT, ClassicalKind.ANGLE) and not isinstance(value, bool):
        try:
            number = _to_float(value)
        except SimulationFailed as error:
            # A value that is known before anything runs is the circuit's fault.
            raise CircuitError(error.message, path) from None
        result = rounded(number, type_.bits) if kind is ClassicalKind.FLOAT else turn(number, type_.bits)
    if result is None:
        raise CircuitError(f"{shown(value)} is not a value of type {type_}", path)
    known = result
    return Typed(type_, lambda memory: known)


def shown(value: Value) -> str:
    """Return a constant as it fits into a message. Python refuses to write integers of some thousand
    digits.
    """
    if isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN:
        return f"an integer of {value.bit_length():,} bits"
    return str(value)


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
        (ClassicalKind.FLOAT, ClassicalKind.FLOAT),
    ):
        if source.bits <= target.bits:
            return Typed(target, evaluate)
    elif both == (ClassicalKind.UINT, ClassicalKind.INT):
        if source.bits < target.bits:
            return Typed(target, evaluate)
    elif source.kind in INTEGER_KINDS and target.kind is ClassicalKind.FLOAT:
        return Typed(target, _float_of(evaluate, target.bits))
    elif both == (ClassicalKind.ANGLE, ClassicalKind.ANGLE):
        shift = target.bits - source.bits
        if shift >= 0:
            return Typed(target, lambda memory: int(evaluate(memory)) << shift)
    elif both == (ClassicalKind.ANGLE, ClassicalKind.FLOAT):
        return _radians_of(typed, target)
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
            return _radians_of(typed, target)
        return Typed(target, _float_of(evaluate, bits))
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
    """Return the type in which two operands meet. Raises `CircuitError` when there is none without a cast."""
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
    """Return the type in which an untyped constant and an operand of type `other` meet."""
    if isinstance(value, float):
        return other if other.kind in (ClassicalKind.ANGLE, ClassicalKind.FLOAT) else FLOAT
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


def _float_of(evaluate: Evaluator, bits: int) -> Evaluator:
    if bits == 64:
        return lambda memory: _to_float(evaluate(memory))
    return lambda memory: rounded(_to_float(evaluate(memory)), bits)


def _radians_of(angle: Typed, target: ClassicalType) -> Typed:
    evaluate, source_bits, bits = angle.evaluate, angle.type.bits, target.bits
    return Typed(target, lambda memory: rounded(radians(int(evaluate(memory)), source_bits), bits))


def _rescale(value: int, source_bits: int, target_bits: int) -> int:
    """Return an angle with another number of bits, rounded to the nearest; of two to the even one."""
    shift = target_bits - source_bits
    if shift >= 0:
        return value << shift
    return _halved(value, -shift) & ((1 << target_bits) - 1)
