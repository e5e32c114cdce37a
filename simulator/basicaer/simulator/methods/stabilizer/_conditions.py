"""Classical expressions as code of a machine of bits, so that 64 shots are decided at once.

An integer is the list of its bits, the least significant first, each of them a tree of logical operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from basicaer.simulator._errors import CircuitError
from basicaer.simulator.circuit._expressions import (
    Binary,
    BinaryOperator,
    Cast,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    Expression,
    Index,
    Literal,
    RegisterRef,
    Unary,
    UnaryOperator,
    VariableRef,
)
from basicaer.simulator.circuit._operations import Register, Variable
from basicaer.simulator.classical._scope import Scope
from basicaer.simulator.methods.stabilizer._rows import AND, CONSTANT, NOT, OR, PUSH, XOR

Bit: TypeAlias = tuple[Any, ...]
"""(CONSTANT, value), (PUSH, bit), (NOT, operand), or (AND, OR or XOR, operand, operand)."""

ZERO: Bit = (CONSTANT, 0)
ONE: Bit = (CONSTANT, 1)
_KINDS = (ClassicalKind.BIT, ClassicalKind.BOOL, ClassicalKind.UINT)
_WIDEST = 256


class UnsupportedError(Exception):
    """An expression, or something else in a circuit, that this method doesn't do; the text says what."""


def negated(bit: Bit) -> Bit:
    """Return the opposite."""
    if bit[0] == CONSTANT:
        return (CONSTANT, 1 - bit[1])
    if bit[0] == NOT:
        inner: Bit = bit[1]
        return inner
    return (NOT, bit)


def both(left: Bit, right: Bit) -> Bit:
    """Whether both hold."""
    if ZERO in (left, right):
        return ZERO
    if left == ONE:
        return right
    return left if right == ONE else (AND, left, right)


def either(left: Bit, right: Bit) -> Bit:
    """Whether one of them holds, or both."""
    return (
        negated(both(negated(left), negated(right))) if CONSTANT in (left[0], right[0]) else (OR, left, right)
    )


def differ(left: Bit, right: Bit) -> Bit:
    """Whether one of them holds alone."""
    if left[0] == CONSTANT:
        left, right = right, left
    if right[0] == CONSTANT:
        return negated(left) if right[1] else left
    return (XOR, left, right)


def all_of(bits: Iterable[Bit]) -> Bit:
    """Whether all hold."""
    found = ONE
    for bit in bits:
        found = both(found, bit)
    return found


def equal(left: list[Bit], right: list[Bit]) -> Bit:
    """Whether two integers are equal."""
    return all_of(negated(differ(a, b)) for a, b in zip(*_aligned(left, right), strict=True))


def code_of(bits: Iterable[Bit]) -> list[tuple[int, int]]:
    """Return the code that leaves the values of `bits` on the stack, the first at the bottom."""
    found: list[tuple[int, int]] = []
    for bit in bits:
        waiting: list[Bit | int] = [bit]
        while waiting:
            part = waiting.pop()
            if isinstance(part, int):
                found.append((part, 0))
            elif part[0] in (CONSTANT, PUSH):
                found.append((part[0], part[1]))
            else:
                waiting.append(part[0])
                waiting.extend(reversed(part[1:]))
    return found


def _aligned(left: list[Bit], right: list[Bit]) -> tuple[list[Bit], list[Bit]]:
    size = max(len(left), len(right))
    return left + [ZERO] * (size - len(left)), right + [ZERO] * (size - len(right))


def _less(left: list[Bit], right: list[Bit]) -> Bit:
    found = ZERO
    for a, b in zip(*_aligned(left, right), strict=True):
        found = either(both(negated(a), b), both(negated(differ(a, b)), found))
    return found


def _any(bits: list[Bit]) -> Bit:
    return negated(all_of(negated(bit) for bit in bits))


_TRUTHS: dict[BinaryOperator, Callable[[list[Bit], list[Bit]], Bit]] = {
    BinaryOperator.LOGIC_AND: lambda a, b: both(_any(a), _any(b)),
    BinaryOperator.LOGIC_OR: lambda a, b: either(_any(a), _any(b)),
    BinaryOperator.EQUAL: equal,
    BinaryOperator.NOT_EQUAL: lambda a, b: negated(equal(a, b)),
    BinaryOperator.LESS: _less,
    BinaryOperator.LESS_EQUAL: lambda a, b: negated(_less(b, a)),
    BinaryOperator.GREATER: lambda a, b: _less(b, a),
    BinaryOperator.GREATER_EQUAL: lambda a, b: negated(_less(a, b)),
}
_BITWISE: dict[BinaryOperator, Callable[[Bit, Bit], Bit]] = {
    BinaryOperator.BIT_AND: both,
    BinaryOperator.BIT_OR: either,
    BinaryOperator.BIT_XOR: differ,
}


