"""Loops: those over known values are unrolled while the program is read, others run in the circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from basicaer.service.parsing.openqasm3._control import Control, Frame
from basicaer.service.parsing.openqasm3._quantum import PowerError, is_near
from basicaer.service.parsing.openqasm3.machine._emitter import Columns
from basicaer.service.parsing.openqasm3.machine._names import Array, Scope, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._usage import assigned_names, has_jumps, mentions
from basicaer.service.parsing.openqasm3.values._operators import binary
from basicaer.service.parsing.openqasm3.values._types import (
    BOOL,
    INT,
    Type,
    Value,
    converted,
    literal,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Loops"]

# A loop whose variable may be known is unrolled up to so many turns; a longer one runs in the circuit.
_MOST_TURNS = 100_000
# The same, for one whose variable isn't used.
_MOST_IDLE_TURNS = 64


class Loops(Control):
    """Lowers loops."""

    def for_loop(self, statement: tree.For) -> bool:
        """Lower a loop over values; tell whether what follows it is never reached."""
        type_ = self.type_of(statement.type)
        values = statement.values
        elements: Sequence[int] | Sequence[Value]
        if isinstance(values, tree.Range):
            bounds = self._bounds(values)
            known = [bound.known for bound in bounds if bound.known is not None]
            if len(known) < len(bounds):
                self._counted(statement, type_, *bounds)
                return False
            values = tree.Range(values.at, *(tree.Number(values.at, bound) for bound in known))
        if isinstance(values, tree.Range | tree.List):
            elements = self._known_values(values)
        else:
            elements = self._elements_of(values, type_)
        if not elements:
            self.unseen(statement.body, statement.name)
            return False
        left, jumps = False, has_jumps(statement.body)
        integers = (
            elements if isinstance(elements, range) else [each for each in elements if isinstance(each, int)]
        )
        are_integers = len(integers) == len(elements)
        uses = mentions(statement.body, statement.name)
        is_long = len(elements) > (_MOST_TURNS if uses else _MOST_IDLE_TURNS)
        if are_integers and (jumps or is_long or statement.at in self.turned):
            self._turned(statement, type_, integers, uses=uses)
            return False
        if jumps:
            self._each_in_turn(statement, type_, [each for each in elements if not isinstance(each, int)])
            return False
        self.unrolled.append(statement.at)
        for element in elements:
            self.step()
            value = Value(INT, element, is_literal=True) if isinstance(element, int) else element
            self._bind(statement, type_, value)
            left = self.in_order(statement.body)
            self._unbind()
            if left:
                break
        self.unrolled.pop()
        return left

    def _bounds(self, values: tree.Range) -> list[Value]:
        """Return the start, the step and the stop of a range, each evaluated once."""
        if values.start is None or values.stop is None:
            self.fail(values.at, "a loop's range has a start and a stop, as in [0:3]")
        found = []
        for place, part in enumerate((values.start, values.step, values.stop)):
            value = literal(1) if part is None else self.value(part)
            if part is not None and not (value.type.is_integer or value.type.is_register):
                self.fail(part.at, f"a loop goes over integers, and this is of type {value.type}")
            found.append(self.once(values.at, value, f"bound {place}"))
        return found

    def _known_values(self, values: tree.Range | tree.List) -> Sequence[int] | Sequence[Value]:
        if isinstance(values, tree.Range):
            integers = self.loop_values(values)
            # The circuit counts in 64 bits with a sign.
            return integers if is_near(integers) else [literal(each) for each in integers]
        found = [self.value(each) for each in values.items]
        if all(value.known is not None and isinstance(value.known, int) for value in found):
            return [int(value.known) for value in found if isinstance(value.known, int)]
        # What the loop does to variables doesn't change what it goes over.
        return [
            value if value.known is not None else self._copied(each.at, value, number)
            for number, (each, value) in enumerate(zip(values.items, found, strict=True))
        ]

    def _elements_of(self, values: tree.Expression, type_: Type) -> Sequence[Value]:
        """Return the elements of an array, or the bits of a value."""
        found = self.element(values)
        if isinstance(found, Array):
            if len(found.type.axes) != 1:
                self.fail(values.at, "a loop goes over an array of one axis")
            # What the loop does to the array doesn't change what it goes over.
            copies = []
            for number, element in enumerate(found.elements):
                self.step()
                value = self.memory.read(element)
                copies.append(value if value.known is not None else self._copied(values.at, value, number))
            return copies
        value = self.value(values)
        if not value.type.is_register:
            self.fail(
                values.at, f"a loop goes over a range, a set, an array or a register, not over {value.type}"
            )
        self.step(value.type.width)
        value = self.once(values.at, value, "loop")
        return [self._bit(value, number) for number in range(value.type.width)]

    def _turned(self, statement: tree.For, type_: Type, elements: Sequence[int], *, uses: bool) -> None:
        """Let the circuit loop over integers."""
        frame = Frame("loop")
        loop = pb.ForLoop()
        if isinstance(elements, range):
            loop.range.CopyFrom(pb.IntegerRange(start=elements.start, stop=elements.stop, step=elements.step))
        else:
            loop.values.extend(elements)
        place = None
        if uses:
            counter = self.temporary(statement.at, INT, "counter")
            place = self.memory.place(counter).index
            loop.variable = place

        def begin() -> None:
            if place is not None:
                value = Value(INT, expression=pb.Expression(variable=place))
                self._bind(statement, type_, value)
            else:
                self.scope = Scope(self.scope)

        block, changed = self._looped(statement.body, frame, begin)
        loop.body.CopyFrom(block.message())
        self._finish(frame, pb.Operation(name="for_loop", for_loop=loop), changed)

    def _each_in_turn(self, statement: tree.For, type_: Type, values: Sequence[Value]) -> None:
        """Loop over values that are no integers, with jumps: by their number."""
        copies = [
            self._copied(statement.at, converted(value, type_), number) for number, value in enumerate(values)
        ]
        array = Array(
            type_._replace(axes=(len(copies),)),
            [
                self.temporary(statement.at, value.type, f"loop {number}")
                for number, value in enumerate(copies)
            ],
        )
        for element in array.elements:
            self.memory.unknown(element)
        inner = tree.Index(
            statement.values.at,
            tree.Name(statement.values.at, ".values"),
            [tree.Name(statement.values.at, ".turn")],
        )
        declared = tree.Declare(statement.at, "", statement.type, statement.name, inner)
        outer = self.scope
        self.scope = Scope(outer, {".values": array})
        counted = tree.TypeNode(statement.at, "int")
        loop = tree.For(statement.at, counted, ".turn", statement.values, [declared, *statement.body])
        self._turned(loop, INT, range(len(copies)), uses=True)
        self.scope = outer

    def _counted(self, statement: tree.For, type_: Type, start: Value, step: Value, stop: Value) -> None:
        """Loop over a range that only a run knows; one with a step of 0 has no turn."""
        start, step, stop = (converted(each, INT) for each in (start, step, stop))
        if step.known == 0:
            self.fail(statement.values.at, "a step of 0 never arrives")
        counter = self.temporary(statement.at, INT, "counter")
        # What the loop does to the bounds doesn't change what it goes over.
        step, stop = (self._kept(statement.at, each, name) for each, name in ((step, "step"), (stop, "stop")))
        # The counter is a step ahead, so that `continue` needs nothing behind it.
        self.memory.write(counter, binary("-", start, step))
        self.memory.unknown(counter)
        ahead = binary("+", self.memory.read(counter), step)

        def begin() -> None:
            self.memory.write(counter, ahead)
            self.memory.unknown(counter)
            self._bind(statement, type_, self.memory.read(counter))

        zero = Value(INT, 0)
        up = binary("&&", binary(">", step, zero), binary("<=", ahead, stop))
        down = binary("&&", binary("<", step, zero), binary(">=", ahead, stop))
        goes_on = binary("||", up, down)
        frame = Frame("loop")
        block, changed = self._looped(statement.body, frame, begin)
        loop = pb.WhileLoop(condition=reference(goes_on), body=block.message())
        self._finish(frame, pb.Operation(name="while_loop", while_loop=loop), changed)

    def _kept(self, at: int, value: Value, name: str) -> Value:
        """Return a value that stays as it is while a loop runs."""
        if value.known is not None:
            return value
        kept = self.temporary(at, INT, name)
        self.memory.write(kept, value)
        return self.memory.read(kept)

    def repeated(self, statement: tree.Apply, power: PowerError) -> None:
        """Append a gate as often as an exponent says that only a run knows, or its inverse."""
        at = statement.modifiers[power.place].at
        modifiers = [*statement.modifiers[: power.place], *statement.modifiers[power.place + 1 :]]
        outer = self.scope
        times = self.temporary(at, INT, "times")
        self.memory.write(times, converted(power.exponent, INT))
        self.scope = Scope(outer, {".times": times})
        forward = replace(statement, modifiers=modifiers)
        self.for_loop(_times(at, tree.Name(at, ".times"), forward))
        if power.exponent.type.kind == "int":
            backward = replace(statement, modifiers=[tree.Modifier(at, "inv", None), *modifiers])
            minus = tree.Unary(at, "-", tree.Name(at, ".times"))
            self.for_loop(_times(at + 1, minus, backward))
        self.scope = outer

    def while_loop(self, statement: tree.While) -> bool:
        """Lower a while; tell whether what follows it is never reached."""
        frame = Frame("loop")
        names = assigned_names([*statement.body, tree.Evaluate(statement.at, statement.condition)])
        first = self._condition_if_plain(statement)
        if first is not None and first.known is not None and not first.known:
            self.unseen(statement.body)
            return False
        self.memory.settle(self.variables(names), forget=True)
        condition = self._condition_if_plain(statement)
        if condition is not None:
            block, changed = self._looped(statement.body, frame, self._open)
            loop = pb.WhileLoop(condition=reference(condition), body=block.message())
        else:
            # What the condition does is done in each turn, before it is looked at.
            test = tree.If(
                statement.condition.at,
                tree.Unary(statement.condition.at, "!", statement.condition),
                [tree.Leave(statement.at, "break")],
                [],
            )
            block, changed = self._looped([test, *statement.body], frame, self._open)
            always = reference(Value(BOOL, True))
            loop = pb.WhileLoop(condition=always, body=block.message())
        self._finish(frame, pb.Operation(name="while_loop", while_loop=loop), changed)
        return False

    def _open(self) -> None:
        self.scope = Scope(self.scope)

    def _condition_if_plain(self, statement: tree.While) -> Value | None:
        """Return a condition that does nothing when it is evaluated."""
        with self._apart() as (block, _):
            value = self.as_type(statement.condition, BOOL)
        return None if block.operations else value

    def _looped(
        self, body: Sequence[tree.Statement], frame: Frame, begin: Callable[[], None]
    ) -> tuple[Columns, dict[Variable, object]]:
        """Return the block of a loop's body, and what it changes: to be forgotten behind the loop."""
        self.memory.settle(self.variables(assigned_names(body)), forget=True)
        self.frames.append(frame)
        with self._apart() as (block, changed):
            begin()
            self.in_order(body)
            self._unbind()
        self.frames.pop()
        return block, changed


def _times(at: int, count: tree.Expression, statement: tree.Statement) -> tree.For:
    """Return the loop that repeats a statement."""
    values = tree.Range(at, tree.Number(at, 1), None, count)
    return tree.For(at, tree.TypeNode(at, "int"), ".turn", values, [statement])
