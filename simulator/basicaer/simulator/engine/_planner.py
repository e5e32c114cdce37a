"""Stages for all operations of a circuit: which bits are active in each, its program, and where wires go.

A plan is (stages, rows, coefs, terms). A row of `stages` has, besides the columns below, three runs of
numbers: for each bit above the lanes, in ascending order, `BITS` the bit of the memory's index, `FROM` the
position in the block where it is loaded to and `TO` the position where it is stored from.
"""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _program as p
from basicaer.simulator.engine import _stages as s
from basicaer.simulator.engine._jit import compiled

ROW_START, ROW_STOP, OUTER, LOADED, STORED, ZEROED, HEADER = range(7)
"""Rows of the program; bits of the base that vary; how many bits above the lanes are loaded, and stored; how
many positions of the block to clear first (0 when it is loaded in full)."""
MOST_BITS = 24
LOAD_BITS, FROM = HEADER, HEADER + MOST_BITS
STORE_BITS, TO = HEADER + 2 * MOST_BITS, HEADER + 3 * MOST_BITS
STAGE_COLUMNS = HEADER + 4 * MOST_BITS


@compiled
def _place(
    stage: Any, phys: Any, taken: Any, count: int, targets: Any, read: Any, v: int, pos: Any, at: Any
) -> None:
    """Positions for the active wires: lanes, then live wires as in memory, then the others by their first
    use."""
    n = len(phys)
    pos[:] = -1
    top = v
    stage[p.LANES] = 0
    order = np.argsort(phys)
    for w in order:
        if (stage[p.ACTIVE] >> w) & 1:
            if phys[w] < v:
                pos[w] = phys[w]
                stage[p.LANES] |= 1 << w
            elif (stage[p.LIVE] >> w) & 1:
                pos[w] = top
                top += 1
    for k in range(count):
        wires = (targets[taken[k]] | read[taken[k]]) & stage[p.ACTIVE]
        if not wires & ~stage[p.LIVE]:
            continue
        for w in range(n):
            if (wires >> w) & 1 and pos[w] < 0:
                pos[w] = top
                top += 1
    for w in order:
        if (stage[p.ACTIVE] >> w) & 1 and pos[w] < 0:
            pos[w] = top
            top += 1
    for w in range(n):
        if pos[w] >= 0:
            at[pos[w]] = w


@compiled
def _choose_lanes(
    stage: Any,
    targets: Any,
    read: Any,
    ops: Any,
    taken: Any,
    follow: Any,
    at: Any,
    v: int,
    bits: int,
    chosen: Any,
) -> None:
    """The `v` active wires, none of them in the lanes, that are needed last: they shall go to the lanes."""
    n = len(at)
    use = np.full(n, 1 << 30)
    rest = stage[p.ACTIVE]
    k, rank = follow[-1], 0
    while k >= 0 and rest:
        i = taken[k]
        wires = targets[i]
        if wires and ops[i, f.KIND] != f.CONTROLLED:
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
    builder: Any,
    stage: Any,
    pos: Any,
    ops: Any,
    mats: Any,
    at: Any,
    wanted: Any,
    v: int,
    bits: int,
    chosen: Any,
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
        p.exchange(builder, stage, pos, ops, mats, at, chosen, v)
    p.exchange(builder, stage, pos, ops, mats, at, wanted, v)


@compiled
def _write_program(
    builder: Any,
    stage: Any,
    pos: Any,
    phys: Any,
    at: Any,
    lists: Any,
    taken: Any,
    count: int,
    v: int,
    bits: int,
) -> None:
    """Emit the operations in `taken`, exchanging lanes and applying layers when nothing else can go on."""
    ops, mats, operands, targets, read = lists
    follow = np.arange(1, count + 2)
    follow[count - 1] = -1
    follow[count] = 0 if count else -1
    delayed = np.empty(count + 1, np.int64)
    chosen = np.zeros(8, np.int64)
    active = stage[p.ACTIVE]
    layer_wires = 0
    while follow[-1] >= 0:
        blocked = blocked_targets = 0
        waits, by_lanes = False, False  # what the first operation that cannot go on waits for
        before, k = -1, follow[-1]
        while k >= 0:
            i = taken[k]
            t, r = targets[i], read[i]
            lanes = t & stage[p.LANES]
            if ops[i, f.KIND] != f.CONTROLLED:
                lanes |= r & stage[p.LANES]
            if t & blocked or r & blocked_targets:
                ready = False
            elif t == 0:
                delayed[stage[p.DELAYED]] = i
                stage[p.DELAYED] += 1
                layer_wires |= r
                ready = True
            elif lanes or t & layer_wires:
                ready = False
                by_lanes |= not waits and lanes != 0
                waits = True
            else:
                p.emit(builder, stage, pos, phys, ops, mats, operands, i, v)
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
            p.exchange(builder, stage, pos, ops, mats, at, chosen, v)
        else:
            p.flush_layer(builder, stage, pos, phys, ops, mats, delayed, v)
            layer_wires = 0
    if stage[p.DELAYED]:
        p.flush_layer(builder, stage, pos, phys, ops, mats, delayed, v)
    p.flush_single(builder, stage, pos, ops, mats, v)


