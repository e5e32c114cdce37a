"""Stages for all operations of a circuit, as a `StagePlan`: which bits are active in each, its program, and
where wires go.
"""

import numpy as np
from basicaer.simulator.methods.statevector.engine._arrays import Builder, Complexes, Ints, StagePlan
from basicaer.simulator.methods.statevector.engine.columns import factors, fused, making, steps
from basicaer.simulator.methods.statevector.engine.columns.passes import (
    FROM,
    LOAD_BITS,
    LOADED,
    OUTER,
    ROW_START,
    ROW_STOP,
    STAGE_COLUMNS,
    STORE_BITS,
    STORED,
    TO,
    ZEROED,
)
from basicaer.simulator.methods.statevector.engine.machine._bits import popcount
from basicaer.simulator.methods.statevector.engine.machine._borrowed import borrowed
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._loops import copy_rows, counted, filled, ordered
from basicaer.simulator.methods.statevector.engine.planning._rows import (
    emit,
    exchange,
    flush_layer,
    flush_single,
)
from basicaer.simulator.methods.statevector.engine.planning._stages import bits_of, choose_active, take


@compiled
def _place(
    stage: Ints, phys: Ints, taken: Ints, count: int, targets: Ints, read: Ints, v: int, pos: Ints, at: Ints
) -> None:
    """Positions for the active wires: lanes, then live wires as in memory, then the others by their first
    use.
    """
    n = len(phys)
    pos[:] = -1
    top = v
    stage[making.LANES] = 0
    order = ordered(phys)
    for w in order:
        if (stage[making.ACTIVE] >> w) & 1:
            if phys[w] < v:
                pos[w] = phys[w]
                stage[making.LANES] |= 1 << w
            elif (stage[making.LIVE] >> w) & 1:
                pos[w] = top
                top += 1
    for k in range(count):
        wires = (targets[taken[k]] | read[taken[k]]) & stage[making.ACTIVE]
        if not wires & ~stage[making.LIVE]:
            continue
        for w in range(n):
            if (wires >> w) & 1 and pos[w] < 0:
                pos[w] = top
                top += 1
    for w in order:
        if (stage[making.ACTIVE] >> w) & 1 and pos[w] < 0:
            pos[w] = top
            top += 1
    for w in range(n):
        if pos[w] >= 0:
            at[pos[w]] = w


@compiled
def _choose_lanes(
    stage: Ints,
    targets: Ints,
    read: Ints,
    ops: Ints,
    taken: Ints,
    follow: Ints,
    at: Ints,
    v: int,
    bits: int,
    chosen: Ints,
) -> None:
    """Return the `v` active wires, none of them in the lanes, that are needed last: they shall go to the
    lanes.
    """
    n = len(at)
    use = filled(n, 1 << 30)
    rest = stage[making.ACTIVE]
    k, rank = follow[-1], 0
    while k >= 0 and rest:
        i = taken[k]
        wires = targets[i]
        if wires and ops[i, fused.KIND] != fused.CONTROLLED:
            wires |= read[i]
        wires &= rest
        if wires:
            for w in range(n):
                if (wires >> w) & 1:
                    use[w] = rank
            rest &= ~wires
        rank += 1
        k = follow[k]
    for j in range(v):
        best = -1
        for position in range(v, bits):
            w = at[position]
            used = False
            for before in range(j):
                used |= chosen[before] == w
            if not used and (best < 0 or use[w] > use[best]):
                best = w
        chosen[j] = best


@compiled
def _restore_lanes(
    builder: Builder,
    stage: Ints,
    pos: Ints,
    ops: Ints,
    mats: Complexes,
    at: Ints,
    wanted: Ints,
    v: int,
    bits: int,
    chosen: Ints,
) -> None:
    """Bring the wires `wanted` to the lanes, wanted[j] to lane j."""
    right, inside = True, False
    for j in range(v):
        right &= at[j] == wanted[j]
        inside |= pos[wanted[j]] < v
    if right:
        return
    if inside:
        found = 0
        for position in range(v, bits):
            w = at[position]
            needed = False
            for j in range(v):
                needed |= wanted[j] == w
            if not needed and found < v:
                chosen[found] = w
                found += 1
        exchange(builder, stage, pos, ops, mats, at, chosen, v)
    exchange(builder, stage, pos, ops, mats, at, wanted, v)


