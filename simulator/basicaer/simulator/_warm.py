"""Has the compiled kernels ready before somebody waits for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._operations import Observable, Save, SaveKind
from basicaer.simulator._run import run, statevector

_QUBITS = (3, 13)
"""A circuit that takes the short way from columns to amplitudes, and one that is planned in blocks."""


def warm_up(dtype: npt.DTypeLike = np.complex128) -> None:
    """Load the kernels for states of `dtype` from the disk's cache, or compile them, which is slow.

    Compiled code depends on the processor. The first call on a machine takes a minute; it fills the cache
    beside the package, or in `NUMBA_CACHE_DIR`, and later ones take less than a second.
    """
    for num_qubits in _QUBITS:
        circuit = Circuit(num_qubits, 2)
        for qubit in range(num_qubits):
            circuit.append("rx", [qubit], [0.1 * qubit])
        circuit.append("cx", [0, num_qubits - 1]).append("rzz", [0, 1], [0.3]).append("ccx", [0, 1, 2])
        statevector(circuit, dtype=dtype)
        circuit.append("measure", [0], [], [0]).append("h", [0]).append("reset", [1])
        circuit.append("measure", [0], [], [1])
        probabilities = Save("probabilities", SaveKind.PROBABILITIES)
        circuit.append("save", [1], save=probabilities)
        observable = Observable(("I" * num_qubits, "XY" + "Z" * (num_qubits - 2)), (1.0, 1.0))
        values = Save("values", SaveKind.EXPECTATION_VALUES, (observable,))
        circuit.append("save", range(num_qubits), save=values)
        run(circuit, shots=2, seed=1, dtype=dtype, statevector=True)
