"""How long statements take: gates no time, delays and boxes what they say, and stretches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from basicaer.service.parsing.openqasm3._operands import OneOf
from basicaer.service.parsing.openqasm3._quantum import Quantum
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.values._types import DURATION, Value

__all__ = ["Timing"]

# Beside the circuit's qubits, those that only stand in a durationof.
_PHYSICAL = -1


class Timing(Quantum):
    """Evaluates durations."""

    def lasting(self, expression: tree.Expression, what: str) -> float:
        """Return how long something is to take, in nanoseconds.

        Raises:
            ProgramFault: It is no duration, or a negative one that nothing stretches.
        """
        time = self.value(expression)
        if time.type.kind != "duration":
            self.fail(expression.at, f"{what} takes a duration, such as 100ns, not {time.type}")
        assert isinstance(time.known, float)
        if time.known < 0 and not self.has_stretch:
            self.fail(expression.at, f"{what} of {time.known:g} ns; a duration isn't negative here")
        return time.known

    def duration_of(self, expression: tree.DurationOf) -> Value:
        """Return the time from a block's start to its end on the qubit that is last."""
        times: dict[int, float] = {}
        self._pass(expression.body, times)
        return Value(DURATION, max(times.values(), default=0.0))

    def _pass(self, statements: Sequence[tree.Node], times: dict[int, float]) -> None:
        for statement in statements:
            self.step()
            match statement:
                case tree.Apply():
                    time = 0.0 if statement.time is None else self.lasting(statement.time, "a gate")
                    self._advance(statement.operands, time, times)
                case tree.Barrier():
                    time = 0.0 if statement.time is None else self.lasting(statement.time, "a delay")
                    self._advance(statement.operands, time, times)
                case tree.Reset() | tree.MeasureInto():
                    self._advance([statement.operand], 0.0, times)
                case tree.Box():
                    self._box_time(statement, times)
                case tree.Nothing():
                    pass
                case _:
                    self._untimed(statement.at)

    def _untimed(self, at: int) -> NoReturn:
        self.fail(at, "durationof is of gates, delays, measurements, resets, barriers and boxes")

    def _box_time(self, box: tree.Box, times: dict[int, float]) -> None:
        inner: dict[int, float] = {}
        self._pass(box.body, inner)
        length = max(inner.values(), default=0.0)
        if box.time is not None:
            length = self.lasting(box.time, "a box")
        begin = max((times.get(qubit, 0.0) for qubit in inner), default=0.0)
        times.update(dict.fromkeys(inner, begin + length))

    def _advance(self, operands: Sequence[tree.Expression], time: float, times: dict[int, float]) -> None:
        """Let operands, or all qubits without any, go on together."""
        qubits: list[int] = [] if operands else [*times] or [_PHYSICAL]
        for operand in operands:
            if isinstance(operand, tree.Hardware):
                qubits.append(_PHYSICAL - 1 - operand.number)
                continue
            found = self.qubits(operand)
            if isinstance(found, OneOf):
                self.fail(operand.at, "in durationof an index has to be known before the program runs")
            qubits += found.numbers
        end = max((times.get(qubit, 0.0) for qubit in qubits), default=0.0) + time
        times.update(dict.fromkeys(qubits, end))
