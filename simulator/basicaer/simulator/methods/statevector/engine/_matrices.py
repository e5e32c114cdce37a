"""Matrices of gates, computed from the packed columns without a Python object for each gate.

`operation_table` turns a circuit's distinct operations into rows of integers, once a circuit. Gates without
parameters and explicit matrices lie in a pool; those with parameters have the number of a formula, by which
`parametric` computes the matrix. For those that have parameters and no formula, `with_matrices` puts a matrix
into the pool for each instruction. Matrices are row-major and flat; the first target is the least significant
bit of row and column.
"""

from collections.abc import Sequence
from math import cos, sin, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.circuit._formulas import POOLED
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import Matrices, controlled
from basicaer.simulator.circuit._operations import Block, Operation
from basicaer.simulator.methods.statevector.engine._arrays import Complexes, Reals
from basicaer.simulator.methods.statevector.engine.columns.gates import (
    COLUMNS,
    CONTROLS,
    OFFSET,
    PARAMETERS,
    STATE,
    TARGETS,
)
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

Table: TypeAlias = npt.NDArray[np.int64]
Pool: TypeAlias = npt.NDArray[np.complex128]

NOT_COMPUTED = -1
"""OFFSET of a gate whose record alone can compute its matrices; `with_matrices` lets it."""


def operation_table(operations: Sequence[Operation]) -> tuple[Table, Pool]:
    """Rows for `operations`, all of them gates or explicit matrices, and the pool of their matrices."""
    table = np.zeros((len(operations), COLUMNS), dtype=np.int64)
    matrices: list[npt.NDArray[np.complex128]] = []
    size = 0
    for row, operation in enumerate(operations):
        if operation.matrix is not None:
            formula, controls, state, parameters = POOLED, operation.num_controls, _state(operation, 0), 0
            targets, matrix = len(operation.matrix).bit_length() - 1, operation.matrix
        else:
            spec = GATES.get(operation.name)
            if spec is None:
                continue
            own = spec.num_controls
            if spec.any_controls:
                own = operation.num_qubits - operation.num_controls - spec.num_targets
            formula, controls, state = spec.formula, own + operation.num_controls, _state(operation, own)
            targets, parameters = spec.num_targets, spec.num_parameters
            if formula == POOLED and not parameters:
                matrix = spec.target_matrices(np.zeros((1, 0)))[0]
            else:
                offset = NOT_COMPUTED if formula == POOLED else 0
                table[row] = (formula, targets, controls, state, parameters, offset)
                continue
        table[row] = (formula, targets, controls, state, parameters, size)
        matrix = _with_a_target(table[row], matrix[None])[0]
        matrices.append(matrix.reshape(-1))
        size += matrix.size
    pool = np.concatenate(matrices) if matrices else np.zeros(0)
    return table, np.ascontiguousarray(pool, dtype=np.complex128)


def with_matrices(
    operations: Sequence[Operation], block: Block, table: Table, pool: Pool
) -> tuple[Table, Pool, npt.NDArray[np.uint32]]:
    """Return the table and pool of `operations`, with a row and a matrix for each instruction of `block`
    whose gate has parameters and no formula; and the block's column of operations, with the numbers of these
    rows.
    """
    waiting = np.flatnonzero(table[:, OFFSET] == NOT_COMPUTED)
    column = block.operations
    if not len(waiting) or not np.isin(column, waiting).any():
        return table, pool, column
    firsts = np.cumsum(table[column, PARAMETERS]) - table[column, PARAMETERS]
    rows, matrices, column = [table], [pool], column.copy()
    for number in waiting.tolist():
        places = np.flatnonzero(block.operations == number)
        if not len(places):
            continue
        row = table[number].copy()
        values = block.parameters[firsts[places][:, None] + np.arange(row[PARAMETERS])]
        found = _with_a_target(row, GATES[operations[number].name].target_matrices(values))
        own = np.tile(row, (len(places), 1))
        own[:, OFFSET] = sum(map(len, matrices)) + np.arange(len(places)) * found[0].size
        column[places] = sum(map(len, rows)) + np.arange(len(places))
        rows.append(own)
        matrices.append(found.reshape(-1))
    # As all columns are, for which the planner is compiled.
    column.flags.writeable = False
    return np.concatenate(rows), np.concatenate(matrices), column