@compiled
def _write_program(
    builder: Builder,
    stage: Ints,
    pos: Ints,
    phys: Ints,
    at: Ints,
    lists: tuple[Ints, Complexes, Ints, Ints, Ints],
    taken: Ints,
    count: int,
    v: int,
    bits: int,
) -> None:
    """Emit the operations in `taken`, exchanging lanes and applying layers when nothing else can go on."""
    ops, mats, operands, targets, read = lists
    follow = counted(count + 1)
    for k in range(count):
        follow[k] += 1
    follow[count - 1] = -1
    follow[count] = 0 if count else -1
    delayed = np.empty(count + 1, np.int64)
    chosen = np.zeros(8, np.int64)
    active = stage[making.ACTIVE]
    layer_wires = 0
    while follow[-1] >= 0:
        blocked = blocked_targets = 0
        waits, by_lanes = False, False  # what the first operation that cannot go on waits for
        before, k = -1, follow[-1]
        while k >= 0:
            i = taken[k]
            t, r = targets[i], read[i]
            lanes = t & stage[making.LANES]
            if ops[i, fused.KIND] != fused.CONTROLLED:
                lanes |= r & stage[making.LANES]
            if t & blocked or r & blocked_targets:
                ready = False
            elif t == 0:
                delayed[stage[making.DELAYED]] = i
                stage[making.DELAYED] += 1
                layer_wires |= r
                ready = True
            elif lanes or t & layer_wires:
                ready = False
                by_lanes |= not waits and lanes != 0
                waits = True
            else:
                emit(builder, stage, pos, phys, ops, mats, operands, i, v)
                ready = True
            if ready:
                follow[before] = follow[k]
            else:
                blocked |= t | r
                blocked_targets |= t
                before = k
                if not active & ~blocked:
                    break
            k = follow[k]
        if follow[-1] < 0:
            break
        if by_lanes:
            _choose_lanes(stage, targets, read, ops, taken, follow, at, v, bits, chosen)
            exchange(builder, stage, pos, ops, mats, at, chosen, v)
        else:
            flush_layer(builder, stage, pos, phys, ops, mats, delayed, v)
            layer_wires = 0
    if stage[making.DELAYED]:
        flush_layer(builder, stage, pos, phys, ops, mats, delayed, v)
    flush_single(builder, stage, pos, ops, mats, v)


@compiled
def _runs(row: Ints, bits_at: int, positions_at: int, live: int, phys: Ints, pos: Ints, v: int) -> int:
    """Write (bit of memory, position) of the live active wires above the lanes; returns how many."""
    count = 0
    for w in ordered(phys):
        if pos[w] >= 0 and phys[w] >= v and (live >> w) & 1:
            row[bits_at + count], row[positions_at + count] = phys[w], pos[w]
            count += 1
    return count


@compiled
def _settle(stage: Ints, phys: Ints, home: Ints, pos: Ints, at: Ints, v: int) -> None:
    """After a stage: the wire in lane j gets bit j; the others their home among the active bits, or what is
    left.
    """
    n = len(phys)
    free = 0
    for w in range(n):
        if pos[w] >= 0:
            free |= 1 << phys[w]
    for w in range(n):
        if pos[w] >= 0 and pos[w] < v:
            phys[w] = pos[w]
            free &= ~(1 << pos[w])
    late = 0
    for w in range(n):
        if pos[w] >= v:
            if (free >> home[w]) & 1:
                phys[w] = home[w]
                free &= ~(1 << home[w])
            else:
                late |= 1 << w
    for w in range(n):
        if (late >> w) & 1:
            b = 0
            while not (free >> b) & 1:
                b += 1
            phys[w] = b
            free &= ~(1 << b)


@compiled
def _cleanup_wires(phys: Ints, home: Ints, always: int, bits: int, v: int, fixed: int) -> int:
    """Active wires for a stage that only brings wires home: first those that belong in the lanes, then
    others.
    """
    active, room = always, bits - popcount(always)
    n = len(phys)
    for low in range(2):
        for w in range(n):
            if phys[w] == home[w] or (low == 0 and home[w] >= v) or room < 2:
                continue
            if not (active >> w) & 1:
                active |= 1 << w
                room -= 1
            for other in range(n):
                if phys[other] == home[w] and not (active >> other) & 1 and room > 0:
                    active |= 1 << other
                    room -= 1
    w = 0
    while room > 0:
        if not ((active | fixed) >> w) & 1:
            active |= 1 << w
            room -= 1
        w += 1
    return active


