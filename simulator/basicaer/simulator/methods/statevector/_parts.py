"""The large parts of the engine, each compiled by itself.

They need nothing of each other, so that processes compile them at once, each into the disk's cache, where
`_engine` finds them.

    python -m basicaer.simulator.methods.statevector._parts planner | blocks PARENT
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
from basicaer.simulator.methods.statevector.engine.blocks._executor import execute
from basicaer.simulator.methods.statevector.engine.blocks._run import Workspace
from basicaer.simulator.methods.statevector.engine.columns import claims, factors, gates, passes, spans, steps
from basicaer.simulator.methods.statevector.engine.planning._compile import compile_columns

__all__ = ["PARTS", "leave_with_parent"]

# Between two looks whether the parent is there (seconds).
_LOOK = 1.0


def _compile_planner() -> None:
    """Plan no gate at all."""
    columns = Columns(np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0))
    for column in columns:
        # As those of a circuit are. It's a part of the type.
        column.flags.writeable = False
    table, pool = np.zeros((1, gates.COLUMNS), np.int64), np.zeros(1, np.complex128)
    compile_columns(table, pool, columns, np.zeros(spans.NUMBERS, np.int64), 1, True, 8, 3, 3)


def _compile_blocks() -> None:
    """Run a plan without stages on states of either precision."""
    reals: list[type[np.floating[Any]]] = [np.float64, np.float32]
    for real in reals:
        space = Workspace(8, real)
        plan = StagePlan(
            np.zeros((0, passes.STAGE_COLUMNS), np.int64),
            np.zeros((0, steps.ROW_COLUMNS), np.int64),
            np.zeros((0,), real),
            np.zeros((0, factors.COLUMNS), np.int64),
        )
        counters = np.zeros((0, claims.WIDTH), np.int64)
        state, flag = np.zeros((2,), real), RunControl().flag
        execute(state, 1 + 0j, True, plan, 3, space.block, space.work, counters, flag, 1)


def leave_with_parent(parent: int) -> None:
    """From now on, end this process when the one that started it has ended: nobody waits for it any more.

    `parent` is that one's number, which it may tell alone: it may have ended before this is called.
    """

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, name="parent", daemon=True).start()


PARTS = {"planner": _compile_planner, "blocks": _compile_blocks}

if __name__ == "__main__":
    leave_with_parent(int(sys.argv[2]))
    # The collector would look through all that a compiler makes, again and again.
    gc.disable()
    PARTS[sys.argv[1]]()
