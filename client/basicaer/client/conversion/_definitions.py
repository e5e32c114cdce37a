"""The definitions of composite operations: which operations share one, and what each expands to.

A name tells nothing here, since Qiskit lets any two gates have the same. What counts is the definition: the
circuit that an operation holds or, for the gates of an OpenQASM 2 text, the code that makes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from basicaer.client.conversion._expressions import ConversionError
from basicaer.client.conversion._operations import (
    GATE_SHAPES,
    MAX_DEPTH,
    Kind,
    NestingTooDeepError,
    OperationReader,
    definition_of,
    is_unread_gate_of_text,
)

__all__ = ["CircuitTooLargeError", "Definition", "Definitions"]


class CircuitTooLargeError(ConversionError):
    """The circuit expands to more than `limit` instructions; `actual` is how many were counted."""

    def __init__(self, limit: int, actual: int) -> None:
        super().__init__(
            f"the program expands to {actual:,} instructions or more, and the most is {limit:,}; "
            "use fewer gates, or gate definitions that are less deeply nested"
        )
        self.limit = limit
        self.actual = actual


class Definition(NamedTuple):
    """What an operation expands to.

    Operations with the same `key` expand to the same instructions, those with the same `source` to the same
    but for the values of parameters.
    """

    source: object
    key: object
    body: Any


class Definitions:
    """The definitions that one conversion has come across.

    `max_work` bounds the instructions of definitions that are looked at while counting, so that definitions
    that are made anew each time they are asked for can't keep it busy for ever.
    """

    def __init__(self, reader: OperationReader, max_work: int | None) -> None:
        self._reader = reader
        self._max_work = max_work
        self._work = 0
        self._counts: dict[object, int] = {}
        # Keys hold ids; beside each definition is the operation that it came from, so that these live on.
        self._of_texts: dict[object, tuple[Any, Definition]] = {}
        self._of_objects: dict[int, tuple[Any, Definition]] = {}

    def of(self, operation: Any) -> Definition:
        """Return the definition of a COMPOSITE operation, made at most once."""
        if is_unread_gate_of_text(operation):
            return self._of_text(operation)
        found = self._of_objects.get(id(operation))
        if found is None:
            body = definition_of(operation)
            found = operation, Definition(id(body), id(body), body)
            self._of_objects[id(operation)] = found
        return found[1]

    def _of_text(self, operation: Any) -> Definition:
        code, num_qubits = operation._bytecode, operation.num_qubits
        source = id(code[0]) if code else None, num_qubits
        key = source, *operation.params
        found = self._of_texts.get(key)
        if found is None:
            # By a twin: the operation itself would keep the definition, and no longer be like the others.
            twin = type(operation)(
                operation.name, num_qubits, operation.params, operation._gates, operation._bytecode
            )
            found = self._of_texts[key] = operation, Definition(source, key, twin.definition)
        return found[1]

    def count(self, operation: Any, depth: int = 0) -> int:
        """How many instructions the operation expands to. Each definition is read once.

        Raises:
            NestingTooDeepError: The definitions are nested too deeply, or contain themselves.
            CircuitTooLargeError: Counting itself takes too long.
        """
        if depth > MAX_DEPTH:
            raise NestingTooDeepError(MAX_DEPTH)
        kind = self._reader.kind(operation)
        if kind is Kind.DEFERRED:
            return self.count(self._reader.resolved(operation), depth + 1)
        if kind is Kind.COMPOSITE:
            definition = self.of(operation)
            # How long a definition is doesn't depend on the values of its parameters.
            total = self._counts.get(definition.source)
            if total is None:
                total = self._counts[definition.source] = self._length([definition.body], depth)
            return total
        if kind is Kind.CONTROLLED_COMPOSITE:
            # Its phase becomes an instruction.
            return 1 + self.count(operation.base_gate, depth + 1)
        if kind in (Kind.FLOW, Kind.BOX):
            return 1 + self._length(getattr(operation, "blocks", ()), depth)
        return 1

    def _length(self, bodies: Iterable[Any], depth: int) -> int:
        total = 0
        for body in bodies:
            data = body.data
            self._work += len(data)
            if self._max_work is not None and self._work > self._max_work:
                raise CircuitTooLargeError(self._max_work, self._work)
            quick = len(data) > 0 and hasattr(data[0], "is_standard_gate")
            for instruction in data:
                standard = quick and instruction.is_standard_gate() and instruction.name in GATE_SHAPES
                total += 1 if standard else self.count(instruction.operation, depth + 1)
        return total
