"""Puts a text's instructions together as a circuit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from basicaer.simulator._errors import StimTextError
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._operations import Block, Operation, Register, Save, SaveKind
from basicaer.simulator.stim_text._columns import Builder, Columns, Ints
from basicaer.simulator.stim_text._instructions import Instructions
from basicaer.simulator.stim_text._syntax import Repeat, Statement, statements

DETECTORS = "detectors"
OBSERVABLES = "observables"
"""The labels of what a text's circuit saves."""

MOST_BITS = 100_000
MOST_INSTRUCTIONS = 20_000_000

# So many numbers there are in columns for each instruction that is allowed.
_PER_INSTRUCTION = 8


class StimText(NamedTuple):
    """A text that was read: its circuit, and the places (line, column) of the statements that made its
    instructions.
    """

    circuit: Circuit
    places: Sequence[tuple[int, int]]
    origins: Ints

    def place(self, instruction: int) -> tuple[int, int] | None:
        """Return where an instruction comes from; None for the saves at the end."""
        if not 0 <= instruction < len(self.origins):
            return None
        return self.places[int(self.origins[instruction])]


def read_stim(text: str, *, max_instructions: int = MOST_INSTRUCTIONS, max_bits: int = MOST_BITS) -> Circuit:
    """Return a text in stim's language as a circuit.

    Measurement number k writes classical bit k. Detectors are what the circuit saves as "detectors" at its
    end, and observables as "observables". What the text repeats stands there in full: `max_instructions`
    bounds that, and `max_bits` the qubits, the measurements, the detectors and the observables.

    Raises `StimTextError`, with the place.

    >>> read_stim("X_ERROR(0.1) 0\\nM 0\\nDETECTOR rec[-1]").num_clbits
    1
    """
    return read_text(text, max_instructions, max_bits).circuit


def read_text(text: str, max_instructions: int = MOST_INSTRUCTIONS, max_bits: int = MOST_BITS) -> StimText:
    """Read a text as `read_stim` does, and tell where its instructions come from."""
    return _Reader(max_instructions, max_bits).read(statements(text))


