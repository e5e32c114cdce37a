"""Qiskit's parameter expressions, the unbound parameters of gates.

What depends linearly on inputs becomes terms in a block's columns, anything else an expression that the
server evaluates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from basicaer.client.conversion._expressions import ConversionError, binary_operation
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "PLAIN_NUMBERS",
    "ParameterScope",
    "Term",
    "Values",
    "linear_values",
    "parameters_to_proto",
    "real",
]

PLAIN_NUMBERS = frozenset((float, int))


class ParameterScope(Protocol):
    """What a parameter means where it stands."""

    def is_bound(self, parameter: Any) -> bool:
        """Whether a loop around gives the parameter its value."""

    def loop_parameter(self, parameter: Any) -> int:
        """Return the index of the variable that takes a bound parameter's value."""

    def input_parameter(self, parameter: Any) -> int | None:
        """Return the index of the input that an unbound parameter becomes; None where inputs can't be
        given.
        """


class Term(NamedTuple):
    """Adds `factor` times an input to the instruction's parameter of this position."""

    position: int
    variable: int
    factor: float


class Values(NamedTuple):
    """The parameters of one instruction: numbers and terms, or `expressions` alone."""

    numbers: list[float]
    terms: list[Term]
    expressions: list[pb.Expression]


def parameters_to_proto(values: Iterable[Any], scope: ParameterScope) -> Values:
    """Convert the parameters of one instruction: numbers, parameters, and expressions of parameters.

    Raises:
        ConversionError: A parameter has no value and can't be an input, which the message names; a value that
            is not real; or a function that the contract lacks.
    """
    numbers: list[float] = []
    terms: list[Term] = []
    values = list(values)
    for position, value in enumerate(values):
        if not getattr(value, "parameters", None):
            numbers.append(real(value))
            continue
        linear = _linear(value, scope)
        if linear is None:
            return Values([], [], [_expression(each, scope) for each in values])
        constant, factors = linear
        numbers.append(constant)
        terms += [Term(position, variable, factor) for variable, factor in factors]
    return Values(numbers, terms, [])


def linear_values(values: list[Any], scope: ParameterScope) -> tuple[list[float], list[Term]] | None:
    """Convert the parameters of many instructions at once; None when one of them needs a closer look."""
    numbers: list[float] = values.copy()
    terms: list[Term] = []
    for position, value in enumerate(values):
        if type(value) in PLAIN_NUMBERS:
            continue
        if not getattr(value, "parameters", None):
            return None
        try:
            linear = _linear(value, scope)
        except ConversionError:
            return None
        if linear is None:
            return None
        numbers[position], factors = linear
        terms += [Term(position, variable, factor) for variable, factor in factors]
    return numbers, terms


def _linear(expression: Any, scope: ParameterScope) -> tuple[float, list[tuple[int, float]]] | None:
    """Return a constant and each input's factor; None when it isn't linear, or depends on a loop."""
    # A parameter itself is by far the most frequent.
    if hasattr(expression, "uuid") and not scope.is_bound(expression):
        variable = scope.input_parameter(expression)
        if variable is not None:
            return 0.0, [(variable, 1.0)]
    parameters = expression.parameters
    variables = _inputs(parameters, scope)
    if variables is None:
        return None
    factors = []
    try:
        for parameter, variable in zip(parameters, variables, strict=True):
            slope = expression.gradient(parameter)
            if getattr(slope, "parameters", None):
                return None
            factors.append((variable, float(slope)))
        constant = float(expression.bind(dict.fromkeys(parameters, 0)))
    except Exception:
        # Qiskit's versions raise differently for a function without a derivative; it isn't linear anyway.
        return None
    return constant, factors


def _inputs(parameters: Iterable[Any], scope: ParameterScope) -> list[int] | None:
    """Return the inputs of parameters, in their order; None when a loop gives one of them its value."""
    if any(scope.is_bound(parameter) for parameter in parameters):
        _refuse_unknown(parameters, scope)
        return None
    _refuse_unknown(parameters, scope)
    return [index for p in parameters if (index := scope.input_parameter(p)) is not None]


def _refuse_unknown(parameters: Iterable[Any], scope: ParameterScope) -> None:
    unknown = sorted(p.name for p in parameters if not scope.is_bound(p) and scope.input_parameter(p) is None)
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise ConversionError(
            f"the parameter {names} has no value; bind it first, with circuit.assign_parameters({{...}}), or "
            "give Program(circuit, inputs={...})"
        )


