"""All mistakes of a text that has one: it is lowered once more, and goes on behind each mistake.

What a mistake leaves unknown is poison: a statement that needs it is left out, and is no mistake itself.
So are statements that need what such a statement would have changed. Nothing of the circuit is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from basicaer.service.parsing._faults import MOST_DIAGNOSTICS, ProgramFault, diagnostic
from basicaer.service.parsing.openqasm3._assignments import AgainError, Plan
from basicaer.service.parsing.openqasm3._control import Frame
from basicaer.service.parsing.openqasm3._evaluation import CONSTANTS
from basicaer.service.parsing.openqasm3._lowering import Lowering
from basicaer.service.parsing.openqasm3.machine._gates import STANDARD
from basicaer.service.parsing.openqasm3.machine._names import (
    Array,
    Poison,
    PoisonedError,
    Scope,
    Symbol,
    Variable,
)
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._declarations import RESERVED
from basicaer.service.parsing.openqasm3.syntax._parser import Parser
from basicaer.service.parsing.openqasm3.syntax._recovery import RecoveringParser
from basicaer.service.parsing.openqasm3.syntax._unseen import Used
from basicaer.service.parsing.openqasm3.syntax._usage import assigned_names, mentions, names_in
from basicaer.service.parsing.openqasm3.values._externs import externs_from
from basicaer.service.parsing.openqasm3.values._functions import BUILT_IN
from basicaer.service.parsing.openqasm3.values._types import Value
from basicaer.v1 import error_reason_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostics

__all__ = ["diagnose"]

# A mistake in a loop is met in each of its turns.
_MOST_FAULTS = 200
# Beside them, statements that need what a mistake has left unknown.
_MOST_TROUBLES = 1_000
_NOT_NAMES = RESERVED | STANDARD.keys() | BUILT_IN.keys() | CONSTANTS.keys() | {"sizeof"}


class _EnoughError(Exception):
    """There is no use in going on."""


def diagnose(
    text: str, first: ProgramFault, max_instructions: int, externs: bytes, *, at_once: bool
) -> Diagnostics:
    """Return all mistakes of a text, the `first` of which was found already, and what is doubtful in it.
    `externs` are a `Program` that has these alone.

    Raises:
        TakesLongError: With `at_once`, it takes longer than a moment.
    """
    plan = Plan()
    while True:
        found = _Found()
        warnings: list[Any] = []
        try:
            made = _Diagnosis(text, max_instructions, plan, found, at_once=at_once)
            made.externs = externs_from(externs)
            try:
                made.run()
            finally:
                warnings = made.doubts()
        except AgainError as again:
            plan = again.plan
            continue
        except (ProgramFault, RecursionError, _EnoughError):
            # As far as it went.
            pass
        break
    found.add(first)
    errors = [diagnostic(fault) for fault in found.faults.values()]
    told = sorted(errors, key=_place)[:MOST_DIAGNOSTICS]
    told += warnings[: MOST_DIAGNOSTICS - len(told)]
    left_out = len(errors) + len(warnings) - len(told)
    return Diagnostics(diagnostics=sorted(told, key=_place), left_out=left_out)


def _place(told: Any) -> tuple[int, int]:
    return told.line, told.column


class _Found:
    """Mistakes, one for each place."""

    def __init__(self) -> None:
        self.faults: dict[tuple[int, int], ProgramFault] = {}
        self.count = 0

    def add(self, fault: ProgramFault) -> None:
        """Take a mistake in, unless its place has one already."""
        place = (0, 0) if fault.where is None else (fault.where.line, fault.where.column)
        self.faults.setdefault(place, fault)


class _Diagnosis(Lowering):
    """Lowers what is right of one program."""

    def __init__(self, text: str, max_instructions: int, plan: Plan, found: _Found, *, at_once: bool) -> None:
        self._found = found
        # How many mistakes were met, and statements left out for them.
        self._troubles = 0
        super().__init__(text, max_instructions, plan, at_once=at_once, is_flat=True, wanted=None)

    def _reader(self, text: str) -> Parser:
        return RecoveringParser(text, self._tell, self._spoil)

    def run(self) -> None:
        """Lower what is right of the program, and note its mistakes.

        Raises:
            AgainError: Another plan is needed.
            ProgramFault: It goes no further.
        """
        self._parser.version()
        tokens = self._parser.tokens
        assert self._flat is not None
        while tokens.kind:
            tokens.go(self._flat.run(tokens.at))
            if tokens.kind and self.statement(self._parser.statement()):
                self._behind_end()
                break

    def _tell(self, fault: ProgramFault) -> None:
        """Note a mistake.

        Raises:
            _EnoughError: There are enough, or it is none that can be gone on from.
        """
        self._troubles += 1
        if self._troubles == _MOST_TROUBLES:
            raise _EnoughError
        if isinstance(fault, PoisonedError):
            return
        if fault.reason != error_reason_pb2.ERROR_REASON_PROGRAM_INVALID or fault.where is None:
            raise _EnoughError
        self._found.add(fault)
        self._found.count += 1
        if self._found.count == _MOST_FAULTS:
            raise _EnoughError

    def misused(self, at: int, message: str) -> None:
        try:
            super().misused(at, message)
        except ProgramFault as fault:
            self._tell(fault)

    def check_name(self, used: Used) -> None:
        with self._going_on():
            super().check_name(used)

    # --- going on ---------------------------------------------------------------------------------------

    def statement(self, statement: tree.Statement) -> bool:
        """Lower a statement, or as much of it as is right."""
        with self._going_on() as faulty:
            return super().statement(statement)
        assert faulty
        self._spoil_changed(statement)
        with self._going_on():
            self._look_for_names(statement)
        self._look_inside(statement)
        return False

    @contextmanager
    def _going_on(self) -> Iterator[list[bool]]:
        """Note a mistake that is met meanwhile, and go back to how things were."""
        faulty: list[bool] = []
        scope, depth, conditional = self.scope, self.memory.depth, self.conditional
        frames, gates, calls = len(self.frames), self._gates_open, len(self._calls)
        try:
            yield faulty
        except ProgramFault as fault:
            self._tell(fault)
            faulty.append(True)
        self.scope, self.conditional, self._gates_open = scope, conditional, gates
        self.memory.leave(depth)
        del self.frames[frames:], self._calls[calls:]

    def _gate_statement(self, statement: tree.Statement, parts: list[Any]) -> None:
        if self._gates_open > 1:
            # Gates in gates would be as many ways to go on as they have instructions.
            super()._gate_statement(statement, parts)
            return
        with self._going_on():
            super()._gate_statement(statement, parts)

    def call(self, call: tree.Call) -> Value | None:
        """Return what a subroutine gives.

        Raises:
            PoisonedError: There is a mistake in it.
        """
        before = self._troubles
        value = super().call(call)
        if self._troubles > before:
            raise PoisonedError
        return value

    def _look_inside(self, statement: tree.Statement) -> None:
        """Look for mistakes in the blocks of a statement whose head has one."""
        bodies: list[list[tree.Statement]] = []
        names: dict[str, Symbol] = {}
        match statement:
            case tree.If():
                bodies = [statement.body, statement.otherwise]
            case tree.For():
                bodies, names = [statement.body], {statement.name: Poison()}
            case tree.While() | tree.Box():
                bodies = [statement.body]
            case tree.Switch():
                bodies = [body for _, body in statement.cases] + [statement.default or []]
        for body in bodies:
            with self._going_on():
                self.scope = Scope(self.scope, {**names})
                self.conditional += 1
                if isinstance(statement, tree.For | tree.While):
                    self.frames.append(Frame("loop"))
                for each in body:
                    self.statement(each)

    def _look_for_names(self, statement: tree.Statement) -> None:
        """Look for further names that stand for nothing in a statement that has a mistake."""
        for name in names_in(statement):
            if self.scope.look(name.name) is None and name.name not in _NOT_NAMES:
                with self._going_on():
                    self.symbol(name)

    # --- poison -----------------------------------------------------------------------------------------

    def _spoil(self, names: Iterable[str]) -> None:
        """Let names that stand for nothing be poison, and the first one if it is a variable."""
        for place, name in enumerate(names):
            if name in _NOT_NAMES:
                continue
            if self.scope.look(name) is None:
                self._global_scope().names[name] = Poison()
            elif not place:
                self._spoil_variable(name)

    def _spoil_variable(self, name: str) -> None:
        """Let a variable be poison, which a statement with a mistake would have changed."""
        scope: Scope | None = self.scope
        while scope is not None and name not in scope.names:
            scope = scope.outer
        if scope is None:
            return
        symbol = scope.names[name]
        if isinstance(symbol, Variable | Array) and not symbol.is_constant:
            scope.names[name] = Poison(symbol)

    def variables(self, names: set[str]) -> list[Variable]:
        """Return the variables that these names stand for here, but for poison."""
        return super().variables({name for name in names if not isinstance(self.scope.look(name), Poison)})

    def _spoil_changed(self, statement: tree.Statement) -> None:
        """Let be poison what a statement with a mistake would have declared or changed."""
        match statement:
            case tree.Declare() | tree.QubitDeclare() | tree.Let() | tree.Def() | tree.Extern():
                self.scope.names.setdefault(statement.name, Poison())
            case tree.GateDef():
                self.scope.names[statement.name] = Poison()
            case _:
                for name in assigned_names([statement]):
                    self._spoil_variable(name)

    def _assign(self, statement: tree.Assign) -> None:
        if not statement.operator:
            self._cure(statement.target, statement.value)
        super()._assign(statement)

    def _measure_into(self, operand: tree.Expression, target: tree.Expression | None, at: int) -> None:
        self._cure(target, operand)
        super()._measure_into(operand, target, at)

    def _cure(self, target: tree.Expression | None, value: tree.Expression) -> None:
        """Let a variable be none that is poison where all of it gets a new value."""
        if not isinstance(target, tree.Name) or mentions([tree.Evaluate(value.at, value)], target.name):
            return
        scope: Scope | None = self.scope
        while scope is not None:
            symbol = scope.names.get(target.name)
            if isinstance(symbol, Poison) and symbol.held is not None:
                scope.names[target.name] = symbol.held
            if symbol is not None:
                return
            scope = scope.outer

    def _define(self, at: int, name: str, symbol: Symbol) -> None:
        if isinstance(self.scope.names.get(name), Poison):
            del self.scope.names[name]
        super()._define(at, name, symbol)

    def unknown_name(self, name: str) -> str:
        """Return what is wrong with a name, which is poison from here on."""
        message = super().unknown_name(name)
        scope = self._global_scope()
        (self.scope if name in scope.names else scope).names[name] = Poison()
        return message

    def _no_gate(self, name: str, *, is_something: bool) -> str:
        message = super()._no_gate(name, is_something=is_something)
        if not is_something:
            if name in STANDARD:
                # The one that lacks is said to be missing once.
                self.has_library = True
            else:
                self._global_scope().names[name] = Poison()
        return message

    def _check_global(self, at: int, what: str) -> None:
        if not (isinstance(self._parser, RecoveringParser) and self._parser.is_open):
            super()._check_global(at, what)

    def _end(self, statement: tree.Leave) -> bool:
        return True