@compiled
def _runs(row: Any, bits_at: int, positions_at: int, live: int, phys: Any, pos: Any, v: int) -> int:
    """Write (bit of memory, position) of the live active wires above the lanes; returns how many."""
    count = 0
    for w in np.argsort(phys):
        if pos[w] >= 0 and phys[w] >= v and (live >> w) & 1:
            row[bits_at + count], row[positions_at + count] = phys[w], pos[w]
            count += 1
    return count


@compiled
def _settle(stage: Any, phys: Any, home: Any, pos: Any, at: Any, v: int) -> None:
    """After a stage: the wire in lane j gets bit j; the others their home among the active bits, or what is
    left."""
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
def _cleanup_wires(phys: Any, home: Any, always: int, bits: int, v: int) -> int:
    """Active wires for a stage that only brings wires home: first those that belong in the lanes, then
    others."""
    active, room = always, bits - s.popcount(always)
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
        if not (active >> w) & 1:
            active |= 1 << w
            room -= 1
        w += 1
    return active


@compiled
def plan(
    ops: Any, mats: Any, operands: Any, count: int, phys: Any, home: Any, live: int, bits: int, v: int
) -> tuple[Any, Any, Any, Any]:
    """Stages of `bits` bits for the first `count` operations on len(phys) wires.

    Wire w has bit phys[w] of the memory's index at the start (phys is changed) and home[w] at the end. `v`
    is the number of lane bits.
    """
    n = len(phys)
    order = np.empty(count, np.int64)
    alive = 0
    for i in range(count):
        if ops[i, f.KIND] != f.DEAD:
            order[alive] = i
            alive += 1
    targets, read = np.empty(count, np.int64), np.empty(count, np.int64)
    follow = np.empty(count + 1, np.int64)
    follow[-1] = -1
    before, most_terms = -1, 1
    for k in range(alive):
        i = order[k]
        targets[i], read[i] = s.bits_of(ops, operands, i)
        follow[before], follow[i], before = i, -1, i
        most_terms += 3 + ops[i, f.COUNT]
    lists = (ops, mats, operands, targets, read)
    capacity = 64
    stages = np.zeros((capacity, STAGE_COLUMNS), np.int64)
    rows = np.empty((6 * alive + 64, s.ROW_COLUMNS), np.int64)
    terms = np.zeros((most_terms, 2), np.int64)
    box = [np.zeros(64 * alive + 4096, np.float64)]
    numbers = np.zeros(3, np.int64)
    stage = np.zeros(6, np.int64)
    stage[p.LIVE] = live
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
        fewest = len(rows) - numbers[p.ROWS]
        if fewest < 4 * alive + 64:
            more = np.empty((2 * len(rows), s.ROW_COLUMNS), np.int64)
            more[: len(rows)] = rows
            rows = more
        if number == capacity:
            capacity *= 2
            more_stages = np.zeros((capacity, STAGE_COLUMNS), np.int64)
            more_stages[:number] = stages
            stages = more_stages
        builder = (rows, box, terms, numbers)
        if follow[-1] < 0:
            stage[p.ACTIVE] = _cleanup_wires(phys, home, always, bits, v)
            amount = 0
        else:
            stage[p.ACTIVE] = s.choose_active(ops, targets, read, follow, n, always, bits)
            amount = s.take(targets, read, follow, stage[p.ACTIVE], taken)
        row = stages[number]
        live_before = stage[p.LIVE]
        stage[p.SINGLE] = -1
        _place(stage, phys, taken, amount, targets, read, v, pos, at)
        loaded = _runs(row, LOAD_BITS, FROM, live_before, phys, pos, v)
        stage[p.PREFIX] = max(2 * v, 6, v + loaded)
        stage[p.PREFIX] = min(stage[p.PREFIX], bits)
        row[ROW_START], row[LOADED] = numbers[p.ROWS], loaded
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
        row[STORED] = _runs(row, STORE_BITS, TO, stage[p.LIVE], phys, pos, v)
        row[ZEROED] = 0 if v + loaded == stage[p.PREFIX] else stage[p.PREFIX]
        row[ROW_STOP] = numbers[p.ROWS]
        number += 1
    return stages[:number], rows[: numbers[p.ROWS]], box[0][: numbers[p.COEFS]], terms[: numbers[p.TERMS]]
