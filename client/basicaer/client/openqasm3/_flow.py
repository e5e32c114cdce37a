"""What the blocks of a circuit come to: how many instructions, and which variables are a loop's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from basicaer.client._errors import CircuitError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["LoopVariables", "instructions", "own_loops"]

# For each loop all other operations are looked at.
_MOST_LOOPS = 200


def instructions(circuit: pb.Circuit) -> int:
    """Return how many instructions there are when each block stands where it is used.

    Raises:
        CircuitError: A block uses an operation that there isn't before its own.
    """
    sizes: list[int] = []
    for operation in circuit.operations:
        sizes.append(1 + sum(_size(block, sizes) for block in _blocks(operation)))
    return _size(circuit.body, sizes)


def _size(block: pb.Block, sizes: list[int]) -> int:
    try:
        return sum(map(sizes.__getitem__, block.operations))
    except IndexError:
        raise CircuitError("A block uses an operation that stands behind it, or isn't there.") from None


class LoopVariables(NamedTuple):
    """`own` are those that one loop writes and nobody reads outside of it; `written` all that are written."""

    own: frozenset[int]
    written: frozenset[int]


def own_loops(circuit: pb.Circuit) -> LoopVariables:
    """Return what is known of a circuit's loop variables."""
    loops: dict[int, list[int]] = {}
    stored: set[int] = set()
    users: dict[int, set[int]] = {}
    for index, operation in enumerate(circuit.operations):
        if operation.HasField("for_loop") and operation.for_loop.HasField("variable"):
            loops.setdefault(operation.for_loop.variable, []).append(index)
        if operation.store.WhichOneof("target") == "variable":
            stored.add(operation.store.variable)
        for variable in _reads(operation):
            users.setdefault(variable, set()).add(index)
    written = frozenset((*loops, *stored))
    own: set[int] = set()
    if len(loops) <= _MOST_LOOPS:
        inside = [
            {index for block in _blocks(operation) for index in block.operations}
            for operation in circuit.operations
        ]
        for variable, (first, *others) in loops.items():
            if others or variable in stored or circuit.variables[variable].input:
                continue
            reached = _reached(set(circuit.body.operations), inside, first)
            if reached.isdisjoint(users.get(variable, ())):
                own.add(variable)
    return LoopVariables(frozenset(own), written)


def _reached(start: set[int], inside: list[set[int]], without: int) -> set[int]:
    """Return the operations that are met from some on, without going into one."""
    found, waiting = set(start), list(start)
    while waiting:
        index = waiting.pop()
        new = set() if index == without else inside[index] - found
        found |= new
        waiting += new
    return found


def _blocks(operation: pb.Operation) -> Iterator[pb.Block]:
    match operation.name:
        case "if_else":
            yield operation.if_else.then_block
            yield operation.if_else.else_block
        case "while_loop":
            yield operation.while_loop.body
        case "for_loop":
            yield operation.for_loop.body
        case "switch_case":
            yield from (case.body for case in operation.switch_case.cases)


def _reads(operation: pb.Operation) -> Iterator[int]:
    """Return the variables in an operation's own expressions, those of its blocks left out."""
    waiting = [operation.condition, *operation.parameter_expressions, operation.store.value]
    waiting += [operation.if_else.condition, operation.while_loop.condition, operation.switch_case.target]
    while waiting:
        message = waiting.pop()
        match message.WhichOneof("kind"):
            case "variable":
                yield message.variable
            case "unary":
                waiting.append(message.unary.operand)
            case "binary":
                waiting += [message.binary.left, message.binary.right]
            case "cast":
                waiting.append(message.cast)
            case "index":
                waiting += [message.index.target, message.index.index]
            case "call":
                waiting.append(message.call.argument)
