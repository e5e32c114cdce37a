"""Operations become stages, and a stage a program for a block.

The state lies in memory in its natural order: wire w has the bit `home[w]` of the index. A stage picks
`block_bits` of those bits ("active"); for each value of the others it loads the amplitudes that differ in
active bits into a block, runs a program on the block, and writes it back. The lowest `lane_bits` bits are
always active, so that memory is touched in runs of whole cache lines. An operation fits a stage when its
targets are active; selectors, controls and diagonal gates may lie anywhere, since a bit that is not active
is constant through a block.

Inside the block each active wire has a position; the wires at the lowest `lane_bits` positions are "in the
lanes", where no gate can be applied: `EXCHANGE` swaps them with others that are not needed soon. Diagonal
operations are collected, and applied together when one of their wires becomes a target. Wires that are not
live yet come last, and an operation works on the smallest prefix of the block that holds all live wires.
"""

from typing import Any

from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine._jit import compiled

(
    OP,
    SIZE,
    P0,
    P1,
    P2,
    P3,
    FIRST,
    MASK,
    VALUE,
    OUTER_MASK,
    OUTER_VALUE,
    CLASS,
    PICK1,
    PICK2,
    STRIDE,
    ROW_COLUMNS,
) = range(16)
"""Columns of a program's rows. OUTER_*: on the block's base index, the row is skipped where they don't fit.
PICK1/2: bits of the base (or -1) that select one of several matrices, STRIDE coefficients apart."""

ONE, TWO, THREE, CONTROLLED, FLIP, ANY, LAYER, EXCHANGE = range(8)


@compiled
def bits_of(ops: Any, operands: Any, i: int) -> tuple[int, int]:
    """The wires that operation i changes, and those that it only reads, as bit masks."""
    kind = ops[i, f.KIND]
    if kind == f.DIAGONAL:
        targets, read = 0, 1 << ops[i, f.T0]
        if ops[i, f.T1] >= 0:
            read |= 1 << ops[i, f.T1]
    elif kind == f.ONE:
        targets, read = 1 << ops[i, f.T0], 0
        if ops[i, f.T1] >= 0:
            read |= 1 << ops[i, f.T1]
        if ops[i, f.T2] >= 0:
            read |= 1 << ops[i, f.T2]
    elif kind == f.CONTROLLED:
        targets, read = 1 << ops[i, f.T0], ops[i, f.MASK]
    elif kind == f.ANY:
        targets, read = 0, ops[i, f.MASK]
        for k in range(ops[i, f.COUNT]):
            targets |= 1 << operands[ops[i, f.T0] + k]
    else:
        targets, read = (1 << ops[i, f.T0]) | (1 << ops[i, f.T1]), 0
        if kind == f.THREE:
            targets |= 1 << ops[i, f.T2]
        elif ops[i, f.T2] >= 0:
            read = 1 << ops[i, f.T2]
    return targets, read


@compiled
def weight(ops: Any, i: int) -> float:
    """What operation i is worth to a stage."""
    kind = ops[i, f.KIND]
    if kind == f.DIAGONAL:
        return 0.05
    if kind == f.TWO:
        return 0.45
    return 1.0 if kind == f.THREE or kind == f.ANY else 0.3


@compiled
def popcount(x: int) -> int:
    """How many bits are set."""
    count = 0
    while x:
        x &= x - 1
        count += 1
    return count


@compiled
def worth(ops: Any, targets: Any, read: Any, follow: Any, active: int, limit: int) -> float:
    """The summed weight of the operations that a stage on the wires `active` could execute."""
    blocked = blocked_targets = 0
    total = 0.0
    i = follow[-1]
    while i >= 0 and limit > 0:
        limit -= 1
        t, r = targets[i], read[i]
        if t & ~active or t & blocked or r & blocked_targets:
            blocked |= t | r
            blocked_targets |= t
            if not active & ~blocked:
                break
        else:
            total += weight(ops, i)
        i = follow[i]
    return total


@compiled
def choose_active(ops: Any, targets: Any, read: Any, follow: Any, n: int, always: int, bits: int) -> int:
    """The wires of the next stage: `bits` of n, those in `always` among them.

    First come, first served; then single exchanges, as long as they let more be executed.
    """
    active, blocked, blocked_targets = always, 0, 0
    room = bits - popcount(always)
    i = follow[-1]
    while i >= 0:
        t, r = targets[i], read[i]
        need = popcount(t & ~active)
        if t & blocked or r & blocked_targets or need > room:
            blocked |= t | r
            blocked_targets |= t
            if room == 0 and not active & ~blocked:
                break
        else:
            active |= t
            room -= need
        i = follow[i]
    w = 0
    while room > 0:
        if not (active >> w) & 1:
            active |= 1 << w
            room -= 1
        w += 1
    if bits == n:
        return active
    limit = 64 * n
    best = worth(ops, targets, read, follow, active, limit)
    for _ in range(3):
        improved = False
        for out in range(n):
            if not (active >> out) & 1 or (always >> out) & 1:
                continue
            chosen = -1
            for enter in range(n):
                if (active >> enter) & 1:
                    continue
                value = worth(ops, targets, read, follow, active & ~(1 << out) | (1 << enter), limit)
                if value > best + 1e-9:
                    best, chosen = value, enter
            if chosen >= 0:
                active = active & ~(1 << out) | (1 << chosen)
                improved = True
        if not improved:
            break
    return active


@compiled
def take(targets: Any, read: Any, follow: Any, active: int, taken: Any) -> int:
    """Move what a stage on `active` can execute from the list `follow` to `taken`; returns how many."""
    blocked = blocked_targets = 0
    count, before = 0, -1
    i = follow[-1]
    while i >= 0:
        t, r = targets[i], read[i]
        if t & ~active or t & blocked or r & blocked_targets:
            blocked |= t | r
            blocked_targets |= t
            before = i
            if not active & ~blocked:
                break
        else:
            taken[count] = i
            count += 1
            follow[before] = follow[i]
        i = follow[i]
    return count
