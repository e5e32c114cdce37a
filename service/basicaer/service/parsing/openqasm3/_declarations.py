"""Declarations: of variables, qubits, gates, subroutines and aliases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from basicaer.client.openqasm3 import NATIVE_DEFINITIONS, NEEDS
from basicaer.service.parsing.openqasm3._assignments import AgainError, Assignments, Plan
from basicaer.service.parsing.openqasm3._evaluation import CONSTANTS
from basicaer.service.parsing.openqasm3._operands import OneOf
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._gates import STANDARD
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import (
    Alias,
    Array,
    Qubits,
    Scope,
    Symbol,
    Variable,
    zero,
)
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._declarations import RESERVED
from basicaer.service.parsing.openqasm3.values._features import Feature
from basicaer.service.parsing.openqasm3.values._types import (
    FLOAT,
    Type,
    Value,
    part_type,
)

__all__ = ["Declarations"]

_LIBRARY = "stdgates.inc"
_WIDEST_INPUT = 1_024
_NATIVE_NAMES = frozenset(text.split()[1].partition("(")[0] for text in NATIVE_DEFINITIONS)


class Declarations(Assignments):
    """Lowers declarations."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int, plan: Plan) -> None:
        super().__init__(text, emitter, memory, steps, plan)
        self.shown: list[Variable] = []
        self._declared: dict[tuple[object, ...], Variable] = {}

    def _declaration(self, statement: tree.Statement) -> None:
        match statement:
            case tree.Declare():
                self._declare(statement)
            case tree.QubitDeclare():
                size = (
                    None
                    if statement.size is None
                    else self.type_of(tree.TypeNode(statement.at, "qubit", statement.size)).width
                )
                self._check_global(statement.at, "qubits are")
                numbers = self.emitter.qubits(statement.name, size or 1)
                self._define(statement.at, statement.name, Qubits(tuple(numbers), is_one=size is None))
            case tree.Include():
                self._include(statement)
            case tree.GateDef():
                self._check_global(statement.at, "gates are")
                if statement.name == "U" or (self.has_library and statement.name in STANDARD):
                    whose = "the language" if statement.name == "U" else _LIBRARY
                    self.fail(
                        statement.at, f"{statement.name!r} is a gate of {whose}; give yours another name"
                    )
                statement.native = self._native(statement)
                self._define(statement.at, statement.name, statement)
                # Its mistakes are told where it is defined, whether or not it is used.
                if statement.parameters:
                    self._check_definition(statement.body, [*statement.parameters, *statement.qubits])
                else:
                    self._expanded(statement, [])
            case tree.Def() | tree.Extern():
                self._check_global(statement.at, "subroutines are")
                self._define(statement.at, statement.name, statement)
                if isinstance(statement, tree.Def):
                    self._check_definition(statement.body, [each.name for each in statement.parameters])
                if isinstance(statement, tree.Extern):
                    self.declare_extern(statement)
            case tree.Let():
                self._let(statement)
            case _:
                self.fail(statement.at, "this statement has no meaning here")

    def _check_definition(self, body: Sequence[tree.Statement], names: Sequence[str]) -> None:
        """Check that the names in a definition stand for something where it is, not where it is used."""
        outer = self.scope
        self.scope = Scope(outer, is_subroutine=True)
        self.check_names(body, {*names})
        self.scope = outer

    def _native(self, gate: tree.GateDef) -> str:
        """Return the contract's gate that a definition is, if the client writes it so; else nothing."""
        if not self.has_library or gate.name not in _NATIVE_NAMES:
            return ""
        end = self.text.find("}", gate.at)
        found = NATIVE_DEFINITIONS.get(f"gate {' '.join(self.text[gate.at : end + 1].split())}", "")
        needed = [self.scope.names.get(name) for name in NEEDS.get(found, ())]
        return found if all(isinstance(each, tree.GateDef) and each.native for each in needed) else ""

    def _check_global(self, at: int, what: str) -> None:
        if self.scope.outer is not None:
            self.fail(at, f"{what} declared outside of all blocks")

    def _define(self, at: int, name: str, symbol: Symbol) -> None:
        known = self.scope.names.get(name)
        if known is None and self.scope.outer is None and name in CONSTANTS:
            known = Variable(name, FLOAT, CONSTANTS[name], is_constant=True)
        if known is not None:
            if not _is_same(known, symbol):
                self.fail(at, f"{name!r} is declared already in this scope; give one of the two another name")
            self.warn(at, f"{name!r} is declared twice, as the same constant; leave one of the two out")
        if name in RESERVED:
            self.fail(at, f"{name!r} is a word of the language; use another name")
        self.scope.names[name] = symbol

    def _include(self, statement: tree.Include) -> None:
        self._check_global(statement.at, "files are")
        if statement.file != _LIBRARY:
            hint = (
                f'; write include "{_LIBRARY}";'
                if statement.file == "qelib1.inc"
                else ", so put the file's text here"
            )
            self.fail(
                statement.at,
                f"there is no file {statement.file[:80]!r}; {_LIBRARY} is known alone{hint}",
                Feature.INCLUDE,
            )
        if self.has_library:
            return
        for name in STANDARD:
            if name in self.scope.names and name != "U":
                self.fail(statement.at, f"{_LIBRARY} has a gate {name!r}, which is declared already")
        self.has_library = True

    def _let(self, statement: tree.Let) -> None:
        value = statement.value
        base = value
        while isinstance(base, tree.Index | tree.Binary):
            base = base.base if isinstance(base, tree.Index) else base.left
        found = self.scope.find(base.name) if isinstance(base, tree.Name) else None
        if isinstance(found, Variable | Array | Alias):
            self._define(statement.at, statement.name, self._referred(value))
            return
        qubits = self.qubits(value)
        if isinstance(qubits, OneOf):
            self.fail(
                qubits.at, "an alias's index has to be known before the program runs", Feature.RUN_TIME_SLICE
            )
        if not qubits.numbers:
            self.fail(value.at, "an alias has at least one qubit")
        self._define(statement.at, statement.name, qubits)

    def _referred(self, expression: tree.Expression) -> Variable | Array | Alias:
        """Return what of the variables an alias stands for."""
        if isinstance(expression, tree.Binary) and expression.operator == "++":
            bits = [*self._bits(expression.left), *self._bits(expression.right)]
            if len({*bits}) < len(bits):
                self.fail(expression.at, "a register can't be joined with a part of itself")
            return Alias(tuple(bits))
        if isinstance(expression, tree.Name):
            symbol = self.symbol(expression)
            if isinstance(symbol, Variable | Array | Alias):
                return symbol
        if not isinstance(expression, tree.Index):
            self.fail(expression.at, "an alias is of registers, and of parts of them")
        for item in expression.items:
            if not isinstance(item, tree.Range | tree.List) and self.value(item).known is None:
                self.fail(item.at, "an alias's index has to be known before the program runs")
        base = self._referred(expression.base)
        if isinstance(base, Array):
            return self.part(expression, base, 0)
        bits = [*self._bits(expression.base)]
        (item, *others) = expression.items
        numbers = self.numbers(item, len(bits))
        if others or not numbers:
            self.fail(item.at, "an alias has one index of a register, which means at least one of its bits")
        is_one = not isinstance(item, tree.Range | tree.List)
        return Alias(tuple(bits[number] for number in numbers), is_one)

    def _bits(self, expression: tree.Expression) -> Sequence[tuple[Variable, int]]:
        """Return the bits of what an alias is of."""
        found = self._referred(expression)
        if isinstance(found, Alias):
            return found.bits
        if isinstance(found, Array) or not (found.type.has_bits or found.type.is_bit):
            self.fail(expression.at, f"a value of type {found.type} has no bits to take")
        return [(found, place) for place in range(max(found.type.width, 1))]

    def _declare(self, statement: tree.Declare) -> None:
        type_ = self.type_of(statement.type)
        self.has_stretch |= statement.type.word == "stretch"
        if statement.how in ("input", "output"):
            self._check_global(statement.at, f"variables of {statement.how} are")
        if statement.how == "output" and not self.plan.has_outputs:
            raise AgainError(replace(self.plan, has_outputs=True))
        if statement.how == "input":
            self._declare_input(statement, type_)
            return
        if type_.axes:
            self._declare_array(statement, type_)
            return
        if statement.how == "const":
            assert statement.value is not None
            value = self.as_type(statement.value, type_)
            if value.known is None:
                self.fail(
                    statement.value.at, f"the constant {statement.name!r} has a value that only a run knows"
                )
            constant = Variable(statement.name, type_, value.known, is_constant=True)
            self._define(statement.at, statement.name, constant)
            return
        # Of a measurement it is a variable without a value before.
        is_measured = isinstance(statement.value, tree.Measure)
        given = None
        if statement.value is not None and not is_measured:
            given = self.as_type(statement.value, type_)
        self._output(statement, type_)
        variable = self._variable(statement, statement.name, type_)
        self._define(statement.at, statement.name, variable)
        if given is not None:
            self.memory.write(variable, given)
        elif isinstance(statement.value, tree.Measure):
            self._measure_into(statement.value.operand, tree.Name(statement.at, statement.name), statement.at)

    def _variable(self, statement: tree.Declare, name: str, type_: Type, number: int = 0) -> Variable:
        """Return a new variable, which holds zero; it lies where it lay when it was declared before."""
        variable = Variable(name, type_, zero(type_))
        if self._shows(statement, type_):
            self.shown.append(variable)
            self.memory.show(variable)
            return variable
        key = (statement.at, type_, number, self.recursion)
        before = self._declared.get(key)
        if before is not None:
            variable.place = before.place
        if before is not None or self.conditional:
            self.memory.write(variable, Value(type_, zero(type_)))
        variable.is_global = self.scope.outer is None
        self._declared[key] = variable
        return variable

    def _shows(self, statement: tree.Declare, type_: Type) -> bool:
        """Whether results show what is declared."""
        if self.scope.outer is not None:
            return False
        if self.plan.has_outputs:
            return statement.how == "output"
        is_measured = statement.name in self.plan.shown and (type_.has_bits or type_.is_truth)
        return type_.kind == "bit" or (is_measured and not type_.axes)

    def _output(self, statement: tree.Declare, type_: Type) -> None:
        """Tell the type of what is declared, if results show it."""
        if not self._shows(statement, type_):
            return
        if type_.kind == "duration":
            self.fail(
                statement.at,
                f"a result shows no durations, as {statement.name!r} is; make a float of it, as in "
                f"{statement.name} / 1ns",
                Feature.DURATION_OUTPUT,
            )
        self.emitter.output(statement.name, type_)

    def _declare_input(self, statement: tree.Declare, type_: Type) -> None:
        if statement.value is not None:
            self.fail(statement.value.at, "an input's value comes with the job; leave it out here")
        if type_.width > _WIDEST_INPUT:
            self.fail(statement.at, f"an input has at most {_WIDEST_INPUT:,} bits")
        if type_.axes:
            scalar = type_._replace(axes=())
            count = math.prod(type_.axes)
            self.step(count)
            names = [element_name(statement.name, number, type_.axes) for number in range(count)]
            array = Array(type_, [self._input(name, scalar) for name in names], is_constant=True)
            self._define(statement.at, statement.name, array)
            return
        self._define(statement.at, statement.name, self._input(statement.name, type_))

    def _input(self, name: str, type_: Type) -> Variable:
        variable = Variable(name, type_, is_constant=True)
        if type_.kind == "complex":
            part = part_type(type_)
            variable.place = self.emitter.variable(f"{name}.real", part, is_input=True)
            variable.place.imaginary = self.emitter.variable(f"{name}.imag", part, is_input=True)
        else:
            variable.place = self.emitter.variable(name, type_, is_input=True)
        return variable

    def _declare_array(self, statement: tree.Declare, type_: Type) -> None:
        scalar = type_._replace(axes=())
        count = math.prod(type_.axes)
        self.step(count)
        values: Sequence[Value] | None = None
        if statement.value is not None:
            values = self._array_values(statement.value, type_)
        elements: list[Variable] = []
        if statement.how != "const":
            self._output(statement, type_)
        for number in range(count):
            if statement.how == "const":
                assert values is not None
                if values[number].known is None:
                    self.fail(
                        statement.at, f"the constant {statement.name!r} has a value that only a run knows"
                    )
                elements.append(Variable(statement.name, scalar, values[number].known, is_constant=True))
            else:
                name = element_name(statement.name, number, type_.axes)
                elements.append(self._variable(statement, name, scalar, number))
        self._define(statement.at, statement.name, Array(type_, elements, statement.how == "const"))
        if values is not None and statement.how != "const":
            for element, value in zip(elements, values, strict=True):
                self.memory.write(element, value)

    def _array_values(self, expression: tree.Expression, type_: Type) -> list[Value]:
        """Return the values of an array of a type, in row-major order."""
        scalar = type_._replace(axes=())
        if not type_.axes:
            return [self.as_type(expression, scalar)]
        if not isinstance(expression, tree.List):
            found = self._array(expression)
            if found is None:
                self.fail(expression.at, f"expected the values of {type_}, in braces")
            if found.type != type_:
                self.fail(expression.at, f"this is {found.type}, and not {type_}")
            values = [self.memory.read(element) for element in found.elements]
            # A part of the array itself may be written before it is read.
            return [
                value if value.known is not None else self._copied(expression.at, value, number)
                for number, value in enumerate(values)
            ]
        if len(expression.items) != type_.axes[0]:
            self.fail(expression.at, f"{len(expression.items)} values for an axis of {type_.axes[0]}")
        inner = type_._replace(axes=type_.axes[1:])
        return [value for item in expression.items for value in self._array_values(item, inner)]

    def _array(self, expression: tree.Expression) -> Array | None:
        """Return the array that an expression means, joined of several where `++` stands."""
        if not (isinstance(expression, tree.Binary) and expression.operator == "++"):
            found = self.element(expression)
            return found if isinstance(found, Array) else None
        left, right = self._array(expression.left), self._array(expression.right)
        if left is None or right is None:
            return None
        first, second = left.type, right.type
        if first._replace(axes=first.axes[1:]) != second._replace(axes=second.axes[1:]):
            self.fail(expression.at, f"'++' joins arrays of one type, and these are {first} and {second}")
        axes = (first.axes[0] + second.axes[0], *first.axes[1:])
        return Array(first._replace(axes=axes), [*left.elements, *right.elements], is_constant=True)


def element_name(name: str, number: int, axes: Sequence[int]) -> str:
    """Return what an array's element is called, by its number in row-major order: "a[1,0]"."""
    indices: list[str] = []
    for axis in reversed(axes):
        number, index = divmod(number, axis)
        indices.append(str(index))
    return f"{name}[{','.join(reversed(indices))}]"


def _is_same(known: Symbol, symbol: Symbol) -> bool:
    """Whether a name is declared a second time as the same constant."""
    return (
        isinstance(known, Variable)
        and isinstance(symbol, Variable)
        and known.is_constant
        and symbol.is_constant
        and known.place is None
        and (known.type, known.known) == (symbol.type, symbol.known)
    )
