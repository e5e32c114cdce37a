"""From a circuit's packed instructions to fused operations on wires.

Two things are known for nothing and used here. A swap only exchanges which wire a qubit lies on. And a run
begins in a basis state, so a wire on which nothing but flips and phases has acted is still known to be 0 or
1: a control on it is decided here, a diagonal gate is a phase of the whole state, and the wire takes part in
the simulation ("is live") only from its first other gate on. `known[w]` is 0, 1, or -1 for a live wire.
"""

from typing import Any

import numpy as np
from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _matrices as m
from basicaer.simulator.engine import _products as pr
from basicaer.simulator.engine._jit import compiled

TINY = pr.TINY

OPERATIONS, ENTRIES, OPERANDS, QUBIT, PARAMETER, STRICT, SIZE = range(7)
"""Counters: rows in `ops`, entries in `mats`, in `operands`; the instruction's first qubit and parameter;
and whether fusion is strict."""


@compiled
def _push_one(state: Any, n: Any, q: int, g: Any) -> None:
    ops, mats, _, last, _, _ = state
    n[OPERATIONS], n[ENTRIES] = f.push_one(
        ops, n[OPERATIONS], mats, n[ENTRIES], last, q, g, 0, n[STRICT] != 0
    )


@compiled
def make_live(state: Any, n: Any, w: int) -> None:
    """Let wire w take part; one that is known to be 1 gets an X."""
    known = state[4]
    value, known[w] = known[w], -1
    if value == 1:
        x = np.zeros(4, np.complex128)
        x[1] = x[2] = 1.0
        _push_one(state, n, w, x)


@compiled
def _one_target(state: Any, n: Any, t: int, mask: int, value: int, g: Any) -> complex:
    """A 2 by 2 gate g on wire t with controls on live wires; returns a factor of the whole state."""
    ops, mats, _, last, known, g2 = state
    diagonal = abs(g[1]) < TINY and abs(g[2]) < TINY
    if known[t] >= 0:
        bit = known[t]
        if diagonal:
            factor = g[3 * bit]
            if mask == 0 or abs(factor - 1.0) < TINY:
                return factor if mask == 0 else complex(1.0)
            t = 0
            while not (mask >> t) & 1:
                t += 1
            wanted = (value >> t) & 1
            g[0], g[3] = (1.0, factor) if wanted else (factor, 1.0)
            return _one_target(state, n, t, mask & ~(1 << t), value & ~(1 << t), g)
        if mask == 0 and abs(g[0]) < TINY and abs(g[3]) < TINY:
            known[t] = 1 - bit
            return complex(g[1] if bit else g[2])
        if mask == 0:
            known[t] = -1
            if bit:
                g[0], g[1] = g[1], g[0]
                g[2], g[3] = g[3], g[2]
        else:
            make_live(state, n, t)
    if mask == 0:
        _push_one(state, n, t, g)
    elif mask & (mask - 1) == 0:
        c = 0
        while not (mask >> c) & 1:
            c += 1
        on = 2 if value else 0
        g2[:] = 0.0
        g2[5 * (2 - on)] = g2[5 * (2 - on) + 5] = 1.0
        g2[5 * on], g2[5 * on + 1], g2[5 * on + 4], g2[5 * on + 5] = g[0], g[1], g[2], g[3]
        n[OPERATIONS], n[ENTRIES] = f.push_two(
            ops, n[OPERATIONS], mats, n[ENTRIES], last, t, c, g2, 0, n[STRICT] != 0
        )
    else:
        row = n[OPERATIONS]
        f.append(ops, row, f.CONTROLLED, (t, -1, -1), n[ENTRIES], 1)
        ops[row, f.MASK], ops[row, f.VALUE] = mask, value
        mats[n[ENTRIES] : n[ENTRIES] + 4] = g[:4]
        ops[row, f.WIRES] = mask | (1 << t)
        f.note(ops, row, last)
        n[OPERATIONS] += 1
        n[ENTRIES] += 4
    return complex(1.0)


@compiled
def _two_targets(state: Any, n: Any, a: int, b: int, g: Any) -> complex:
    """A 4 by 4 gate g on wires a and b; returns a factor of the whole state."""
    ops, mats, _, last, known, _ = state
    if known[a] >= 0 or known[b] >= 0:
        flips, _ = pr.analyse(g, 0, 2)
        if flips == 0:
            if known[a] >= 0:
                g[0], g[3] = g[5 * known[a]], g[5 * (known[a] + 2)]
                g[1] = g[2] = 0.0
                return _one_target(state, n, b, 0, 0, g)
            g[0], g[3] = g[10 * known[b]], g[10 * known[b] + 5]
            g[1] = g[2] = 0.0
            return _one_target(state, n, a, 0, 0, g)
        if known[a] >= 0:
            make_live(state, n, a)
        if known[b] >= 0:
            make_live(state, n, b)
    n[OPERATIONS], n[ENTRIES] = f.push_two(
        ops, n[OPERATIONS], mats, n[ENTRIES], last, a, b, g, 0, n[STRICT] != 0
    )
    return complex(1.0)


