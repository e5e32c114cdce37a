"""Qiskit's classical expressions as the contract's, without importing Qiskit.

Qiskit's nodes are told apart by the names of their classes, so that every version from 0.46 on is served and
this module costs nothing where Qiskit is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from basicaer.client._errors import CircuitError
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "ConversionError",
    "Scope",
    "binary_operation",
    "classical_type",
    "condition_to_proto",
    "expression_to_proto",
    "integer",
    "is_expression",
    "store_to_proto",
]

_WORD = 64


class ConversionError(CircuitError):
    """A Qiskit circuit holds what the service can't run. `location` leads to it, outermost first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.location: tuple[str, ...] = ()

    def within(self, place: str) -> None:
        """Add a place that encloses those that `location` names already."""
        self.location = (place, *self.location)

    def __str__(self) -> str:
        return f"{', '.join(self.location)}: {self.message}" if self.location else self.message


class Scope(Protocol):
    """What an expression's names mean where it stands."""

    def clbit(self, bit: Any) -> int:
        """Return the circuit's index of a classical bit."""

    def register(self, bits: tuple[int, ...]) -> int | None:
        """Return the index of the circuit's classical register of exactly these bits, or None."""

    def variable(self, identity: Any, name: str) -> int:
        """Return the index of a variable that Qiskit knows by `identity`."""


def is_expression(value: Any) -> bool:
    """Whether this is a node of `qiskit.circuit.classical.expr`."""
    return hasattr(value, "accept") and hasattr(value, "type")


def classical_type(qiskit_type: Any) -> pb.ClassicalType | None:
    """Return the type, or None for one that the expression itself tells: a uint of more than 64 bits."""
    name = type(qiskit_type).__name__
    if name == "Bool":
        return pb.ClassicalType(kind=pb.CLASSICAL_KIND_BOOL)
    if name == "Float":
        return pb.ClassicalType(kind=pb.CLASSICAL_KIND_FLOAT)
    if name == "Uint":
        if qiskit_type.width > _WORD:
            return None
        return pb.ClassicalType(kind=pb.CLASSICAL_KIND_UINT, width=qiskit_type.width)
    raise ConversionError(
        f"values of type {name.lower()} can't be computed here; only bool, uint and float can"
    )


