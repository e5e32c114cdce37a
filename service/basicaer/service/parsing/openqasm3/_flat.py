"""The fast way for what most programs consist of: gates on single qubits by their index, one after another.

Each is found by one pattern and goes straight into columns. Whatever doesn't fit, or is wrong, is left to the
parser, from where it begins; a test holds both ways equal.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from basicaer.service.parsing._faults import ProgramFault
from basicaer.service.parsing.openqasm3._quantum import Quantum
from basicaer.service.parsing.openqasm3.machine._gates import STANDARD
from basicaer.service.parsing.openqasm3.machine._names import Qubits, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._expressions import ExpressionParser
from basicaer.service.parsing.openqasm3.values._mathematics import FUNCTIONS
from basicaer.service.parsing.openqasm3.values._types import (
    BOOL,
    FLOAT,
    Value,
    ValueProblem,
    converted,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Flat"]

_NAME = r"[^\W\d]\w*"
_OPERAND = rf"(?:{_NAME}(?:\[[0-9]{{1,6}}\])?)"
_GATE = rf"({_NAME})(?:\(([^()\r\n;{{}}]*)\))?[ \t]+({_OPERAND}(?:[ \t]*,[ \t]*{_OPERAND})*)[ \t]*;"
_BLANK = r"[ \t\r\n]*"
_FLAT = re.compile(rf"{_BLANK}{_GATE}")
_MEASURE = re.compile(
    rf"{_BLANK}(?:({_NAME})\[([0-9]{{1,6}})\][ \t]*=[ \t]*measure[ \t]+({_OPERAND})"
    rf"|measure[ \t]+({_OPERAND})[ \t]*->[ \t]*({_NAME})\[([0-9]{{1,6}})\])[ \t]*;"
)
_IF = re.compile(
    rf"{_BLANK}if[ \t]*\(([^(){{}};\r\n\"']{{1,200}})\)[ \t]*(?:\{{[ \t]*{_GATE}[ \t]*\}}|{_GATE})"
)
# Without ways back, which are exponentially many among blanks.
_ELSE = re.compile(r"(?:[ \t\r\n\ufeff]++|//[^\n\r]*+|/\*.*?\*/)*+else\b", re.DOTALL)
_NUMBER = re.compile(r"[ \t]*-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_WORD = re.compile(_NAME)
_CONSTANTS = frozenset(("pi", "π", "tau", "τ", "euler", "ℇ"))
_MOST_KEPT = 65_536


class _Kind(NamedTuple):
    number: int
    parameters: int
    qubits: int
    has_phase: bool


class Flat:
    """Reads flat statements of one program."""

    def __init__(self, lowering: Quantum) -> None:
        self._lowering = lowering
        self._kinds: dict[str, _Kind] = {}
        self._operands: dict[str, tuple[int, ...]] = {}
        self._parameters: dict[str, tuple[float, ...]] = {}
        self._conditions: dict[tuple[str, int], bytes] = {}
        self._conditioned: dict[tuple[int, bytes], int] = {}

    def run(self, at: int) -> int:
        """Take statements from an offset on as long as they are flat; return the offset behind them."""
        text = self._lowering.text
        while True:
            found = _FLAT.match(text, at)
            if found is not None:
                if not self._gate(found[1], found[2], found[3]):
                    return at
            elif (found := _MEASURE.match(text, at)) is not None:
                if not self._measure(found):
                    return at
            elif (found := _IF.match(text, at)) is not None:
                if _ELSE.match(text, found.end()) or not self._if(found):
                    return at
            else:
                return at
            at = found.end()

    def forget_parameters(self) -> None:
        """Read parameters anew, since what they mean has changed."""
        self._parameters.clear()

    def forget_gate(self, name: str) -> None:
        """Look a name up anew, which may stand for something else than a gate of the library now."""
        self._kinds.pop(name, None)

    def _gate(self, name: str, parameters: str | None, operands: str) -> bool:
        """Append a gate; tell whether that was possible."""
        kind = self._kinds.get(name) or self._kind(name)
        if kind is None:
            return False
        qubits = self._operands.get(operands) or self._qubits(operands)
        if qubits is None or len(qubits) != kind.qubits:
            return False
        values: tuple[float, ...] = ()
        if parameters is not None:
            found = self._parameters.get(parameters) or self._values(parameters)
            if found is None:
                return False
            values = found
        if len(values) != kind.parameters:
            return False
        lowering = self._lowering
        if kind.has_phase:
            if lowering.conditional:
                return False
            phase = STANDARD[name].phase
            assert phase is not None
            lowering.global_phase += phase(*values)
        lowering.emitter.emit(kind.number, qubits, (), values)
        return True

    def _kind(self, name: str) -> _Kind | None:
        gate = STANDARD.get(name)
        lowering = self._lowering
        found = lowering.scope.names.get(name)
        if isinstance(found, tree.GateDef) and found.native:
            sizes = len(found.qubits), len(found.parameters)
            made = _Kind(lowering.emitter.plain(found.native, *sizes), sizes[1], sizes[0], False)
            self._kinds[name] = made
            return made
        if gate is None or not (lowering.has_library or name == "U") or name in lowering.scope.names:
            return None
        number = lowering.emitter.plain(gate.name, gate.qubits, gate.parameters)
        made = self._kinds[name] = _Kind(number, gate.parameters, gate.qubits, gate.phase is not None)
        return made

    def _qubits(self, operands: str) -> tuple[int, ...] | None:
        numbers: list[int] = []
        for operand in operands.split(","):
            number = self._qubit(operand.strip())
            if number is None:
                return None
            numbers.append(number)
        if len({*numbers}) < len(numbers):
            return None
        made = tuple(numbers)
        if len(self._operands) < _MOST_KEPT:
            self._operands[operands] = made
        return made

    def _qubit(self, operand: str) -> int | None:
        name, bracket, index = operand.partition("[")
        found = self._lowering.scope.names.get(name)
        if not isinstance(found, Qubits) or found.is_one is bool(bracket):
            return None
        place = int(index[:-1]) if bracket else 0
        return found.numbers[place] if place < len(found.numbers) else None

    def _values(self, parameters: str) -> tuple[float, ...] | None:
        values: list[float] = []
        for part in parameters.split(","):
            value = float(part) if _NUMBER.fullmatch(part) else self._constant(part)
            if value is None or not math.isfinite(value):
                return None
            is_turn = self._lowering.has_real_parameters or -math.tau < value < math.tau
            values.append(value if is_turn else math.fmod(value, math.tau))
        made = tuple(values)
        if len(self._parameters) < _MOST_KEPT:
            self._parameters[parameters] = made
        return made

    def _constant(self, part: str) -> float | None:
        """Return what an expression of numbers and the language's constants comes to."""
        names = self._lowering.scope.names
        if any(word not in _CONSTANTS or word in names for word in _WORD.findall(part)):
            return None
        try:
            parser = ExpressionParser(part)
            value = converted(self._value(parser.expression()), FLOAT).known
        except (ProgramFault, ValueProblem):
            return None
        if parser.tokens.kind or not isinstance(value, float):
            return None
        return value

    def _value(self, expression: tree.Expression) -> Value:
        """Return the value of an expression, whose place in the text isn't known, if nothing is doubtful.

        Raises:
            ProgramFault: It has none.
        """
        lowering = self._lowering
        kept, lowering.warnings = lowering.warnings, {}
        try:
            value = lowering.value(expression)
            if lowering.warnings:
                raise ProgramFault("doubtful")
            return value
        finally:
            lowering.warnings = kept

    def _measure(self, found: re.Match[str]) -> bool:
        name, place, qubit = (found[1], found[2], found[3]) if found[1] else (found[5], found[6], found[4])
        lowering = self._lowering
        variable = lowering.scope.names.get(name)
        qubits = self._operands.get(qubit) or self._qubits(qubit)
        if (
            not isinstance(variable, Variable)
            or variable.type.kind != "bit"
            or not variable.is_shown
            or qubits is None
        ):
            return False
        bit = int(place)
        if bit >= variable.type.width or variable.place is None:
            return False
        if variable.known is not None or variable.dirty:
            return False
        lowering.emitter.emit(lowering.emitter.plain("measure"), qubits, (variable.place.clbit + bit,))
        return True

    def _if(self, found: re.Match[str]) -> bool:
        name, parameters, operands = found.group(2, 3, 4) if found[2] else found.group(5, 6, 7)
        kind = self._kinds.get(name) or self._kind(name)
        if kind is None or kind.has_phase:
            return False
        condition = self._condition(found[1])
        if condition is None:
            return False
        key = (kind.number, condition)
        number = self._conditioned.get(key)
        emitter = self._lowering.emitter
        if number is None:
            number = self._conditioned[key] = emitter.conditioned(
                kind.number, pb.Expression.FromString(condition)
            )
        plain = kind._replace(number=number)
        self._kinds[name] = plain
        try:
            return self._gate(name, parameters, operands)
        finally:
            self._kinds[name] = kind

    def _condition(self, text: str) -> bytes | None:
        """Return a condition that only a run knows, and that does nothing."""
        lowering = self._lowering
        key = (text, lowering.memory.epoch)
        made = self._conditions.get(key)
        if made is not None:
            return made
        if "measure" in text or any(word in FUNCTIONS for word in _WORD.findall(text)):
            return None
        try:
            parser = ExpressionParser(text)
            value = converted(self._value(parser.expression()), BOOL)
        except (ProgramFault, ValueProblem):
            return None
        if parser.tokens.kind or value.known is not None:
            return None
        made = reference(value).SerializeToString(deterministic=True)
        if len(self._conditions) < _MOST_KEPT:
            self._conditions[key] = made
        return made
