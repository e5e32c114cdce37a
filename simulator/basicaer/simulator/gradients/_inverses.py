"""Gates backwards: the inverse of each operation of a table, and derivatives of gates by parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError
from basicaer.simulator.circuit import _formulas as formulas
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import Matrices, Parameters
from basicaer.simulator.circuit._layout import fixed_parameters, qubits_of
from basicaer.simulator.circuit._operations import Operation

__all__ = ["Gate", "Inverse", "derivatives", "gate_of", "inverse_of"]

_NEGATED = frozenset(
    {
        *(formulas.PHASE, formulas.P, formulas.RX, formulas.RY, formulas.RZ, formulas.RXX),
        *(formulas.RYY, formulas.RZZ, formulas.RZX, formulas.NOTHING),
    }
)
# The inverse of a gate is the same gate with parameters `signs * old[order] + added`.
_TURNED: dict[int, tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]] = {
    formulas.U: ((0, 2, 1), (-1.0, -1.0, -1.0), (0.0, 0.0, 0.0)),
    formulas.CU: ((0, 2, 1, 3), (-1.0, -1.0, -1.0, -1.0), (0.0, 0.0, 0.0, 0.0)),
    formulas.U2: ((1, 0), (-1.0, -1.0), (-pi, pi)),
    formulas.R: ((0, 1), (-1.0, 1.0), (0.0, 0.0)),
    formulas.XX_MINUS_YY: ((0, 1), (-1.0, 1.0), (0.0, 0.0)),
    formulas.XX_PLUS_YY: ((0, 1), (-1.0, 1.0), (0.0, 0.0)),
}
_DIAGONAL = frozenset({formulas.PHASE, formulas.P, formulas.RZ, formulas.RZZ, formulas.NOTHING})

# As a function of half its angle a matrix of the table is a trigonometric polynomial of degree 2, whose
# derivative is exactly this sum over four other angles (Wierichs et al. 2022, arXiv:2107.12390, equation 21).
_SHIFTS = (2 * np.arange(1, 5) - 1) * (pi / 2)
_WEIGHTS = 0.5 * np.array([1.0, -1.0, 1.0, -1.0]) / (8 * np.sin(_SHIFTS / 4) ** 2)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate of a table is: `controls` of its qubits come first, and act on the bits of `state`."""

    controls: int
    targets: int
    state: int
    is_diagonal: bool


def gate_of(operation: Operation) -> Gate:
    """Return what a gate, or an explicit matrix, is."""
    controls, state = operation.num_controls, operation.control_state
    if state is None:
        state = (1 << controls) - 1
    if operation.matrix is not None:
        targets = qubits_of(operation) - controls
        return Gate(controls, targets, state, _is_diagonal(operation.matrix))
    spec = GATES[operation.name]
    own = spec.num_controls
    if spec.any_controls:
        own = operation.num_qubits - controls - spec.num_targets
    state |= ((1 << own) - 1) << controls
    if spec.num_parameters:
        is_diagonal = spec.formula in _DIAGONAL
    else:
        is_diagonal = _is_diagonal(spec.target_matrices(np.zeros((1, 0)))[0])
    return Gate(controls + own, spec.num_targets, state, is_diagonal)


def _is_diagonal(matrix: Matrices) -> bool:
    return not matrix[~np.eye(len(matrix), dtype=np.bool_)].any()


@dataclass(frozen=True, slots=True)
class Inverse:
    """An operation's inverse, whose parameters are `signs * old[order] + added`."""

    operation: Operation
    order: tuple[int, ...]
    signs: tuple[float, ...]
    added: tuple[float, ...]


def inverse_of(operation: Operation) -> Inverse:
    """Return the inverse of a gate or an explicit matrix.

    Raises:
        CircuitError: It has parameters, and nothing says how its inverse comes of them.
    """
    count = fixed_parameters(operation.name)
    if operation.matrix is not None:
        return Inverse(replace(operation, matrix=operation.matrix.conj().T.copy()), (), (), ())
    spec = GATES[operation.name]
    if not count:
        matrix = spec.target_matrices(np.zeros((1, 0)))[0]
        if np.array_equal(matrix, matrix.conj().T):
            return Inverse(operation, (), (), ())
        gate = gate_of(operation)
        explicit = Operation(
            "unitary",
            num_qubits=gate.controls + gate.targets,
            num_controls=gate.controls,
            control_state=gate.state if gate.controls else None,
            matrix=matrix.conj().T.copy(),
        )
        return Inverse(explicit, (), (), ())
    if spec.formula in _NEGATED:
        return Inverse(operation, tuple(range(count)), (-1.0,) * count, (0.0,) * count)
    if spec.formula not in _TURNED:
        raise CircuitError(f"the gate {operation.name} has no known inverse")
    return Inverse(operation, *_TURNED[spec.formula])


def derivatives(name: str, parameters: Parameters) -> tuple[Matrices, Matrices]:
    """Return matrices on the targets of a gate of the table, and how they change.

    `parameters` is of shape (m, p). The first array, of shape (m, 2^t, 2^t), has the matrices U; the second,
    of shape (m, p, 2^t, 2^t), has dU/dp times the inverse of U.
    """
    spec = GATES[name]
    matrices = np.array(spec.target_matrices(parameters))
    changes = np.zeros((len(parameters), parameters.shape[1], *matrices.shape[1:]), dtype=np.complex128)
    for number in range(parameters.shape[1]):
        for shift, weight in zip(_SHIFTS, _WEIGHTS, strict=True):
            moved = parameters.copy()
            moved[:, number] += shift
            changes[:, number] += weight * spec.target_matrices(moved)
    inverse: npt.NDArray[np.complex128] = matrices.conj().transpose(0, 2, 1)
    return matrices, changes @ inverse[:, None]
