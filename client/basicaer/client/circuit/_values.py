"""Classical values while a circuit runs: bits, registers, variables, and what is computed from them."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any, overload

from basicaer.client._errors import CircuitError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Expression", "Register", "Variable", "expression_from"]


class Register(Sequence[int]):
    """A named group of a circuit's bits; its items are their numbers, the least significant first.

    A classical register can stand where a condition compares its value, as an unsigned integer.
    """

    def __init__(self, name: str, bits: Sequence[int], position: int, *, classical: bool) -> None:
        self.name = name
        self.bits = tuple(bits)
        self.position = position
        self.classical = classical

    def __len__(self) -> int:
        return len(self.bits)

    @overload
    def __getitem__(self, item: int) -> int: ...
    @overload
    def __getitem__(self, item: slice) -> tuple[int, ...]: ...
    def __getitem__(self, item: int | slice) -> int | tuple[int, ...]:
        try:
            return self.bits[item]
        except IndexError:
            raise CircuitError(
                f"Register {self.name} has {len(self)} bits; there is no bit {item}."
            ) from None

    def __iter__(self) -> Iterator[int]:
        return iter(self.bits)

    def __repr__(self) -> str:
        return f"Register({self.name!r}, {list(self.bits)})"


class Expression:
    """A value that is computed while the circuit runs.

    Python's operators make larger expressions of it, `==` and `<` among them; `and`, `or` and `not` can't be
    overloaded: write `&`, `|` and `.negated()`. It has no hash, since `==` doesn't tell what is equal.
    """

    def __init__(self, message: pb.Expression) -> None:
        self.message = message

    def negated(self) -> Expression:
        """Return the logical opposite."""
        return self._unary(pb.UNARY_OPERATOR_LOGIC_NOT)

    def __bool__(self) -> bool:
        raise CircuitError(
            "A classical expression has no value before the circuit runs: "
            "use if_test() or while_loop(), and & and | in place of `and` and `or`."
        )

    def __invert__(self) -> Expression:
        return self._unary(pb.UNARY_OPERATOR_BIT_NOT)

    def __neg__(self) -> Expression:
        return self._unary(pb.UNARY_OPERATOR_NEGATE)

    def __getitem__(self, index: Any) -> Expression:
        return Expression(
            pb.Expression(index=pb.IndexExpression(target=self.message, index=expression_from(index).message))
        )

    def __and__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_BIT_AND, other)

    def __or__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_BIT_OR, other)

    def __xor__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_BIT_XOR, other)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]  # `a == b` is part of a circuit, no bool; so do numpy's arrays
        return self._binary(pb.BINARY_OPERATOR_EQUAL, other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]  # as `==`
        return self._binary(pb.BINARY_OPERATOR_NOT_EQUAL, other)

    def __lt__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_LESS, other)

    def __le__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_LESS_EQUAL, other)

    def __gt__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_GREATER, other)

    def __ge__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_GREATER_EQUAL, other)

    def __lshift__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_SHIFT_LEFT, other)

    def __rshift__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_SHIFT_RIGHT, other)

    def __add__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_ADD, other)

    def __radd__(self, other: Any) -> Expression:
        return expression_from(other) + self

    def __sub__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_SUB, other)

    def __rsub__(self, other: Any) -> Expression:
        return expression_from(other) - self

    def __mul__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_MUL, other)

    def __rmul__(self, other: Any) -> Expression:
        return expression_from(other) * self

    def __truediv__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_DIV, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return expression_from(other) / self

    def __mod__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_MOD, other)

    def __pow__(self, other: Any) -> Expression:
        return self._binary(pb.BINARY_OPERATOR_POW, other)

    def _unary(self, kind: pb.UnaryOperator.ValueType) -> Expression:
        return Expression(pb.Expression(unary=pb.UnaryExpression(operator=kind, operand=self.message)))

    def _binary(self, kind: pb.BinaryOperator.ValueType, other: object) -> Expression:
        right = expression_from(other).message
        return Expression(
            pb.Expression(binary=pb.BinaryExpression(operator=kind, left=self.message, right=right))
        )


class Variable(Expression):
    """A typed classical variable of a circuit."""

    def __init__(self, name: str, index: int) -> None:
        super().__init__(pb.Expression(variable=index))
        self.name = name
        self.index = index


def expression_from(value: Any) -> Expression:
    """Return a value as an expression: an expression, a classical register, a truth value or a number.

    Raises:
        CircuitError: For anything else.
    """
    match value:
        case Expression():
            return value
        case pb.Expression():
            return Expression(value)
        case Register(classical=True):
            return Expression(pb.Expression(register=value.position))
        case bool():
            return Expression(pb.Expression(literal=pb.Literal(bool_value=value)))
        case float():
            return Expression(pb.Expression(literal=pb.Literal(float_value=value)))
    try:
        number = operator.index(value)
    except TypeError:
        raise CircuitError(f"{value!r} can't stand in a classical expression.") from None
    if number < 0:
        literal = pb.Literal(int_value=number)
    elif number < 2**64:
        literal = pb.Literal(uint_value=number)
    else:
        literal = pb.Literal(wide_value=number.to_bytes((number.bit_length() + 7) // 8, "little"))
    return Expression(pb.Expression(literal=literal))
