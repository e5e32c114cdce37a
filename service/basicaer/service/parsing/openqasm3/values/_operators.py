"""What operators and functions make of values, by the operands' types: folded where all are known."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    BOOL,
    FLOAT,
    INT,
    UINT,
    Type,
    Value,
    ValueProblem,
    contract_type,
    converted,
    joined_parts,
    literal,
    parts_of,
    real_number,
    reference,
    rounded,
    wrap,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["binary", "common", "unary"]

_COMPARED: dict[str, tuple[Callable[[Any, Any], bool], pb.BinaryOperator.ValueType]] = {
    "==": (operator.eq, pb.BINARY_OPERATOR_EQUAL),
    "!=": (operator.ne, pb.BINARY_OPERATOR_NOT_EQUAL),
    "<": (operator.lt, pb.BINARY_OPERATOR_LESS),
    "<=": (operator.le, pb.BINARY_OPERATOR_LESS_EQUAL),
    ">": (operator.gt, pb.BINARY_OPERATOR_GREATER),
    ">=": (operator.ge, pb.BINARY_OPERATOR_GREATER_EQUAL),
}
_OPERATORS = {
    "&": pb.BINARY_OPERATOR_BIT_AND,
    "|": pb.BINARY_OPERATOR_BIT_OR,
    "^": pb.BINARY_OPERATOR_BIT_XOR,
    "<<": pb.BINARY_OPERATOR_SHIFT_LEFT,
    ">>": pb.BINARY_OPERATOR_SHIFT_RIGHT,
    "+": pb.BINARY_OPERATOR_ADD,
    "-": pb.BINARY_OPERATOR_SUB,
    "*": pb.BINARY_OPERATOR_MUL,
    "/": pb.BINARY_OPERATOR_DIV,
    "%": pb.BINARY_OPERATOR_MOD,
    "**": pb.BINARY_OPERATOR_POW,
    "&&": pb.BINARY_OPERATOR_LOGIC_AND,
    "||": pb.BINARY_OPERATOR_LOGIC_OR,
}
_BESIDE_COMPLEX = {"complex", "float", "int", "uint", "angle", "bool"}
_BESIDE_FLOAT = _BESIDE_COMPLEX - {"complex"}
# Of the integers that can be raised to a power while a circuit runs (bits).
_WIDEST_POWER = 64


def common(left: Value, right: Value) -> Type:
    """Return the type in which two numbers meet.

    Raises:
        ValueProblem: There is none.
    """
    if left.is_literal and not right.is_literal:
        return _beside(left, right.type)
    if right.is_literal and not left.is_literal:
        return _beside(right, left.type)
    first, second = _as_number(left.type), _as_number(right.type)
    if first == second:
        return first
    kinds = {first.kind, second.kind}
    for kind, others in (("complex", _BESIDE_COMPLEX), ("float", _BESIDE_FLOAT)):
        if kind in kinds and kinds <= others:
            # Of an integer's size nothing depends.
            return Type(
                kind, max(each.width for each in (first, second) if each.kind in ("complex", "float"))
            )
    if kinds == {"bool", "int"} or kinds == {"bool", "uint"}:
        return first if first.is_integer else second
    if len(kinds) == 1:
        return Type(first.kind, max(first.width, second.width))
    if kinds == {"int", "uint"}:
        # As in C: the unsigned one unless the other is wider.
        signed, unsigned = (first, second) if first.kind == "int" else (second, first)
        return unsigned if unsigned.width >= signed.width else signed
    raise ValueProblem(f"values of type {left.type} and {right.type} don't go together; cast one of them")


def _as_number(type_: Type) -> Type:
    if type_.is_register:
        return Type("uint", type_.width)
    return BOOL if type_.is_bit else type_


def _beside(number: Value, other: Type) -> Type:
    """Return the type in which a literal meets a value of a declared type."""
    known = number.known
    other = _as_number(other)
    if isinstance(known, complex) or other.kind == "complex":
        return Type("complex", other.width if other.kind in ("complex", "float") else 64)
    if other.kind == "angle":
        return other
    if isinstance(known, float) or other.kind == "float":
        return other if other.kind == "float" else FLOAT
    if other.kind == "bool":
        return BOOL if known in (0, 1) else INT
    if other.is_integer:
        assert isinstance(known, int)
        if isinstance(known, bool) or wrap(known, other) == known:
            return other
        return number.type if number.type.width >= other.width else other
    raise ValueProblem(f"a number and a value of type {other} don't go together")


def _made(sign: str, left: Value, right: Value, result: Type, *, declared: bool = True) -> Value:
    made = pb.Expression(
        binary=pb.BinaryExpression(operator=_operator(sign), left=reference(left), right=reference(right))
    )
    if declared:
        made.type.CopyFrom(contract_type(result))
    return Value(result, expression=made, depth=max(left.depth, right.depth) + 1)


def _operator(sign: str) -> pb.BinaryOperator.ValueType:
    return _COMPARED[sign][1] if sign in _COMPARED else _OPERATORS[sign]


def binary(sign: str, left: Value, right: Value) -> Value:
    """Return left sign right.

    Raises:
        ValueProblem: The operator doesn't apply to these types, or to these known values.
    """
    for operand in (left, right):
        if operand.type.axes:
            raise ValueProblem(f"{sign!r} doesn't apply to a whole array; take its elements")
    if sign in ("&&", "||"):
        return _logic(sign, left, right)
    if sign in _COMPARED:
        return _comparison(sign, left, right)
    if sign in ("<<", ">>"):
        return _shift(sign, left, right)
    if "duration" in (left.type.kind, right.type.kind):
        return _duration(sign, left, right)
    if sign in ("&", "|", "^"):
        return _bitwise(sign, left, right)
    if "angle" in (left.type.kind, right.type.kind):
        found = _angle(sign, left, right)
        if found is not None:
            return found
    return _arithmetic(sign, left, right)


def _logic(sign: str, left: Value, right: Value) -> Value:
    left, right = converted(left, BOOL), converted(right, BOOL)
    for first, second in ((left, right), (right, left)):
        if first.known is not None:
            decides = bool(first.known) is (sign == "||")
            return Value(BOOL, first.known) if decides else second
    return _made(sign, left, right, BOOL, declared=False)


def _comparison(sign: str, left: Value, right: Value) -> Value:
    if left.type.kind == "duration" == right.type.kind:
        type_ = left.type
    elif left.type.is_truth and right.type.is_truth:
        type_ = BOOL
    else:
        type_ = common(left, right)
    if type_.kind == "complex" and sign not in ("==", "!="):
        raise ValueProblem("complex numbers have no order")
    left, right = converted(left, type_), converted(right, type_)
    if left.known is not None and right.known is not None:
        return Value(BOOL, _COMPARED[sign][0](left.known, right.known))
    if type_.kind == "complex":
        return _equal_parts(sign, left, right)
    return _made(sign, left, right, BOOL, declared=False)


def _equal_parts(sign: str, left: Value, right: Value) -> Value:
    parts = [binary(sign, *pair) for pair in zip(parts_of(left), parts_of(right), strict=True)]
    return binary("&&" if sign == "==" else "||", *parts)


def _complex(sign: str, left: Value, right: Value, type_: Type) -> Value:
    """Return what an operator makes of complex numbers that only a run knows."""
    (a, b), (c, d) = parts_of(left), parts_of(right)
    if sign in ("+", "-"):
        return joined_parts(type_, binary(sign, a, c), binary(sign, b, d))
    if sign not in ("*", "/"):
        raise ValueProblem(f"{sign!r} applies to complex numbers that are known before the program runs")
    # A quotient is a product with the conjugate.
    turn = "-" if sign == "*" else "+"
    back = "+" if sign == "*" else "-"
    real = binary(turn, binary("*", a, c), binary("*", b, d))
    imaginary = binary(back, binary("*", b, c), binary("*", a, d))
    if sign == "/":
        size = binary("+", binary("*", c, c), binary("*", d, d))
        real, imaginary = binary("/", real, size), binary("/", imaginary, size)
    return joined_parts(type_, real, imaginary)


def _shift(sign: str, left: Value, right: Value) -> Value:
    if left.is_literal and isinstance(left.known, int):
        left = converted(left, left.type)
    if not left.type.has_bits:
        raise ValueProblem(f"{sign!r} doesn't apply to {left.type}")
    if right.type.is_register:
        right = converted(right, Type("uint", right.type.width))
    if not right.type.is_integer:
        raise ValueProblem(f"a shift goes by an integer, not by {right.type}")
    if right.known is not None:
        assert isinstance(right.known, int)
        if right.known < 0:
            raise ValueProblem(f"a shift by {right.known} places; shift to the other side instead")
        if left.known is not None:
            assert isinstance(left.known, int)
            places = min(right.known, left.type.width)
            return Value(
                left.type, wrap(left.known << places if sign == "<<" else left.known >> places, left.type)
            )
        right = Value(UINT, min(right.known, left.type.width))
    return _made(sign, left, right, left.type)


def _duration(sign: str, left: Value, right: Value) -> Value:
    durations = [each.type.kind == "duration" for each in (left, right)]
    if left.known is None or right.known is None:
        raise ValueProblem("durations are calculated with constants alone")
    if isinstance(left.known, complex) or isinstance(right.known, complex):
        raise ValueProblem("a duration times a complex number isn't one")
    first, second = real_number(left.known), real_number(right.known)
    if sign in ("+", "-") and all(durations):
        return Value(left.type, first + second if sign == "+" else first - second)
    if sign == "*" and not all(durations):
        return Value(Type("duration"), first * second)
    if sign == "/" and durations[0]:
        if second == 0:
            raise ValueProblem("division by zero")
        return Value(FLOAT if durations[1] else left.type, first / second)
    raise ValueProblem(f"{sign!r} doesn't apply to {left.type} and {right.type}")


def _bitwise(sign: str, left: Value, right: Value) -> Value:
    if left.type.is_register and right.type.is_register:
        if left.type != right.type:
            raise ValueProblem(f"{sign!r} needs registers of one size, not {left.type} and {right.type}")
        type_ = left.type
    elif left.type.is_truth and right.type.is_truth:
        type_ = BIT if left.type.is_bit and right.type.is_bit else BOOL
    else:
        type_ = common(left, right)
    if type_.kind in ("float", "complex"):
        raise ValueProblem(f"{sign!r} doesn't apply to {left.type} and {right.type}")
    left, right = converted(left, type_), converted(right, type_)
    if left.known is not None and right.known is not None:
        apply = {"&": operator.and_, "|": operator.or_, "^": operator.xor}[sign]
        return Value(type_, apply(left.known, right.known), is_literal=False)
    return _made(sign, left, right, type_)


def _angle(sign: str, left: Value, right: Value) -> Value | None:
    """Return what angles give with angles and with integers; None where they are floats among floats."""
    first, second = left.type.kind == "angle", right.type.kind == "angle"
    if sign in ("+", "-") or (first and second and sign != "**"):
        type_ = common(left, right)
        if type_.kind != "angle":
            return None
        left, right = converted(left, type_), converted(right, type_)
        if sign == "/":
            return _folded(sign, left, right, Type("uint", type_.width), declared=False)
        if sign not in ("+", "-"):
            raise ValueProblem(f"{sign!r} doesn't apply to two angles")
        return _folded(sign, left, right, type_)
    if not first and sign == "*":
        return _angle(sign, right, left)
    if not first or sign not in ("*", "/"):
        return None
    if not (right.type.is_integer or right.type.is_register):
        return None
    count = converted(right, Type("uint", left.type.width))
    return _folded(sign, left, count, left.type, declared=False)


def _arithmetic(sign: str, left: Value, right: Value) -> Value:
    type_ = common(left, right)
    if type_ == BOOL:
        type_ = INT
    if type_.kind == "angle":
        type_ = FLOAT
    if type_.kind == "complex" and (left.known is None or right.known is None):
        return _complex(sign, converted(left, type_), converted(right, type_), type_)
    literals = left.is_literal and right.is_literal
    if sign == "**" and type_.is_integer and isinstance(right.known, int) and right.known < 0:
        type_ = FLOAT
    made = _folded(sign, converted(left, type_), converted(right, type_), type_)
    if not literals or made.known is None:
        return made
    return literal(made.known)


def _folded(sign: str, left: Value, right: Value, type_: Type, *, declared: bool = True) -> Value:
    if left.known is None or right.known is None:
        if sign == "**" and type_.is_integer and type_.width > _WIDEST_POWER:
            raise ValueProblem(f"'**' applies to integers of up to {_WIDEST_POWER} bits, not to {type_}")
        return _made(sign, left, right, type_, declared=declared)
    first: Any = left.known
    second: Any = right.known
    try:
        if type_.is_integer or type_.kind == "angle":
            return Value(type_, wrap(_integers(sign, int(first), int(second), type_), type_))
        result = _numbers(sign, first, second)
    except ZeroDivisionError:
        raise ValueProblem("division by zero") from None
    except (ValueError, OverflowError):
        raise ValueProblem(f"{first} {sign} {second} has no value") from None
    if type_.kind == "float" and isinstance(result, complex):
        raise ValueProblem(f"{first} {sign} {second} is complex; write complex(…) around an operand")
    if not cmath.isfinite(result):
        raise ValueProblem(f"{first} {sign} {second} is too large for a float")
    return Value(type_, rounded(result, type_.width))


def _integers(sign: str, first: int, second: int, type_: Type) -> int:
    if sign == "+":
        return first + second
    if sign == "-":
        return first - second
    if sign == "*":
        return first * second
    if sign == "**":
        return pow(first, second, 1 << type_.width)
    size = abs(first) // abs(second)
    quotient = size if (first < 0) == (second < 0) else -size
    return quotient if sign == "/" else first - second * quotient


def _numbers(sign: str, first: Any, second: Any) -> Any:
    if sign == "%":
        return math.fmod(first, second)
    apply = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "**": operator.pow,
    }
    return apply[sign](first, second)


def unary(sign: str, operand: Value) -> Value:
    """Return an operator applied to a value. Raises ValueProblem as `binary`."""
    type_, known = operand.type, operand.known
    if type_.axes:
        raise ValueProblem(f"{sign!r} doesn't apply to a whole array; take its elements")
    if sign == "!":
        operand = converted(operand, BOOL)
        if operand.known is not None:
            return Value(BOOL, not operand.known)
        return _one(pb.UNARY_OPERATOR_LOGIC_NOT, operand, BOOL)
    if sign == "~":
        if type_.is_truth and not operand.is_literal:
            return (
                Value(type_, not known)
                if known is not None
                else _one(pb.UNARY_OPERATOR_BIT_NOT, operand, type_)
            )
        if not type_.has_bits:
            raise ValueProblem(f"'~' doesn't apply to {type_}")
        if known is not None:
            return Value(type_, wrap(~int(_whole(known)), type_), is_literal=operand.is_literal)
        return _one(pb.UNARY_OPERATOR_BIT_NOT, operand, type_)
    if operand.is_literal and known is not None:
        return literal(-known if not isinstance(known, bool) else -int(known))
    if type_.is_register or type_.is_truth:
        operand = converted(operand, Type("int", max(type_.width, 1) + 1))
        type_, known = operand.type, operand.known
    if operand.parts is not None:
        real, imaginary = operand.parts
        return joined_parts(type_, unary(sign, real), unary(sign, imaginary))
    if known is not None:
        if type_.is_integer or type_.kind == "angle":
            return Value(type_, wrap(-_whole(known), type_))
        return Value(type_, -known)
    return _one(pb.UNARY_OPERATOR_NEGATE, operand, type_)


def _whole(known: Any) -> int:
    return int(known)


def _one(sign: pb.UnaryOperator.ValueType, operand: Value, result: Type) -> Value:
    unary_ = pb.UnaryExpression(operator=sign, operand=reference(operand))
    return Value(result, expression=pb.Expression(unary=unary_), depth=operand.depth + 1)
