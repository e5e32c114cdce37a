"""Runs plans on states, on the caller's thread and as many helpers as are asked for."""

from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.methods.statevector.engine._arrays import Reals, StagePlan, Work
from basicaer.simulator.methods.statevector.engine.blocks._diagonal import ROW
from basicaer.simulator.methods.statevector.engine.blocks._executor import CANCELLED, FINISHED, execute
from basicaer.simulator.methods.statevector.engine.columns import claims, passes
from basicaer.simulator.methods.statevector.engine.machine._helpers import helpers
from basicaer.simulator.methods.statevector.engine.machine._pages import few_pages

BLOCK_BITS = {8: 15, 4: 16}
"""A block's size by the bytes of a real number: 512 KiB, which fits the L2 cache of current processors."""

_SCRATCH_VECTORS = 2 << 6


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
        self.work = Work(*parts[2:])


_spaces: dict[tuple[int, str], list[Workspace]] = {}


class _OwnSpace:
    """A workspace for this thread alone. It is kept for later, as the first touch of its memory is slow."""

    __slots__ = ("_bits", "_kept", "_real", "_space")

    def __init__(self, bits: int, real: np.dtype[Any]) -> None:
        self._bits, self._real = bits, real
        self._kept = _spaces.setdefault((bits, real.str), [])

    def __enter__(self) -> Workspace:
        try:
            self._space = self._kept.pop()
        except IndexError:
            self._space = Workspace(self._bits, self._real)
        return self._space

    def __exit__(self, *_: object) -> None:
        self._kept.append(self._space)


def run_plan(
    plan: StagePlan,
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
    stages = plan.stages
    reals: Reals = state.view(np.float64 if state.dtype == np.complex128 else np.float32)
    lanes = 64 // reals.itemsize
    counters = np.zeros((len(stages), claims.WIDTH), np.int64)
    # Numbers of another type would have all of it compiled once more.
    arguments = (reals, complex(initial), bool(fresh), plan, lanes.bit_length() - 1)
    if len(state) <= 1 << bits:
        # One block: there is nothing to share, nor to report meanwhile.
        with _OwnSpace(bits, reals.dtype) as space:
            ended = execute(*arguments, space.block, space.work, counters, control.flag, 1 << 62)
        if ended == CANCELLED:
            control.check()
        control.advance(work)
        return
    blocks = 1 << np.bitwise_count(stages[:, passes.OUTER]).astype(np.int64)
    most = int(blocks.max())

    def help_out() -> None:
        with _OwnSpace(bits, reals.dtype) as space:
            execute(*arguments, space.block, space.work, counters, control.flag, 1 << 62)

    for _ in range(min(threads, most) - 1):
        helpers().submit(help_out)
    rows = (stages[:, passes.ROW_STOP] - stages[:, passes.ROW_START] + 1) / blocks
    total = float(np.dot(rows, blocks))
    budget = 16
    reported = 0.0
    with _OwnSpace(bits, reals.dtype) as space:
        while True:
            ended = execute(*arguments, space.block, space.work, counters, control.flag, budget)
            if ended == FINISHED:
                control.advance(work - reported)
                return
            if ended == CANCELLED:
                control.check()
            done = work * float(np.dot(rows, np.minimum(counters[:, claims.DONE], blocks))) / total
            control.advance(done - reported)
            reported = done
