"""Circuits and a noise model that go together: gates that it names by labels, qubits that it is for."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from basicaer.client.circuit._gates import QISKIT_SHAPES
from basicaer.client.conversion._frames import blocks_of
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.v1 import job_pb2
from qiskit.circuit import Gate, Instruction, QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import Operator

__all__ = ["noise_of_programs", "with_error_places"]

# Wider matrices take too long to send; such a gate goes by the gates of its definition.
_MOST_QUBITS = 8
_BY_NAME = {"measure", "reset", "unitary", "initialize", "delay"}


def with_error_places(circuit: Any, model: NoiseModel) -> Any:
    """Return a circuit in which gates that a noise model names by their labels, or that no gate of the server
    is called, are matrices with a place for their error behind; the same one where there are none.

    As in Aer, a rule for the name of such a gate isn't one for it; but one for "unitary" is.
    """
    names = model.operation_names - QISKIT_SHAPES.keys() - _BY_NAME
    if not names or not isinstance(circuit, QuantumCircuit) or not _has(circuit, names):
        return circuit
    return _placed(circuit, names)


def noise_of_programs(model: NoiseModel, programs: Iterable[job_pb2.Program]) -> NoiseModel:
    """Return what there is of a noise model for programs of circuits: of a device's, some of its qubits'."""
    used: set[int] = set()
    for program in programs:
        used.update(program.circuit.body.qubits)
        for operation in program.circuit.operations:
            for block in blocks_of(operation):
                used.update(block.qubits)
    return model.restricted(used)


def _has(circuit: Any, names: Container[str]) -> bool:
    return any(
        _name(each.operation, names) or any(_has(block, names) for block in _blocks(each.operation))
        for each in circuit.data
    )


def _placed(circuit: Any, names: Container[str]) -> Any:
    found = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        blocks = _blocks(operation)
        name = _name(operation, names)
        if any(_has(block, names) for block in blocks):
            operation = operation.replace_blocks([_placed(block, names) for block in blocks])
        if name is None:
            found.append(operation, instruction.qubits, instruction.clbits)
            continue
        matrix = UnitaryGate(Operator(operation).data)
        place = Instruction("qerror_loc", operation.num_qubits, 0, [], label=name)
        for part in (matrix, place):
            condition = getattr(operation, "_condition", None)
            if condition is not None:
                part = part.to_mutable().c_if(*condition)
            found.append(part, instruction.qubits)
    return found


def _name(operation: Any, names: Container[str]) -> str | None:
    """Return by which name a gate has its noise, if that isn't a gate's of the server."""
    if not isinstance(operation, Gate) or operation.num_qubits > _MOST_QUBITS or operation.is_parameterized():
        return None
    name = operation.label or operation.name
    return name if name in names else None


def _blocks(operation: Any) -> Any:
    return getattr(operation, "blocks", ())
