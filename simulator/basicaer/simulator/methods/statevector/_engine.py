"""Applies segments of gates to a state: the one interface behind which speed is made.

`Plan(segment, threads)` plans a `Segment` once, and `Plan.apply(state, control)` carries the plan out, in
place, as often as it is needed (for each branch, and each turn of a loop). `circuit/_segment.py` says what
holds of a segment.

`apply` raises `SimulationCancelled` within 50 ms of `RunControl.cancel`, and reports the `Method.work` of its
gates in all through `RunControl.advance`. Equal segments and states give equal amplitudes, bit by bit,
whatever the number of threads.

Behind it is the package `engine`. A plan is made when it is first applied, for the kind of state that it
meets: of single or double precision, and still the basis state 0 or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator.circuit._formulas import POOLED
from basicaer.simulator.circuit._gates import Matrices
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.interface import GatePlan
from basicaer.simulator.methods.statevector._state import State
from basicaer.simulator.methods.statevector._wide import apply_gate, control_bits
from basicaer.simulator.methods.statevector.engine._arrays import Columns, Reals, StagePlan
from basicaer.simulator.methods.statevector.engine._matrices import (
    Pool,
    Table,
    operation_table,
    with_matrices,
)
from basicaer.simulator.methods.statevector.engine.blocks._run import BLOCK_BITS, run_plan
from basicaer.simulator.methods.statevector.engine.columns import spans
from basicaer.simulator.methods.statevector.engine.columns.gates import (
    CODE,
    COLUMNS,
    CONTROLS,
    OFFSET,
    TARGETS,
)
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads
from basicaer.simulator.methods.statevector.engine.machine._pages import zeros
from basicaer.simulator.methods.statevector.engine.planning._compile import compile_columns

PADDED_QUBITS = 6
"""Up to this size, amplitudes lie so far apart that each has a vector of its own, and no gate meets the
lanes."""

_MOST_OPERANDS = 6
"""Gates of more targets and controls than this, other than controlled 1-qubit gates and swaps, are done in
numpy."""

_TABLE = "statevector"
"""By this name a layout keeps the rows and matrices of its operations."""

MOST_PLANNED = 1 << 15
"""Instructions that are planned at once, which bounds the planner's memory."""


