"""Applies segments of gates to a state: the one interface behind which speed is made.

`prepare(segment, threads)` plans a `Segment` once, and `Plan.apply(state, control)` carries the plan out, in
place, as often as it is needed (for each branch, and each turn of a loop). Whatever is not unitary
(measurement, reset, classical control, initialize) happens above, in `_trajectories.py`.

The contract of a segment:

- it is valid: indices are in range, an instruction's qubits are distinct, parameters are finite, matrices
  unitary;
- each of its instructions is a gate of `GATES` or `unitary`, with or without extra controls and a
control state, and
  takes its parameters from the column; barriers and delays are left out, and conditions were decided above;
- extra controls are the first of an instruction's qubits, then come the controls that the gate itself has,
then the
  targets, of which the first is the least significant bit of the matrix's index.

`apply` raises `SimulationCancelled` within 50 ms of `RunControl.cancel`, and reports `segment.work` in all
through `RunControl.advance`. Equal segments and states give equal amplitudes, bit by bit, whatever the number
of threads.

Behind it is the package `engine`. A plan is made when it is first applied, for the kind of state that it
meets: of single or double precision, and still the basis state 0 or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator._layout import Layout
from basicaer.simulator._operations import Block, Operation
from basicaer.simulator._state import State
from basicaer.simulator.engine._compile import compile_columns
from basicaer.simulator.engine._matrices import CODE, CONTROLS, POOLED, TARGETS, operation_table
from basicaer.simulator.engine._pages import zeros
from basicaer.simulator.engine._run import BLOCK_BITS, default_threads, run_plan
from basicaer.simulator.engine._wide import apply_gate, control_bits

PADDED_QUBITS = 6
"""Up to this size, amplitudes lie so far apart that each has a vector of its own, and no gate meets the
lanes."""

_MOST_OPERANDS = 6
"""Gates of more targets and controls than this, other than controlled 1-qubit gates and swaps, are done in
numpy."""

MOST_PLANNED = 1 << 15
"""Instructions that are planned at once, which bounds the planner's memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Unitary instructions of a circuit, in columns.

    `operations` is the circuit's whole table and `layout` its operands' counts; `block` has the instructions,
    which act on states of `num_qubits` qubits.
    """

    num_qubits: int
    operations: tuple[Operation, ...]
    layout: Layout
    block: Block

    @property
    def work(self) -> float:
        """The amplitudes to compute if each instruction were applied alone: the measure of progress."""
        return float(len(self.block)) * 2.0**self.num_qubits


class Plan:
    """A segment that is ready to be applied. It keeps no reference to any state, and threads may share it."""

    __slots__ = ("_compiled", "_pool", "_segment", "_spans", "_table", "_threads")

    def __init__(self, segment: Segment, threads: int | None) -> None:
        self._segment = segment
        self._threads = threads
        self._table, self._pool = operation_table(segment.operations)
        self._spans = _spans(segment, self._table)
        self._compiled: dict[tuple[bool, int, int], Any] = {}

    def apply(self, state: State, control: RunControl) -> None:
        """Apply the segment to `state` in place. See the module for what holds of it."""
        work = 2.0**self._segment.num_qubits
        for number, (start, stop, is_wide) in enumerate(self._spans):
            if is_wide:
                self._apply_wide(start, state, control)
                control.advance(work)
            else:
                self._apply_native(number, state, control, work * (stop - start))

    def _apply_native(self, number: int, state: State, control: RunControl, work: float) -> None:
        num_qubits, fresh = self._segment.num_qubits, state.is_fresh
        real_bytes = state.dtype.itemsize // 2
        lane_bits = 3 if real_bytes == 8 else 4
        pad = lane_bits if num_qubits <= PADDED_QUBITS else 0
        key = (fresh, real_bytes, number)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compile(number, fresh, real_bytes, lane_bits, pad)
            compiled = self._compiled.setdefault(key, compiled)
        plan, phase, bits = compiled
        memory = zeros(1 << num_qubits + pad, state.dtype) if fresh or pad else state.amplitudes
        if pad and not fresh:
            memory[:: 1 << pad] = state.amplitudes
        threads = self._threads or default_threads()
        run_plan(plan, bits, memory, phase, fresh, threads, control, work)
        if fresh or pad:
            state.adopt(memory[:: 1 << pad].copy() if pad else memory)
        if not fresh and phase != 1.0:
            state.scale(phase, control)

    def _compile(self, number: int, fresh: bool, real_bytes: int, lane_bits: int, pad: int) -> Any:
        start, stop, _ = self._spans[number]
        block = self._segment.block
        offsets = self._segment.layout.offsets(block) if start else None
        span = np.array([start, stop, 0, 0], dtype=np.int64)
        if offsets is not None:
            span[2:] = offsets.qubits[start], offsets.parameters[start]
        columns = (block.operations, block.qubits, block.parameters)
        plan, phase, bits = compile_columns(
            self._table,
            self._pool,
            columns,
            span,
            self._segment.num_qubits,
            fresh,
            BLOCK_BITS[real_bytes],
            lane_bits,
            pad,
        )
        if real_bytes == 4:
            plan = (plan[0], plan[1], plan[2].astype(np.float32), plan[3])
        return plan, phase, bits

    def _apply_wide(self, number: int, state: State, control: RunControl) -> None:
        segment = self._segment
        block = segment.block
        operation = segment.operations[block.operations[number]]
        row = self._table[block.operations[number]]
        first = int(segment.layout.offsets(block).qubits[number])
        size = int(row[CONTROLS])
        operands = block.qubits[first : first + size + int(row[TARGETS])].tolist()
        controls = dict(zip(operands[:size], control_bits(operation, size), strict=True))
        matrix = operation.matrix
        if matrix is None:
            raise AssertionError("only explicit matrices are wide")
        apply_gate(state, np.asarray(matrix, dtype=np.complex128), operands[size:], controls, control)


def prepare(segment: Segment, threads: int | None = None) -> Plan:
    """Plan a segment. `threads` bounds the threads of `apply`; None leaves it to the engine."""
    return Plan(segment, threads)


def _spans(segment: Segment, table: Any) -> list[tuple[int, int, bool]]:
    """Runs of instructions (start, stop, is_wide) that together are the segment; wide gates stand alone."""
    operations = segment.block.operations
    several = (table[:, TARGETS] > 2) | ((table[:, TARGETS] == 2) & (table[:, CONTROLS] > 0))
    wide = several & (table[:, CODE] == POOLED) & (table[:, TARGETS] + table[:, CONTROLS] > _MOST_OPERANDS)
    cuts = np.flatnonzero(wide[operations]).tolist() if wide.any() else []
    spans: list[tuple[int, int, bool]] = []
    start = 0
    for cut in [*cuts, len(operations)]:
        spans.extend((at, min(at + MOST_PLANNED, cut), False) for at in range(start, cut, MOST_PLANNED))
        if cut < len(operations):
            spans.append((cut, cut + 1, True))
        start = cut + 1
    return spans