@compiled
def _controlled_swap(state: Any, n: Any, a: int, b: int, mask: int, value: int, g: Any) -> None:
    """Exchange wires a and b where the controls hold, as three controlled flips."""
    known = state[4]
    if known[a] >= 0 and known[a] == known[b]:
        return
    if known[a] >= 0:
        make_live(state, n, a)
    if known[b] >= 0:
        make_live(state, n, b)
    for turn in range(3):
        g[0] = g[3] = 0.0
        g[1] = g[2] = 1.0
        if turn == 1:
            _one_target(state, n, b, mask | (1 << a), value | (1 << a), g)
        else:
            _one_target(state, n, a, 1 << b, 1 << b, g)


@compiled
def _many_targets(
    state: Any, n: Any, qubits: Any, wire: Any, k: int, mask: int, value: int, source: Any, at: int
) -> None:
    """A dense gate on three or more targets, or on two with controls; its matrix lies at source[at]."""
    ops, mats, operands, last, known, _ = state
    row, entries = n[OPERATIONS], 1 << (2 * k)
    all_wires = mask
    for j in range(k):
        w = wire[qubits[n[QUBIT] + j]]
        if known[w] >= 0:
            make_live(state, n, w)
        all_wires |= 1 << w
    row = n[OPERATIONS]
    first = n[QUBIT]
    mats[n[ENTRIES] : n[ENTRIES] + entries] = source[at : at + entries]
    if k == 3 and mask == 0:
        a, b, c = wire[qubits[first]], wire[qubits[first + 1]], wire[qubits[first + 2]]
        f.append(ops, row, f.RAW, (a, b, c), n[ENTRIES], 3)
        last[a] = last[b] = last[c] = row
    else:
        f.append(ops, row, f.ANY, (n[OPERANDS], -1, -1), n[ENTRIES], k)
        for j in range(k):
            operands[n[OPERANDS] + j] = wire[qubits[first + j]]
        n[OPERANDS] += k
        ops[row, f.MASK], ops[row, f.VALUE] = mask, value
        ops[row, f.WIRES] = all_wires
        f.note(ops, row, last)
    n[OPERATIONS] += 1
    n[ENTRIES] += entries


@compiled
def lower(
    table: Any, pool: Any, columns: Any, start: int, stop: int, wire: Any, n: Any, state: Any
) -> complex:
    """Add the instructions start to stop to `ops`; returns a factor of the whole state.

    `columns` are the block's (operations, qubits, parameters). `wire` maps qubits to wires and changes with
    swaps. `n` are the counters, `state` is (ops, mats, operands, last, known, room for 16 entries).
    """
    operations, qubits, parameters = columns
    known = state[4]
    phase = complex(1.0)
    g = np.zeros(16, np.complex128)
    for instruction in range(start, stop):
        row = operations[instruction]
        code, targets, controls = table[row, m.CODE], table[row, m.TARGETS], table[row, m.CONTROLS]
        mask = value = 0
        acts = code != m.NOTHING
        for c in range(controls):
            w = wire[qubits[n[QUBIT] + c]]
            wanted = (table[row, m.STATE] >> c) & 1
            if known[w] < 0:
                mask |= 1 << w
                value |= wanted << w
            elif known[w] != wanted:
                acts = False
        n[QUBIT] += controls
        if acts:
            q = n[QUBIT]
            if code == m.SWAP and mask == 0:
                a, b = qubits[q], qubits[q + 1]
                wire[a], wire[b] = wire[b], wire[a]
            elif code == m.SWAP:
                _controlled_swap(state, n, wire[qubits[q]], wire[qubits[q + 1]], mask, value, g)
            elif code == m.PHASE:
                angle = parameters[n[PARAMETER]]
                factor = complex(np.cos(angle), np.sin(angle))
                if mask:
                    t = 0
                    while not (mask >> t) & 1:
                        t += 1
                    g[1] = g[2] = 0.0
                    g[0], g[3] = (1.0, factor) if (value >> t) & 1 else (factor, 1.0)
                    factor = _one_target(state, n, t, mask & ~(1 << t), value & ~(1 << t), g)
                phase *= factor
            elif targets > 2 or (targets == 2 and mask):
                if code == m.POOLED:
                    _many_targets(state, n, qubits, wire, targets, mask, value, pool, table[row, m.OFFSET])
                else:
                    m.parametric(code, parameters, n[PARAMETER], g)
                    _many_targets(state, n, qubits, wire, targets, mask, value, g, 0)
            else:
                if code == m.POOLED:
                    at = table[row, m.OFFSET]
                    for x in range(1 << (2 * targets)):
                        g[x] = pool[at + x]
                else:
                    m.parametric(code, parameters, n[PARAMETER], g)
                if targets == 0:
                    phase *= g[0]
                elif targets == 1:
                    phase *= _one_target(state, n, wire[qubits[q]], mask, value, g)
                else:
                    phase *= _two_targets(state, n, wire[qubits[q]], wire[qubits[q + 1]], g)
        n[QUBIT] += targets
        n[PARAMETER] += table[row, m.PARAMETERS]
    return phase