class Plan(GatePlan[State]):
    """A segment that is ready to be applied. It keeps no reference to any state, and threads may share it."""

    __slots__ = ("_column", "_compiled", "_pool", "_segment", "_spans", "_table", "_threads")

    def __init__(
        self,
        segment: Segment,
        threads: int | None,
        matrices: npt.NDArray[np.complex128] | None = None,
    ) -> None:
        """`matrices`, of shape (m, 4, 4), are gates of two qubits that the segment's instructions take for
        operations behind those of its table; so many needn't become objects.
        """
        self._segment = segment
        self._threads = threads
        kept = segment.layout.kept
        made = kept.get(_TABLE)
        if made is None or made[0] is not segment.operations:
            made = kept[_TABLE] = (segment.operations, *operation_table(segment.operations))
        _, table, pool = made
        if matrices is not None:
            table, pool = _with_more(table, pool, matrices)
        self._table, self._pool, self._column = with_matrices(segment.operations, segment.block, table, pool)
        self._spans = _spans(self._column, self._table)
        self._compiled: dict[tuple[bool, int, int], Any] = {}

    def __getstate__(self) -> tuple[Any, ...]:
        # The dictionary may grow meanwhile.
        compiled = self._compiled.copy()
        return self._segment, self._threads, self._table, self._pool, self._column, self._spans, compiled

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._segment, self._threads, self._table, self._pool, column, self._spans, self._compiled = state
        # As the planner is compiled for; see `Block`.
        column.flags.writeable = False
        self._column = column

    @property
    def work(self) -> float:
        """What `apply` reports in all."""
        return 2.0**self._segment.num_qubits * len(self._segment.block)

    def apply(self, state: State, control: RunControl) -> None:
        """Apply the segment to `state` in place. See the module for what holds of it."""
        work = 2.0**self._segment.num_qubits
        for number, (start, stop, is_wide) in enumerate(self._spans):
            if is_wide:
                matrix, targets, controls = self.wide(start)
                apply_gate(state, matrix, targets, controls, control)
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
        if pad:
            memory = zeros(1 << num_qubits + pad, state.dtype)
        else:
            memory = state.new_memory() if fresh else state.amplitudes
        if pad and not fresh:
            memory[:: 1 << pad] = state.amplitudes
        threads = self._threads or default_threads()
        run_plan(plan, bits, memory, phase, fresh, threads, control, work)
        if fresh or pad:
            state.adopt(memory[:: 1 << pad].copy() if pad else memory)
        if not fresh and phase != 1.0:
            state.scale(phase, control)

    @property
    def spans(self) -> Sequence[tuple[int, int, bool]]:
        """Runs of instructions (start, stop, is_wide) in order: `columns_of` has those that aren't wide."""
        return self._spans

    def columns_of(self, number: int) -> tuple[Table, Pool, Columns, npt.NDArray[np.int64]]:
        """Return what the compiler takes of a run: the table, the pool, the columns, and the span."""
        start, stop, _ = self._spans[number]
        block = self._segment.block
        offsets = self._segment.layout.offsets(block) if start else None
        span = np.zeros(spans.NUMBERS, dtype=np.int64)
        span[spans.START], span[spans.STOP] = start, stop
        if offsets is not None:
            span[spans.QUBIT], span[spans.PARAMETER] = offsets.qubits[start], offsets.parameters[start]
        return self._table, self._pool, Columns(self._column, block.qubits, block.parameters), span

    def wide(self, number: int) -> tuple[Matrices, list[int], dict[int, int]]:
        """Return the matrix, the targets, and the controls with their states of a wide instruction."""
        segment = self._segment
        block = segment.block
        operation = segment.operations[block.operations[number]]
        row = self._table[self._column[number]]
        first = int(segment.layout.offsets(block).qubits[number])
        size = int(row[CONTROLS])
        operands = block.qubits[first : first + size + int(row[TARGETS])].tolist()
        controls = dict(zip(operands[:size], control_bits(operation, size), strict=True))
        rows = 1 << int(row[TARGETS])
        matrix = self._pool[row[OFFSET] : row[OFFSET] + rows * rows].reshape(rows, rows)
        return matrix, operands[size:], controls

    def _compile(self, number: int, fresh: bool, real_bytes: int, lane_bits: int, pad: int) -> Any:
        plan, phase, bits = compile_columns(
            *self.columns_of(number),
            self._segment.num_qubits,
            fresh,
            BLOCK_BITS[real_bytes],
            lane_bits,
            pad,
        )
        # The compiler's arrays are beginnings of much larger ones (100 kB for five gates), which a plan that
        # is kept with its program must not hold.
        coefs: Reals = plan.coefs.astype(np.float32 if real_bytes == 4 else np.float64)
        own = StagePlan(plan.stages.copy(), plan.rows.copy(), coefs, plan.terms.copy())
        return own, phase, bits


def _with_more(table: Table, pool: Pool, matrices: Pool) -> tuple[Table, Pool]:
    """Return a table and a pool with rows for `matrices` of shape (m, 4, 4), gates of two qubits."""
    rows = np.zeros((len(matrices), COLUMNS), dtype=np.int64)
    rows[:, CODE], rows[:, TARGETS] = POOLED, 2
    rows[:, OFFSET] = len(pool) + 16 * np.arange(len(matrices))
    return np.concatenate([table, rows]), np.concatenate([pool, matrices.reshape(-1)])


def _spans(operations: npt.NDArray[np.uint32], table: Table) -> list[tuple[int, int, bool]]:
    """Run of instructions (start, stop, is_wide) that together are all of them; wide gates stand alone."""
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
