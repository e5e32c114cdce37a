"""Small circuits of nothing but gates, from columns to amplitudes in one compiled call.

What this module does is what `statevector` does anyway, without its general steps, which take longer than a
small circuit itself. It makes no errors of its own: whatever it does not know or does not like, it leaves to
them.
"""

from __future__ import annotations

import cmath
import threading
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._formulas import POOLED
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.methods.statevector._state import Amplitudes
from basicaer.simulator.methods.statevector.engine._matrices import operation_table
from basicaer.simulator.methods.statevector.engine.columns.gates import COLUMNS
from basicaer.simulator.methods.statevector.engine.direct._direct import DONE, simulate, space_size

MOST_QUBITS = 16
"""The largest state that is computed gate by gate; there only a few gates are."""
_EVERY_LENGTH = 11
"""Up to this size every circuit is."""
_MOST_WORK = 1 << 20
"""Above, the most gates times amplitudes; with more, planning is won back."""
_MOST_TABLES = 1024

_Table = tuple[Any, Any]
_tables: dict[Any, _Table] = {}
_local = threading.local()
"""`space` is this thread's scratch memory for circuits of any length."""


def quick_statevector(circuit: Circuit, single: bool) -> Amplitudes | None:
    """Return the amplitudes from the basis state 0, complex64 when `single`; None when the general way must
    be taken.
    """
    num_qubits = circuit.num_qubits
    if type(num_qubits) is not int or not 1 <= num_qubits <= MOST_QUBITS:
        return None
    body = circuit.body
    operations = body.operations
    if num_qubits > _EVERY_LENGTH and len(operations) << num_qubits > _MOST_WORK:
        return None
    found = circuit.lowered
    if found is None or found[0] is not body:
        only_gates = not len(body.clbits) and not len(body.term_factors)
        found = circuit.lowered = body, _table(circuit.operations) if only_gates else None
    if found[1] is None:
        return None
    table, pool = found[1]
    phase = cmath.exp(1j * circuit.global_phase) if circuit.global_phase else 1 + 0j
    space = getattr(_local, "space", None) if num_qubits <= _EVERY_LENGTH else _space(num_qubits)
    if space is None:
        space = _local.space = _space(_EVERY_LENGTH)
    state = np.empty(1 << num_qubits, np.complex128)
    ended = simulate(table, pool, operations, body.qubits, body.parameters, phase, state, space)
    if ended != DONE:
        return None
    return state.astype(np.complex64) if single else state


def _space(num_qubits: int) -> Any:
    """Scratch memory for states of up to so many qubits."""
    space = np.empty(space_size(num_qubits) + 8)
    return space[-space.ctypes.data % 64 // 8 :]


_SPECIAL = attrgetter(
    *("num_controls", "control_state", "num_clbits", "condition", "parameter_expressions", "initialize"),
    *("store", "save", "if_else", "while_loop", "for_loop", "switch_case", "channel", "set_state"),
)
_NOTHING_SPECIAL = (0, None, 0, None, (), None, None, None, None, None, None, None, None, None)
_FIELDS = attrgetter("name", "num_qubits", "num_parameters")


def _table(operations: Sequence[Operation]) -> _Table | None:
    """Return the operation table of plain gates and matrices, and its pool."""
    has_matrix = any(operation.matrix is not None for operation in operations)
    if any(_SPECIAL(operation) != _NOTHING_SPECIAL for operation in operations):
        return None
    key = tuple(map(_FIELDS, operations))
    if not has_matrix and key in _tables:
        return _tables[key]
    if not all(map(_is_plain, operations)):
        return None
    made = operation_table(operations) if operations else (np.zeros((0, COLUMNS), np.int64), _NO_MATRIX)
    if not has_matrix and len(_tables) < _MOST_TABLES:
        _tables[key] = made
    return made


_NO_MATRIX = np.zeros(0, np.complex128)


def _is_plain(operation: Operation) -> bool:
    """Whether an operation that says nothing special is a gate of the table, or a matrix of one or two
    qubits.
    """
    matrix = operation.matrix
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
        and (spec.formula != POOLED or not spec.num_parameters)
        and operation.num_qubits in (0, spec.num_qubits)
        and operation.num_parameters in (0, spec.num_parameters)
    )
