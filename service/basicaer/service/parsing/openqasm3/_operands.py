"""What quantum operands and the targets of assignments mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from basicaer.service.parsing.openqasm3._indices import Indexing
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Alias, Array, Qubits, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    Value,
)

__all__ = ["Bits", "Chosen", "OneOf", "Operands"]


class OneOf(NamedTuple):
    """A qubit that only a run knows: one of `numbers`, by an index."""

    at: int
    numbers: tuple[int, ...]
    selector: Value


class Bits(NamedTuple):
    """Bits of a variable; of all of them `places` is None. `is_one` for a single bit."""

    variable: Variable
    places: tuple[int, ...] | None
    is_one: bool


class Chosen(NamedTuple):
    """A place that only a run knows: item number `item` of an index, `node`, is one of `size`."""

    node: tree.Index
    item: int
    size: int


class Operands(Indexing):
    """Finds the qubits and the bits that names and indices mean."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int) -> None:
        super().__init__(text, emitter, memory, steps)
        self._physical: dict[int, int] = {}
        # How many blocks are open that may run or not, or more than once.
        self.conditional = 0

    def qubits(self, expression: tree.Expression) -> Qubits | OneOf:
        """Return the qubits that an operand means.

        Raises:
            ProgramFault: It means none.
        """
        self.step()
        if isinstance(expression, tree.Hardware):
            number = self._physical.get(expression.number)
            if number is None:
                number = self.emitter.qubits(f"${expression.number}", 1)[0]
                self._physical[expression.number] = number
            return Qubits((number,), is_one=True)
        if isinstance(expression, tree.Name):
            found = self.symbol(expression)
            if not isinstance(found, Qubits):
                self.fail(expression.at, f"{expression.name!r} is classical; expected qubits")
            return found
        if isinstance(expression, tree.Binary) and expression.operator == "++":
            parts = (self.qubits(expression.left), self.qubits(expression.right))
            joined: list[int] = []
            for part in parts:
                if isinstance(part, OneOf):
                    self.fail(part.at, "an index in '++' has to be known before the program runs")
                joined += part.numbers
            if len({*joined}) < len(joined):
                self.fail(expression.at, "a register can't be joined with a part of itself")
            return Qubits(tuple(joined))
        if not isinstance(expression, tree.Index):
            self.fail(expression.at, "expected a qubit: a name, or an index of one")
        base = self.qubits(expression.base)
        if isinstance(base, OneOf) or base.is_one:
            self.fail(expression.at, "a single qubit has no index")
        if len(expression.items) != 1:
            self.fail(expression.at, "qubits have one index")
        (item,) = expression.items
        numbers = self.numbers(item, len(base.numbers))
        if numbers is None:
            return OneOf(item.at, base.numbers, self.once(item.at, self.value(item), "qubit"))
        is_one = not isinstance(item, tree.Range | tree.List)
        return Qubits(tuple(base.numbers[number] for number in numbers), is_one)

    def with_qubits(
        self,
        expressions: Sequence[tree.Expression],
        action: Callable[[list[Qubits]], None],
        writes: Sequence[Variable] = (),
    ) -> None:
        """Let `action` have the qubits that operands mean: for one that only a run knows, once for each
        qubit that it may be.
        """
        self._chosen([self.qubits(expression) for expression in expressions], action, writes)

    def _chosen(
        self,
        operands: list[Qubits | OneOf],
        action: Callable[[list[Qubits]], None],
        writes: Sequence[Variable],
    ) -> None:
        unknown = ((place, each) for place, each in enumerate(operands) if isinstance(each, OneOf))
        first = next(unknown, None)
        if first is None:
            action([each for each in operands if isinstance(each, Qubits)])
            return
        place, operand = first

        def instead(number: int) -> Callable[[], None]:
            chosen: list[Qubits | OneOf] = [
                *operands[:place],
                Qubits((number,), True),
                *operands[place + 1 :],
            ]
            return lambda: self._chosen(chosen, action, writes)

        size = len(operand.numbers)
        self.step(size)
        self.conditional += 1
        taken = {each.numbers[0] for each in operands if isinstance(each, Qubits) and each.is_one}
        options = [
            ((index, index - size), instead(number))
            for index, number in enumerate(operand.numbers)
            # The same qubit twice is as wrong as an index out of range.
            if number not in taken
        ]
        self.choose(operand.at, operand.selector, options, self.out_of_range(size, operand.selector), writes)
        self.conditional -= 1

    def target(self, expression: tree.Expression) -> Bits | Alias | Array | Chosen:
        """Return the bits, or the array, that an assignment writes to.

        Raises:
            ProgramFault: It can't be written to.
        """
        if isinstance(expression, tree.Name):
            found = self.symbol(expression)
            if isinstance(found, Alias):
                for variable in found.variables:
                    self._check_writable(variable, expression)
                return _target(found.bits, is_one=found.is_one)
            if isinstance(found, Variable | Array):
                self._check_writable(found, expression)
                if isinstance(found, Array):
                    return found
                return Bits(found, None, found.type.is_bit)
            self.fail(expression.at, f"{expression.name!r} can't be assigned to")
        if not isinstance(expression, tree.Index):
            self.fail(expression.at, "this can't be assigned to; expected a variable, or an index of one")
        base = self.target(expression.base)
        if isinstance(base, Chosen):
            return base
        if isinstance(base, Array):
            return self._array_target(expression, base)
        bits = self._bits_of(expression, base)
        (item,) = expression.items
        numbers = self.numbers(item, len(bits))
        if numbers is None:
            return Chosen(expression, 0, len(bits))
        return _target(
            [bits[number] for number in numbers], is_one=not isinstance(item, tree.Range | tree.List)
        )

    def _bits_of(self, expression: tree.Index, base: Bits | Alias) -> Sequence[tuple[Variable, int]]:
        """Return the bits that have an index."""
        if isinstance(base, Alias):
            bits: Sequence[tuple[Variable, int]] = base.bits
        elif base.places is not None:
            bits = [(base.variable, place) for place in base.places]
        else:
            bits = [(base.variable, place) for place in range(base.variable.type.width)]
        whole = isinstance(base, Bits) and base.places is None
        if (
            base.is_one
            or len(expression.items) != 1
            or (whole and isinstance(base, Bits) and not base.variable.type.has_bits)
        ):
            type_ = BIT if base.is_one or isinstance(base, Alias) else base.variable.type
            self.fail(expression.at, f"a value of type {type_} has no such bits")
        return bits

    def _array_target(self, expression: tree.Index, base: Array) -> Bits | Array | Chosen:
        for place, item in enumerate(expression.items):
            if isinstance(item, tree.Range | tree.List) or self.value(item).known is not None:
                continue
            if place >= len(base.type.axes):
                self.fail(item.at, "the array has fewer axes")
            return Chosen(expression, place, base.type.axes[place])
        found = self.part(expression, base, 0)
        return found if isinstance(found, Array) else Bits(found, None, found.type.is_bit)

    def with_target(
        self, expression: tree.Expression, action: Callable[[Bits | Alias | Array], None]
    ) -> None:
        """Let `action` write to a target: for one that only a run knows, once for each that it may be."""
        found = self.target(expression)
        if not isinstance(found, Chosen):
            action(found)
            return
        item = found.node.items[found.item]
        selector = self.once(item.at, self.value(item), "index")
        self.step(found.size)

        def instead(number: int) -> Callable[[], None]:
            return lambda: self.with_target(_replaced(expression, found, number), action)

        self.conditional += 1
        options = [((number, number - found.size), instead(number)) for number in range(found.size)]
        otherwise = self.out_of_range(found.size, selector)
        self.choose(item.at, selector, options, otherwise, self._written(expression))
        self.conditional -= 1

    def _written(self, expression: tree.Expression) -> list[Variable]:
        """Return the variables that an assignment to this may change."""
        while isinstance(expression, tree.Index):
            expression = expression.base
        symbol = self.symbol(expression) if isinstance(expression, tree.Name) else None
        if isinstance(symbol, Array):
            return symbol.elements
        if isinstance(symbol, Alias):
            return symbol.variables
        return [symbol] if isinstance(symbol, Variable) else []

    def _check_writable(self, found: Variable | Array, expression: tree.Name) -> None:
        if found.is_constant:
            self.fail(
                expression.at,
                f"{expression.name!r} is a constant, an input or read only; it can't be assigned to",
            )


def _target(bits: Sequence[tuple[Variable, int]], *, is_one: bool) -> Bits | Alias:
    """Return bits as a target, by their variable if they have one."""
    if len({variable for variable, _ in bits}) != 1:
        return Alias(tuple(bits), is_one)
    variable = bits[0][0]
    if not variable.type.has_bits:
        return Bits(variable, None, is_one)
    return Bits(variable, tuple(place for _, place in bits), is_one)


def _replaced(expression: tree.Expression, chosen: Chosen, number: int) -> tree.Index:
    """Return an expression with a known number in the place of an item."""
    assert isinstance(expression, tree.Index)
    if expression is not chosen.node:
        return tree.Index(expression.at, _replaced(expression.base, chosen, number), expression.items)
    items = [*expression.items]
    items[chosen.item] = tree.Number(items[chosen.item].at, number)
    return tree.Index(expression.at, expression.base, items)