def integer(value: int) -> pb.Expression:
    """Return a constant that is not negative, of any size."""
    if value < 0:
        raise ConversionError(f"the constant {value} is negative, but only unsigned integers can stand here")
    if value.bit_length() > _WORD:
        wide = value.to_bytes((value.bit_length() + 7) // 8, "little")
        return pb.Expression(literal=pb.Literal(wide_value=wide))
    return pb.Expression(literal=pb.Literal(uint_value=value))


def binary_operation(
    operator: pb.BinaryOperator.ValueType, left: pb.Expression, right: pb.Expression
) -> pb.Expression:
    """Return an operator and its operands."""
    return pb.Expression(binary=pb.BinaryExpression(operator=operator, left=left, right=right))


def _unary(operator: pb.UnaryOperator.ValueType, operand: pb.Expression) -> pb.Expression:
    return pb.Expression(unary=pb.UnaryExpression(operator=operator, operand=operand))


def _bits_to_proto(bits: tuple[int, ...], scope: Scope) -> pb.Expression:
    """Return the uint made of classical bits: the circuit's register where it has one of them, else a sum."""
    index = scope.register(bits)
    if index is not None:
        return pb.Expression(register=index)
    if not bits:
        return integer(0)
    if len(bits) > _WORD:
        raise ConversionError(
            f"a register of {len(bits)} bits that is not the circuit's own is read; the most is {_WORD} bits"
        )
    uint = pb.ClassicalType(kind=pb.CLASSICAL_KIND_UINT, width=len(bits))
    total: pb.Expression | None = None
    for position, bit in enumerate(bits):
        term = pb.Expression(type=uint, cast=pb.Expression(clbit=bit))
        if position:
            term = binary_operation(pb.BINARY_OPERATOR_SHIFT_LEFT, term, integer(position))
        total = term if total is None else binary_operation(pb.BINARY_OPERATOR_BIT_OR, total, term)
    assert total is not None
    return total


def _location_to_proto(location: Any, scope: Scope) -> pb.Expression:
    """Return a classical bit or register as an expression."""
    if hasattr(location, "__len__"):
        return _bits_to_proto(tuple(scope.clbit(bit) for bit in location), scope)
    return pb.Expression(clbit=scope.clbit(location))


def condition_to_proto(condition: Any, scope: Scope) -> pb.Expression:
    """Return an expression, a classical bit or register, or Qiskit's older pair of one of these and a
    value.
    """
    if is_expression(condition):
        return expression_to_proto(condition, scope)
    if not isinstance(condition, tuple):
        return _location_to_proto(condition, scope)
    location, value = condition
    read = _location_to_proto(location, scope)
    if hasattr(location, "__len__"):
        return binary_operation(pb.BINARY_OPERATOR_EQUAL, read, integer(int(value)))
    return read if int(value) else _unary(pb.UNARY_OPERATOR_LOGIC_NOT, read)


def expression_to_proto(node: Any, scope: Scope) -> pb.Expression:
    """Return a node of `qiskit.circuit.classical.expr`.

    Raises:
        ConversionError: A node or a type that the contract does not have, such as a stretch.
    """
    convert = _NODES.get(type(node).__name__)
    if convert is None:
        raise ConversionError(
            f"an expression holds {type(node).__name__!r}, which the service can't evaluate"
        )
    return convert(node, scope)


def _var(node: Any, scope: Scope) -> pb.Expression:
    if getattr(node, "standalone", False):  # not before Qiskit 1.0
        return pb.Expression(variable=scope.variable(node.var, node.name))
    return _location_to_proto(node.var, scope)


def _stretch(node: Any, scope: Scope) -> pb.Expression:
    raise ConversionError(
        f"the stretch {node.name!r} has no length before the circuit is scheduled; give durations as numbers"
    )


def _value(node: Any, scope: Scope) -> pb.Expression:
    kind = classical_type(node.type)
    if kind is None:
        return integer(int(node.value))
    if kind.kind == pb.CLASSICAL_KIND_BOOL:
        return pb.Expression(type=kind, literal=pb.Literal(bool_value=bool(node.value)))
    if kind.kind == pb.CLASSICAL_KIND_FLOAT:
        return pb.Expression(type=kind, literal=pb.Literal(float_value=float(node.value)))
    return pb.Expression(type=kind, literal=pb.Literal(uint_value=int(node.value)))


def _cast(node: Any, scope: Scope) -> pb.Expression:
    kind = classical_type(node.type)
    operand = expression_to_proto(node.operand, scope)
    # A wide uint has no name in the contract; widening to it changes no value.
    return operand if kind is None else pb.Expression(type=kind, cast=operand)


def _unary_node(node: Any, scope: Scope) -> pb.Expression:
    # Qiskit's numbers for operators are the contract's: both promise to keep them.
    operator = pb.UnaryOperator.Name(pb.UnaryOperator.ValueType(node.op.value))
    result = _unary(pb.UnaryOperator.Value(operator), expression_to_proto(node.operand, scope))
    return _typed(result, node)


def _binary_node(node: Any, scope: Scope) -> pb.Expression:
    operator = pb.BinaryOperator.Name(pb.BinaryOperator.ValueType(node.op.value))
    left = expression_to_proto(node.left, scope)
    right = expression_to_proto(node.right, scope)
    return _typed(binary_operation(pb.BinaryOperator.Value(operator), left, right), node)


def _index_node(node: Any, scope: Scope) -> pb.Expression:
    target = expression_to_proto(node.target, scope)
    index = expression_to_proto(node.index, scope)
    return pb.Expression(index=pb.IndexExpression(target=target, index=index))


def _typed(expression: pb.Expression, node: Any) -> pb.Expression:
    kind = classical_type(node.type)
    if kind is not None:
        expression.type.CopyFrom(kind)
    return expression


_NODES: Mapping[str, Callable[[Any, Scope], pb.Expression]] = {
    "Var": _var,
    "Stretch": _stretch,
    "Value": _value,
    "Cast": _cast,
    "Unary": _unary_node,
    "Binary": _binary_node,
    "Index": _index_node,
}


def store_to_proto(lvalue: Any, rvalue: Any, scope: Scope) -> pb.Store:
    """Qiskit's `Store`. A store into one bit of an integer variable becomes one into the variable."""
    value = expression_to_proto(rvalue, scope)
    if type(lvalue).__name__ == "Index":
        return _store_bit(lvalue, value, scope)
    return _store(expression_to_proto(lvalue, scope), value)


def _store(target: pb.Expression, value: pb.Expression) -> pb.Store:
    kind = target.WhichOneof("kind")
    if kind == "clbit":
        return pb.Store(clbit=target.clbit, value=value)
    if kind == "register":
        return pb.Store(register=target.register, value=value)
    if kind == "variable":
        return pb.Store(variable=target.variable, value=value)
    raise ConversionError("a value is stored in a register that is not one of the circuit's own")


def _store_bit(lvalue: Any, value: pb.Expression, scope: Scope) -> pb.Store:
    container, position = lvalue.target, lvalue.index
    if (
        type(container).__name__ == "Var"
        and not getattr(container, "standalone", False)
        and type(position).__name__ == "Value"
    ):
        return pb.Store(clbit=scope.clbit(tuple(container.var)[int(position.value)]), value=value)
    target = expression_to_proto(container, scope)
    kind = classical_type(container.type)
    if kind is None:
        raise ConversionError(
            f"one bit of an integer of more than {_WORD} bits is stored by a computed index"
        )
    index = expression_to_proto(position, scope)

    def shifted(source: pb.Expression) -> pb.Expression:
        whole = pb.Expression(type=kind, cast=source)
        return pb.Expression(
            type=kind,
            binary=pb.BinaryExpression(operator=pb.BINARY_OPERATOR_SHIFT_LEFT, left=whole, right=index),
        )

    one = pb.Expression(
        literal=pb.Literal(bool_value=True), type=pb.ClassicalType(kind=pb.CLASSICAL_KIND_BOOL)
    )
    kept = binary_operation(
        pb.BINARY_OPERATOR_BIT_AND, target, _unary(pb.UNARY_OPERATOR_BIT_NOT, shifted(one))
    )
    return _store(target, binary_operation(pb.BINARY_OPERATOR_BIT_OR, kept, shifted(value)))
