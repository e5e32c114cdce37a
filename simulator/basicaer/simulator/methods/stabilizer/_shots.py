"""Runs programs in which shots part: each shot by itself, with its own tableau."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._operations import SaveKind
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._conditions import UnsupportedError
from basicaer.simulator.methods.stabilizer._saves import SaveTables
from basicaer.simulator.methods.stabilizer.kernels._shots import run_shots
from basicaer.simulator.methods.stabilizer.kernels._tableau import begin, gates
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_EACH = 64
"""So many shots are one piece of work."""

_NO_TRACE = np.zeros(0, dtype=np.uint8)


class Shots:
    """A program that is ready to be run. Threads may share it."""

    def __init__(self, program: rows.Rows) -> None:
        self._program = program
        self._saves = SaveTables(program.saves)
        self._depth = int(np.diff(program.expression_starts).max(initial=0)) + 1
        width = 2 * max(1, -(-program.num_qubits // 64))
        self._x = np.zeros((program.num_qubits, width), dtype=np.uint64)
        self._z = np.zeros_like(self._x)
        self._powers = np.zeros((2, width), dtype=np.uint64)
        begin(self._x, self._z, self._powers)
        # What comes before everything else is the same for all shots.
        others = np.flatnonzero(program.codes > rows.SWAP)
        self._begin = int(others[0]) if len(others) else len(program.codes)
        known = np.empty(program.num_qubits, dtype=np.uint8)
        gates(program.codes, program.first, program.second, 0, self._x, self._z, self._powers, known)

    @staticmethod
    def check(program: rows.Rows) -> None:
        """Raise `UnsupportedError` for what isn't done shot by shot."""
        for save in program.detectors:
            raise UnsupportedError(f"save {save.label!r}: detectors where gates depend on outcomes")
        for save, _ in program.saves:
            if save.kind is not SaveKind.EXPECTATION_VALUES:
                what = {
                    SaveKind.STABILIZER: "a tableau",
                    SaveKind.EXPECTATION_VALUE_VARIANCE: "a variance",
                }.get(save.kind, "probabilities")
                raise UnsupportedError(f"save {save.label!r}: {what} where gates depend on outcomes")

    def batches(
        self, shots: int, key: Words, control: RunControl, threads: int | None = None
    ) -> Iterator[Words]:
        """Return the shots' classical bits as words, the least significant first, in parts of shape (some
        shots, words).

        What `key`, two words, makes of them doesn't depend on the threads.
        """
        count = -(-shots // _EACH)
        workers = min(threads or default_threads(), count)
        group = max(4 * workers, 64)

        def part(number: int) -> tuple[Words, Ints, Ints]:
            return self._batch(_EACH * number, min(_EACH * (number + 1), shots), key, control)

        with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
            for first in range(0, count, group):
                numbers = range(first, min(first + group, count))
                run: Callable[..., Iterator[tuple[Words, Ints, Ints]]] = map if pool is None else pool.map
                found = list(run(part, numbers))
                control.check()
                for _, sums, reached in found:
                    self._saves.sums += sums
                    self._saves.reached += reached
                words = np.concatenate([words for words, _, _ in found])
                control.advance_shots(len(words))
                yield words

    def saved(self, shots: int) -> dict[str, Floats]:
        """Return what the saves have kept, as means over all times that shots have come by, once all `shots`
        were taken.
        """
        return self._saves.means()

    def trace(self, control: RunControl) -> tuple[npt.NDArray[np.uint8], list[npt.NDArray[Any]]]:
        """Take one shot without noise, whose random outcomes are 0.

        Return the outcome of each measurement, and for other rows whether they were done; and for each save
        the values of its products.
        """
        trace = np.zeros(len(self._program.codes), dtype=np.uint8)
        trace[: self._begin] = 1
        _, sums, _ = self._batch(0, 1, np.zeros(2, dtype=np.uint64), control, trace)
        starts = self._saves.columns[1]
        values: list[npt.NDArray[Any]] = [
            sums[begin:end].astype(np.float64) for begin, end in pairwise(starts.tolist())
        ]
        return trace, values

    def _batch(
        self, first: int, last: int, key: Words, control: RunControl, trace: npt.NDArray[np.uint8] = _NO_TRACE
    ) -> tuple[Words, Ints, Ints]:
        program = self._program
        out = np.zeros((last - first, max(1, -(-program.num_clbits // 64))), dtype=np.uint64)
        sums, reached = np.zeros_like(self._saves.sums), np.zeros_like(self._saves.reached)
        run_shots(
            (first, last),
            self._begin,
            key,
            program.codes,
            program.first,
            program.second,
            program.extra,
            program.tables,
            program.table_starts,
            program.lists,
            program.list_starts,
            program.expressions,
            program.expression_starts,
            self._saves.columns,
            program.initial,
            self._x,
            self._z,
            self._powers,
            program.num_clbits,
            self._depth,
            out,
            sums,
            reached,
            trace,
            control.flag,
        )
        return out, sums, reached
