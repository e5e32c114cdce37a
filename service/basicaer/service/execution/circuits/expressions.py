"""The contract's classical expressions as the simulator's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from basicaer import simulator as sim
from basicaer.service.parsing import MAX_BITS, Pause, ProgramFault, too_large
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["classical_type", "expression"]

# Of one expression: ten times what programs were seen to have. Its objects are let go all at once.
_MOST_PARTS = 8_192


def classical_type(message: pb.ClassicalType, path: str) -> sim.ClassicalType:
    """Return a type; raises ProgramFault for a number that none has."""
    try:
        return sim.ClassicalType(sim.ClassicalKind(message.kind), message.width)
    except ValueError:
        raise ProgramFault(f"there is no classical type number {message.kind}", path=path) from None


def expression(message: pb.Expression, path: str, pause: Pause) -> sim.Expression:
    """Return an expression with all its parts; `pause` is called for each.

    Raises:
        ProgramFault: One of them is none that there is, or there are too many.
    """
    return _part(message, path, pause, count(1))


def _part(message: pb.Expression, path: str, pause: Pause, parts: Iterator[int]) -> sim.Expression:
    """Return a part of an expression, of which `parts` counts the parts."""
    pause()
    if (number := next(parts)) > _MOST_PARTS:
        raise too_large(
            "max_expression_parts",
            _MOST_PARTS,
            number,
            f"{path}: the expression has more than {_MOST_PARTS:,} parts; store some of them in variables",
        )
    kind = message.WhichOneof("kind")
    given = classical_type(message.type, path) if message.HasField("type") else None
    if given is not None and given.kind is sim.ClassicalKind.UNSPECIFIED:
        given = None
    match kind:
        case "literal":
            return sim.Literal(_literal(message.literal, path), given)
        case "clbit":
            return sim.ClbitRef(message.clbit, given)
        case "register":
            return sim.RegisterRef(message.register, given)
        case "variable":
            return sim.VariableRef(message.variable, given)
        case "unary":
            unary = _enumerated(sim.UnaryOperator, message.unary.operator, path)
            return sim.Unary(unary, _part(message.unary.operand, path, pause, parts), given)
        case "binary":
            binary = _enumerated(sim.BinaryOperator, message.binary.operator, path)
            left = _part(message.binary.left, path, pause, parts)
            return sim.Binary(binary, left, _part(message.binary.right, path, pause, parts), given)
        case "cast":
            if given is None:
                raise ProgramFault("a cast needs the type that it converts to", path=path)
            return sim.Cast(_part(message.cast, path, pause, parts), given)
        case "index":
            target = _part(message.index.target, path, pause, parts)
            return sim.Index(target, _part(message.index.index, path, pause, parts), given)
        case "call":
            function = _enumerated(sim.MathFunction, message.call.function, path)
            return sim.Call(function, _part(message.call.argument, path, pause, parts), given)
    raise ProgramFault("an expression is empty; set one of its kinds", path=path)


def _literal(message: pb.Literal, path: str) -> bool | int | float:
    match message.WhichOneof("value"):
        case "bool_value":
            return message.bool_value
        case "uint_value":
            return message.uint_value
        case "int_value":
            return message.int_value
        case "float_value":
            return message.float_value
        case "wide_value":
            wide = int.from_bytes(message.wide_value, "little")
            if wide.bit_length() > MAX_BITS:
                raise ProgramFault(
                    f"a literal has {wide.bit_length():,} bits, and a register has at most {MAX_BITS:,}",
                    path=path,
                )
            return wide
    raise ProgramFault("a literal has no value", path=path)


def _enumerated(kind: Any, number: int, path: str) -> Any:
    try:
        return kind(number)
    except ValueError:
        raise ProgramFault(f"there is no {kind.__name__} number {number}", path=path) from None