class Bits:
    """The bits of a circuit's classical things: its own, then those of its variables.

    Raises `UnsupportedError` for variables of other types than bit, bool and uint, once they are used.
    """

    def __init__(
        self, num_clbits: int, registers: tuple[Register, ...], variables: tuple[Variable, ...]
    ) -> None:
        self._scope = Scope(num_clbits, registers, variables)
        self._registers = registers
        self._places: list[list[int] | None] = []
        self.initial = [0] * num_clbits
        for variable in variables:
            if variable.type.kind not in _KINDS:
                self._places.append(None)
                continue
            start, width = len(self.initial), variable.type.bits
            self._places.append(list(range(start, start + width)))
            value = int(variable.value or 0)
            self.initial.extend(value >> place & 1 for place in range(width))

    def targets(self, target: Expression) -> list[int]:
        """Return the bits that an assignment to `target` writes."""
        if isinstance(target, ClbitRef):
            return [target.index]
        if isinstance(target, RegisterRef):
            return list(self._registers[target.index].bits)
        if isinstance(target, VariableRef):
            return self.variable(target.index)
        raise UnsupportedError("an assignment to an expression")

    def variable(self, index: int) -> list[int]:
        """Return the bits of a variable."""
        places = self._places[index]
        if places is None:
            raise UnsupportedError("variables of other types than bit, bool and uint")
        return places

    def condition(self, expression: Expression) -> Bit:
        """Whether an expression of type bit or bool holds."""
        return self.value(expression)[0]

    def value(self, expression: Expression) -> list[Bit]:
        """Return the bits of an expression's value. Raises `UnsupportedError`."""
        match expression:
            case Literal():
                return _constant(expression)
            case ClbitRef() | RegisterRef() | VariableRef():
                return [(PUSH, bit) for bit in self.targets(expression)]
            case Unary():
                return self._unary(expression)
            case Binary():
                return self._binary(expression)
            case Cast():
                return _cast(self.value(expression.operand), expression.type)
            case Index():
                if not isinstance(expression.index, Literal):
                    raise UnsupportedError("a bit whose index is computed")
                value, place = self.value(expression.target), int(expression.index.value)
                return [value[place] if 0 <= place < len(value) else ZERO]
            case _:
                raise UnsupportedError("functions of floats in a classical expression")

    def _unary(self, unary: Unary) -> list[Bit]:
        value = self.value(unary.operand)
        if unary.operator is UnaryOperator.LOGIC_NOT:
            return [negated(_any(value))]
        if unary.operator is UnaryOperator.BIT_NOT:
            width = self._width(unary)
            return [negated(bit) for bit in (value + [ZERO] * width)[:width]]
        raise UnsupportedError("negative numbers and floats in a classical expression")

    def _binary(self, binary: Binary) -> list[Bit]:
        operator = binary.operator
        left, right = self.value(binary.left), self.value(binary.right)
        if operator in _TRUTHS:
            return [_TRUTHS[operator](left, right)]
        if operator in _BITWISE:
            return [_BITWISE[operator](a, b) for a, b in zip(*_aligned(left, right), strict=True)]
        width = self._width(binary)
        left, right = ((value + [ZERO] * width)[:width] for value in (left, right))
        if operator is BinaryOperator.ADD:
            return _sum(left, right, ZERO)
        if operator is BinaryOperator.SUB:
            return _sum(left, [negated(bit) for bit in right], ONE)
        if operator in (BinaryOperator.SHIFT_LEFT, BinaryOperator.SHIFT_RIGHT) and isinstance(
            binary.right, Literal
        ):
            distance = min(int(binary.right.value), width)
            zeros = [ZERO] * distance
            if operator is BinaryOperator.SHIFT_LEFT:
                return (zeros + left)[:width]
            return left[distance:] + zeros
        raise UnsupportedError(f"{operator.name} in a classical expression")

    def _width(self, expression: Expression) -> int:
        try:
            type_ = self._scope.compile(expression, ()).type
        except CircuitError as error:  # pragma: no cover -- the circuit was validated
            raise AssertionError("an expression was validated and has no type") from error
        if type_.kind not in _KINDS or type_.bits > _WIDEST:
            raise UnsupportedError(f"values of type {type_} in a classical expression")
        return type_.bits


def _constant(literal: Literal) -> list[Bit]:
    value = literal.value
    if isinstance(value, float) or value < 0:
        raise UnsupportedError("floats and negative numbers in a classical expression")
    number = int(value)
    return [(CONSTANT, number >> place & 1) for place in range(max(1, number.bit_length()))]


def _cast(value: list[Bit], type_: ClassicalType) -> list[Bit]:
    if type_.kind in (ClassicalKind.BIT, ClassicalKind.BOOL):
        return [_any(value)]
    if type_.kind is ClassicalKind.UINT:
        return (value + [ZERO] * type_.bits)[: type_.bits]
    raise UnsupportedError(f"a cast to {type_}")


def _sum(left: list[Bit], right: list[Bit], carry: Bit) -> list[Bit]:
    found = []
    for a, b in zip(left, right, strict=True):
        found.append(differ(differ(a, b), carry))
        carry = either(both(a, b), both(carry, differ(a, b)))
    return found
