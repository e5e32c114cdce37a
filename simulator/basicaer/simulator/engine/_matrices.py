"""Matrices of gates, computed from the packed columns without a Python object for each gate.

`operation_table` turns a circuit's distinct operations into rows of integers, once a circuit. Gates without
parameters and explicit matrices lie in a pool; those with parameters have a code, for which `parametric`
computes the matrix. Matrices are row-major and flat; the first target is the least significant bit of row
and column.
"""

from collections.abc import Sequence
from math import cos, sin, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._operations import Operation
from basicaer.simulator.engine._jit import compiled

CODE, TARGETS, CONTROLS, STATE, PARAMETERS, OFFSET, COLUMNS = range(7)
"""Columns of the operation table. STATE has a bit for each control; OFFSET is that of the matrix in the
pool."""

POOLED, SWAP, NOTHING, PHASE = 0, 1, 2, 3
_PARAMETRIC = (
    "p",
    "u",
    "u2",
    "r",
    "rx",
    "ry",
    "rz",
    "cu",
    "rxx",
    "ryy",
    "rzz",
    "rzx",
    "xx_minus_yy",
    "xx_plus_yy",
)
_CODES = {name: 4 + k for k, name in enumerate(_PARAMETRIC)} | {
    "swap": SWAP,
    "id": NOTHING,
    "u0": NOTHING,
    "global_phase": PHASE,
}
_SAME_TARGET = {
    "u1": "p",
    "u3": "u",
    "cp": "p",
    "cu1": "p",
    "cu3": "u",
    "crx": "rx",
    "cry": "ry",
    "crz": "rz",
    "cswap": "swap",
    "mcswap": "swap",
    "mcp": "p",
    "mcrx": "rx",
    "mcry": "ry",
    "mcrz": "rz",
    "mcr": "r",
    "mcu2": "u2",
    "mcu3": "u",
    "mcu": "cu",
}


def operation_table(
    operations: Sequence[Operation],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.complex128]]:
    """Rows for `operations`, all of them gates or explicit matrices, and the pool of their matrices."""
    table = np.zeros((len(operations), COLUMNS), dtype=np.int64)
    matrices: list[npt.NDArray[np.complex128]] = []
    size = 0
    for row, operation in enumerate(operations):
        if operation.matrix is not None:
            matrix = operation.matrix
            targets = len(matrix).bit_length() - 1
            entry = (POOLED, targets, operation.num_controls, _state(operation, 0), 0)
        else:
            spec = GATES.get(operation.name)
            if spec is None:
                continue
            own = spec.num_controls
            if spec.any_controls:
                own = operation.num_qubits - operation.num_controls - spec.num_targets
            code = _CODES.get(_SAME_TARGET.get(spec.name, spec.name), POOLED)
            entry = (
                code,
                spec.num_targets,
                own + operation.num_controls,
                _state(operation, own),
                spec.num_parameters,
            )
            if code != POOLED:
                table[row, :5] = entry
                continue
            matrix = spec.target_matrices(np.zeros((1, 0)))[0]
        table[row] = (*entry, size)
        matrices.append(matrix.reshape(-1))
        size += matrix.size
    pool = np.concatenate(matrices) if matrices else np.zeros(0)
    return table, np.ascontiguousarray(pool, dtype=np.complex128)


def _state(operation: Operation, own: int) -> int:
    """The bits on which all controls act: the extra ones come first, the gate's own `own` ones act on 1."""
    state = operation.control_state
    if state is None:
        state = (1 << operation.num_controls) - 1
    return state | (((1 << own) - 1) << operation.num_controls)


@compiled
def _phase(angle: float) -> complex:
    return complex(cos(angle), sin(angle))


@compiled
def parametric(code: int, p: Any, at: int, m: Any) -> None:
    """Write the matrix of the gate `code` with parameters p[at], p[at + 1], ... to m[0:4] or m[0:16]."""
    angle = p[at]
    c, s = cos(angle / 2), sin(angle / 2)
    if code == 4:  # p
        m[0], m[1], m[2], m[3] = 1.0, 0.0, 0.0, _phase(angle)
    elif code == 5 or code == 11:  # u, cu
        phi, lam = p[at + 1], p[at + 2]
        g = _phase(p[at + 3]) if code == 11 else complex(1.0)
        m[0], m[1], m[2], m[3] = g * c, -_phase(lam) * s * g, _phase(phi) * s * g, _phase(phi + lam) * c * g
    elif code == 6:  # u2
        phi, lam, h = angle, p[at + 1], sqrt(0.5)
        m[0], m[1], m[2], m[3] = h, -h * _phase(lam), h * _phase(phi), h * _phase(phi + lam)
    elif code == 7:  # r
        phi = p[at + 1]
        m[0], m[1], m[2], m[3] = c, -1j * s * _phase(-phi), -1j * s * _phase(phi), c
    elif code == 8:  # rx
        m[0], m[1], m[2], m[3] = c, complex(0.0, -s), complex(0.0, -s), c
    elif code == 9:  # ry
        m[0], m[1], m[2], m[3] = c, -s, s, c
    elif code == 10:  # rz
        m[0], m[1], m[2], m[3] = complex(c, -s), 0.0, 0.0, complex(c, s)
    else:
        _parametric_two(code, c, s, p, at, m)


@compiled
def _parametric_two(code: int, c: float, s: float, p: Any, at: int, m: Any) -> None:
    """`parametric` for gates of two qubits, from the cosine and sine of half the first parameter."""
    m[:16] = 0.0
    i = complex(0.0, s)
    if code == 12 or code == 13:  # rxx, ryy
        m[0] = m[5] = m[10] = m[15] = c
        m[6] = m[9] = -i
        m[3] = m[12] = -i if code == 12 else i
    elif code == 14:  # rzz
        m[0] = m[15] = complex(c, -s)
        m[5] = m[10] = complex(c, s)
    elif code == 15:  # rzx
        m[0] = m[5] = m[10] = m[15] = c
        m[2] = m[8] = -i
        m[7] = m[13] = i
    else:
        beta = p[at + 1]
        lower, upper = -i * _phase(beta), -i * _phase(-beta)
        if code == 16:  # xx_minus_yy
            m[0] = m[15] = c
            m[5] = m[10] = 1.0
            m[3], m[12] = upper, lower
        else:  # xx_plus_yy
            m[0] = m[15] = 1.0
            m[5] = m[10] = c
            m[6], m[9] = upper, lower
