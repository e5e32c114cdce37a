"""The simulator's circuits that texts stand for, as the contract's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from basicaer.v1 import circuit_pb2 as pb

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from basicaer import simulator as sim

__all__ = ["circuit_message"]

# The products of Pauli operators by their numbers: of each qubit x + 2 z.
_LETTERS = "IXZY"


def circuit_message(circuit: sim.Circuit) -> pb.Circuit:
    """Return a circuit that a text stands for as the contract's."""
    message = pb.Circuit(num_qubits=circuit.num_qubits, num_clbits=circuit.num_clbits)
    for register in circuit.classical_registers:
        message.classical_registers.add(name=register.name, size=register.size)
    for operation in circuit.operations:
        message.operations.append(_operation(operation))
    body = circuit.body
    message.body.operations.extend(body.operations.tolist())
    message.body.qubits.extend(body.qubits.tolist())
    message.body.clbits.extend(body.clbits.tolist())
    return message


def _operation(operation: sim.Operation) -> pb.Operation:
    from basicaer.simulator import ClbitRef

    message = pb.Operation(
        name=operation.name, num_qubits=operation.num_qubits, num_clbits=operation.num_clbits
    )
    if isinstance(operation.condition, ClbitRef):
        message.condition.clbit = operation.condition.index
    if operation.channel is not None:
        probabilities = operation.channel.pauli_probabilities
        if probabilities is None:
            raise AssertionError("a text's channels draw products of Pauli operators")
        for number in probabilities.nonzero()[0].tolist():
            message.channel.pauli.paulis.append(_product(number, operation.num_qubits))
            message.channel.pauli.probabilities.append(probabilities[number])
    if operation.readout is not None:
        message.readout.probabilities.extend(_flat(operation.readout.probabilities))
    if operation.store is not None and isinstance(operation.store.target, ClbitRef):
        message.store.clbit = operation.store.target.index
        message.store.value.literal.bool_value = True
    if operation.save is not None:
        message.save.label = operation.save.label
        for bits in operation.save.detectors:
            message.save.detectors.clbits.extend(bits)
            message.save.detectors.sizes.append(len(bits))
    return message


def _product(number: int, width: int) -> str:
    """Return a product's letters, the last one the first qubit's."""
    return "".join(_LETTERS[number >> 2 * place & 3] for place in reversed(range(width)))


def _flat(matrix: npt.NDArray[np.float64]) -> list[float]:
    found: list[float] = matrix.reshape(-1).tolist()
    return found
