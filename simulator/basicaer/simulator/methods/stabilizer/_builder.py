"""Collects rows, one by one or many at once, with the tables, lists and expressions that they refer to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._operations import Save
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._conditions import ZERO, Bit, UnsupportedError, code_of


class RowsBuilder:
    """Rows that grow. `count` is how many there are."""

    def __init__(self) -> None:
        # Rows with how deep in conditions they lie, and those of them that were appended one by one since.
        self._chunks: list[npt.NDArray[np.int64]] = []
        self._waiting: list[tuple[int, int, int, int, int]] = []
        self._depth = 0
        self._tables: list[npt.NDArray[np.float64]] = []
        self._table_of: dict[bytes, int] = {}
        self._lists: list[Sequence[int]] = []
        self._expressions: list[list[tuple[int, int]]] = []
        self._saves: list[tuple[Save, tuple[int, ...]]] = []
        self._detectors: list[tuple[Save, int]] = []
        self._links: dict[int, int] = {}
        self.count = 0

    def row(self, code: int, first: int = 0, second: int = 0, extra: int = 0) -> None:
        """Append a row."""
        self._waiting.append((code, first, second, extra, self._depth))
        self.count += 1

    def add(self, chunk: npt.NDArray[np.int64]) -> None:
        """Append rows of shape (some, 4)."""
        self._flush()
        self._chunks.append(np.column_stack([chunk, np.full(len(chunk), self._depth)]))
        self.count += len(chunk)

    def choice(
        self, condition: Bit, then: Callable[[], None], other: Callable[[], None] | None = None
    ) -> None:
        """Append the rows of a choice: `then` and `other` append those within."""
        start = self.count
        self.row(rows.IF, extra=self.expression([condition]))
        self._depth += 1
        then()
        if other is not None:
            middle = self.count
            self.row(rows.ELSE)
            self._links[start] = self.count
            other()
            self._links[middle] = self.count
        else:
            self._links[start] = self.count
        self._depth -= 1
        self.row(rows.END)

    def link(self, jumps: list[int], target: int) -> None:
        """Let the rows `jumps` lead to `target`."""
        self._links.update(dict.fromkeys(jumps, target))

    def store(self, targets: Sequence[int], value: list[Bit]) -> None:
        """Append an assignment to bits; of a value that is shorter, zeros go to the others."""
        value = (value + [ZERO] * len(targets))[: len(targets)]
        self.row(rows.STORE, self.list_of(targets), extra=self.expression(value))

    def save(self, save: Save, qubits: tuple[int, ...]) -> None:
        """Append a save."""
        self._saves.append((save, qubits))
        self.row(rows.SAVE, extra=len(self._saves) - 1)

    def detectors(self, save: Save) -> None:
        """Append a save of detectors. Raises `UnsupportedError` where it depends on a condition."""
        if self._depth:
            raise UnsupportedError(f"save {save.label!r}: detectors under a condition")
        self._detectors.append((save, self.count))

    def table(self, values: npt.NDArray[np.float64]) -> int:
        """Return the number of a table of probabilities."""
        key = values.tobytes()
        found = self._table_of.get(key)
        if found is None:
            found = self._table_of[key] = len(self._tables)
            self._tables.append(values)
        return found

    def list_of(self, places: Sequence[int]) -> int:
        """Return the number of a list of qubits or bits."""
        self._lists.append(places)
        return len(self._lists) - 1

    def expression(self, bits: list[Bit]) -> int:
        """Return the number of an expression with these bits."""
        self._expressions.append(code_of(bits))
        return len(self._expressions) - 1

    def finished(self, num_qubits: int, num_clbits: int, initial: Sequence[int]) -> rows.Rows:
        """Return the rows; `initial` has the bits' values at the start.

        Raises `UnsupportedError` where a bit is written again that a detector has read.
        """
        self._flush()
        columns = np.concatenate([np.zeros((0, 5), dtype=np.int64), *self._chunks])
        for row, target in self._links.items():
            columns[row, 2] = target
        codes = [np.array(code, dtype=np.int64).reshape(-1, 2) for code in self._expressions]
        made = rows.Rows(
            num_qubits=num_qubits,
            num_clbits=num_clbits,
            num_bits=len(initial),
            codes=np.ascontiguousarray(columns[:, 0]),
            first=np.ascontiguousarray(columns[:, 1]),
            second=np.ascontiguousarray(columns[:, 2]),
            extra=np.ascontiguousarray(columns[:, 3]),
            masked=columns[:, 4] > 0,
            tables=np.concatenate([*self._tables, np.zeros(1)]),
            table_starts=starts_of([len(table) for table in self._tables]),
            lists=np.array([each for part in self._lists for each in part], dtype=np.int64),
            list_starts=starts_of([len(part) for part in self._lists]),
            expressions=np.concatenate([*codes, np.zeros((1, 2), dtype=np.int64)]),
            expression_starts=starts_of([len(code) for code in codes]),
            initial=np.array(initial, dtype=np.uint8),
            saves=self._saves,
            detectors=[save for save, _ in self._detectors],
        )
        for save, row in self._detectors:
            _check_kept(made, save, row)
        return made

    def _flush(self) -> None:
        """Let rows that were appended one by one become a chunk."""
        if self._waiting:
            self._chunks.append(np.array(self._waiting, dtype=np.int64))
            self._waiting = []


def _check_kept(program: rows.Rows, save: Save, begin: int) -> None:
    """Refuse a save whose detectors' bits are written from row `begin` on: detectors are read at the end."""
    codes, first, second = (column[begin:] for column in (program.codes, program.first, program.second))
    written = [second[codes == rows.MEASURE], first[codes == rows.FLIP]]
    for place in first[(codes == rows.STORE) | (codes == rows.CONFUSE)].tolist():
        written.append(program.lists[program.list_starts[place] : program.list_starts[place + 1]])
    again = set(np.concatenate(written).tolist())
    for bit in again and sorted({bit for bits in save.detectors for bit in bits} & again):
        raise UnsupportedError(
            f"save {save.label!r}: its detectors read classical bit {bit}, which is written again behind it;"
            " measure into another one"
        )


def starts_of(sizes: list[int]) -> npt.NDArray[np.int64]:
    """Return where parts of these sizes begin that lie one after another, and where the last one ends."""
    starts = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(np.array(sizes, dtype=np.int64), out=starts[1:])
    return starts
