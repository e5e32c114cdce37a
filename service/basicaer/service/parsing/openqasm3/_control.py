"""Blocks, choices and jumps: what is known beforehand is done while the program is read, the rest by the
circuit.

A jump out of several loops sets a flag, and leaves one after another: what lies around each looks at it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from basicaer.service.parsing.openqasm3._evaluation import CALLED, CONSTANTS
from basicaer.service.parsing.openqasm3._measuring import Measuring
from basicaer.service.parsing.openqasm3.machine._emitter import Columns, Emitter
from basicaer.service.parsing.openqasm3.machine._gates import STANDARD
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Alias, Array, Scope, Variable
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.syntax._unseen import Used, names_used
from basicaer.service.parsing.openqasm3.syntax._usage import assigned_names
from basicaer.service.parsing.openqasm3.values._types import (
    BOOL,
    Type,
    Value,
    ValueProblem,
    cast,
    converted,
    reference,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Control", "Frame"]

# A loop whose variable may be known is unrolled up to so many turns; a longer one runs in the circuit.
_MOST_TURNS = 100_000
# The same, for one whose variable isn't used.
_MOST_IDLE_TURNS = 64
_ONE_TURN = pb.IntegerRange(start=0, stop=1, step=1)


@dataclass(slots=True, eq=False)
class Frame:
    """Something that can be left: a loop of the circuit, or one turn of one around statements.

    `kind` is "loop", "def" or "program". `flag` is set when a jump to here leaves other frames first, those
    in whose `passed` it stands.
    """

    kind: str
    flag: Variable | None = None
    passed: list[Frame] = field(default_factory=list)


class Control(Measuring):
    """Lowers control flow."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int) -> None:
        super().__init__(text, emitter, memory, steps)
        self.frames: list[Frame] = []
        self._flags = 0
        # Where what isn't lowered begins, of which the names are known.
        self._unseen: set[int] = set()

    @abstractmethod
    def statement(self, statement: tree.Statement) -> bool:
        """Lower a statement; tell whether what follows it is never reached."""

    # --- blocks -----------------------------------------------------------------------------------------

    def body(self, statements: Sequence[tree.Statement]) -> bool:
        """Lower statements in a scope of their own; tell whether what follows them is never reached."""
        outer = self.scope
        self.scope = Scope(outer)
        left = self.in_order(statements)
        self._unbind()
        assert self.scope is outer
        return left

    def in_order(self, statements: Sequence[tree.Statement]) -> bool:
        """Lower statements; tell whether what follows them is never reached."""
        for place, statement in enumerate(statements, 1):
            if self.statement(statement):
                self.unseen(statements[place:])
                return True
        return False

    def unseen(self, statements: Sequence[tree.Statement], *names: str) -> None:
        """Check that names stand for something in statements that are never done; `names` do.

        What else is wrong with them may depend on values, and they may be left out for these.
        """
        if statements and statements[0].at not in self._unseen:
            self._unseen.add(statements[0].at)
            self.check_names(statements, {*names})

    def check_names(self, statements: Iterable[tree.Statement], names: set[str]) -> None:
        """Check that names in statements stand for something here, or are among `names`, to which what they
        declare is added.

        Raises:
            ProgramFault: One stands for nothing.
        """
        for used in names_used(statements, names):
            self.step()
            if self.scope.look(used.name) is None:
                self.check_name(used)

    def check_name(self, used: Used) -> None:
        """Check that a name which isn't declared is one of the language's.

        Raises:
            ProgramFault: It isn't.
        """
        name = used.name
        if isinstance(used, tree.Apply):
            if not (name in ("U", "gphase") or (self.has_library and name in STANDARD)):
                self.fail(used.at, self._no_gate(name, is_something=False))
        elif name not in (CONSTANTS if isinstance(used, tree.Name) else CALLED):
            self.fail(used.at, self.unknown_name(name))

    @contextmanager
    def _apart(self) -> Iterator[tuple[Columns, dict[Variable, object]]]:
        """Let what is lowered meanwhile be a block that may run or not."""
        changed: dict[Variable, object] = {}
        self.conditional += 1
        with self.emitter.nested() as block, self.memory.block() as log:
            yield block, changed
        changed.update(log)
        self.conditional -= 1

    def variables(self, names: set[str]) -> list[Variable]:
        """Return the variables that these names stand for here."""
        found: list[Variable] = []
        for name in sorted(names):
            symbol = self.scope.find(name)
            if isinstance(symbol, Variable):
                found.append(symbol)
            elif isinstance(symbol, Array):
                found += symbol.elements
            elif isinstance(symbol, Alias):
                found += symbol.variables
        return [variable for variable in found if not variable.is_constant]

    # --- choices ----------------------------------------------------------------------------------------

    def choice(self, statement: tree.If) -> bool:
        """Lower an if; tell whether what follows it is never reached."""
        condition = self.as_type(statement.condition, BOOL)
        if condition.known is not None:
            self.unseen(statement.otherwise if condition.known else statement.body)
            return self.body(statement.body if condition.known else statement.otherwise)
        self.memory.settle(
            self.variables(assigned_names([*statement.body, *statement.otherwise])), forget=False
        )
        with self._apart() as (then, changed):
            left = self.body(statement.body)
        otherwise: pb.Block | None = None
        left_too = False
        others: dict[Variable, object] = {}
        if statement.otherwise:
            with self._apart() as (block, others):
                left_too = self.body(statement.otherwise)
            otherwise = block.message()
        if otherwise is None and self._is_one(then):
            self._emit_conditioned(condition, then)
        elif then.operations or (otherwise is not None and otherwise.operations):
            self.emit_if(condition, then.message(), otherwise)
        self.memory.forget({**changed, **others})
        return left and left_too

    def _is_one(self, block: Columns) -> bool:
        return len(block.operations) == 1 and self.emitter.is_plain(block.operations[0])

    def _emit_conditioned(self, condition: Value, block: Columns) -> None:
        """Append the one instruction of a block under a condition."""
        number = self.emitter.conditioned(block.operations[0], reference(condition))
        here = self.emitter.block
        here.operations.append(number)
        here.qubits.extend(block.qubits)
        here.clbits.extend(block.clbits)
        here.parameters.extend(block.parameters)

    def switch(self, statement: tree.Switch) -> bool:
        """Lower a switch; tell whether what follows it is never reached."""
        target = self.value(statement.target)
        if target.type.is_register:
            target = converted(target, Type("uint", target.type.width))
        labels: list[list[int]] = []
        seen: set[int] = set()
        for expressions, _ in statement.cases:
            labels.append([self.integer(each, "a case") for each in expressions])
            for label, expression in zip(labels[-1], expressions, strict=True):
                if label in seen:
                    self.fail(expression.at, f"{label} stands in two cases")
                seen.add(label)
        if not target.type.is_integer:
            self.fail(statement.target.at, f"the target of a switch is an integer, not of type {target.type}")
        if target.known is not None:
            bodies = [*(body for _, body in statement.cases), statement.default or []]
            chosen = next((place for place, values in enumerate(labels) if target.known in values), -1)
            taken = bodies.pop(chosen)
            for body in bodies:
                self.unseen(body)
            return self.body(taken)
        left: list[bool] = []

        def lowered(body: list[tree.Statement]) -> Callable[[], None]:
            def action() -> None:
                self.conditional += 1
                left.append(self.body(body))
                self.conditional -= 1

            return action

        bodies = [body for _, body in statement.cases] + [statement.default or []]
        names = set().union(*(assigned_names(body) for body in bodies))
        options = [(values, lowered(body)) for values, (_, body) in zip(labels, statement.cases, strict=True)]
        otherwise = lowered(statement.default) if statement.default is not None else None
        self.choose(statement.at, target, options, otherwise, self.variables(names))
        return statement.default is not None and all(left)

    # --- loops ------------------------------------------------------------------------------------------

    def _copied(self, at: int, value: Value, number: int) -> Value:
        copy = self.temporary(at, value.type, f"loop {number}")
        self.memory.write(copy, value)
        return self.memory.read(copy)

    def _bind(self, statement: tree.For, type_: Type, value: Value) -> None:
        self.scope = Scope(self.scope)
        variable = Variable(statement.name, type_)
        try:
            value = cast(value, type_)
        except ValueProblem as problem:
            self.fail(statement.values.at, str(problem), problem.feature)
        if value.known is not None:
            variable.known = value.known
            variable.dirty = True
        else:
            variable = self.temporary(statement.at, type_, statement.name)
            self.memory.write(variable, value)
        self.scope.names[statement.name] = variable

    def _unbind(self) -> None:
        """Leave a scope, whose variables nobody reads any more."""
        assert self.scope.outer is not None
        self.memory.drop(each for each in self.scope.names.values() if isinstance(each, Variable))
        self.scope = self.scope.outer

    def _finish(self, frame: Frame, operation: pb.Operation, changed: dict[Variable, object]) -> None:
        """Append a loop, whose flag is cleared before, and the jumps that go on behind it."""
        if frame.flag is not None:
            self.memory.write(frame.flag, Value(BOOL, False))
            self.memory.unknown(frame.flag)
        self.emitter.emit(self.emitter.other(operation))
        self.memory.forget(changed)
        for target in dict.fromkeys(frame.passed):
            assert target.flag is not None
            condition = reference(self.memory.read(target.flag))
            number = self.emitter.plain("break_loop")
            self.emitter.emit(self.emitter.conditioned(number, condition))

    # --- jumps ------------------------------------------------------------------------------------------

    def jump(self, target: Frame, word: str = "break") -> None:
        """Leave for the end of a frame ("break"), or for the innermost one's next turn ("continue")."""
        passed = self.frames[self.frames.index(target) + 1 :]
        if passed:
            if target.flag is None:
                self._flags += 1
                target.flag = self.temporary(-1 - self._flags, BOOL)
            self.memory.write(target.flag, Value(BOOL, True))
            for frame in passed:
                frame.passed.append(target)
        self.memory.flush_all_written()
        self.emitter.emit(self.emitter.plain(f"{word}_loop"))

    def leave_loop(self, statement: tree.Leave) -> bool:
        """Lower break and continue."""
        if self.frames and self.frames[-1].kind == "loop":
            self.jump(self.frames[-1], statement.word)
            return True
        self.fail(statement.at, f"{statement.word} stands outside of a loop")
        return None

    def in_one_turn(self, frame: Frame, lower: Callable[[], object]) -> None:
        """Lower something that can be left as a loop of one turn."""
        self.frames.append(frame)
        with self._apart() as (block, changed):
            lower()
        self.frames.pop()
        loop = pb.ForLoop(range=_ONE_TURN, body=block.message())
        self._finish(frame, pb.Operation(name="for_loop", for_loop=loop), changed)
