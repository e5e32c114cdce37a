"""Runs plans on states, on the caller's thread and as many helpers as are asked for.

Helpers come from one pool that all runs share. A run never waits for a helper that has not begun: whatever
is not claimed, the caller does itself. So any number of runs may be under way at once.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.engine import _planner as pl
from basicaer.simulator.engine._diagonal import ROW
from basicaer.simulator.engine._executor import CANCELLED, FINISHED, execute
from basicaer.simulator.engine._pages import few_pages

BLOCK_BITS = {8: 15, 4: 16}
"""A block's size by the bytes of a real number: 512 KiB, which fits the L2 cache of current processors."""

_MOST_HELPERS = 256
_SCRATCH_VECTORS = 2 << 6

_lock = Lock()
_pool: ThreadPoolExecutor | None = None


def _helpers() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_MOST_HELPERS, thread_name_prefix="basicaer-engine")
        return _pool


class Workspace:
    """What one thread needs for blocks of 2**bits amplitudes of type `real`.

    Each array begins at the border of a cache line: with vectors across two of them, gates took a fifth
    longer.
    """

    __slots__ = ("block", "work")

    def __init__(self, bits: int, real: npt.DTypeLike) -> None:
        lanes = 64 // np.dtype(real).itemsize
        sizes = [1 << bits, 1 << bits, 2 * bits + 2, 2 * ROW * (bits + 1), (bits + 1) * (2 * bits + 4)]
        sizes.append(_SCRATCH_VECTORS * lanes)
        # Two lines apart, the halves are no power of two apart, and so don't compete for one cache set.
        starts = [0]
        for size in sizes:
            starts.append(starts[-1] + (-(-size // lanes) + 2) * lanes)
        together = few_pages(starts[-1], real)
        parts = [together[start : start + size] for start, size in zip(starts, sizes, strict=False)]
        self.block = (parts[0], parts[1])
        self.work = tuple(parts[2:])


_spaces: dict[tuple[int, str], list[Workspace]] = {}


@contextmanager
def _workspace(bits: int, real: np.dtype[Any]) -> Iterator[Workspace]:
    """A workspace for this thread alone. It is kept for later, as the first touch of its memory is slow."""
    kept = _spaces.setdefault((bits, real.str), [])
    try:
        space = kept.pop()
    except IndexError:
        space = Workspace(bits, real)
    try:
        yield space
    finally:
        kept.append(space)


def run_plan(
    plan: Any,
    bits: int,
    state: npt.NDArray[Any],
    initial: complex,
    fresh: bool,
    threads: int,
    control: RunControl,
    work: float,
) -> None:
    """Run `plan` over `state`, complex and contiguous; see `_executor.execute`.

    Progress worth `work` in all is reported to `control`. Raises `SimulationCancelled`.
    """
    stages = plan[0]
    reals = state.view(np.float64 if state.dtype == np.complex128 else np.float32)
    lanes = 64 // reals.itemsize
    counters = np.zeros((len(stages), 16), np.int64)
    blocks = 1 << np.bitwise_count(stages[:, pl.OUTER]).astype(np.int64)
    arguments = (reals, initial, fresh, plan, lanes.bit_length() - 1)
    most = int(blocks.max())

    def help_out() -> None:
        with _workspace(bits, reals.dtype) as space:
            execute(*arguments, space.block, space.work, counters, control.flag, 1 << 62)

    for _ in range(min(threads, most) - 1):
        _helpers().submit(help_out)
    rows = (stages[:, pl.ROW_STOP] - stages[:, pl.ROW_START] + 1) / blocks
    total = float(np.dot(rows, blocks))
    budget = 1 << 62 if most == 1 else 16
    reported = 0.0
    with _workspace(bits, reals.dtype) as space:
        while True:
            ended = execute(*arguments, space.block, space.work, counters, control.flag, budget)
            if ended == FINISHED:
                control.advance(work - reported)
                return
            if ended == CANCELLED:
                control.check()
            done = work * float(np.dot(rows, np.minimum(counters[:, 8], blocks))) / total
            control.advance(done - reported)
            reported = done


def default_threads() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
