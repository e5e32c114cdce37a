"""The large parts of the engine, each compiled by itself.

They need nothing of each other, so that processes compile them at once, each into the disk's cache, where
`_engine` finds them.

    python -m basicaer.simulator.methods.statevector._parts PARENT PART …
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from typing import Any

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator.methods.statevector.engine._arrays import Columns, StagePlan
from basicaer.simulator.methods.statevector.engine._readout import draw, sum_of_squares
from basicaer.simulator.methods.statevector.engine.blocks._executor import execute
from basicaer.simulator.methods.statevector.engine.blocks._run import Workspace
from basicaer.simulator.methods.statevector.engine.columns import (
    claims,
    factors,
    fused,
    gates,
    passes,
    spans,
    steps,
)
from basicaer.simulator.methods.statevector.engine.planning._compile import lower_columns
from basicaer.simulator.methods.statevector.engine.planning._planner import plan

__all__ = ["PARTS", "leave_with_parent", "shares"]

# Between two looks whether the parent is there (seconds).
_LOOK = 1.0


def _compile_lowering() -> None:
    """Lower no gate at all."""
    columns = Columns(np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0))
    for column in columns:
        # As those of a circuit are. It's a part of the type.
        column.flags.writeable = False
    table, pool = np.zeros((1, gates.COLUMNS), np.int64), np.zeros(1, np.complex128)
    lower_columns(table, pool, columns, np.zeros(spans.NUMBERS, np.int64), 1, True, 3, 3)


def _compile_planner() -> None:
    """Plan no operation at all."""
    ops, mats = np.zeros((1, fused.COLUMNS), np.int64), np.zeros(1, np.complex128)
    operands, wires = np.zeros(1, np.int64), np.arange(8, dtype=np.int64)
    plan(ops, mats, operands, 0, wires.copy(), wires, 0, 8, 3, 0)


def _compile_blocks() -> None:
    """Run a plan without stages on states of either precision."""
    reals: list[type[np.floating[Any]]] = [np.float64, np.float32]
    for real in reals:
        space = Workspace(8, real)
        stages = StagePlan(
            np.zeros((0, passes.STAGE_COLUMNS), np.int64),
            np.zeros((0, steps.ROW_COLUMNS), np.int64),
            np.zeros((0,), real),
            np.zeros((0, factors.COLUMNS), np.int64),
        )
        counters = np.zeros((0, claims.WIDTH), np.int64)
        state, flag = np.zeros((2,), real), RunControl().flag
        execute(state, 1 + 0j, True, stages, 3, space.block, space.work, counters, flag, 1)


def _compile_readout() -> None:
    """Draw nothing from a state: what a first job needs beside its plan, in double precision."""
    state, none = np.zeros(2), np.zeros(1, np.int64)
    sum_of_squares(state, 0, 0)
    draw(state, 0, 0, 0.0, np.zeros(0), 0, 0, none, none.copy())


def leave_with_parent(parent: int) -> None:
    """From now on, end this process when the one that started it has ended: nobody waits for it any more.

    `parent` is that one's number, which it may tell alone: it may have ended before this is called.
    """

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, name="parent", daemon=True).start()


PARTS = {
    "planner": _compile_planner,
    "lowering": _compile_lowering,
    "blocks": _compile_blocks,
    "readout": _compile_readout,
}
"""The longest come first."""

# What they take beside each other, on an AMD EPYC.
_SECONDS = {"planner": 5.4, "lowering": 5.3, "blocks": 3.2, "readout": 0.4}


def shares(workers: int) -> list[list[str]]:
    """Return the parts that each of so many workers compiles, so that all of them are there soon."""
    found: list[list[str]] = [[] for _ in range(workers)]
    for part in PARTS:
        min(found, key=lambda its: sum(_SECONDS[each] for each in its)).append(part)
    return found


if __name__ == "__main__":
    leave_with_parent(int(sys.argv[1]))
    # The collector would look through all that a compiler makes, again and again.
    gc.disable()
    for part in sys.argv[2:]:
        PARTS[part]()