_OPERATORS: Mapping[str, tuple[pb.BinaryOperator.ValueType, bool]] = {
    "ADD": (pb.BINARY_OPERATOR_ADD, False),
    "SUB": (pb.BINARY_OPERATOR_SUB, False),
    "MUL": (pb.BINARY_OPERATOR_MUL, False),
    "DIV": (pb.BINARY_OPERATOR_DIV, False),
    "POW": (pb.BINARY_OPERATOR_POW, False),
    "RSUB": (pb.BINARY_OPERATOR_SUB, True),
    "RDIV": (pb.BINARY_OPERATOR_DIV, True),
    "RPOW": (pb.BINARY_OPERATOR_POW, True),
}
_FUNCTIONS: Mapping[str, pb.MathFunction.ValueType] = {
    "SIN": pb.MATH_FUNCTION_SIN,
    "COS": pb.MATH_FUNCTION_COS,
    "TAN": pb.MATH_FUNCTION_TAN,
    "ASIN": pb.MATH_FUNCTION_ASIN,
    "ACOS": pb.MATH_FUNCTION_ACOS,
    "ATAN": pb.MATH_FUNCTION_ATAN,
    "EXP": pb.MATH_FUNCTION_EXP,
    "LOG": pb.MATH_FUNCTION_LN,
    "ABS": pb.MATH_FUNCTION_ABS,
}


def _expression(value: Any, scope: ParameterScope) -> pb.Expression:
    if not getattr(value, "parameters", None):
        return _literal(value)
    _refuse_unknown(value.parameters, scope)
    if "_accelerate" in type(value).__module__:
        return _from_replay(value, scope)
    symbols = {parameter.name: parameter for parameter in value.parameters}
    return _from_sympy(value.sympify(), symbols, scope)


def _variable(parameter: Any, scope: ParameterScope) -> pb.Expression:
    """Return an input, or a loop's integer as a float, which gates take."""
    index = None if scope.is_bound(parameter) else scope.input_parameter(parameter)
    if index is not None:
        return pb.Expression(variable=index)
    kind = pb.ClassicalType(kind=pb.CLASSICAL_KIND_FLOAT)
    return pb.Expression(type=kind, cast=pb.Expression(variable=scope.loop_parameter(parameter)))


def _from_replay(expression: Any, scope: ParameterScope) -> pb.Expression:
    """Qiskit 2, which has no SymPy: replays the record of operations that Qiskit itself serializes
    expressions by.
    """
    stack: list[pb.Expression] = []

    def operand(value: Any) -> pb.Expression:
        if value is None:
            return stack.pop()
        if getattr(value, "parameters", None):
            return _variable(value, scope)
        return _literal(value)

    for step in expression._qpy_replay:
        name = str(step.op).rpartition(".")[2]
        if name in _OPERATORS:
            # The right operand was pushed last.
            right = operand(step.rhs)
            left = operand(step.lhs)
            operator, swapped = _OPERATORS[name]
            stack.append(
                binary_operation(operator, right, left)
                if swapped
                else binary_operation(operator, left, right)
            )
        elif name in _FUNCTIONS:
            call = pb.CallExpression(function=_FUNCTIONS[name], argument=operand(step.lhs))
            stack.append(pb.Expression(call=call))
        elif name == "CONJ":
            stack.append(operand(step.lhs))
        else:
            raise ConversionError(
                f"a gate's parameter uses {name.lower()!r}, which the service can't evaluate"
            )
    return stack.pop()


def real(value: Any) -> float:
    """Return a gate's parameter as a number.

    Raises:
        ConversionError: It is not a real number.
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConversionError(f"the gate's parameter {value!r} is not a real number") from None


def _literal(value: Any) -> pb.Expression:
    return pb.Expression(literal=pb.Literal(float_value=real(value)))


def _from_sympy(node: Any, symbols: Mapping[str, Any], scope: ParameterScope) -> pb.Expression:
    """Qiskit before 2, which always brings SymPy."""
    if node.is_Symbol:
        return _variable(symbols[node.name], scope)
    if node.is_number:
        return _literal(node)
    arguments = [_from_sympy(argument, symbols, scope) for argument in node.args]
    kind = type(node).__name__
    operators = {"Add": pb.BINARY_OPERATOR_ADD, "Mul": pb.BINARY_OPERATOR_MUL, "Pow": pb.BINARY_OPERATOR_POW}
    if kind in operators:
        total = arguments[0]
        for argument in arguments[1:]:
            total = binary_operation(operators[kind], total, argument)
        return total
    if kind == "conjugate":
        return arguments[0]
    function = _FUNCTIONS.get(kind.upper())
    if function is None:
        raise ConversionError(f"a gate's parameter uses {kind.lower()!r}, which the service can't evaluate")
    return pb.Expression(call=pb.CallExpression(function=function, argument=arguments[0]))
