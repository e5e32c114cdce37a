"""Indices of registers, of values with bits and of arrays, known beforehand or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from basicaer.service.parsing._limits import MAX_BITS
from basicaer.service.parsing.openqasm3._evaluation import Evaluator
from basicaer.service.parsing.openqasm3.machine._names import Alias, Array, Qubits, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.values._functions import MOST_JOINED, balanced
from basicaer.service.parsing.openqasm3.values._operators import binary
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    BOOL,
    INT,
    UINT,
    Type,
    Value,
    ValueProblem,
    contract_type,
    converted,
    literal,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Indexing", "row"]


class Indexing(Evaluator):
    """Evaluates expressions with indices."""

    def numbers(self, item: tree.Expression, size: int) -> list[int] | None:
        """Return which of `size` things an index means; None for a single one that only a run knows."""
        if isinstance(item, tree.Range):
            step = 1 if item.step is None else self.integer(item.step, "a step")
            if step == 0:
                self.fail(item.at, "a step of 0 never arrives")
            start = self.integer(item.start, "an index") if item.start else (0 if step > 0 else size - 1)
            stop = self.integer(item.stop, "an index") if item.stop else (size - 1 if step > 0 else 0)
            start, stop = (each + size if each < 0 else each for each in (start, stop))
            # The stop is one of them.
            found = list(range(start, stop + (1 if step > 0 else -1), step)[: MAX_BITS + 1])
        elif isinstance(item, tree.List):
            found = [self.integer(each, "an index") for each in item.items]
        else:
            value = self.value(item)
            if value.known is None:
                return None
            if not isinstance(value.known, int) or not (value.type.is_integer or value.type.is_register):
                self.fail(item.at, f"an index is an integer, not of type {value.type}")
            found = [int(value.known)]
        for number in found:
            if not -size <= number < size:
                self.fail(item.at, f"index {number} is out of range; there are {size}, from 0 on")
        self.step(len(found))
        return [number % size for number in found]

    def _indexed(self, expression: tree.Index) -> Value:
        base = expression.base
        symbol = self.scope.find(base.name) if isinstance(base, tree.Name) else None
        if isinstance(symbol, Array) or isinstance(base, tree.Index):
            found = self.element(expression)
            if isinstance(found, Array):
                self.fail(expression.at, f"this is {found.type}; take one of its elements")
            if found is not None:
                return self.memory.read(found)
        value = self.value(base)
        if not value.type.has_bits:
            self.fail(expression.at, f"a value of type {value.type} has no bits to take")
        if len(expression.items) != 1:
            self.fail(expression.at, "a value has one index")
        (item,) = expression.items
        numbers = self.numbers(item, value.type.width)
        if numbers is None:
            return self._bit_at(item, value)
        if not isinstance(item, tree.Range | tree.List):
            if isinstance(symbol, Variable):
                return self.memory.read_bit(symbol, numbers[0])
            return self._bit(value, numbers[0])
        value = self.once(expression.at, value)
        if value.known is None and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return self._run(value, numbers[0], len(numbers))
        return self.joined([self._bit(value, number) for number in numbers])

    def element(self, expression: tree.Expression) -> Variable | Array | None:
        """Return the element, or the part, of an array that an expression means; None if it means none.

        Of an index that only a run knows it is a variable with a copy.
        """
        if isinstance(expression, tree.Name):
            found = self.scope.find(expression.name)
            return found if isinstance(found, Array) else None
        if not isinstance(expression, tree.Index):
            return None
        base = self.element(expression.base)
        if not isinstance(base, Array):
            return None
        return self.part(expression, base, 0)

    def part(self, expression: tree.Index, base: Array, place: int) -> Variable | Array:
        """Return what the indices from `place` on mean of an array."""
        if place == len(expression.items):
            return base
        item = expression.items[place]
        if not base.type.axes:
            self.fail(item.at, "the array has fewer axes")
        size = base.type.axes[0]
        numbers = self.numbers(item, size)
        if numbers is None:
            return self._part_at(expression, base, place)
        parts = [row(base, number) for number in numbers]
        if not isinstance(item, tree.Range | tree.List):
            (only,) = parts
            if isinstance(only, Variable):
                if place + 1 < len(expression.items):
                    self.fail(expression.items[place + 1].at, "the array has fewer axes")
                return only
            return self.part(expression, only, place + 1)
        axes = base.type.axes[1:]
        if place + 1 < len(expression.items):
            parts = [self._part_of_row(expression, each, place + 1) for each in parts]
            first = self._part_of_row(expression, row(base, 0), place + 1)
            axes = first.type.axes
        elements = [each for one in parts for each in (one.elements if isinstance(one, Array) else [one])]
        return Array(base.type._replace(axes=(len(parts), *axes)), elements, base.is_constant)

    def _part_of_row(self, expression: tree.Index, found: Variable | Array, place: int) -> Variable | Array:
        """Return what the indices behind a slice mean of one of its rows."""
        item = expression.items[place]
        if isinstance(found, Variable):
            self.fail(item.at, "the array has fewer axes")
        for each in expression.items[place:]:
            if not isinstance(each, tree.Range | tree.List) and self.value(each).known is None:
                self.fail(each.at, "an index behind a slice has to be known before the program runs")
        return self.part(expression, found, place)

    def _part_at(self, expression: tree.Index, base: Array, place: int) -> Variable | Array:
        """Return a copy of what an index means that only a run knows."""
        item, size = expression.items[place], base.type.axes[0]
        selector = self.once(item.at, self.value(item), "index")
        scalar = base.type._replace(axes=())
        options: list[tuple[Sequence[int], Callable[[], None]]] = []
        if not size:
            self.fail(item.at, "the array has no elements")
        first = self.row_part(expression, base, 0, place)
        count = len(first.elements) if isinstance(first, Array) else 1
        self.step(size * count)
        copies = [
            self.temporary(expression.at, scalar, f"element {place} {number}") for number in range(count)
        ]

        def take(number: int) -> Callable[[], None]:
            def action() -> None:
                found = self.row_part(expression, base, number, place)
                elements = found.elements if isinstance(found, Array) else [found]
                for copy, element in zip(copies, elements, strict=True):
                    self.memory.write(copy, self.memory.read(element))

            return action

        options = [((number, number - size), take(number)) for number in range(size)]
        self.choose(item.at, selector, options, self.out_of_range(size, selector), copies)
        return Array(first.type, copies, is_constant=True) if isinstance(first, Array) else copies[0]

    def row_part(self, expression: tree.Index, base: Array, number: int, place: int) -> Variable | Array:
        """Return what the indices behind `place` mean of a row."""
        found = row(base, number)
        return self.part(expression, found, place + 1) if isinstance(found, Array) else found

    def _bit(self, value: Value, number: int) -> Value:
        if value.known is not None:
            assert isinstance(value.known, int)
            return Value(BIT, bool(value.known >> number & 1))
        index = pb.IndexExpression(target=value.expression, index=reference(Value(UINT, number)))
        return Value(BIT, expression=pb.Expression(index=index), depth=value.depth + 1)

    def _bit_at(self, item: tree.Expression, value: Value) -> Value:
        selector = self.value(item)
        if not selector.type.is_integer:
            self.fail(item.at, f"an index is an integer, not of type {selector.type}")
        index = pb.IndexExpression(target=reference(value), index=reference(selector))
        return Value(BIT, expression=pb.Expression(index=index), depth=value.depth + 1)

    def joined(self, bits: Sequence[Value]) -> Value:
        """Return a register of single bits, the first of which is the least significant."""
        type_ = Type("bit", len(bits))
        if all(bit.known is not None for bit in bits):
            return Value(type_, sum(int(bool(bit.known)) << place for place, bit in enumerate(bits)))
        if not bits:
            raise ValueProblem("it has no bits")
        if len(bits) > MOST_JOINED:
            raise ValueProblem(
                f"{len(bits):,} bits that only a run knows; {MOST_JOINED:,} can be put together"
            )
        parts = [
            binary("<<", converted(bit, type_), Value(UINT, place)) if place else converted(bit, type_)
            for place, bit in enumerate(bits)
        ]
        return balanced("|", parts)

    def alias_value(self, alias: Alias) -> Value:
        """Return what the bits hold that an alias stands for."""
        if alias.is_one:
            ((variable, place),) = alias.bits
            return self._bit_of(variable, place)
        variable, first = alias.bits[0]
        run = [(variable, first + number) for number in range(len(alias.bits))]
        if list(alias.bits) == run and variable.type.has_bits:
            return self._run(self.memory.read(variable), first, len(run))
        self.step(len(alias.bits))
        return self.joined([self._bit_of(variable, place) for variable, place in alias.bits])

    def _bit_of(self, variable: Variable, place: int) -> Value:
        return self.memory.read_bit(variable, place) if variable.type.has_bits else self.memory.read(variable)

    def _run(self, value: Value, first: int, count: int) -> Value:
        """Return bits one after another: a shift, and a cast that cuts off what is above them."""
        type_ = Type("bit", count)
        if value.known is not None:
            assert isinstance(value.known, int)
            return Value(type_, value.known >> first & ((1 << count) - 1))
        moved = binary(">>", converted(value, Type("uint", value.type.width)), Value(UINT, first))
        cut = pb.Expression(type=contract_type(type_), cast=reference(moved))
        return Value(type_, expression=cut, depth=moved.depth + 1)

    def _joined(self, expression: tree.Binary) -> Value:
        bits: list[Value] = []
        for part in (expression.left, expression.right):
            value = self.once(part.at, self.value(part), "joined")
            if value.type.kind != "bit":
                self.fail(part.at, f"'++' joins registers, and this is of type {value.type}")
            bits += [value] if value.type.is_bit else [self._bit(value, n) for n in range(value.type.width)]
        self.step(len(bits))
        return self.joined(bits)

    def _membership(self, expression: tree.Binary) -> Value:
        value = self.once(expression.left.at, self.value(expression.left), "in")
        if not value.type.is_integer:
            self.fail(expression.left.at, f"'in' is of integers, not of type {value.type}")
        items = expression.right
        if isinstance(items, tree.List):
            if not items.items:
                return Value(BOOL, False)
            self.step(len(items.items))
            return balanced("||", [binary("==", value, self.value(each)) for each in items.items])
        assert isinstance(items, tree.Range)
        if items.start is None or items.stop is None:
            self.fail(items.at, "the range behind 'in' has a start and a stop, as in [0:3]")
        step = 1 if items.step is None else self.integer(items.step, "a step")
        if step == 0:
            self.fail(items.at, "a step of 0 never arrives")
        start, stop = self.value(items.start), self.value(items.stop)
        first, last = (start, stop) if step > 0 else (stop, start)
        inside = binary("&&", binary(">=", value, first), binary("<=", value, last))
        if abs(step) == 1:
            return inside
        distance = binary("-", converted(value, INT), converted(start, INT))
        return binary("&&", inside, binary("==", binary("%", distance, Value(INT, step)), Value(INT, 0)))

    def _size_of(self, expression: tree.Call) -> Value:
        if not 1 <= len(expression.arguments) <= 2:
            self.fail(expression.at, "sizeof takes an array, and the number of one of its axes")
        subject = expression.arguments[0]
        found = self.element(subject)
        if isinstance(found, Array):
            axes = found.type.axes
        elif isinstance(subject, tree.Name) and isinstance(symbol := self.symbol(subject), Qubits):
            axes = (len(symbol.numbers),)
        else:
            value = self.value(subject)
            if not value.type.is_register:
                self.fail(subject.at, f"sizeof is of arrays, not of {value.type}")
            axes = (value.type.width,)
        axis = self.integer(expression.arguments[1], "an axis") if len(expression.arguments) == 2 else 0
        if not 0 <= axis < len(axes):
            self.fail(expression.at, f"axis {axis} isn't there; it has {len(axes)}")
        return literal(axes[axis])


def row(base: Array, number: int) -> Variable | Array:
    """Return a row of an array, or an element where it has one axis."""
    axes = base.type.axes
    if len(axes) == 1:
        return base.elements[number]
    size = math.prod(axes[1:])
    return Array(
        base.type._replace(axes=axes[1:]),
        base.elements[number * size : (number + 1) * size],
        base.is_constant,
    )
