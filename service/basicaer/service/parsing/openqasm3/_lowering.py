"""A program to a circuit, statement by statement: what was read is lowered at once, and let go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from basicaer.service.parsing._faults import ProgramFault, Where, diagnostic, too_large
from basicaer.service.parsing.openqasm3._assignments import AgainError, Plan
from basicaer.service.parsing.openqasm3._control import Frame
from basicaer.service.parsing.openqasm3._declarations import Declarations
from basicaer.service.parsing.openqasm3._flat import Flat
from basicaer.service.parsing.openqasm3._quantum import PowerError
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._gates import STANDARD
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Symbol
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._lexer import fault
from basicaer.service.parsing.openqasm3.syntax._parser import Parser
from basicaer.service.parsing.openqasm3.values._externs import externs_from
from basicaer.service.parsing.openqasm3.values._types import (
    Type,
    Value,
    ValueProblem,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import diagnostic_pb2, error_reason_pb2, job_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = ["Lowering", "locate", "lower"]

# A loop over known values takes a step for each statement and operand.
_MOST_STEPS = 2_000_000
_MOST_STEPS_AT_ONCE = 3_000
# What a circuit is written with whose parameters mean more than angles do.
_REAL_PARAMETERS = "pragma basicaer.real_parameters"


class _EndedError(Exception):
    """The program has ended."""


def lower(
    text: str,
    max_instructions: int,
    externs: bytes = b"",
    *,
    at_once: bool,
    is_flat: bool = True,
    warnings: list[Diagnostic] | None = None,
) -> pb.Circuit:
    """Return a program as a circuit; with `at_once` in a moment, or TakesLongError is raised. `externs` are a
    `Program` that has these alone. What is doubtful is added to `warnings`.

    Raises:
        ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
    """
    known = externs_from(externs)
    made = _planned(text, max_instructions, known, at_once=at_once, is_flat=is_flat, wanted=None)
    if warnings is not None:
        warnings += made.doubts()
    return made.circuit()


def locate(text: str, instruction: int, max_instructions: int, externs: bytes = b"") -> Where | None:
    """Return where the statement begins that makes an instruction of the circuit's body."""
    known = externs_from(externs)
    found = _planned(text, max_instructions, known, at_once=False, is_flat=False, wanted=instruction).found
    return None if found is None else fault(text, found, "").where


def _planned(
    text: str,
    max_instructions: int,
    externs: Mapping[str, job_pb2.ExternFunction],
    *,
    at_once: bool,
    is_flat: bool,
    wanted: int | None,
) -> Lowering:
    plan = Plan()
    first: ProgramFault | None = None
    untried: list[int] = []
    while True:
        lowering = Lowering(text, max_instructions, plan, at_once=at_once, is_flat=is_flat, wanted=wanted)
        lowering.externs = externs
        try:
            lowering.run()
            return lowering
        except AgainError as again:
            plan = again.plan
        except ProgramFault as fault_:
            # What is too long unrolled may be short as a loop of the circuit, if its body can do without
            # knowing which turn it is.
            if first is None and fault_.reason == error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE:
                first, untried = fault_, [*dict.fromkeys(lowering.unrolled)]
            if first is None:
                raise
            if not untried:
                raise first from None
            plan = replace(plan, turned=frozenset((untried.pop(0),)))
        except RecursionError:
            deep = too_large(
                "max_nesting",
                1,
                2,
                "expressions, blocks or calls are nested too deep; store parts in variables",
            )
            deep.where = fault(text, lowering.begun, "").where
            raise deep from None


