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

from basicaer.simulator.methods.statevector.engine._arrays import Ints
from basicaer.simulator.methods.statevector.engine.columns import fused
from basicaer.simulator.methods.statevector.engine.machine._bits import popcount
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled


@compiled
def bits_of(ops: Ints, operands: Ints, i: int) -> tuple[int, int]:
    """Return the wires that operation i changes, and those that it only reads, as bit masks."""
    kind = ops[i, fused.KIND]
    if kind == fused.DIAGONAL:
        targets, read = 0, 1 << ops[i, fused.T0]
        if ops[i, fused.T1] >= 0:
            read |= 1 << ops[i, fused.T1]
    elif kind == fused.ONE:
        targets, read = 1 << ops[i, fused.T0], 0
        if ops[i, fused.T1] >= 0:
            read |= 1 << ops[i, fused.T1]
        if ops[i, fused.T2] >= 0:
            read |= 1 << ops[i, fused.T2]
    elif kind == fused.CONTROLLED:
        targets, read = 1 << ops[i, fused.T0], ops[i, fused.MASK]
    elif kind == fused.ANY:
        targets, read = 0, ops[i, fused.MASK]
        for k in range(ops[i, fused.COUNT]):
            targets |= 1 << operands[ops[i, fused.T0] + k]
    else:
        targets, read = (1 << ops[i, fused.T0]) | (1 << ops[i, fused.T1]), 0
        if kind == fused.THREE:
            targets |= 1 << ops[i, fused.T2]
        elif ops[i, fused.T2] >= 0:
            read = 1 << ops[i, fused.T2]
    return targets, read


@compiled
def weight(ops: Ints, i: int) -> float:
    """Return what operation i is worth to a stage."""
    kind = ops[i, fused.KIND]
    if kind == fused.DIAGONAL:
        return 0.05
    if kind == fused.TWO:
        return 0.45
    return 1.0 if kind == fused.THREE or kind == fused.ANY else 0.3


@compiled
def worth(ops: Ints, targets: Ints, read: Ints, follow: Ints, active: int, limit: int) -> float:
    """Return the summed weight of the operations that a stage on the wires `active` could execute."""
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
def choose_active(
    ops: Ints, targets: Ints, read: Ints, follow: Ints, n: int, always: int, bits: int, fixed: int
) -> int:
    """Return the wires of the next stage: `bits` of n, those in `always` among them and none in `fixed`.

    First come, first served; then single exchanges, as long as they let more be executed.
    """
    active, blocked, blocked_targets = always, 0, 0
    room = bits - popcount(always)
    i = follow[-1]
    while i >= 0:
        t, r = targets[i], read[i]
        need = popcount(t & ~active)
        if t & (blocked | fixed) or r & blocked_targets or need > room:
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
        if not ((active | fixed) >> w) & 1:
            active |= 1 << w
            room -= 1
        w += 1
    if bits + popcount(fixed) == n:
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
                if ((active | fixed) >> enter) & 1:
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
def take(targets: Ints, read: Ints, follow: Ints, active: int, taken: Ints) -> int:
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
