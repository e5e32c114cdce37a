"""Assignments, and measurements that write to variables; what results show of them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

from basicaer.service.parsing.openqasm3._operands import Bits, Chosen
from basicaer.service.parsing.openqasm3._subroutines import Subroutines
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Alias, Array, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._usage import measured_names
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    Type,
    Value,
    cast,
    converted,
)

__all__ = ["AgainError", "Assignments", "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a program before it is lowered: nothing, unless a first attempt has found it.

    `base` is how many bits results show, where hidden bits begin. `has_outputs` tells that variables are
    declared as output, so that results show no others. `shown` are variables that measurements write to,
    beside bits. With `can_end`, the program can be left amid a loop. `turned` are the places of loops that
    run in the circuit, since it takes too much to unroll them.
    """

    base: int = 0
    has_outputs: bool = False
    shown: frozenset[str] = frozenset()
    can_end: bool = False
    turned: frozenset[int] = frozenset()


class AgainError(Exception):
    """The program has to be lowered by another plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class Assignments(Subroutines):
    """Lowers assignments."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int, plan: Plan) -> None:
        super().__init__(text, emitter, memory, steps)
        self.plan = plan
        self.turned = plan.turned

    @abstractmethod
    def _array_values(self, expression: tree.Expression, type_: Type) -> list[Value]:
        """Return the values of an array of a type, in row-major order."""

    def _measure_into(self, operand: tree.Expression, target: tree.Expression | None, at: int) -> None:
        if target is None:
            self.measure_into(operand, None, at)
            return
        self._show_measured(target)
        found = self.target(target)
        if isinstance(found, Chosen | Alias):
            self._write_to(target, self.measured(tree.Measure(at, operand)))
            return
        if isinstance(found, Array):
            self.fail(target.at, "a measurement goes to bits, not to an array")
        if found.places is None and not (found.variable.type.has_bits or found.variable.type.is_truth):
            self.fail(target.at, f"a measurement goes to bits, not to {found.variable.type}")
        self.measure_into(operand, found, at)

    def _show_measured(self, target: tree.Expression) -> None:
        """Let results show a global variable that measurements write to, where none is an output."""
        while isinstance(target, tree.Index):
            target = target.base
        if self.plan.has_outputs or not isinstance(target, tree.Name):
            return
        symbol = self.scope.find(target.name)
        variables = symbol.variables if isinstance(symbol, Alias) else [symbol]
        for found in variables:
            if not isinstance(found, Variable) or not found.is_global or found.is_shown or found.is_constant:
                continue
            if found.name in self.plan.shown or not (found.type.has_bits or found.type.is_truth):
                continue
            names = frozenset((found.name, *measured_names(self.text)))
            raise AgainError(replace(self.plan, shown=self.plan.shown | names))

    def _assign(self, statement: tree.Assign) -> None:
        if isinstance(statement.value, tree.Measure) and not statement.operator:
            self._measure_into(statement.value.operand, statement.target, statement.at)
            return
        found = self.target(statement.target)
        if isinstance(found, Array):
            self._assign_array(statement, found)
            return
        expression = statement.value
        if statement.operator == "~":
            expression = tree.Unary(statement.at, "~", expression)
        elif statement.operator:
            expression = tree.Binary(statement.at, statement.operator, statement.target, expression)
        if isinstance(found, Chosen):
            self._assign_chosen(statement, expression)
            return
        self._write(found, self.value(expression), statement.at)

    def _assign_array(self, statement: tree.Assign, target: Array) -> None:
        if statement.operator:
            self.fail(statement.at, f"'{statement.operator}=' doesn't apply to a whole array")
        values = self._array_values(statement.value, target.type)
        for element, value in zip(target.elements, values, strict=True):
            self.memory.write(element, value)

    def _assign_chosen(self, statement: tree.Assign, expression: tree.Expression) -> None:
        """Assign to a target that only a run knows: the value is evaluated once, before it is chosen."""
        is_array = isinstance(expression, tree.List) or isinstance(self._meant(expression), Array)
        if not is_array:
            self._write_to(statement.target, self.value(expression))
            return

        def write(found: Bits | Alias | Array) -> None:
            if not isinstance(found, Array):
                self.fail(statement.value.at, "an array can't be assigned to a single value")
            self._assign_array(statement, found)

        self.with_target(statement.target, write)

    def _meant(self, expression: tree.Expression) -> Variable | Array | None:
        """Return the array that an expression means, if it means one."""
        if isinstance(expression, tree.Binary) and expression.operator == "++":
            return self._meant(expression.left)
        return self.element(expression) if isinstance(expression, tree.Name | tree.Index) else None

    def _write_to(self, target: tree.Expression, value: Value) -> None:
        """Write a value to a target that only a run knows."""
        value = self.once(target.at, value, "assigned")

        def write(found: Bits | Alias | Array) -> None:
            if isinstance(found, Array):
                self.fail(target.at, f"this is {found.type}; assign to one of its elements")
            self._write(found, value, target.at)

        self.with_target(target, write)

    def _write(self, target: Bits | Alias, value: Value, at: int) -> None:
        if isinstance(target, Alias):
            bits = target.bits
        elif target.places is None:
            self.memory.write(target.variable, cast(value, target.variable.type))
            return
        else:
            bits = tuple((target.variable, place) for place in target.places)
        if target.is_one:
            self._write_bit(*bits[0], converted(value, BIT))
            return
        value = converted(value, Type("bit", len(bits)))
        if value.known is None:
            value = self._copied(at, value, 0)
        for number, (variable, place) in enumerate(bits):
            self._write_bit(variable, place, self._bit(value, number))

    def _write_bit(self, variable: Variable, place: int, value: Value) -> None:
        if variable.type.has_bits:
            self.memory.write_bit(variable, place, value)
        else:
            self.memory.write(variable, converted(value, variable.type))
