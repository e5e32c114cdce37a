"""What a gate is: one declarative record for each name, of which `_gate_table.py` holds them all.

The engine takes matrices from here columnwise, `ListBackends` the names, and the tests the decompositions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Matrices: TypeAlias = npt.NDArray[np.complex128]
Parameters: TypeAlias = npt.NDArray[np.float64]
Step: TypeAlias = tuple[str, tuple[int, ...], tuple[float, ...]]
"""One gate of a decomposition: name, qubits, parameters."""


@dataclass(frozen=True, slots=True)
class GateSpec:
    """A standard gate.

    `num_qubits` counts all its qubits, of which the first `num_controls` are controls that act on 1; the
    others are the targets. When `any_controls` is set, the name stands for every number of controls from
    `num_controls` up, and an operation has to state its `num_qubits`.

    `target_matrices` maps parameters of shape (m, num_parameters), in radians, to matrices of shape (m, 2^t,
    2^t) for the t targets, the first target being the index's least significant bit.

    `decomposition` maps the parameters to an equivalent sequence of simpler gates, exact to the global phase
    included; None for gates of one qubit and those that are only another gate with controls.
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

    @property
    def num_targets(self) -> int:
        """How many of the qubits are not controls."""
        return self.num_qubits - self.num_controls

    def matrix(self, *parameters: float) -> Matrices:
        """The whole matrix, controls included, of shape (2^num_qubits, 2^num_qubits).

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
