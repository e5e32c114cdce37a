"""Derivatives of gates of single qubits, behind which nothing else comes on their qubits in a slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.gradients._inverses import derivatives

__all__ = ["Chains"]

_Floats = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.int64]
_Matrices = npt.NDArray[np.complex128]

_MOST_PARAMETERS = 4


class Chains:
    """Chains of gates, each from the last gate back to the first one that is differentiated.

    `operations` and `numbers` give an instruction's operation, and the numbers of its parameters. All chains
    take their steps together: the k-th gates from the end of all chains are one call of numpy.
    """

    def __init__(
        self,
        chains: Sequence[Sequence[int]],
        operations: Sequence[Operation],
        numbers: Sequence[_Numbers],
    ) -> None:
        self._count = len(chains)
        places: dict[int, int] = {}
        for chain in chains:
            for instruction in chain:
                places.setdefault(instruction, len(places))
        self._fixed = np.zeros((len(places), 2, 2), dtype=np.complex128)
        # Without a parameter, a row's derivatives go to a number behind the last one.
        self._numbers = np.full((len(places), _MOST_PARAMETERS), -1, dtype=np.int64)
        groups: dict[str, list[int]] = defaultdict(list)
        for instruction, place in places.items():
            operation = operations[instruction]
            if operation.matrix is not None:
                self._fixed[place] = operation.matrix
            elif len(numbers[instruction]):
                groups[operation.name].append(place)
                self._numbers[place, : len(numbers[instruction])] = numbers[instruction]
            else:
                self._fixed[place] = GATES[operation.name].target_matrices(np.zeros((1, 0)))[0]
        self._groups = {name: np.array(found) for name, found in groups.items()}
        deepest = max(map(len, chains), default=0)
        # At each depth, which chains are so long, and where their gates are.
        self._steps = [
            (
                np.array([number for number, chain in enumerate(chains) if len(chain) > depth]),
                np.array([places[chain[depth]] for chain in chains if len(chain) > depth]),
            )
            for depth in range(deepest)
        ]

    def add(self, values: _Floats, overlaps: _Matrices, out: _Floats) -> None:
        """Add the derivatives to `out`, by parameters' numbers; `overlaps`, of shape (chains, 2, 2), are of
        the chains' qubits at their slices' ends.
        """
        if not self._count:
            return
        matrices = self._fixed.copy()
        changes = np.zeros((len(matrices), _MOST_PARAMETERS, 2, 2), dtype=np.complex128)
        for name, places in self._groups.items():
            width = GATES[name].num_parameters
            rows = values[self._numbers[places, :width]]
            matrices[places], changes[places, :width] = derivatives(name, rows)
        # What comes behind a gate, as a matrix.
        behind = np.tile(np.eye(2, dtype=np.complex128), (self._count, 1, 1))
        for chains, places in self._steps:
            after = behind[chains]
            # tr(V D V† T) = tr(D V† T V)
            seen = after.conj().transpose(0, 2, 1) @ overlaps[chains] @ after
            found = 2.0 * np.einsum("cpij,cji->cp", changes[places], seen).real
            numbers = self._numbers[places]
            known = numbers >= 0
            np.add.at(out, numbers[known], found[known])
            behind[chains] = after @ matrices[places]