class _Reader:
    def __init__(self, max_instructions: int, max_bits: int) -> None:
        self._max_instructions = max_instructions
        self._max_bits = max_bits
        self._instructions = Instructions(max_bits)
        self._statements: list[Statement] = []
        self._pause = current_pause()

    def read(self, program: list[Statement | Repeat]) -> StimText:
        """Return the circuit of a whole text."""
        columns = self._block(program)
        self._check_records(columns)
        operations, clbits, table = self._resolved(columns)
        saves = [
            Save(label, SaveKind.DETECTORS, detectors=lists)
            for label, lists in (
                (DETECTORS, _lists(columns.detector_bits, columns.detector_sizes)),
                (OBSERVABLES, self._observables(columns)),
            )
            if lists
        ]
        numbers = np.arange(len(table), len(table) + len(saves))
        table += [Operation("save", save=save) for save in saves]
        measured = columns.measured
        circuit = Circuit(
            self._instructions.num_qubits,
            measured,
            classical_registers=[Register("rec", measured, tuple(range(measured)))] if measured else [],
            operations=table,
            body=Block(
                np.concatenate([operations, numbers]).astype(np.uint32),
                columns.qubits.astype(np.uint32),
                clbits.astype(np.uint32),
            ),
        )
        places = [(statement.line, statement.column) for statement in self._statements]
        return StimText(circuit, places, columns.origins)

    def _block(self, program: list[Statement | Repeat]) -> Columns:
        """Return the columns of a block, once."""
        parts: list[Columns] = []
        builder = Builder()
        place = 0
        while place < len(program):
            self._pause()
            item = program[place]
            place += 1
            if isinstance(item, Repeat):
                if len(builder):
                    parts.append(builder.finished())
                    builder = Builder()
                turn = self._block(item.body)
                self._check_size([turn], item.count, item.line, item.column)
                parts.append(turn.repeated(item.count))
                self._check_size(parts, 1, item.line, item.column)
                continue
            self._statements.append(item)
            if item.name in ("E", "CORRELATED_ERROR"):
                chain = [item]
                while place < len(program):
                    following = program[place]
                    if isinstance(following, Repeat) or following.name != "ELSE_CORRELATED_ERROR":
                        break
                    self._statements.append(following)
                    chain.append(following)
                    place += 1
                self._instructions.correlated(chain, builder)
            else:
                self._instructions.add(item, builder)
            if len(builder) > self._max_instructions:
                self._check_size([*parts, builder.finished()], 1, item.line, item.column)
        if len(builder) or not parts:
            parts.append(builder.finished())
        if program:
            self._check_size(parts, 1, program[-1].line, program[-1].column)
        return Columns.joined(parts)

    def _check_size(self, parts: list[Columns], count: int, line: int, column: int) -> None:
        """Refuse what is more than may be, before it is there."""
        for limit, most, what, found in (
            (
                "max_instructions",
                self._max_instructions,
                "instructions",
                sum(len(part.operations) for part in parts),
            ),
            ("max_bits", self._max_bits, "measurements", sum(part.measured for part in parts)),
            ("max_bits", self._max_bits, "detectors", sum(len(part.detector_sizes) for part in parts)),
            (
                "max_instructions",
                _PER_INSTRUCTION * self._max_instructions,
                "operands",
                sum(part.size for part in parts),
            ),
        ):
            if count * found > most:
                message = f"the circuit comes to {count * found:,} {what} here, and the most is {most:,}"
                raise StimTextError(message, line, column, limit=(limit, most, count * found))

    def _check_records(self, columns: Columns) -> None:
        """Refuse what reads a measurement before the first one."""
        owners = np.repeat(columns.origins, columns.reads)
        detectors = np.repeat(columns.detector_origins, columns.detector_sizes)
        for bits, origins in (
            (columns.clbits, owners),
            (columns.detector_bits, detectors),
            (columns.observable_bits, columns.observable_origins),
        ):
            if len(bits) and int(bits.min()) < 0:
                statement = self._statements[origins[int(np.argmax(bits < 0))]]
                raise statement.error("it reads a record from before the first measurement")

    def _resolved(self, columns: Columns) -> tuple[Ints, Ints, list[Operation]]:
        """Return the instructions' operations and classical bits, and the table of operations: those that
        read a bit are made for each of them.
        """
        table: list[Operation] = []
        numbers = np.zeros(len(self._instructions.table), dtype=np.int64)
        readers: list[int] = []
        for number, entry in enumerate(self._instructions.table):
            if isinstance(entry, Operation):
                numbers[number] = len(table)
                table.append(entry)
            else:
                readers.append(number)
        operations = numbers[columns.operations]
        if not readers:
            return operations, columns.clbits, table
        places = np.cumsum(columns.reads) - columns.reads
        kept = np.ones(len(columns.clbits), dtype=np.bool_)
        for number in readers:
            entry = self._instructions.table[number]
            if isinstance(entry, Operation):
                raise AssertionError("it reads no bit")
            chosen = np.flatnonzero(columns.operations == number)
            bits, inverse = np.unique(columns.clbits[places[chosen]], return_inverse=True)
            operations[chosen] = len(table) + inverse.reshape(-1)
            table += [entry(bit) for bit in bits.tolist()]
            kept[places[chosen]] = False
        return operations, columns.clbits[kept], table

    def _observables(self, columns: Columns) -> tuple[tuple[int, ...], ...]:
        order = np.argsort(columns.observable_numbers, kind="stable")
        sizes = np.bincount(columns.observable_numbers, minlength=self._instructions.num_observables)
        return _lists(columns.observable_bits[order], sizes)


def _lists(bits: Ints, sizes: Ints) -> tuple[tuple[int, ...], ...]:
    """Return lists that lie one behind the other."""
    flat, ends = bits.tolist(), np.cumsum(sizes).tolist()
    return tuple(tuple(flat[end - size : end]) for end, size in zip(ends, sizes.tolist(), strict=True))
