"""Blocks that run again, or only on a condition, as `with` statements."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Self

from basicaer.client._errors import CircuitError
from basicaer.client.circuit._gate_methods import GateMethods
from basicaer.client.circuit._values import Expression, Register, Variable, expression_from
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Columns", "Condition", "ControlFlow"]

Condition = Expression | tuple[int | Register, int]


class Columns:
    """Instructions in columns, as `Block` has them."""

    __slots__ = (
        "clbits",
        "operations",
        "parameters",
        "qubits",
        "term_factors",
        "term_parameters",
        "term_variables",
    )

    def __init__(self) -> None:
        self.operations = array("I")
        self.qubits = array("I")
        self.clbits = array("I")
        self.parameters = array("d")
        self.term_parameters = array("I")
        self.term_variables = array("I")
        self.term_factors = array("d")

    def add_terms(self, first: int, terms: Iterable[tuple[int, int, float]]) -> None:
        """Let parameters, counted from `first`, depend on inputs: by parameter, variable and factor."""
        for place, variable, factor in terms:
            self.term_parameters.append(first + place)
            self.term_variables.append(variable)
            self.term_factors.append(factor)

    def to_message(self) -> pb.Block:
        """Return the columns for the wire."""
        return pb.Block(
            operations=self.operations,
            qubits=self.qubits,
            clbits=self.clbits,
            parameters=self.parameters,
            term_parameters=self.term_parameters,
            term_variables=self.term_variables,
            term_factors=self.term_factors,
        )


class ControlFlow(GateMethods):
    """The table of operations, the open blocks (the innermost last), and the statements that open them."""

    def __init__(self) -> None:
        self._operations: list[pb.Operation] = []
        self._blocks = [Columns()]
        self._loops = 0

    @abstractmethod
    def add_variable(self, name: str, kind: str = "uint", width: int = 0) -> Variable:
        """Add a variable to the circuit."""

    @abstractmethod
    def bit(self, clbit: int) -> Expression:
        """Return a classical bit's value."""

    @contextlib.contextmanager
    def if_test(self, condition: Condition) -> Iterator[AbstractContextManager[None]]:
        """Begin a block that runs when the condition holds.

        The condition is an expression, or a pair of a classical bit or register and the value that it must
        have. What the `with` yields begins, in a `with` directly after it, the block for the other case:

            with circuit.if_test((0, 1)) as otherwise:
                circuit.x(1)
            with otherwise:
                circuit.h(1)
        """
        flow = pb.IfElse(condition=self._condition(condition))
        place: list[int] = []
        with self._block() as columns:
            yield self._otherwise(flow, place)
        flow.then_block.CopyFrom(columns.to_message())
        place.append(self._emit(pb.Operation(name="if_else", if_else=flow)))

    @contextlib.contextmanager
    def _otherwise(self, flow: pb.IfElse, place: Sequence[int]) -> Iterator[None]:
        """Take the if_else back and write it again with both blocks, after what the second one uses."""
        columns = self._blocks[-1]
        last = len(self._operations) - 1
        if list(place) != [last] or not columns.operations or columns.operations[-1] != last:
            raise CircuitError("The block for the other case must directly follow that of if_test().")
        self._operations.pop()
        columns.operations.pop()
        try:
            with self._block() as otherwise:
                yield
            flow.else_block.CopyFrom(otherwise.to_message())
        finally:
            self._emit(pb.Operation(name="if_else", if_else=flow))

    @contextlib.contextmanager
    def while_loop(self, condition: Condition) -> Iterator[None]:
        """Begin a block that is repeated while the condition holds; it is evaluated before each turn."""
        flow = pb.WhileLoop(condition=self._condition(condition))
        with self._block() as columns, self._loop():
            yield
        flow.body.CopyFrom(columns.to_message())
        self._emit(pb.Operation(name="while_loop", while_loop=flow))

    @contextlib.contextmanager
    def for_loop(self, values: Iterable[int]) -> Iterator[Variable]:
        """Begin a block that is repeated for each value, which the yielded variable has meanwhile."""
        flow = pb.ForLoop()
        if isinstance(values, range):
            flow.range.CopyFrom(pb.IntegerRange(start=values.start, stop=values.stop, step=values.step))
        else:
            flow.values.extend(values)
            if not flow.values:
                flow.range.CopyFrom(pb.IntegerRange(start=0, stop=0, step=1))
        variable = self.add_variable(f"_loop{len(self._operations)}_{self._loops}", "int", 64)
        flow.variable = variable.index
        with self._block() as columns, self._loop():
            yield variable
        flow.body.CopyFrom(columns.to_message())
        self._emit(pb.Operation(name="for_loop", for_loop=flow))

    @contextlib.contextmanager
    def switch(
        self, target: int | Register | Expression
    ) -> Iterator[Callable[..., AbstractContextManager[None]]]:
        """Begin a choice by a value. What it yields begins a case: the first one that fits is run.

        with circuit.switch(register) as case:
            with case(0, 1):
                circuit.x(0)
            with case():  # every other value
                circuit.h(0)
        """
        value = expression_from(target) if isinstance(target, Expression | Register) else self.bit(target)
        flow = pb.SwitchCase(target=value.message)

        @contextlib.contextmanager
        def case(*values: int) -> Iterator[None]:
            with self._block() as columns:
                yield
            flow.cases.add(values=values, is_default=not values, body=columns.to_message())

        with self._block() as outside:
            yield case
        if outside.operations:
            raise CircuitError("Inside of switch(), every instruction must stand in a case.")
        self._emit(pb.Operation(name="switch_case", switch_case=flow))

    def break_loop(self) -> Self:
        """Leaves the innermost loop."""
        return self._jump("break_loop")

    def continue_loop(self) -> Self:
        """Goes to the innermost loop's next turn."""
        return self._jump("continue_loop")

    def _jump(self, name: str) -> Self:
        if not self._loops:
            raise CircuitError(f"{name}() stands outside of every loop.")
        self._emit(pb.Operation(name=name))
        return self

    def _condition(self, condition: Condition) -> pb.Expression:
        """Return a condition as an expression of type bool or bit."""
        if not isinstance(condition, tuple):
            return expression_from(condition).message
        place, value = condition
        if isinstance(place, Register):
            return (expression_from(place) == int(value)).message
        bit = self.bit(place)
        return (bit if value else bit.negated()).message

    @contextlib.contextmanager
    def _block(self) -> Iterator[Columns]:
        """Collect what is written meanwhile."""
        columns = Columns()
        self._blocks.append(columns)
        try:
            yield columns
        finally:
            self._blocks.pop()

    @contextlib.contextmanager
    def _loop(self) -> Iterator[None]:
        self._loops += 1
        try:
            yield
        finally:
            self._loops -= 1

    def _emit(
        self,
        operation: pb.Operation | int,
        qubits: Iterable[int] = (),
        clbits: Iterable[int] = (),
        parameters: Iterable[float] = (),
    ) -> int:
        """Write an instruction of a new operation, or of that of an index; return the index.

        A new operation goes to the table's end, so that one with blocks stands after all that its blocks use.
        """
        if isinstance(operation, int):
            index = operation
        else:
            index = len(self._operations)
            self._operations.append(operation)
        columns = self._blocks[-1]
        columns.operations.append(index)
        columns.qubits.extend(qubits)
        columns.clbits.extend(clbits)
        columns.parameters.extend(parameters)
        return index
