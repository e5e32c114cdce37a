"""What a gate is: one declarative record for each name, of which `_gate_table.py` holds them all.

Everything that knows gates reads it: validation, the engine and the reference here; `ListBackends` in the
service; and, by what `make gates` writes, the client's methods, its converter from Qiskit, and docs/gates.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit import _formulas as formulas

Matrices: TypeAlias = npt.NDArray[np.complex128]
Parameters: TypeAlias = npt.NDArray[np.float64]
Step: TypeAlias = tuple[str, tuple[int, ...], tuple[float, ...]]
"""One gate of a decomposition: name, qubits, parameters."""


_ANGLES = ("theta", "phi", "lam", "gamma")
_TARGETS = {1: ("target",), 2: ("first", "second")}
_CONTROLS = {1: ("control",), 2: ("control", "other")}


@dataclass(frozen=True, slots=True)
class Known:
    """Matrices as a record has them, which the engine also computes by itself, by the formula `formula`."""

    matrices: Callable[[Parameters], Matrices]
    formula: int

    def __call__(self, parameters: Parameters) -> Matrices:
        """Return the matrices for rows of parameters."""
        return self.matrices(parameters)


@dataclass(frozen=True, slots=True)
class GateSpec:
    """A standard gate.

    `num_qubits` counts all its qubits, of which the first `num_controls` are controls that act on 1; the
    others are the targets. When `any_controls` is set, the name stands for every number of controls from
    `num_controls` up, and an operation has to state its `num_qubits`.

    `target_matrices` maps parameters of shape (m, num_parameters), in radians, to matrices of shape (m, 2^t,
    2^t) for the t targets, the first target being the index's least significant bit. An entry is 0 for all
    parameters or for almost none. A `Known` tells the engine's formula as well; the engine is then quicker.

    `decomposition` maps the parameters to an equivalent sequence of simpler gates, exact to the global phase
    included; None for gates of one qubit and those that are only another gate with controls.

    `is_method` says that circuits of the client have a method of the gate's name, as Qiskit's have it. Its
    arguments are `angles` and `operands`, where they aren't named as those of most gates. `is_qiskits` says
    that a gate of this name in Qiskit's library means the same.
    """

    name: str
    doc: str
    num_qubits: int
    num_parameters: int
    target_matrices: Callable[[Parameters], Matrices]
    num_controls: int = 0
    any_controls: bool = False
    aliases: tuple[str, ...] = ()
    decomposition: Callable[..., Sequence[Step]] | None = None
    is_method: bool = True
    angles: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    is_qiskits: bool = True

    @property
    def formula(self) -> int:
        """The engine's formula for the matrix on the targets, of `_formulas`."""
        return self.target_matrices.formula if isinstance(self.target_matrices, Known) else formulas.POOLED

    @property
    def angle_arguments(self) -> tuple[str, ...]:
        """The names of the parameters as arguments of the client's method."""
        return self.angles or _ANGLES[: self.num_parameters]

    @property
    def operand_arguments(self) -> tuple[str, ...]:
        """The names of the qubits as arguments of the client's method; "controls" stands for all of them."""
        if self.operands or not self.num_qubits:
            return self.operands
        if self.num_qubits == 1:
            return ("qubit",)
        numbered = tuple(f"qubit{number}" for number in range(self.num_targets))
        controls = tuple(f"control{number}" for number in range(self.num_controls))
        return (
            *(("controls",) if self.any_controls else _CONTROLS.get(self.num_controls, controls)),
            *_TARGETS.get(self.num_targets, numbered),
        )

    @property
    def num_targets(self) -> int:
        """How many of the qubits are not controls."""
        return self.num_qubits - self.num_controls

    def matrix(self, *parameters: float) -> Matrices:
        """Return the whole matrix, controls included, of shape (2^num_qubits, 2^num_qubits).

        Raises `ValueError` when the number of parameters is wrong.
        """
        if len(parameters) != self.num_parameters:
            raise ValueError(f"{self.name} takes {self.num_parameters} parameters, not {len(parameters)}")
        values = np.array(parameters, dtype=np.float64).reshape(1, self.num_parameters)
        return controlled(self.target_matrices(values)[0], self.num_controls, (1 << self.num_controls) - 1)


def controlled(matrix: Matrices, num_controls: int, control_state: int) -> Matrices:
    """`matrix` with controls, which become the index's least significant bits, acting on `control_state`."""
    if num_controls == 0:
        return matrix
    size = matrix.shape[0] << num_controls
    result = np.eye(size, dtype=np.complex128)
    acted_on = (np.arange(matrix.shape[0]) << num_controls) | control_state
    result[np.ix_(acted_on, acted_on)] = matrix
    return result
