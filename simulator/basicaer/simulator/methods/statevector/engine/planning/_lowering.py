"""From a circuit's packed instructions to fused operations on wires.

Two things are known for nothing and used here. A swap only exchanges which wire a qubit lies on. And a run
begins in a basis state, so a wire on which nothing but flips and phases has acted is still known to be 0 or
1: a control on it is decided here, a diagonal gate is a phase of the whole state, and the wire takes part in
the simulation ("is live") only from its first other gate on. `known[w]` is 0, 1, or -1 for a live wire.
"""

import numpy as np
from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.methods.statevector.engine._arrays import Columns, Complexes, Fused, Indices, Ints
from basicaer.simulator.methods.statevector.engine._matrices import parametric
from basicaer.simulator.methods.statevector.engine.columns import fused, gates
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled
from basicaer.simulator.methods.statevector.engine.machine._loops import copy
from basicaer.simulator.methods.statevector.engine.planning import _fusion as fusion
from basicaer.simulator.methods.statevector.engine.planning._products import TINY, analyse

OPERATIONS, ENTRIES, OPERANDS, QUBIT, PARAMETER, STRICT, SIZE = range(7)
"""Counters: rows in `ops`, entries in `mats`, in `operands`; the instruction's first qubit and parameter;
and whether fusion is strict."""


@compiled
def _push_one(state: Fused, n: Ints, q: int, g: Complexes) -> None:
    ops, mats, last = state.ops, state.mats, state.last
    n[OPERATIONS], n[ENTRIES] = fusion.push_one(
        ops, n[OPERATIONS], mats, n[ENTRIES], last, q, g, 0, n[STRICT] != 0
    )


@compiled
def make_live(state: Fused, n: Ints, w: int) -> None:
    """Let wire w take part; one that is known to be 1 gets an X."""
    known = state.known
    value, known[w] = known[w], -1
    if value == 1:
        x = np.zeros(4, np.complex128)
        x[1] = x[2] = 1.0
        _push_one(state, n, w, x)


@compiled
def _one_target(state: Fused, n: Ints, t: int, mask: int, value: int, g: Complexes) -> complex:
    """Apply a 2 by 2 gate g on wire t with controls on live wires; return a factor of the whole state."""
    ops, mats, last, known, g2 = state.ops, state.mats, state.last, state.known, state.spare
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
        n[OPERATIONS], n[ENTRIES] = fusion.push_two(
            ops, n[OPERATIONS], mats, n[ENTRIES], last, t, c, g2, 0, n[STRICT] != 0
        )
    else:
        row = n[OPERATIONS]
        fusion.append(ops, row, fused.CONTROLLED, (t, -1, -1), n[ENTRIES], 1)
        ops[row, fused.MASK], ops[row, fused.VALUE] = mask, value
        copy(mats, n[ENTRIES], g, 0, 4)
        ops[row, fused.WIRES] = mask | (1 << t)
        fusion.note(ops, row, last)
        n[OPERATIONS] += 1
        n[ENTRIES] += 4
    return complex(1.0)


@compiled
def _two_targets(state: Fused, n: Ints, a: int, b: int, g: Complexes) -> complex:
    """Return a 4 by 4 gate g on wires a and b; returns a factor of the whole state."""
    ops, mats, last, known = state.ops, state.mats, state.last, state.known
    if known[a] >= 0 or known[b] >= 0:
        flips, _ = analyse(g, 0, 2)
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
    n[OPERATIONS], n[ENTRIES] = fusion.push_two(
        ops, n[OPERATIONS], mats, n[ENTRIES], last, a, b, g, 0, n[STRICT] != 0
    )
    return complex(1.0)


