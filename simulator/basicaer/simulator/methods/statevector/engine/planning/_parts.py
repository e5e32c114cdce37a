"""The two halves of `_compile`, for states whose parts lie in several processes.

What such a state is planned by is decided between them, in `distributed/_schedule`. They are compiled when
the first of these states is.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Columns, Complexes, Ints, StagePlan
from basicaer.simulator.methods.statevector.engine.columns import fused
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.planning._compile import fuse
from basicaer.simulator.methods.statevector.engine.planning._planner import plan
from basicaer.simulator.methods.statevector.engine.planning._stages import bits_of


@compiled
def fuse_columns(
    table: Ints, pool: Complexes, columns: Columns, span: Ints, wire: Ints, known: Ints
) -> tuple[Ints, Complexes, Ints, Ints, Ints, complex]:
    """Fuse the instructions of `span`: returns (ops, mats, operands, targets, read, phase).

    `wire` has the wire of each qubit, and is changed to those at the end; `known` is as in `Fused`. Of
    each of the `ops` [fused], `targets` has the wires that it changes, as bits, and `read` those that it only
    reads. The state has to be multiplied by the phase.
    """
    made, mats, operands, count, phase = fuse(table, pool, columns, span, wire, known, True)
    alive = 0
    for i in range(count):
        alive += made[i, fused.KIND] != fused.DEAD
    ops = np.empty((alive, fused.COLUMNS), np.int64)
    targets, read = np.empty(alive, np.int64), np.empty(alive, np.int64)
    at = 0
    for i in range(count):
        if made[i, fused.KIND] != fused.DEAD:
            for column in range(fused.COLUMNS):
                ops[at, column] = made[i, column]
            targets[at], read[at] = bits_of(made, operands, i)
            at += 1
    return ops, mats, operands, targets, read, phase


@compiled
def plan_operations(
    ops: Ints,
    mats: Complexes,
    operands: Ints,
    phys: Ints,
    home: Ints,
    live: int,
    bits: int,
    v: int,
    fixed: int,
) -> StagePlan:
    """Plan operations of `fuse_columns`; see `_planner.plan`."""
    return plan(ops, mats, operands, len(ops), phys, home, live, bits, v, fixed)
