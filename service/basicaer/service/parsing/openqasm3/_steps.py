"""What all that lowers a program shares: how much it may do, choices by a number, temporary values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import NoReturn

from basicaer.service.parsing._faults import MOST_DIAGNOSTICS, too_large
from basicaer.service.parsing._patience import TakesLongError
from basicaer.service.parsing.openqasm3.machine._emitter import Emitter
from basicaer.service.parsing.openqasm3.machine._memory import Memory
from basicaer.service.parsing.openqasm3.machine._names import Scope, Variable
from basicaer.service.parsing.openqasm3.syntax._lexer import fault
from basicaer.service.parsing.openqasm3.values._features import Feature
from basicaer.service.parsing.openqasm3.values._operators import binary
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    Type,
    Value,
    converted,
    reference,
    wrap,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Steps"]

_WIDEST = 64
# Each lies in the one before it, and blocks may not be very deep.
_MOST_WIDE = 16


class Steps:
    """The state of a program that is being lowered."""

    def __init__(self, text: str, emitter: Emitter, memory: Memory, steps: int) -> None:
        self.text = text
        self.emitter = emitter
        self.memory = memory
        self.scope = Scope(None)
        self._steps = self._most_steps = steps
        self._temporaries: dict[tuple[object, ...], Variable] = {}
        # How many calls of subroutines are open from within themselves: each has values of its own.
        self.recursion = 0
        # Where the loops stand that are being unrolled, the outer ones first.
        self.unrolled: list[int] = []
        # Those that aren't, wherever they stand.
        self.turned: frozenset[int] = frozenset()
        self._elements = 0
        # What is doubtful in the text, by the offsets.
        self.warnings: dict[int, str] = {}

    def fail(self, at: int, message: str, feature: Feature | None = None) -> NoReturn:
        """Raise what is wrong at an offset of the text."""
        raise fault(self.text, at, message, feature=feature)

    def warn(self, at: int, message: str) -> None:
        """Note what is doubtful at an offset of the text, once for each."""
        if len(self.warnings) < MOST_DIAGNOSTICS:
            self.warnings.setdefault(at, message)

    def step(self, count: int = 1) -> None:
        """Take so many of the steps that may be done.

        Raises:
            ProgramFault: There were too many.
            TakesLongError: There were too many for a moment.
        """
        self._steps -= count
        if self._steps < 0:
            if self.emitter.at_once:
                raise TakesLongError
            raise too_large(
                "max_steps",
                self._most_steps,
                self._most_steps + 1,
                f"the program takes more than {self._most_steps:,} steps to unroll and to fold; "
                "make its loops shorter",
            )

    def emit_if(self, condition: Value, body: pb.Block, otherwise: pb.Block | None = None) -> None:
        """Append a choice between blocks."""
        choice = pb.IfElse(condition=reference(condition), then_block=body, else_block=otherwise)
        self.emitter.emit(self.emitter.other(pb.Operation(name="if_else", if_else=choice)))

    def choose(
        self,
        at: int,
        selector: Value,
        options: Sequence[tuple[Sequence[int], Callable[[], None]]],
        otherwise: Callable[[], None] | None,
        may_write: Sequence[Variable],
    ) -> None:
        """Append a choice by an integer: what the option that has its value does, or `otherwise` does.

        `may_write` are all variables that these change.
        """
        if not selector.type.is_integer:
            self.fail(at, f"an index, or the target of a switch, is an integer, not of type {selector.type}")
        self.memory.settle(may_write, forget=False)
        width = selector.type.width
        target = converted(selector, Type("uint", width))
        switch = pb.SwitchCase(target=reference(target))
        wide: list[tuple[Value, pb.Block]] = []
        changed: dict[Variable, None] = {}
        mask = (1 << width) - 1
        for values, action in options:
            if fitting := [value & mask for value in values if wrap(value, selector.type) == value]:
                with self.emitter.nested() as body, self.memory.block() as log:
                    action()
                block = body.message()
                if max(fitting) >> _WIDEST:
                    equal = [binary("==", target, Value(target.type, value)) for value in sorted({*fitting})]
                    wide.append((reduce(partial(binary, "||"), equal), block))
                else:
                    switch.cases.add(values=sorted({*fitting}), body=block)
                changed.update(dict.fromkeys(log))
        if otherwise is not None:
            with self.emitter.nested() as body, self.memory.block() as log:
                otherwise()
            switch.cases.add(is_default=True, body=body.message())
            changed.update(dict.fromkeys(log))
        if len(wide) > _MOST_WIDE:
            self.fail(at, f"a switch has at most {_MOST_WIDE} cases with values of more than {_WIDEST} bits")
        made = self.emitter.other(pb.Operation(name="switch_case", switch_case=switch))
        # The contract's cases have 64 bits, so that wider ones are asked for before.
        for condition, block in reversed(wide):
            choice = pb.IfElse(
                condition=reference(condition), then_block=block, else_block=pb.Block(operations=[made])
            )
            made = self.emitter.other(pb.Operation(name="if_else", if_else=choice))
        self.emitter.emit(made)
        self.memory.forget(changed)

    def out_of_range(self, size: int, selector: Value) -> Callable[[], None]:
        """Return what fails the program for an index that has a value beyond `size`."""

        def fail() -> None:
            zeros = reference(Value(Type("uint", max(size, 1)), 0)) if size <= _WIDEST else None
            if zeros is None:
                zeros = pb.Expression(literal=pb.Literal(wide_value=bytes(1)))
                zeros.type.kind = pb.CLASSICAL_KIND_UINT
                zeros.type.width = size
            # A bit that isn't there: the run says so, with the index and the size.
            index = pb.IndexExpression(target=zeros, index=reference(selector))
            checked = self.temporary(-1, BIT)
            self.memory.write(checked, Value(BIT, expression=pb.Expression(index=index)))

        return fail

    def temporary(self, at: int, type_: Type, which: str = "") -> Variable:
        """Return a variable for an expression's value, the same each time that it is evaluated."""
        key = (at, type_, which, self.recursion)
        found = self._temporaries.get(key)
        if found is None:
            found = self._temporaries[key] = Variable(".value", type_)
        return found
