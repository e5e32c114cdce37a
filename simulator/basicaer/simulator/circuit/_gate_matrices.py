"""The matrices on gates' targets, from rows of parameters; the records of `_gate_table.py` have them.

Angles are in radians, and the first target is the least significant bit of row and column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.circuit._gates import Known, Matrices, Parameters

R = 2.0**-0.5
_Entries = list[list[npt.ArrayLike]]


def constant(entries: Sequence[Sequence[complex]] | Matrices) -> Callable[[Parameters], Matrices]:
    matrix = np.array(entries, dtype=np.complex128)
    matrix.flags.writeable = False

    def matrices(parameters: Parameters) -> Matrices:
        return np.broadcast_to(matrix, (len(parameters), *matrix.shape))

    return matrices


def _known(formula: int) -> Callable[[Callable[[Parameters], Matrices]], Known]:
    """Mark matrices that the engine computes by itself."""
    return lambda matrices: Known(matrices, formula)


def _filled(parameters: Parameters, entries: _Entries) -> Matrices:
    """Matrices of which each entry is a number, or an array with one number for each row of `parameters`."""
    result = np.zeros((len(parameters), len(entries), len(entries)), dtype=np.complex128)
    for row, values in enumerate(entries):
        for column, value in enumerate(values):
            result[:, row, column] = value
    return result


def _columns(parameters: Parameters) -> tuple[Parameters, ...]:
    return tuple(parameters.T)


def _half(angle: Parameters) -> tuple[Parameters, Parameters]:
    return np.cos(angle / 2), np.sin(angle / 2)


def _phase(angle: Parameters) -> Matrices:
    phases: Matrices = np.exp(1j * angle)
    return phases


@_known(formulas.PHASE)
def global_phase(parameters: Parameters) -> Matrices:
    return _filled(parameters, [[_phase(parameters[:, 0])]])


@_known(formulas.P)
def p(parameters: Parameters) -> Matrices:
    return _filled(parameters, [[1, 0], [0, _phase(parameters[:, 0])]])


@_known(formulas.NOTHING)
def u0(parameters: Parameters) -> Matrices:
    return _filled(parameters, [[1, 0], [0, 1]])


@_known(formulas.U)
def u(parameters: Parameters) -> Matrices:
    theta, phi, lam = _columns(parameters)
    cos, sin = _half(theta)
    return _filled(parameters, [[cos, -_phase(lam) * sin], [_phase(phi) * sin, _phase(phi + lam) * cos]])


@_known(formulas.U2)
def u2(parameters: Parameters) -> Matrices:
    phi, lam = _columns(parameters)
    return _filled(parameters, [[R, -R * _phase(lam)], [R * _phase(phi), R * _phase(phi + lam)]])


@_known(formulas.CU)
def cu_target(parameters: Parameters) -> Matrices:
    return u(parameters[:, :3]) * _phase(parameters[:, 3])[:, None, None]


@_known(formulas.R)
def r(parameters: Parameters) -> Matrices:
    theta, phi = _columns(parameters)
    cos, sin = _half(theta)
    return _filled(parameters, [[cos, -1j * _phase(-phi) * sin], [-1j * _phase(phi) * sin, cos]])


@_known(formulas.RX)
def rx(parameters: Parameters) -> Matrices:
    cos, sin = _half(parameters[:, 0])
    return _filled(parameters, [[cos, -1j * sin], [-1j * sin, cos]])


@_known(formulas.RY)
def ry(parameters: Parameters) -> Matrices:
    cos, sin = _half(parameters[:, 0])
    return _filled(parameters, [[cos, -sin], [sin, cos]])


@_known(formulas.RZ)
def rz(parameters: Parameters) -> Matrices:
    half = parameters[:, 0] / 2
    return _filled(parameters, [[_phase(-half), 0], [0, _phase(half)]])


@_known(formulas.RXX)
def rxx(parameters: Parameters) -> Matrices:
    c, sin = _half(parameters[:, 0])
    s = -1j * sin
    return _filled(parameters, [[c, 0, 0, s], [0, c, s, 0], [0, s, c, 0], [s, 0, 0, c]])


@_known(formulas.RYY)
def ryy(parameters: Parameters) -> Matrices:
    c, sin = _half(parameters[:, 0])
    s = 1j * sin
    return _filled(parameters, [[c, 0, 0, s], [0, c, -s, 0], [0, -s, c, 0], [s, 0, 0, c]])


@_known(formulas.RZZ)
def rzz(parameters: Parameters) -> Matrices:
    even, odd = _phase(-parameters[:, 0] / 2), _phase(parameters[:, 0] / 2)
    return _filled(parameters, [[even, 0, 0, 0], [0, odd, 0, 0], [0, 0, odd, 0], [0, 0, 0, even]])


@_known(formulas.RZX)
def rzx(parameters: Parameters) -> Matrices:
    c, sin = _half(parameters[:, 0])
    s = 1j * sin
    return _filled(parameters, [[c, 0, -s, 0], [0, c, 0, s], [-s, 0, c, 0], [0, s, 0, c]])


@_known(formulas.XX_MINUS_YY)
def xx_minus_yy(parameters: Parameters) -> Matrices:
    theta, beta = _columns(parameters)
    c, sin = _half(theta)
    lower, upper = -1j * sin * _phase(beta), -1j * sin * _phase(-beta)
    return _filled(parameters, [[c, 0, 0, upper], [0, 1, 0, 0], [0, 0, 1, 0], [lower, 0, 0, c]])


@_known(formulas.XX_PLUS_YY)
def xx_plus_yy(parameters: Parameters) -> Matrices:
    theta, beta = _columns(parameters)
    c, sin = _half(theta)
    lower, upper = -1j * sin * _phase(beta), -1j * sin * _phase(-beta)
    return _filled(parameters, [[1, 0, 0, 0], [0, c, upper, 0], [0, lower, c, 0], [0, 0, 0, 1]])


def relative(size: int, changed: Mapping[tuple[int, int], complex]) -> Callable[[Parameters], Matrices]:
    """Return the identity of `size` rows but for the rows in `changed`, which gives their only entries."""
    matrix = np.eye(size, dtype=np.complex128)
    for row, _ in changed:
        matrix[row] = 0
    for place, value in changed.items():
        matrix[place] = value
    return constant(matrix)


X = constant([[0, 1], [1, 0]])
Y = constant([[0, -1j], [1j, 0]])
Z = constant([[1, 0], [0, -1]])
H = constant([[R, R], [R, -R]])
S = constant([[1, 0], [0, 1j]])
SDG = constant([[1, 0], [0, -1j]])
SX = constant([[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]])
SXDG = constant([[0.5 - 0.5j, 0.5 + 0.5j], [0.5 + 0.5j, 0.5 - 0.5j]])
SWAP = Known(constant([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]), formulas.SWAP)
