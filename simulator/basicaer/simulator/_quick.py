"""Small circuits of nothing but gates, from columns to amplitudes in few calls.

What this module does is what `statevector` does anyway, without its general steps, which take longer than a
small circuit itself. It makes no errors of its own: whatever it does not know or does not like, it leaves to
them.
"""

from __future__ import annotations

import cmath
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._control import RunControl
from basicaer.simulator._engine import PADDED_QUBITS
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._operations import Operation
from basicaer.simulator._state import Amplitudes
from basicaer.simulator.engine._compile import columns_are_valid, compile_columns
from basicaer.simulator.engine._executor import execute
from basicaer.simulator.engine._matrices import COLUMNS, operation_table
from basicaer.simulator.engine._run import BLOCK_BITS, Workspace

MOST_QUBITS = 12
_MOST_TABLES = 1024

_Table = tuple[Any, Any]
_tables: dict[tuple[tuple[str, int, int], ...], _Table] = {}
_local = threading.local()


def quick_statevector(circuit: Circuit, single: bool) -> Amplitudes | None:
    """The amplitudes from the basis state 0, complex64 when `single`; None when the general way must be
    taken."""
    num_qubits = circuit.num_qubits
    if type(num_qubits) is not int or not 1 <= num_qubits <= MOST_QUBITS:
        return None
    found = _table(circuit.operations)
    if found is None:
        return None
    table, pool = found
    body = circuit.body
    columns = (body.operations, body.qubits, body.parameters)
    if len(body.clbits) or len(body.term_factors) or not columns_are_valid(table, pool, columns, num_qubits):
        return None
    real = np.float32 if single else np.float64
    lane_bits = 4 if single else 3
    pad = lane_bits if num_qubits <= PADDED_QUBITS else 0
    span = np.array((0, len(body.operations), 0, 0))
    plan, phase, bits = compile_columns(
        table, pool, columns, span, num_qubits, True, BLOCK_BITS[np.dtype(real).itemsize], lane_bits, pad
    )
    stages, rows, coefs, terms = plan
    if single:
        coefs = coefs.astype(np.float32)
    if circuit.global_phase:
        phase *= cmath.exp(1j * circuit.global_phase)
    space = _workspace(bits, real)
    memory = np.zeros(2 << num_qubits + pad, real)
    counters = np.zeros((len(stages), 16), np.int64)
    arguments = (
        memory,
        phase,
        True,
        (stages, rows, coefs, terms),
        lane_bits,
        space.block,
        space.work,
        counters,
    )
    execute(*arguments, _NEVER_CANCELLED.flag, 1 << 62)
    state: Amplitudes = memory.view(np.complex64 if single else np.complex128)
    return state[:: 1 << pad].copy() if pad else state


_NEVER_CANCELLED = RunControl()


def _workspace(bits: int, real: Any) -> Workspace:
    """This thread's workspace for blocks of `bits` bits."""
    spaces = _local.__dict__
    key = f"{bits} {real.__name__}"
    space = spaces.get(key)
    if space is None:
        space = spaces[key] = Workspace(bits, real)
    return space


def _table(operations: Sequence[Operation]) -> _Table | None:
    """The operation table of plain gates and matrices, which is kept when there is no matrix."""
    keys = []
    has_matrix = False
    for operation in operations:
        if operation.matrix is not None:
            has_matrix = True
        keys.append((operation.name, operation.num_qubits, operation.num_parameters))
        if (
            operation.num_controls
            or operation.condition is not None
            or operation.parameter_expressions
            or operation.num_clbits
            or operation.initialize is not None
            or operation.store is not None
            or operation.save is not None
        ):
            return None
    key = tuple(keys)
    if not has_matrix and key in _tables:
        return _tables[key]
    if not all(map(_is_plain, operations)):
        return None
    table, pool = (
        operation_table(operations) if operations else (np.zeros((0, COLUMNS), np.int64), _NO_MATRIX)
    )
    if not has_matrix and len(_tables) < _MOST_TABLES:
        _tables[key] = table, pool
    return table, pool


_NO_MATRIX = np.zeros(0, np.complex128)


def _is_plain(operation: Operation) -> bool:
    """Whether an operation is a gate of the table, or a matrix of one or two qubits, and says nothing
    else."""
    matrix = operation.matrix
    if operation.control_state is not None or any(True for _ in operation.blocks()):
        return False
    if matrix is not None:
        return (
            operation.name == "unitary"
            and isinstance(matrix, np.ndarray)
            and matrix.dtype == np.complex128
            and matrix.shape in ((2, 2), (4, 4))
            and operation.num_qubits in (0, len(matrix) // 2)
            and operation.num_parameters == 0
        )
    spec = GATES.get(operation.name)
    return (
        spec is not None
        and not spec.any_controls
        and operation.num_qubits in (0, spec.num_qubits)
        and operation.num_parameters in (0, spec.num_parameters)
    )