@compiled
def _controlled_swap(state: Fused, n: Ints, a: int, b: int, mask: int, value: int, g: Complexes) -> None:
    """Exchange wires a and b where the controls hold, as three controlled flips."""
    known = state.known
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
    state: Fused,
    n: Ints,
    qubits: Indices,
    wire: Ints,
    k: int,
    mask: int,
    value: int,
    source: Complexes,
    at: int,
) -> None:
    """Return a dense gate on three or more targets, or on two with controls; its matrix lies at
    source[at].
    """
    ops, mats, operands, last = state.ops, state.mats, state.operands, state.last
    known = state.known
    row, entries = n[OPERATIONS], 1 << (2 * k)
    all_wires = mask
    for j in range(k):
        w = wire[qubits[n[QUBIT] + j]]
        if known[w] >= 0:
            make_live(state, n, w)
        all_wires |= 1 << w
    row = n[OPERATIONS]
    first = n[QUBIT]
    copy(mats, n[ENTRIES], source, at, entries)
    if k == 3 and mask == 0:
        a, b, c = wire[qubits[first]], wire[qubits[first + 1]], wire[qubits[first + 2]]
        fusion.append(ops, row, fused.RAW, (a, b, c), n[ENTRIES], 3)
        last[a] = last[b] = last[c] = row
    else:
        fusion.append(ops, row, fused.ANY, (n[OPERANDS], -1, -1), n[ENTRIES], k)
        for j in range(k):
            operands[n[OPERANDS] + j] = wire[qubits[first + j]]
        n[OPERANDS] += k
        ops[row, fused.MASK], ops[row, fused.VALUE] = mask, value
        ops[row, fused.WIRES] = all_wires
        fusion.note(ops, row, last)
    n[OPERATIONS] += 1
    n[ENTRIES] += entries


@compiled
def lower(
    table: Ints, pool: Complexes, columns: Columns, start: int, stop: int, wire: Ints, n: Ints, state: Fused
) -> complex:
    """Add the instructions start to stop to `ops`; returns a factor of the whole state.

    `wire` maps qubits to wires and changes with
    swaps. `n` are the counters, `state` has what is written.
    """
    operations, qubits, parameters = columns.operations, columns.qubits, columns.parameters
    known = state.known
    phase = complex(1.0)
    g = np.zeros(16, np.complex128)
    for instruction in range(start, stop):
        row = operations[instruction]
        code, targets, controls = (
            table[row, gates.CODE],
            table[row, gates.TARGETS],
            table[row, gates.CONTROLS],
        )
        mask = value = 0
        acts = code != formulas.NOTHING
        for c in range(controls):
            w = wire[qubits[n[QUBIT] + c]]
            wanted = (table[row, gates.STATE] >> c) & 1
            if known[w] < 0:
                mask |= 1 << w
                value |= wanted << w
            elif known[w] != wanted:
                acts = False
        n[QUBIT] += controls
        if acts:
            q = n[QUBIT]
            if code == formulas.SWAP and mask == 0:
                a, b = qubits[q], qubits[q + 1]
                wire[a], wire[b] = wire[b], wire[a]
            elif code == formulas.SWAP:
                _controlled_swap(state, n, wire[qubits[q]], wire[qubits[q + 1]], mask, value, g)
            elif code == formulas.PHASE:
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
                if code == formulas.POOLED:
                    _many_targets(
                        state, n, qubits, wire, targets, mask, value, pool, table[row, gates.OFFSET]
                    )
                else:
                    parametric(code, parameters, n[PARAMETER], g)
                    _many_targets(state, n, qubits, wire, targets, mask, value, g, 0)
            else:
                if code == formulas.POOLED:
                    at = table[row, gates.OFFSET]
                    for x in range(1 << (2 * targets)):
                        g[x] = pool[at + x]
                else:
                    parametric(code, parameters, n[PARAMETER], g)
                if targets == 0:
                    phase *= g[0]
                elif targets == 1:
                    phase *= _one_target(state, n, wire[qubits[q]], mask, value, g)
                else:
                    phase *= _two_targets(state, n, wire[qubits[q]], wire[qubits[q + 1]], g)
        n[QUBIT] += targets
        n[PARAMETER] += table[row, gates.PARAMETERS]
    return phase
