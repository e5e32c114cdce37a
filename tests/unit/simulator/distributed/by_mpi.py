"""A program for `mpiexec`: each rank says whether its part of a run gave what one process gives."""

from __future__ import annotations

import numpy as np
from basicaer.simulator import Circuit, Observable, Save, SaveKind, run
from basicaer.simulator.distributed.mpi import MpiTransport

NUM_QUBITS = 18


def circuit() -> Circuit:
    """Gates on all qubits, a measurement among them, and saves that need what other ranks have."""
    made = Circuit(NUM_QUBITS, NUM_QUBITS)
    for qubit in range(NUM_QUBITS):
        made.append("ry", [qubit], [0.1 + 0.2 * qubit])
    for turn in range(3):
        for qubit in range(NUM_QUBITS):
            made.append("cx", [qubit, (qubit + 1 + turn) % NUM_QUBITS])
            made.append("rx", [qubit], [0.3 * turn + 0.1])
        made.append("measure", [turn], [], [turn])
    products = ("X" * NUM_QUBITS, "ZY" * (NUM_QUBITS // 2))
    values = Save("values", SaveKind.EXPECTATION_VALUES, (Observable(products, (1.0, 0.5)),))
    made.append("save", range(NUM_QUBITS), save=values)
    for qubit in range(NUM_QUBITS):
        made.append("measure", [qubit], [], [qubit])
    return made


if __name__ == "__main__":
    transport = MpiTransport()
    found = run(circuit(), shots=20, seed=3, memory=True, spread=transport)
    wanted = run(circuit(), shots=20, seed=3, memory=True, method="statevector")
    np.testing.assert_array_equal(found.counts, wanted.counts)
    np.testing.assert_array_equal(found.memory, wanted.memory)
    np.testing.assert_allclose(found.saved["values"], wanted.saved["values"], atol=1e-12)
    print(f"rank {transport.rank} of {transport.size} agrees", flush=True)
