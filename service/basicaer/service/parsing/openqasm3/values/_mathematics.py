"""Functions of floats and of complex numbers that are known."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

from basicaer.service.parsing.openqasm3.values._types import (
    COMPLEX,
    FLOAT,
    Value,
    ValueProblem,
    converted,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["FUNCTIONS", "called"]

# The contract's function, Python's, and whether it has complex values.
FUNCTIONS: dict[str, tuple[pb.MathFunction.ValueType, Callable[[float], float]]] = {
    "sin": (pb.MATH_FUNCTION_SIN, math.sin),
    "cos": (pb.MATH_FUNCTION_COS, math.cos),
    "tan": (pb.MATH_FUNCTION_TAN, math.tan),
    "arcsin": (pb.MATH_FUNCTION_ASIN, math.asin),
    "arccos": (pb.MATH_FUNCTION_ACOS, math.acos),
    "arctan": (pb.MATH_FUNCTION_ATAN, math.atan),
    "exp": (pb.MATH_FUNCTION_EXP, math.exp),
    "log": (pb.MATH_FUNCTION_LN, math.log),
    "sqrt": (pb.MATH_FUNCTION_SQRT, math.sqrt),
}
_COMPLEX_FUNCTIONS: dict[str, Callable[[complex], complex]] = {"exp": cmath.exp, "sqrt": cmath.sqrt}


def called(name: str, arguments: list[Value]) -> Value:
    """Return the value of one of `FUNCTIONS`. Raises ValueProblem as `binary`."""
    if len(arguments) != 1:
        raise ValueProblem(f"{name} takes one argument, not {len(arguments)}")
    (argument,) = arguments
    function, apply = FUNCTIONS[name]
    if isinstance(argument.known, complex) and name in _COMPLEX_FUNCTIONS:
        try:
            return Value(COMPLEX, _COMPLEX_FUNCTIONS[name](argument.known))
        except (ValueError, OverflowError):
            raise ValueProblem(f"{name}({argument.known}) has no value") from None
    argument = converted(argument, FLOAT)
    if argument.known is not None:
        try:
            return Value(FLOAT, apply(float(argument.known.real)))
        except (ValueError, OverflowError):
            raise ValueProblem(f"{name}({argument.known}) has no value") from None
    call = pb.CallExpression(function=function, argument=reference(argument))
    return Value(FLOAT, expression=pb.Expression(call=call), depth=argument.depth + 1)
