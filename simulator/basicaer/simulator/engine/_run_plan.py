"""From a circuit's columns to its final state: memory, plan, threads."""

from typing import Any

import numpy as np
from numba import njit

from basicaer.simulator.engine import _fusion as f
from basicaer.simulator.engine import _lowering as lo
from basicaer.simulator.engine import _planner as pl
from basicaer.simulator.engine import _stages as s
from basicaer.simulator.engine._executor import execute
from basicaer.simulator.engine._kernels import OPTIONS
from basicaer.simulator.engine._diagonal import ROW
from basicaer.simulator.engine._matrices import operation_table


@njit(**OPTIONS)
def prepare(table: Any, pool: Any, operations: Any, qubits: Any, parameters: Any, n: int, fresh: bool, bits: int, v: int, pad: int) -> Any:
    """Lower, fuse and plan a whole circuit; returns (plan, phase, size of a block in bits)."""
    m = len(operations)
    largest = 16
    for r in range(len(table)):
        largest = max(largest, 1 << (2 * table[r, 1]))
    most = 3 * m + n + 1
    entries = 48 * m + 4 * n + 64
    if largest > 16:
        for i in range(m):
            entries += 1 << (2 * table[operations[i], 1])
    ops = np.empty((most, f.COLUMNS), np.int64)
    mats = np.empty(entries, np.complex128)
    operands = np.empty(len(qubits) + 1, np.int64)
    last = np.full(max(n, 3), -1, np.int64)
    known = np.full(n, 0 if fresh else -1, np.int64)
    wire = np.arange(n)
    counters = np.zeros(lo.SIZE, np.int64)
    state = (ops, mats, operands, last, known, np.zeros(16, np.complex128))
    phase = lo.lower(table, pool, (operations, qubits, parameters), 0, m, wire, counters, state)
    live = 0
    for w in range(n):
        if known[w] == 1:
            lo.make_live(state, counters, w)
    count = counters[lo.OPERATIONS]
    used = counters[lo.ENTRIES]
    alive = 0
    for i in range(count):
        alive += ops[i, f.KIND] != f.DEAD
    more = np.empty(used + 176 * alive + 64, np.complex128)
    more[:used] = mats[:used]
    used = f.gather_threes(ops, count, more, used, last)
    used = f.finish(ops, count, more, used)
    least = 3 * v - 1
    for i in range(count):
        if ops[i, f.KIND] > f.DIAGONAL and ops[i, f.KIND] != f.CONTROLLED:
            targets, read = s.bits_of(ops, operands, i)
            least = max(least, 2 * v + s.popcount(targets | read) - 1)
    wires = n + pad
    if wires < least:
        wires = least
    home = np.empty(wires, np.int64)
    for w in range(wires):
        home[w] = w
    for q in range(n):
        home[wire[q]] = q + pad
    for j in range(pad):
        home[n + j] = j
    phys = home.copy()
    if not fresh:
        for q in range(n):
            phys[q] = q + pad
        live = (1 << n) - 1
    size = min(bits, wires)
    plan = pl.plan(ops, more, operands, count, phys, home, live, size, v)
    return plan, phase, size


def statevector(circuit, dtype=np.complex128, bits=15, pad_limit=6, threads=1, initial=None, flag=None):
    body = circuit.body
    n = circuit.num_qubits
    table, pool = operation_table(circuit.operations)
    real = np.float64 if dtype == np.complex128 else np.float32
    v = 3 if real is np.float64 else 4
    pad = v if n <= pad_limit else 0
    fresh = initial is None
    plan, phase, size = prepare(table, pool, body.operations, body.qubits, body.parameters, n, fresh, bits, v, pad)
    phase *= np.exp(1j * circuit.global_phase)
    if real is np.float32:
        plan = (plan[0], plan[1], plan[2].astype(np.float32), plan[3])
    memory = np.zeros(1 << (n + pad), dtype)
    state = memory
    if not fresh:
        state[:: 1 << pad] = initial
    counters = np.zeros((len(plan[0]), 16), np.int64)
    flag = np.zeros(1, np.uint8) if flag is None else flag
    def job():
        block = (np.empty(1 << size, real), np.empty(1 << size, real))
        work = (np.zeros(2 * size + 2, real), np.zeros(2 * ROW * (size + 1), real), np.zeros((size + 1) * (2 * size + 4), real), np.zeros(2 << 12, real))
        execute(state.view(real), phase, fresh, plan, v, block, work, counters, flag)
    if threads > 1:
        import threading
        ts = [threading.Thread(target=job) for _ in range(threads - 1)]
        for t in ts: t.start()
        job()
        for t in ts: t.join()
    else:
        job()
    if not fresh and phase != 1:
        state *= phase
    return state[:: 1 << pad].copy() if pad else state
