"""Expressions to values, in the scope where they stand."""

from __future__ import annotations

import difflib
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from basicaer.service.parsing._faults import ProgramFault, too_large
from basicaer.service.parsing._limits import MAX_BITS
from basicaer.service.parsing.openqasm3._steps import Steps
from basicaer.service.parsing.openqasm3.machine._names import (
    Alias,
    Array,
    Poison,
    Qubits,
    Scope,
    Symbol,
    Variable,
)
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._lexer import fault
from basicaer.service.parsing.openqasm3.values._doubts import doubtful
from basicaer.service.parsing.openqasm3.values._features import Feature
from basicaer.service.parsing.openqasm3.values._functions import BUILT_IN
from basicaer.service.parsing.openqasm3.values._operators import binary, unary
from basicaer.service.parsing.openqasm3.values._types import (
    ANGLE,
    BIT,
    BOOL,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    UINT,
    Type,
    Value,
    ValueProblem,
    cast,
    converted,
    literal,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["CALLED", "CONSTANTS", "Evaluator"]

CONSTANTS = {
    "pi": math.pi,
    "π": math.pi,
    "tau": math.tau,
    "τ": math.tau,
    "euler": math.e,
    "ℇ": math.e,
}
"""What names stand for without being declared."""
CALLED = frozenset((*BUILT_IN, "sizeof"))
"""The functions that aren't declared."""
_DEFAULTS = {
    "int": INT,
    "uint": UINT,
    "float": FLOAT,
    "angle": ANGLE,
    "bit": BIT,
    "bool": BOOL,
    "complex": COMPLEX,
}
# What an integer and an angle may have (bits).
_WIDEST, _WIDEST_ANGLE = 1_024, 64
# Of expressions in the circuit: parts of deeper ones are stored on the way.
_DEEPEST = 16
# Names that one which isn't declared is compared with.
_MOST_COMPARED = 1_000
_FLOATS = (16, 32, 64)
# Elements of all arrays together.
_MOST_ELEMENTS = 50_000


class Evaluator(Steps, ABC):
    """Evaluates expressions. What a call or a measurement in one does comes from derived classes."""

    @abstractmethod
    def call(self, call: tree.Call) -> Value | None:
        """Return what a subroutine gives, None for nothing."""

    @abstractmethod
    def _indexed(self, expression: tree.Index) -> Value:
        """Return what an index takes of a value."""

    @abstractmethod
    def _size_of(self, expression: tree.Call) -> Value:
        """Return the size of an axis of an array."""

    @abstractmethod
    def _membership(self, expression: tree.Binary) -> Value:
        """Return whether an integer belongs to an index set."""

    @abstractmethod
    def alias_value(self, alias: Alias) -> Value:
        """Return what the bits hold that an alias stands for."""

    @abstractmethod
    def _joined(self, expression: tree.Binary) -> Value:
        """Return what `++` makes of registers."""

    @abstractmethod
    def duration_of(self, expression: tree.DurationOf) -> Value:
        """Return how long statements take."""

    @abstractmethod
    def unseen(self, statements: Sequence[tree.Statement], *names: str) -> None:
        """Check that names stand for something in statements that are never done; `names` do."""

    @abstractmethod
    def measured(self, measure: tree.Measure) -> Value:
        """Return the outcome of a measurement."""

    # --- faults and bounds ------------------------------------------------------------------------------

    # --- expressions ------------------------------------------------------------------------------------

    def value(self, expression: tree.Expression) -> Value:
        """Return an expression's value.

        Raises:
            ProgramFault: It has none, with the position.
        """
        self.step()
        try:
            value = self._value(expression)
            # A deeper one couldn't be sent.
            return value if value.depth < _DEEPEST else self.once(expression.at, value, "part")
        except ValueProblem as problem:
            self.fail(expression.at, str(problem), problem.feature)

    def as_type(self, expression: tree.Expression, type_: Type) -> Value:
        """Return an expression's value as one of a type. Raises as `value`."""
        value = self.value(expression)
        try:
            return cast(value, type_)
        except ValueProblem as problem:
            self.fail(expression.at, str(problem), problem.feature)

    def integer(self, expression: tree.Expression, what: str) -> int:
        """Return an integer that is known beforehand. Raises as `value`."""
        value = self.value(expression)
        if value.known is None:
            self.fail(
                expression.at,
                f"{what} has to be known before the program runs; this value isn't",
                Feature.RUN_TIME_SIZE,
            )
        if not (value.type.is_integer or value.type.is_register) or not isinstance(value.known, int):
            self.fail(expression.at, f"{what} is an integer, not of type {value.type}")
        return int(value.known)

    def _value(self, expression: tree.Expression) -> Value:
        match expression:
            case tree.Number():
                return literal(expression.value)
            case tree.Name():
                return self._named(expression)
            case tree.Binary():
                return self._binary(expression)
            case tree.Index():
                return self._indexed(expression)
            case tree.Unary():
                return unary(expression.operator, self.value(expression.operand))
            case tree.Cast():
                return cast(self.value(expression.operand), self.type_of(expression.type))
            case tree.Call():
                return self._called(expression)
            case tree.Bits():
                return Value(Type("bit", expression.width), expression.value)
            case tree.Measure():
                return self.measured(expression)
            case tree.Time():
                return Value(DURATION, expression.value)
            case tree.DurationOf():
                return self.duration_of(expression)
            case tree.Hardware():
                self.fail(expression.at, "a physical qubit has no value; measure it")
            case tree.List():
                self.fail(
                    expression.at, "values in braces are those of an array, where it is declared or assigned"
                )
            case tree.Range():
                self.fail(expression.at, "a range stands in an index, or in a loop")
        return None

    def symbol(self, name: tree.Name) -> Symbol:
        """Return what a name stands for.

        Raises:
            ProgramFault: For nothing.
        """
        found = self.scope.find(name.name)
        if found is None:
            self.fail(name.at, self.unknown_name(name.name))
        return found

    def unknown_name(self, name: str) -> str:
        """Return what is wrong with a name that stands for nothing."""
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        scope: Scope | None = self.scope
        while scope is not None:
            if name in scope.names:
                return (
                    f"{shown!r} can't be seen in a subroutine: of what is declared outside, only constants "
                    "can; give it as an argument"
                )
            scope = scope.outer
        return f"{shown!r} isn't declared{self.resembling(name)}"

    def resembling(self, name: str, others: Iterable[str] = ()) -> str:
        """Return the question whether a name was meant that resembles one; nothing where none does."""
        names = [*others]
        scope: Scope | None = self.scope
        while scope is not None:
            known = (each for each, symbol in scope.names.items() if not isinstance(symbol, Poison))
            names += itertools.islice(known, _MOST_COMPARED)
            scope = scope.outer
        close = difflib.get_close_matches(name[:60], names[:_MOST_COMPARED], n=1)
        return f"; did you mean {close[0]!r}?" if close else ""

    def _named(self, expression: tree.Name) -> Value:
        name = expression.name
        found = self.scope.find(name)
        if found is None and name in CONSTANTS:
            return Value(FLOAT, CONSTANTS[name], is_literal=True)
        match self.symbol(expression):
            case Variable() as variable:
                return self.memory.read(variable)
            case Value() as value:
                return value
            case Alias() as alias:
                return self.alias_value(alias)
            case Array():
                self.fail(expression.at, f"{name!r} is an array; take one of its elements, as in {name}[0]")
            case Qubits():
                self.fail(expression.at, f"{name!r} is quantum and has no value; measure it")
            case _:
                self.fail(expression.at, f"{name!r} is no variable")
        return None

    def _binary(self, expression: tree.Binary) -> Value:
        sign = expression.operator
        if sign in ("++", "in"):
            return self._joined(expression) if sign == "++" else self._membership(expression)
        left = self.value(expression.left)
        if sign not in ("&&", "||"):
            right = self.value(expression.right)
            doubt = doubtful(sign, left, right)
            if doubt:
                self.warn(expression.at, doubt)
            if left.parts is not None or right.parts is not None:
                # Each part is used several times.
                left = self.once(expression.left.at, left, "left")
                right = self.once(expression.right.at, right, "right")
            return binary(sign, left, right)
        left = converted(left, BOOL)
        if left.known is not None and bool(left.known) is (sign == "||"):
            # The other is not evaluated, but its names are to be right.
            self.unseen([tree.Evaluate(expression.right.at, expression.right)])
            return Value(BOOL, left.known)
        with self.emitter.nested() as effects, self.memory.block() as changed:
            right = converted(self.value(expression.right), BOOL)
        if left.known is not None:
            self.memory.forget(changed)
            self._splice(effects.message())
            return right
        if not effects.operations:
            return binary(sign, left, right)
        return self._with_effects(expression, left, right, effects.message(), list(changed))

    def _splice(self, block: pb.Block) -> None:
        """Append the instructions of a block, which were counted already."""
        here = self.emitter.block
        here.operations.extend(block.operations)
        here.qubits.extend(block.qubits)
        here.clbits.extend(block.clbits)
        here.parameters.extend(block.parameters)

    def _with_effects(
        self, expression: tree.Binary, left: Value, right: Value, effects: pb.Block, changed: list[Variable]
    ) -> Value:
        """Return left && right or left || right, where the right one does something when it is evaluated."""
        result = self.temporary(expression.at, BOOL)
        self.memory.write(result, left)
        with self.emitter.nested() as body:
            self._splice(effects)
            self.memory.write(result, right)
            self.memory.unknown(result)
        condition = left if expression.operator == "&&" else unary("!", left)
        self.emit_if(condition, body.message())
        self.memory.forget(changed)
        return self.memory.read(result)

    def once(self, at: int, value: Value, which: str = "") -> Value:
        """Return a value that may be used several times, without being computed as often."""
        expressions = [each.expression for each in value.parts or (value,)]
        places = ("clbit", "register", "variable")
        if all(each is None or each.WhichOneof("kind") in places for each in expressions):
            return value
        variable = self.temporary(at, value.type, which)
        self.memory.write(variable, value)
        return self.memory.read(variable)

    # --- calls ------------------------------------------------------------------------------------------

    def _called(self, expression: tree.Call) -> Value:
        name = expression.name
        if self.scope.find(name) is None and name in CALLED:
            if name == "sizeof":
                return self._size_of(expression)
            function = BUILT_IN[name]
            values = [self.once(each.at, self.value(each), "argument") for each in expression.arguments]
            return function(name, values)
        result = self.call(expression)
        if result is None:
            self.fail(expression.at, f"{name} gives no value")
        return result

    # --- types ------------------------------------------------------------------------------------------

    def type_of(self, node: tree.TypeNode) -> Type:
        """Return the type that a text means.

        Raises:
            ProgramFault: It means none.
        """
        word = node.word
        if word in ("duration", "stretch"):
            scalar = DURATION
        elif node.size is None:
            scalar = _DEFAULTS.get(word, Type(word))
        else:
            scalar = self._sized(word, node.size)
        if node.axes is None:
            return scalar
        if word in ("qubit", "qreg", "creg", "stretch"):
            self.fail(node.at, f"an array has elements of a classical type, not of {word}")
        if node.count is not None:
            self.fail(node.at, "an array of any size is a parameter of a subroutine alone")
        axes = tuple(self.integer(each, "the size of an axis") for each in node.axes)
        if not axes or min(axes) < 0 or len(axes) > 7:
            self.fail(node.at, "an array has from 1 to 7 axes, none of negative size")
        self._elements += math.prod(axes)
        if self._elements > _MOST_ELEMENTS:
            raise self._too_many_elements(node.at)
        return scalar._replace(axes=axes)

    def _too_many_elements(self, at: int) -> ProgramFault:
        made = too_large(
            "max_elements",
            _MOST_ELEMENTS,
            self._elements,
            f"the arrays have {self._elements:,} elements together, and the most is {_MOST_ELEMENTS:,}",
        )
        made.where = fault(self.text, at, "").where
        return made

    def _sized(self, word: str, node: tree.Expression) -> Type:
        size = self.integer(node, f"the size of {word}")
        if word in ("bool", "duration", "stretch"):
            self.fail(node.at, f"{word} has no size")
        if size < 1:
            self.fail(node.at, f"a size of {size}; it is at least 1")
        if word == "float" or word == "complex":
            if size not in _FLOATS:
                self.fail(node.at, f"a float has 16, 32 or 64 bits, not {size}")
            return Type(word, size)
        if word in ("bit", "qubit"):
            if size > MAX_BITS:
                raise too_large("max_bits", MAX_BITS, size, f"a register can have at most {MAX_BITS:,} bits")
        elif size > (most := _WIDEST_ANGLE if word == "angle" else _WIDEST):
            self.fail(node.at, f"{word} has at most {most:,} bits; bit[n] can have more")
        return Type(word, size)
