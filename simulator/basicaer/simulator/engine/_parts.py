"""The two large parts of the planner, each compiled by itself.

They take half of the time that it takes to compile everything, and need nothing of each other, so that two
processes compile them at once, each into the disk's cache, where `_compile.compile_columns` finds them.

    python -m basicaer.simulator.engine._parts fusion | stages
"""

from __future__ import annotations

import sys

import numpy as np
from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _matrices as m
from basicaer.simulator.engine._compile import _fused
from basicaer.simulator.engine._planner import plan

__all__ = ["PARTS"]


def _compile_fusion() -> None:
    columns = tuple(np.zeros(0, dtype) for dtype in (np.uint32, np.uint32, np.float64))
    for column in columns:
        # As those of a circuit are. It's a part of the type.
        column.flags.writeable = False
    table, pool = np.zeros((1, m.COLUMNS), np.int64), np.zeros(1, np.complex128)
    _fused(table, pool, columns, np.zeros(4, np.int64), np.arange(1), np.zeros(1, np.int64), True)


def _compile_stages() -> None:
    ops, mats = np.zeros((1, f.COLUMNS), np.int64), np.zeros(1, np.complex128)
    plan(ops, mats, np.zeros(1, np.int64), 0, np.arange(8), np.arange(8), 0, 8, 3)


PARTS = {"fusion": _compile_fusion, "stages": _compile_stages}

if __name__ == "__main__":
    PARTS[sys.argv[1]]()