class Lowering(Declarations):
    """Lowers one program."""

    def __init__(
        self,
        text: str,
        max_instructions: int,
        plan: Plan,
        *,
        at_once: bool,
        is_flat: bool,
        wanted: int | None,
    ) -> None:
        emitter = Emitter(max_instructions, plan.base, at_once=at_once)
        super().__init__(
            text, emitter, Memory(emitter), _MOST_STEPS_AT_ONCE if at_once else _MOST_STEPS, plan
        )
        self._parser = self._reader(text)
        self._flat = Flat(self) if is_flat else None
        self._program: Frame | None = None
        self._wanted = wanted
        self.found: int | None = None
        # Where the statement stands that is lowered, of those outside of blocks.
        self.begun = 0

    def _reader(self, text: str) -> Parser:
        return Parser(text)

    def run(self) -> None:
        """Lower all of it.

        Raises:
            AgainError: Another plan is needed.
        """
        self._parser.version()
        try:
            if self.plan.can_end:
                self._program = Frame("program")
                self.in_one_turn(self._program, self._statements)
            else:
                self._statements()
        except _EndedError:
            self._behind_end()
        self.check_externs()
        self.memory.flush_results(self.shown)
        self._clear_hidden()
        emitter = self.emitter
        if emitter.hidden_bits and emitter.shown_bits > emitter.base:
            raise AgainError(replace(self.plan, base=emitter.shown_bits))

    def circuit(self) -> pb.Circuit:
        """Return what came of it."""
        made = self.emitter.circuit()
        made.global_phase = self.global_phase
        return made

    def doubts(self) -> list[Diagnostic]:
        """Return what is doubtful in what was lowered, in the order of the text."""
        return [
            diagnostic(fault(self.text, at, message), diagnostic_pb2.SEVERITY_WARNING)
            for at, message in sorted(self.warnings.items())
        ]

    def _statements(self) -> None:
        tokens = self._parser.tokens
        while tokens.kind:
            if self._flat is not None:
                tokens.go(self._flat.run(tokens.at))
                if not tokens.kind:
                    break
            at = self.begun = tokens.at
            statement = self._parser.statement()
            if self.statement(statement):
                self._behind_end()
                break
            if self._wanted is not None and len(self.emitter.block.operations) > self._wanted:
                self.found = at
                break

    def _behind_end(self) -> None:
        """Read what is never reached, whose names are to stand for something too."""
        names: set[str] = set()
        while self._parser.tokens.kind:
            statement = self._parser.statement()
            if isinstance(statement, tree.Include):
                names.update(STANDARD)
            self.check_names([statement], names)

    def _define(self, at: int, name: str, symbol: Symbol) -> None:
        super()._define(at, name, symbol)
        if self._flat is not None and self.scope.outer is None:
            self._flat.forget_gate(name)

    def _clear_hidden(self) -> None:
        """Let hidden bits be 0 at the end, so that outcomes differ by what is shown alone."""
        for number in self.emitter.hidden_registers():
            register = self.emitter.register_of(number)
            zeros = Value(Type("bit", register.size), 0)
            store = pb.Store(register=number, value=reference(zeros))
            self.emitter.emit(self.emitter.other(pb.Operation(name="store", store=store)))

    # --- statements -------------------------------------------------------------------------------------

    def statement(self, statement: tree.Statement) -> bool:
        """Lower a statement; tell whether what follows it is never reached."""
        self.step()
        try:
            return self._statement(statement)
        except ValueProblem as problem:
            self.fail(statement.at, str(problem), problem.feature)
        except ProgramFault as found:
            if found.where is None:
                found.where = fault(self.text, statement.at, "").where
            raise

    def _statement(self, statement: tree.Statement) -> bool:
        match statement:
            case tree.Apply():
                self._application(statement)
            case tree.MeasureInto():
                self._measure_into(statement.operand, statement.target, statement.at)
            case tree.Assign():
                self._assign(statement)
            case tree.If():
                return self.choice(statement)
            case tree.For():
                return self.for_loop(statement)
            case tree.While():
                return self.while_loop(statement)
            case tree.Switch():
                return self.switch(statement)
            case tree.Block():
                return self.body(statement.body)
            case tree.Box():
                return self._box(statement)
            case tree.Reset():
                self.reset(statement)
            case tree.Barrier():
                self.barrier(statement)
            case tree.Return():
                return self.returned(statement)
            case tree.Leave():
                return self._end(statement) if statement.word == "end" else self.leave_loop(statement)
            case tree.Evaluate():
                self._evaluate(statement)
            case tree.Nothing():
                self._heed(statement)
            case _:
                self._declaration(statement)
        return False

    def _heed(self, statement: tree.Nothing) -> None:
        """Follow a pragma of ours."""
        if self.text.startswith(_REAL_PARAMETERS, statement.at):
            self.has_real_parameters = True
            if self._flat is not None:
                self._flat.forget_parameters()

    def _application(self, statement: tree.Apply) -> None:
        found = self.scope.find(statement.name)
        if not isinstance(found, tree.Def) or statement.modifiers:
            try:
                self.apply(statement)
            except PowerError as power:
                self.repeated(statement, power)
            return
        # A subroutine that is written as a gate is.
        written = f"{statement.name}(…)"
        if found.result is not None or any(each.type.word != "qubit" for each in found.parameters):
            self.misused(
                statement.at,
                f"{statement.name!r} is a subroutine with a value or classical arguments, and no gate; "
                f"call it as {written}",
            )
        else:
            self.warn(
                statement.at, f"{statement.name!r} is a subroutine, called like a gate; write {written}"
            )
        given = [*statement.arguments, *statement.operands]
        if len(given) == len(found.parameters):
            # Either kind in the order in which it is declared.
            quantum, classical = list(reversed(statement.operands)), list(reversed(statement.arguments))
            given = [
                (quantum or classical if each.type.word == "qubit" else classical or quantum).pop()
                for each in found.parameters
            ]
        self.call(tree.Call(statement.at, statement.name, given))

    def misused(self, at: int, message: str) -> None:
        """Refuse what is wrong, though it is clear what was meant.

        Raises:
            ProgramFault: Always; who looks for further mistakes goes on.
        """
        self.fail(at, message)

    def _evaluate(self, statement: tree.Evaluate) -> None:
        if isinstance(statement.value, tree.Call) and isinstance(
            self.scope.find(statement.value.name), tree.Def | tree.Extern
        ):
            self.call(statement.value)
        else:
            self.value(statement.value)

    def _box(self, statement: tree.Box) -> bool:
        if statement.time is not None:
            self.lasting(statement.time, "a box")
        return self.body(statement.body)

    def _end(self, statement: tree.Leave) -> bool:
        if not self.conditional and not self.frames:
            raise _EndedError
        if self._program is None:
            raise AgainError(replace(self.plan, can_end=True))
        self.memory.flush_here(self.shown)
        self.jump(self._program)
        return True
