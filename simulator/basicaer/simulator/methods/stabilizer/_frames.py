"""Runs programs in which all shots take the same way: one reference shot, and Pauli frames for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._reference import reference
from basicaer.simulator.methods.stabilizer._saves import SaveTables
from basicaer.simulator.methods.stabilizer.kernels._frames import derive, run_frames, transpose
from basicaer.simulator.methods.stabilizer.kernels._random import seeded
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_MOST_WORDS = 64
_BATCH_BYTES = 1 << 19
"""The frames of a batch of shots lie in the L2 cache of current processors."""


@dataclass(frozen=True, slots=True, eq=False)
class Parities:
    """Lists of classical bits, whose parities are wanted instead of bits; list i begins at `starts[i]`."""

    bits: Ints
    starts: Ints

    @classmethod
    def of(cls, lists: list[tuple[int, ...]]) -> Parities:
        """Those of lists."""
        starts = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum(np.array([len(part) for part in lists], dtype=np.int64), out=starts[1:])
        return cls(np.array([bit for part in lists for bit in part], dtype=np.int64), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1


class Frames:
    """A program that is ready to be sampled. Threads may share it.

    Raises `SimulationCancelled` when `control` is cancelled meanwhile, and `SimulationFailed` without stim.
    """

    def __init__(self, program: rows.Rows, control: RunControl) -> None:
        self._program = program
        self._stops, borders = _borders(program)
        self._bits, self._seen = reference(program, borders, control)
        self._saves = SaveTables(program.saves)
        self._depth = int(np.diff(program.expression_starts).max(initial=0)) + 1
        self._nesting = 2 + int((program.codes == rows.IF).sum() and _nesting(program.codes))
        size = 16 * max(1, program.num_qubits)
        words = _MOST_WORDS
        while words > 8 and words * size > _BATCH_BYTES:
            words //= 2
        self._words = words

    def batches(
        self,
        shots: int,
        key: Words,
        control: RunControl,
        threads: int | None = None,
        parities: Parities | None = None,
    ) -> Iterator[Words]:
        """Return the shots' classical bits as words, the least significant first, or the parities of lists of
        them.

        They come in parts of shape (some shots, words), in order; what `key`, two words, makes of them
        doesn't depend on the threads.
        """
        each = 64 * self._words
        count = -(-shots // each)
        workers = min(threads or default_threads(), count)
        # What is asked for at once is kept small, as its reader may count it and let it go.
        group = max(workers, min(count, (1 << 17) // each))

        def part(number: int, size: int) -> tuple[Words, Ints]:
            return self._batch(number, size, key, control, parities)

        with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
            for begin in range(0, count, group):
                numbers = range(begin, min(begin + group, count))
                sizes = [min(each, shots - each * number) for number in numbers]
                run: Callable[..., Iterator[tuple[Words, Ints]]] = map if pool is None else pool.map
                found = list(run(part, numbers, sizes))
                control.check()
                for _, sums in found:
                    self._saves.add(sums)
                control.advance_shots(sum(sizes))
                yield np.concatenate([words for words, _ in found]) if len(found) > 1 else found[0][0]

    @property
    def reference_outcomes(self) -> npt.NDArray[np.uint8]:
        """For each row the reference shot's outcome."""
        return self._bits

    def saved(self, shots: int) -> dict[str, npt.NDArray[Any]]:
        """Return what the saves have kept as means over `shots` shots, once all batches were taken."""
        return self._saves.shifted(self._seen, shots)

    def _batch(
        self, number: int, shots: int, key: Words, control: RunControl, parities: Parities | None
    ) -> tuple[Words, Ints]:
        program, words = self._program, min(self._words, -(-shots // 64))
        x = np.empty((program.num_qubits, words), dtype=np.uint64)
        z = np.empty_like(x)
        memory = np.empty((program.num_bits, words), dtype=np.uint64)
        memory[:] = (np.uint64(0) - program.initial.astype(np.uint64))[:, None]
        masks = np.empty((self._nesting, words), dtype=np.uint64)
        stack = np.empty((self._depth, words), dtype=np.uint64)
        valid = np.full(words, np.uint64(0xFFFFFFFFFFFFFFFF))
        if shots % 64:
            valid[-1] = (1 << shots % 64) - 1
        random = np.empty(2, dtype=np.uint64)
        seeded(random, key, number)
        sums = np.zeros_like(self._saves.sums)
        run_frames(
            program.codes,
            program.first,
            program.second,
            program.extra,
            self._bits,
            self._stops,
            program.tables,
            program.table_starts,
            program.lists,
            program.list_starts,
            program.expressions,
            program.expression_starts,
            self._saves.columns,
            valid,
            x,
            z,
            memory,
            masks,
            stack,
            random,
            sums,
            control.flag,
        )
        count = program.num_clbits
        if parities is not None:
            count = len(parities)
            found = np.empty((count, words), dtype=np.uint64)
            derive(memory, parities.bits, parities.starts, found)
            memory = found
        out = np.zeros((shots, max(1, -(-count // 64))), dtype=np.uint64)
        transpose(memory, count, shots, out)
        return out, sums


def _borders(program: rows.Rows) -> tuple[Ints, list[int]]:
    """Where rows that are alike end; and all borders, those of the program included."""
    codes, extra = program.codes, program.extra
    if not len(codes):
        return np.zeros(0, dtype=np.int64), [0]
    new = (codes[1:] != codes[:-1]) | (extra[1:] != extra[:-1]) | (codes[1:] >= rows.IF)
    stops = np.append(np.flatnonzero(new) + 1, len(codes))
    return stops.astype(np.int64), [0, *stops.tolist()]


def _nesting(codes: Ints) -> int:
    """How deep conditions lie in one another."""
    return int(np.cumsum((codes == rows.IF).astype(np.int64) - (codes == rows.END)).max(initial=0))