def _with_a_target(row: npt.NDArray[np.int64], matrices: Matrices) -> Matrices:
    """Return the matrices of a row: a factor under controls has no target, so its last control becomes
    one.
    """
    if row[TARGETS] or not row[CONTROLS]:
        return matrices
    row[TARGETS] = 1
    row[CONTROLS] -= 1
    on = int(row[STATE]) >> int(row[CONTROLS])
    row[STATE] &= (1 << int(row[CONTROLS])) - 1
    return np.stack([controlled(matrix, 1, on) for matrix in matrices])


def _state(operation: Operation, own: int) -> int:
    """Return the bits on which all controls act: the extra ones come first, the gate's own `own` ones act on
    1.
    """
    state = operation.control_state
    if state is None:
        state = (1 << operation.num_controls) - 1
    return state | (((1 << own) - 1) << operation.num_controls)


@compiled
def _phase(angle: float) -> complex:
    return complex(cos(angle), sin(angle))


@compiled
def parametric(code: int, p: Reals, at: int, m: Complexes) -> None:
    """Write the matrix of the formula `code` with parameters p[at], p[at + 1], ... to m[0:4] or m[0:16]."""
    angle = p[at]
    c, s = cos(angle / 2), sin(angle / 2)
    if code == formulas.P:
        m[0], m[1], m[2], m[3] = 1.0, 0.0, 0.0, _phase(angle)
    elif code == formulas.U or code == formulas.CU:
        phi, lam = p[at + 1], p[at + 2]
        g = _phase(p[at + 3]) if code == formulas.CU else complex(1.0)
        m[0], m[1], m[2], m[3] = g * c, -_phase(lam) * s * g, _phase(phi) * s * g, _phase(phi + lam) * c * g
    elif code == formulas.U2:
        phi, lam, h = angle, p[at + 1], sqrt(0.5)
        m[0], m[1], m[2], m[3] = h, -h * _phase(lam), h * _phase(phi), h * _phase(phi + lam)
    elif code == formulas.R:
        phi = p[at + 1]
        m[0], m[1], m[2], m[3] = c, -1j * s * _phase(-phi), -1j * s * _phase(phi), c
    elif code == formulas.RX:
        m[0], m[1], m[2], m[3] = c, complex(0.0, -s), complex(0.0, -s), c
    elif code == formulas.RY:
        m[0], m[1], m[2], m[3] = c, -s, s, c
    elif code == formulas.RZ:
        m[0], m[1], m[2], m[3] = complex(c, -s), 0.0, 0.0, complex(c, s)
    else:
        _parametric_two(code, c, s, p, at, m)


@compiled
def _parametric_two(code: int, c: float, s: float, p: Reals, at: int, m: Complexes) -> None:
    """`parametric` for gates of two qubits, from the cosine and sine of half the first parameter."""
    m[:16] = 0.0
    i = complex(0.0, s)
    if code == formulas.RXX or code == formulas.RYY:
        m[0] = m[5] = m[10] = m[15] = c
        m[6] = m[9] = -i
        m[3] = m[12] = -i if code == formulas.RXX else i
    elif code == formulas.RZZ:
        m[0] = m[15] = complex(c, -s)
        m[5] = m[10] = complex(c, s)
    elif code == formulas.RZX:
        m[0] = m[5] = m[10] = m[15] = c
        m[2] = m[8] = -i
        m[7] = m[13] = i
    else:
        beta = p[at + 1]
        lower, upper = -i * _phase(beta), -i * _phase(-beta)
        if code == formulas.XX_MINUS_YY:
            m[0] = m[15] = c
            m[5] = m[10] = 1.0
            m[3], m[12] = upper, lower
        else:  # xx_plus_yy
            m[0] = m[15] = 1.0
            m[5] = m[10] = c
            m[6], m[9] = upper, lower
