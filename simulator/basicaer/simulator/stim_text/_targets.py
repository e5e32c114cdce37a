"""What targets and arguments instructions have: each that isn't what its instruction takes is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from basicaer.simulator._errors import StimTextError
from basicaer.simulator.stim_text._columns import Builder
from basicaer.simulator.stim_text._syntax import Statement, Target

Product = list[tuple[int, str]]
"""A product of Pauli operators: qubits with their letters."""

_T = TypeVar("_T")
_NO_SWEEP = "sweep bits aren't supported; write the circuit with their values"


class Targets:
    """Reads targets. `num_qubits` is one more than the largest qubit so far."""

    def __init__(self, max_bits: int) -> None:
        self.num_qubits = 0
        self._max_bits = max_bits

    def records(self, statement: Statement, builder: Builder) -> list[int]:
        """Return the records of all targets, as bits that count from where the builder begins."""
        return [self.record(statement, target, builder) for target in statement.targets]

    def record(self, statement: Statement, target: Target, builder: Builder) -> int:
        """Return a record, as `records` does."""
        if target.kind != "rec" or target.value >= 0 or target.flipped or not target.first:
            raise statement.error(f"{statement.name} takes records here, such as rec[-1]", target)
        return builder.measured + target.value

    def products(self, statement: Statement) -> list[tuple[Product, bool]]:
        """Return the products of Pauli operators, each with whether it is inverted."""
        found: list[tuple[Product, bool]] = []
        for target in statement.targets:
            factor = self.factor(statement, target)
            if target.first:
                found.append(([factor], target.flipped))
                continue
            factors, flipped = found[-1]
            if any(factor[0] == qubit for qubit, _ in factors):
                raise statement.error("a product names each qubit once", target)
            factors.append(factor)
            found[-1] = (factors, flipped != target.flipped)
        return found

    def factor(self, statement: Statement, target: Target) -> tuple[int, str]:
        """Return a qubit with its letter."""
        if target.kind not in "XYZ":
            raise statement.error(f"{statement.name} takes Pauli operators, such as X3 or X3*Z4", target)
        return self.number(statement, target), target.kind

    def qubits(self, statement: Statement, *, flips: bool = False) -> list[int]:
        """Return the qubits of all targets; with `flips` they may be inverted."""
        return [self.qubit(statement, target, flips=flips) for target in statement.targets]

    def qubit(self, statement: Statement, target: Target, *, flips: bool = False) -> int:
        """Return a qubit, as `qubits` does."""
        if target.kind == "sweep":
            raise statement.error(_NO_SWEEP, target)
        if target.kind != "qubit" or not target.first or (target.flipped and not flips):
            raise statement.error(f"{statement.name} takes qubits here, such as 3", target)
        return self.number(statement, target)

    def number(self, statement: Statement, target: Target) -> int:
        """Return the qubit of a target, whatever its kind."""
        if target.value >= self._max_bits:
            message = f"qubit {target.value}, and a circuit has at most {self._max_bits:,}"
            raise StimTextError(
                message,
                statement.line,
                target.column,
                limit=("max_bits", self._max_bits, target.value + 1),
            )
        self.num_qubits = max(self.num_qubits, target.value + 1)
        return target.value

    def check_pairs(self, statement: Statement, qubits: list[int]) -> None:
        """Refuse what is no pairs of different qubits."""
        if len(qubits) % 2:
            raise statement.error(f"{statement.name} takes pairs of qubits", statement.targets[-1])
        for place, (first, second) in enumerate(parts_of(qubits, 2)):
            if first == second:
                raise statement.error(
                    f"{statement.name} takes two different qubits", statement.targets[2 * place + 1]
                )


def arguments_of(statement: Statement, count: int, least: int | None = None) -> tuple[float, ...]:
    """Return the arguments, which are probabilities."""
    found = statement.arguments
    if not (count if least is None else least) <= len(found) <= count:
        number = f"{count}" if least is None else f"at most {count}"
        raise statement.error(f"{statement.name} takes {number} arguments, not {len(found)}")
    for value in found:
        if not 0.0 <= value <= 1.0:
            raise statement.error(f"{value:g} is no probability; it is from 0 to 1")
    return found


def parts_of(items: Sequence[_T], width: int) -> list[Sequence[_T]]:
    """Return items in parts of `width`; the last one may be shorter."""
    return [items[start : start + width] for start in range(0, len(items), width)]
