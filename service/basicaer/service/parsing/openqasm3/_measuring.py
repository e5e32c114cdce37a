"""Measurements, resets and barriers."""

from __future__ import annotations

from basicaer.service.parsing.openqasm3._operands import Bits, OneOf
from basicaer.service.parsing.openqasm3._timing import Timing
from basicaer.service.parsing.openqasm3.machine._names import Qubits
from basicaer.service.parsing.openqasm3.syntax import _tree as tree
from basicaer.service.parsing.openqasm3.values._types import (
    BIT,
    Type,
    Value,
    converted,
)
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Measuring"]


class Measuring(Timing):
    """Lowers what is done to qubits beside gates."""

    def reset(self, statement: tree.Reset) -> None:
        """Append the reset of qubits."""

        def action(operands: list[Qubits]) -> None:
            for number in operands[0].numbers:
                self.emitter.emit(self.emitter.plain("reset"), (number,))

        self.with_qubits([statement.operand], action)

    def barrier(self, statement: tree.Barrier) -> None:
        """Append a barrier, or a delay of each qubit."""
        if statement.time is not None:
            self._delay(statement, self.lasting(statement.time, "a delay"))
            return
        numbers: dict[int, None] = {}
        for operand in statement.operands:
            found = self.qubits(operand)
            numbers.update(dict.fromkeys(found.numbers))
        if not statement.is_barrier:
            return
        chosen = list(numbers) if statement.operands else list(range(self.emitter.num_qubits))
        self.emitter.emit(self.emitter.plain("barrier", len(chosen)), chosen)

    def _delay(self, statement: tree.Barrier, time: float) -> None:
        number = self.emitter.other(pb.Operation(name="delay", num_qubits=1, num_parameters=1, unit="ns"))

        def action(operands: list[Qubits]) -> None:
            for qubit in operands[0].numbers:
                self.emitter.emit(number, (qubit,), (), (time,))

        for operand in statement.operands:
            self.with_qubits([operand], action)
        if not statement.operands:
            action([Qubits(tuple(range(self.emitter.num_qubits)))])

    def measure_into(self, operand: tree.Expression, target: Bits | None, at: int) -> None:
        """Append measurements whose outcomes go to bits, or nowhere."""

        def action(operands: list[Qubits]) -> None:
            (found,) = operands
            self._measure(found, target, at)

        self.with_qubits([operand], action, [target.variable] if target is not None else [])

    def _measure(self, qubits: Qubits, target: Bits | None, at: int) -> None:
        measure = self.emitter.plain("measure")
        if target is None:
            for number in qubits.numbers:
                self.emitter.emit(measure, (number,), (self.memory.scratch(),))
            return
        variable = target.variable
        places = target.places
        if places is None:
            places = tuple(range(max(variable.type.width, 1)))
        if len(places) != len(qubits.numbers):
            self.fail(
                at, f"{len(qubits.numbers)} qubits are measured into {len(places)} bits; take as many of each"
            )
        if len(places) == max(variable.type.width, 1):
            # All of it is written: what it held is of no interest.
            self.memory.forget([variable])
        else:
            self.memory.unknown(variable)
        place = self.memory.place(variable)
        if place.is_register:
            for number, bit in zip(qubits.numbers, places, strict=True):
                self.emitter.emit(measure, (number,), (place.clbit + bit,))
            return
        for number, bit in zip(qubits.numbers, places, strict=True):
            clbit = self.memory.scratch()
            self.emitter.emit(measure, (number,), (clbit,))
            outcome = Value(BIT, expression=pb.Expression(clbit=clbit))
            if variable.type.is_truth:
                self.memory.write(variable, converted(outcome, variable.type))
            else:
                self.memory.write_bit(variable, bit, outcome)

    def measured(self, measure: tree.Measure) -> Value:
        """Return the outcome of a measurement in an expression: that of a register has all its bits."""
        operand = self.qubits(measure.operand)
        type_ = BIT if isinstance(operand, OneOf) or operand.is_one else Type("bit", len(operand.numbers))
        result = self.temporary(measure.at, type_, "outcome")
        places = None if type_.width else (0,)
        self.measure_into(measure.operand, Bits(result, places, not type_.width), measure.at)
        return self.memory.read(result)