@compiled
def plan(
    ops: Ints,
    mats: Complexes,
    operands: Ints,
    count: int,
    phys: Ints,
    home: Ints,
    live: int,
    bits: int,
    v: int,
    fixed: int,
) -> StagePlan:
    """Stages of `bits` bits for the first `count` operations on len(phys) wires.

    Wire w has bit phys[w] of the memory's index at the start (phys is changed) and home[w] at the end. `v`
    is the number of lane bits. No operation changes the wires in `fixed`, which stay where they are, and no
    stage has them among its bits.
    """
    ops, mats, operands, phys = borrowed(ops), borrowed(mats), borrowed(operands), borrowed(phys)
    n = len(phys)
    order = np.empty(count, np.int64)
    alive = 0
    for i in range(count):
        if ops[i, fused.KIND] != fused.DEAD:
            order[alive] = i
            alive += 1
    targets, read = np.empty(count, np.int64), np.empty(count, np.int64)
    follow = np.empty(count + 1, np.int64)
    follow[-1] = -1
    before, most_terms = -1, 1
    for k in range(alive):
        i = order[k]
        targets[i], read[i] = bits_of(ops, operands, i)
        follow[before], follow[i], before = i, -1, i
        most_terms += 3 + ops[i, fused.COUNT]
    lists = (ops, mats, operands, targets, read)
    capacity = 64
    stages = np.zeros((capacity, STAGE_COLUMNS), np.int64)
    rows = np.empty((6 * alive + 64, steps.ROW_COLUMNS), np.int64)
    terms = np.zeros((most_terms, factors.COLUMNS), np.int64)
    box = [np.zeros(64 * alive + 4096, np.float64)]
    numbers = np.zeros(making.COUNTS, np.int64)
    stage = np.zeros(making.SCALARS, np.int64)
    stage[making.LIVE] = live
    pos, at, taken = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(count + 1, np.int64)
    wanted, chosen = np.zeros(8, np.int64), np.zeros(8, np.int64)
    number = 0
    while True:
        settled = True
        for w in range(n):
            settled &= phys[w] == home[w]
        if follow[-1] < 0 and settled and number > 0:
            break
        always = 0
        for w in range(n):
            if phys[w] < v:
                always |= 1 << w
        fewest = len(rows) - numbers[making.ROWS]
        if fewest < 4 * alive + 64:
            more = np.empty((2 * len(rows), steps.ROW_COLUMNS), np.int64)
            copy_rows(more, rows, numbers[making.ROWS])
            rows = more
        if number == capacity:
            capacity *= 2
            more_stages = np.zeros((capacity, STAGE_COLUMNS), np.int64)
            copy_rows(more_stages, stages, number)
            stages = more_stages
        builder = Builder(rows, box, terms, numbers)
        if follow[-1] < 0:
            stage[making.ACTIVE] = _cleanup_wires(phys, home, always, bits, v, fixed)
            amount = 0
        else:
            stage[making.ACTIVE] = choose_active(ops, targets, read, follow, n, always, bits, fixed)
            amount = take(targets, read, follow, stage[making.ACTIVE], taken)
        row = stages[number]
        live_before = stage[making.LIVE]
        stage[making.SINGLE] = -1
        _place(stage, phys, taken, amount, targets, read, v, pos, at)
        loaded = _runs(row, LOAD_BITS, FROM, live_before, phys, pos, v)
        stage[making.PREFIX] = max(2 * v, 6, v + loaded)
        stage[making.PREFIX] = min(stage[making.PREFIX], bits)
        row[ROW_START], row[LOADED] = numbers[making.ROWS], loaded
        outer = 0
        for w in range(n):
            if pos[w] < 0 and (live_before >> w) & 1:
                outer |= 1 << phys[w]
        row[OUTER] = outer
        _write_program(builder, stage, pos, phys, at, lists, taken, amount, v, bits)
        for j in range(v):
            for w in range(n):
                if phys[w] == j:
                    wanted[j] = w
        all_there = True
        for w in range(n):
            all_there &= home[w] >= v or pos[w] >= 0
        if all_there:
            for w in range(n):
                if home[w] < v:
                    wanted[home[w]] = w
        _restore_lanes(builder, stage, pos, ops, mats, at, wanted, v, bits, chosen)
        _settle(stage, phys, home, pos, at, v)
        row[STORED] = _runs(row, STORE_BITS, TO, stage[making.LIVE], phys, pos, v)
        row[ZEROED] = 0 if v + loaded == stage[making.PREFIX] else stage[making.PREFIX]
        row[ROW_STOP] = numbers[making.ROWS]
        number += 1
    return StagePlan(
        stages[:number],
        rows[: numbers[making.ROWS]],
        box[0][: numbers[making.COEFS]],
        terms[: numbers[making.TERMS]],
    )
