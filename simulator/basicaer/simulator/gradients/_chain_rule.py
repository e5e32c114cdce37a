"""How gates' parameters change with a circuit's inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from basicaer.simulator._errors import CircuitError
from basicaer.simulator.circuit._expressions import (
    Binary,
    BinaryOperator,
    Call,
    Cast,
    ClassicalKind,
    Expression,
    Literal,
    MathFunction,
    Unary,
    UnaryOperator,
    VariableRef,
)

__all__ = ["Differentiation", "Dual", "refuse_rough", "slopes_of"]


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its derivatives, by variables' numbers."""

    value: float
    partials: Mapping[int, float]


_SMOOTH = (ClassicalKind.FLOAT, ClassicalKind.ANGLE)


_OPERATORS = frozenset(
    {
        *(BinaryOperator.ADD, BinaryOperator.SUB, BinaryOperator.MUL, BinaryOperator.DIV),
        BinaryOperator.POW,
    }
)


def refuse_rough(
    expression: Expression,
    path: tuple[str | int, ...],
    smooth: frozenset[int],
    variables_of: Callable[[Expression], set[int]],
) -> None:
    """Let an expression through that has derivatives by the variables `smooth`.

    Raises:
        CircuitError: It has an operator without derivative, or a conversion that rounds.
    """
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if not variables_of(node) & smooth:
            continue
        match node:
            case VariableRef():
                pass
            case Unary(operator=UnaryOperator.NEGATE):
                waiting.append(node.operand)
            case Cast() if node.type.kind in _SMOOTH and node.type.bits == 64:
                waiting.append(node.operand)
            case Call():
                waiting.append(node.argument)
            case Binary() if node.operator in _OPERATORS:
                waiting += (node.left, node.right)
            case _:
                name = getattr(node, "operator", None) or type(node)
                text = name.name if isinstance(name, BinaryOperator | UnaryOperator) else name.__name__
                raise CircuitError(f"a gradient needs smooth functions of inputs, and {text} is none", path)


def slopes_of(expression: Expression) -> dict[int, float] | None:
    """Return the factors of the variables in a linear expression; None for what isn't written as one."""
    match expression:
        case Literal(value=float()):
            return {}
        case VariableRef():
            return {expression.index: 1.0}
        case Unary(operator=UnaryOperator.NEGATE):
            inner = slopes_of(expression.operand)
            return None if inner is None else {number: -slope for number, slope in inner.items()}
        case Binary(operator=BinaryOperator.ADD | BinaryOperator.SUB):
            left, right = slopes_of(expression.left), slopes_of(expression.right)
            if left is None or right is None:
                return None
            sign = 1.0 if expression.operator is BinaryOperator.ADD else -1.0
            for number, slope in right.items():
                left[number] = left.get(number, 0.0) + sign * slope
            return left
        case Binary(operator=BinaryOperator.MUL, left=Literal(value=float() as factor), right=other):
            return _times(factor, slopes_of(other))
        case Binary(operator=BinaryOperator.MUL, left=other, right=Literal(value=float() as factor)):
            return _times(factor, slopes_of(other))
        case Binary(operator=BinaryOperator.DIV, left=other, right=Literal(value=float() as divisor)):
            return _times(1.0 / divisor, slopes_of(other)) if divisor else None
    return None


def _times(factor: float, slopes: dict[int, float] | None) -> dict[int, float] | None:
    return None if slopes is None else {number: factor * slope for number, slope in slopes.items()}


class Differentiation:
    """Evaluates expressions together with their derivatives (forward mode).

    `variables_of` tells the variables of an expression, and `evaluate` its value where nothing varies.
    """

    def __init__(
        self,
        smooth: frozenset[int],
        variables_of: Callable[[Expression], set[int]],
        evaluate: Callable[[Expression], float],
    ) -> None:
        self._smooth = smooth
        self._variables_of = variables_of
        self._evaluate = evaluate

    def dual(self, expression: Expression) -> Dual:
        """Return the value and the derivatives of an expression that `refuse_rough` lets through.

        Raises:
            ArithmeticError, ValueError: There is none.
        """
        if not self._variables_of(expression) & self._smooth:
            return Dual(self._evaluate(expression), {})
        match expression:
            case VariableRef():
                return Dual(self._evaluate(expression), {expression.index: 1.0})
            case Unary(operator=UnaryOperator.NEGATE):
                inner = self.dual(expression.operand)
                return _scaled(-inner.value, inner, -1.0)
            case Cast() if expression.type.kind in _SMOOTH and expression.type.bits == 64:
                return self.dual(expression.operand)
            case Call():
                return _called(expression.function, self.dual(expression.argument))
            case Binary():
                return _combined(expression.operator, self.dual(expression.left), self.dual(expression.right))
        raise AssertionError(f"an expression was not refused: {expression}")


def _scaled(value: float, inner: Dual, factor: float) -> Dual:
    return Dual(value, {number: factor * partial for number, partial in inner.partials.items()})


def _summed(value: float, left: Dual, by_left: float, right: Dual, by_right: float) -> Dual:
    partials = {number: by_left * partial for number, partial in left.partials.items()}
    for number, partial in right.partials.items():
        partials[number] = partials.get(number, 0.0) + by_right * partial
    return Dual(value, partials)


def _called(function: MathFunction, inner: Dual) -> Dual:
    at = inner.value
    match function:
        case MathFunction.SIN:
            return _scaled(math.sin(at), inner, math.cos(at))
        case MathFunction.COS:
            return _scaled(math.cos(at), inner, -math.sin(at))
        case MathFunction.TAN:
            return _scaled(math.tan(at), inner, 1.0 + math.tan(at) ** 2)
        case MathFunction.ASIN:
            return _scaled(math.asin(at), inner, 1.0 / math.sqrt(1.0 - at * at))
        case MathFunction.ACOS:
            return _scaled(math.acos(at), inner, -1.0 / math.sqrt(1.0 - at * at))
        case MathFunction.ATAN:
            return _scaled(math.atan(at), inner, 1.0 / (1.0 + at * at))
        case MathFunction.EXP:
            return _scaled(math.exp(at), inner, math.exp(at))
        case MathFunction.LN:
            return _scaled(math.log(at), inner, 1.0 / at)
        case MathFunction.SQRT:
            return _scaled(math.sqrt(at), inner, 0.5 / math.sqrt(at))
        case MathFunction.ABS:
            return _scaled(abs(at), inner, math.copysign(1.0, at))


def _combined(operator: BinaryOperator, left: Dual, right: Dual) -> Dual:
    a, b = left.value, right.value
    match operator:
        case BinaryOperator.ADD:
            return _summed(a + b, left, 1.0, right, 1.0)
        case BinaryOperator.SUB:
            return _summed(a - b, left, 1.0, right, -1.0)
        case BinaryOperator.MUL:
            return _summed(a * b, left, b, right, a)
        case BinaryOperator.DIV:
            return _summed(a / b, left, 1.0 / b, right, -a / (b * b))
        case BinaryOperator.POW:
            by_left = b * a ** (b - 1.0) if left.partials else 0.0
            by_right = a**b * math.log(a) if right.partials else 0.0
            return _summed(a**b, left, by_left, right, by_right)
    raise AssertionError(f"an operator was not refused: {operator}")
