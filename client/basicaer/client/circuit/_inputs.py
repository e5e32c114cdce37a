"""Inputs: values that a circuit gets when it is run, and what is computed from them with a few factors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from basicaer.client.circuit._values import Expression, Variable, expression_from
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Input", "Linear", "Observable", "constants_and_terms", "observable_message"]

Observable = str | Mapping[str, float]
"""A product of Pauli matrices such as "ZI", its last letter for qubit 0, or products with coefficients."""


class Linear(Expression):
    """A sum of inputs with factors and a constant, such as `2 * theta + 0.5`.

    As a gate's parameter it is sent as numbers in columns; anywhere else it is an expression like any other.
    """

    def __init__(self, message: pb.Expression, constant: float, terms: Mapping[int, float]) -> None:
        # An input is a variable too, whose own initializer takes other arguments.
        Expression.__init__(self, message)
        self.constant = constant
        self.terms = dict(terms)

    def __add__(self, other: Any) -> Expression:
        return self._sum(super().__add__(other), other, 1.0)

    # Reflected operators don't go by those of the other operand: Python would come back to these.

    def __radd__(self, other: Any) -> Expression:
        return self._sum(expression_from(other)._binary(pb.BINARY_OPERATOR_ADD, self), other, 1.0)

    def __sub__(self, other: Any) -> Expression:
        return self._sum(super().__sub__(other), other, -1.0)

    def __rsub__(self, other: Any) -> Expression:
        whole = expression_from(other)._binary(pb.BINARY_OPERATOR_SUB, self)
        return (-self)._sum(whole, other, 1.0)

    def __mul__(self, other: Any) -> Expression:
        return self._scaled(super().__mul__(other), other)

    def __rmul__(self, other: Any) -> Expression:
        return self._scaled(expression_from(other)._binary(pb.BINARY_OPERATOR_MUL, self), other)

    def __truediv__(self, other: Any) -> Expression:
        inverse = 1 / other if _is_number(other) and other else None
        return self._scaled(super().__truediv__(other), inverse)

    def __neg__(self) -> Linear:
        terms = {index: -factor for index, factor in self.terms.items()}
        return Linear(super().__neg__().message, -self.constant, terms)

    def _sum(self, whole: Expression, other: Any, sign: float) -> Expression:
        """`whole` as a sum of inputs, if what was added is one or a number."""
        if _is_number(other):
            return Linear(whole.message, self.constant + sign * other, self.terms)
        if not isinstance(other, Linear):
            return whole
        terms = dict(self.terms)
        for index, factor in other.terms.items():
            terms[index] = terms.get(index, 0.0) + sign * factor
        return Linear(whole.message, self.constant + sign * other.constant, terms)

    def _scaled(self, whole: Expression, factor: Any) -> Expression:
        """`whole` as a sum of inputs, if that was multiplied with a number."""
        if not _is_number(factor):
            return whole
        terms = {index: factor * own for index, own in self.terms.items()}
        return Linear(whole.message, factor * self.constant, terms)


class Input(Linear, Variable):
    """A float input of a circuit: its value comes with the job, see `Program`."""

    def __init__(self, name: str, index: int) -> None:
        Variable.__init__(self, name, index)
        Linear.__init__(self, self.message, 0.0, {index: 1.0})


def constants_and_terms(
    parameters: Sequence[float | Expression],
) -> tuple[Sequence[float | Expression], list[tuple[int, int, float]]]:
    """Return parameters with their constants in the place of sums of inputs, and their terms.

    A term is a parameter's place, a variable and a factor. Where a parameter is another expression, nothing
    is changed.
    """
    if any(isinstance(value, Expression) and not isinstance(value, Linear) for value in parameters):
        return parameters, []
    terms = [
        (place, variable, factor)
        for place, value in enumerate(parameters)
        if isinstance(value, Linear)
        for variable, factor in value.terms.items()
    ]
    return [value.constant if isinstance(value, Linear) else value for value in parameters], terms


def observable_message(observable: Observable) -> pb.Observable:
    """Return an observable for the wire; what its letters mean is the server's to check."""
    terms = {observable: 1.0} if isinstance(observable, str) else observable
    return pb.Observable(paulis=terms.keys(), coefficients=[float(value) for value in terms.values()])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
