"""Instructions in columns that can be repeated: their classical bits count from where a block begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Instruction i applies entry `operations[i]` of the table to its next `widths[i]` of `qubits` and
    `reads[i]` of `clbits`, and comes from statement `origins[i]`.

    `clbits` count from the block's first measurement on, negative ones from that back; there are `measured`.
    Detectors are their bits one after another with how many each has, and observables bits with their
    numbers; with both are their statements.
    """

    operations: Ints
    widths: Ints
    reads: Ints
    origins: Ints
    qubits: Ints
    clbits: Ints
    detector_bits: Ints
    detector_sizes: Ints
    detector_origins: Ints
    observable_bits: Ints
    observable_numbers: Ints
    observable_origins: Ints
    measured: int

    _BITS = ("clbits", "detector_bits", "observable_bits")

    @property
    def size(self) -> int:
        """About how many numbers it holds."""
        return sum(len(getattr(self, name)) for name in _NAMES)

    def repeated(self, count: int) -> Columns:
        """Return it `count` times, one after another."""
        made = {}
        for name in _NAMES:
            column = getattr(self, name)
            if not len(column):
                made[name] = column
                continue
            whole = np.tile(column, count)
            if name in self._BITS:
                whole += np.repeat(np.arange(count) * self.measured, len(column))
            made[name] = whole
        return Columns(**made, measured=count * self.measured)

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Return parts one after another."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(part.measured for part in parts)]).tolist()
        made = {}
        for name in _NAMES:
            columns = [getattr(part, name) for part in parts]
            if name in cls._BITS:
                columns = [column + start for column, start in zip(columns, starts, strict=False)]
            made[name] = np.concatenate([_NONE, *columns])
        return cls(**made, measured=starts[-1])


_NAMES = tuple(name for name in Columns.__slots__ if name != "measured")


class Builder:
    """Instructions that grow, without repeated blocks. `measured` counts their classical bits."""

    def __init__(self) -> None:
        self._columns: dict[str, list[int]] = {name: [] for name in _NAMES}
        self.measured = 0

    def __len__(self) -> int:
        return sum(map(len, self._columns.values()))

    def add(
        self,
        operation: int,
        origin: int,
        qubits: Sequence[int],
        width: int = 1,
        clbits: Sequence[int] = (),
        count: int | None = None,
    ) -> None:
        """Append `count` instructions of one operation, by default as many as their qubits make."""
        number = len(qubits) // width if count is None else count
        columns = self._columns
        columns["operations"] += [operation] * number
        columns["widths"] += [width] * number
        columns["reads"] += [1 if clbits else 0] * number
        columns["origins"] += [origin] * number
        columns["qubits"] += qubits
        columns["clbits"] += clbits

    def detector(self, bits: Sequence[int], origin: int) -> None:
        """Append a detector."""
        self._columns["detector_bits"] += bits
        self._columns["detector_sizes"].append(len(bits))
        self._columns["detector_origins"].append(origin)

    def observable(self, number: int, bits: Sequence[int], origin: int) -> None:
        """Append bits of an observable."""
        self._columns["observable_bits"] += bits
        self._columns["observable_numbers"] += [number] * len(bits)
        self._columns["observable_origins"] += [origin] * len(bits)

    def finished(self) -> Columns:
        """Return the columns."""
        made = {name: np.array(column, dtype=np.int64) for name, column in self._columns.items()}
        return Columns(**made, measured=self.measured)
