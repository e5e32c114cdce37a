"""Counts the outcomes of shots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@compiled
def _distinct(rows: Words, weights: Ints, slots: Ints, owners: Ints, counts: Ints) -> int:
    """How many of the rows are distinct: the first of each is told by `owners`, its number by `counts`.

    A row counts `weights` of its own times. `slots` is a hash table, of a size that is a power of two, and of
    -1 everywhere.
    """
    found = 0
    mask = np.uint64(len(slots) - 1)
    for row in range(rows.shape[0]):
        value = np.uint64(0)
        for w in range(rows.shape[1]):
            value = (value ^ rows[row, w]) * _FACTOR
            value ^= value >> np.uint64(32)
        slot = np.int64(value & mask)
        while True:
            known = slots[slot]
            if known < 0:
                slots[slot] = found
                owners[found] = row
                counts[found] = weights[row]
                found += 1
                break
            same = True
            for w in range(rows.shape[1]):
                if rows[row, w] != rows[owners[known], w]:
                    same = False
                    break
            if same:
                counts[known] += weights[row]
                break
            slot = (slot + 1) & np.int64(mask)
    return found


class Counter:
    """Outcomes, each with how often it was seen, of rows that come in parts."""

    def __init__(self) -> None:
        self._parts: list[tuple[Words, Ints]] = []

    def add(self, rows: Words) -> None:
        """Add rows of shape (some, words), the least significant word first."""
        self._parts.append(_merged(rows, np.ones(len(rows), dtype=np.int64)))

    def totals(self) -> tuple[Words, Ints]:
        """Return the distinct rows in numeric order, and how many there were of each."""
        rows, counts = self._parts[0]
        if len(self._parts) > 1:
            parts = self._parts
            rows, counts = _merged(
                np.concatenate([part for part, _ in parts]), np.concatenate([part for _, part in parts])
            )
        order = _order(rows)
        return rows[order], counts[order]


def _merged(rows: Words, weights: Ints) -> tuple[Words, Ints]:
    """Return the distinct rows, and the sum of each one's weights."""
    size = len(rows)
    slots = np.full(1 << (2 * size).bit_length(), -1, dtype=np.int64)
    owners, counts = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    found = _distinct(rows, weights, slots, owners, counts)
    return rows[owners[:found]], counts[:found].copy()


def _order(rows: Words) -> Ints:
    """Return the order of distinct rows by their value.

    They are ranked by the most significant word that isn't the same for all, and then by the next ones as
    long as some are equal: of wide random rows one word tells all apart.
    """
    order = np.arange(len(rows))
    rank: Ints | None = None
    for column in range(rows.shape[1] - 1, -1, -1):
        words = rows[:, column]
        if (words == words[0]).all():
            continue
        order = np.argsort(words, kind="stable") if rank is None else np.lexsort((words, rank))
        new = words[order][1:] != words[order][:-1]
        if rank is not None:
            new |= rank[order][1:] != rank[order][:-1]
        if new.all():
            return order
        rank = np.empty(len(rows), dtype=np.int64)
        rank[order] = np.concatenate([[0], np.cumsum(new)])
    return order
