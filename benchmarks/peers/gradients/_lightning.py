"""The peer, in an environment of its own: for each number of qubits on standard input, a line with the
seconds of one gradient, the value and the derivatives' norm.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np


def tape_of(qubits: int, angles: list[float]) -> Any:
    """Return layers of rotations and rings of CX, as the caller's, with the value of its Hamiltonian."""
    import pennylane as qml

    operations: list[Any] = []
    rest = iter(angles)
    for _ in range(len(angles) // (2 * qubits)):
        for qubit in range(qubits):
            operations += [qml.RY(next(rest), wires=qubit), qml.RZ(next(rest), wires=qubit)]
        operations += [qml.CNOT(wires=[qubit, (qubit + 1) % qubits]) for qubit in range(qubits)]
    pairs = [qml.PauliZ(qubit) @ qml.PauliZ((qubit + 1) % qubits) for qubit in range(qubits)]
    field = [qml.PauliX(qubit) for qubit in range(qubits)]
    hamiltonian = qml.Hamiltonian([1.0] * qubits + [0.5] * qubits, pairs + field)
    tape = qml.tape.QuantumScript(operations, [qml.expval(hamiltonian)])
    tape.trainable_params = list(range(len(angles)))
    return tape


def main() -> None:
    """Answer until the input ends."""
    import pennylane as qml
    from pennylane.devices import ExecutionConfig

    config = ExecutionConfig(gradient_method="adjoint", device_options={"batch_obs": False})
    for line in sys.stdin:
        asked = json.loads(line)
        device = qml.device("lightning.qubit", wires=asked["qubits"])
        tape = tape_of(asked["qubits"], asked["angles"])
        start = time.perf_counter()
        values, derivatives = device.execute_and_compute_derivatives([tape], config)
        seconds = time.perf_counter() - start
        found = np.array(derivatives, dtype=float).reshape(-1).tolist()
        print(json.dumps({"seconds": seconds, "value": float(values[0]), "gradient": found}), flush=True)


if __name__ == "__main__":
    main()
