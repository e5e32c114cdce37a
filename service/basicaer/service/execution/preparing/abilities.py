"""What a backend can't do with a program, which is refused by name."""

from __future__ import annotations

import numpy as np
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings, option_error
from basicaer.service.execution.preparing.programs import IDLE, PreparedProgram
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import error_reason_pb2

__all__ = ["check_for_backend"]

_NOT_OF_VECTORS = (
    sim.SaveKind.STABILIZER,
    sim.SaveKind.SUPEROPERATOR,
    sim.SaveKind.MATRIX_PRODUCT_STATE,
)
_NO_VECTORS = (sim.GivenKind.DENSITY_MATRIX, sim.GivenKind.SUPEROPERATOR)


def check_for_backend(program: PreparedProgram, index: int, backend: Backend, settings: Settings) -> None:
    """Check what a backend can't do or is for nothing, and that the initial state is of the program's size.

    Raises:
        ServiceError: PROGRAM_INVALID or OPTION_INVALID.
    """
    circuit = program.circuit.circuit
    if settings.initial is not None and settings.initial.shape[0] != 1 << min(circuit.num_qubits, 64):
        name = "initial_unitary" if backend.task is Task.UNITARY else "initial_statevector"
        raise option_error(
            name,
            f"it is for {settings.initial.shape[0].bit_length() - 1} qubits, but programs[{index}] has "
            f"{circuit.num_qubits}",
        )
    if settings.memory:
        _check_labels(program, index, "memory")
    if program.idle_text and backend.task is Task.SHOTS and not program.num_observables:
        raise ProgramFault(f"{IDLE}, so that {backend.name} has nothing to count").to_service_error(
            index, program.idle_text
        )
    if backend.task is Task.STATEVECTOR:
        _check_has_state(circuit, index, backend)
        _check_keeps_vector(circuit, index, backend)
    if backend.task is not Task.UNITARY:
        _check_has_no_matrix(circuit, index, backend)
        return
    if program.num_observables:
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
            f"programs[{index}].estimation: {backend.name} has no state to estimate from; use qasm_simulator",
            metadata={"program_index": str(index)},
            field=f"programs[{index}].estimation",
        )
    table = circuit.operations
    for number in np.unique(circuit.body.operations).tolist():
        operation = table[number]
        has_matrix = operation.name in sim.GATES or operation.name in ("unitary", "barrier", "delay")
        has_matrix |= operation.save is not None and operation.save.kind is sim.SaveKind.UNITARY
        has_matrix |= operation.set_state is not None and operation.set_state.kind is sim.GivenKind.UNITARY
        if not has_matrix or operation.condition is not None or operation.parameter_expressions:
            first = int(np.flatnonzero(circuit.body.operations == number)[0])
            what = operation.name if not has_matrix else f"{operation.name} under classical control"
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
                f"programs[{index}]: {backend.name} can't run {what} (instruction {first}), which has no "
                "matrix; use qasm_simulator",
                metadata={"program_index": str(index)},
                field=f"programs[{index}]",
            )


def _check_has_state(circuit: sim.Circuit, index: int, backend: Backend) -> None:
    """Refuse a circuit whose final state is no vector, since it has channels.

    The state of a single shot would be one of many.
    """
    noisy = [number for number, operation in enumerate(circuit.operations) if operation.channel is not None]
    blocks = [circuit.body, *(block for operation in circuit.operations for _, block in operation.blocks())]
    for number in noisy:
        if any((block.operations == number).any() for block in blocks):
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
                f"programs[{index}]: {backend.name} can't run channel (operations[{number}]), after which the"
                " state is no vector; use qasm_simulator",
                metadata={"program_index": str(index)},
                field=f"programs[{index}]",
            )


def _check_keeps_vector(circuit: sim.Circuit, index: int, backend: Backend) -> None:
    """Refuse a circuit that saves what no state vector has, or is given such a state.

    Of backends with several methods, these refuse it.
    """
    for number, operation in enumerate(circuit.operations):
        save, given = operation.save, operation.set_state
        if save is not None and save.kind in _NOT_OF_VECTORS:
            what = f"has no {save.kind.value.replace('_', ' ')} to save"
        elif given is not None and given.kind in _NO_VECTORS:
            what = f"can't be set to a {given.kind.value}"
        else:
            continue
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
            f"programs[{index}]: {backend.name} {what} (operations[{number}]); use qasm_simulator",
            metadata={"program_index": str(index)},
            field=f"programs[{index}]",
        )


def _check_has_no_matrix(circuit: sim.Circuit, index: int, backend: Backend) -> None:
    """Refuse a circuit that saves its unitary matrix, or sets it, where there is none."""
    for number, operation in enumerate(circuit.operations):
        saves = operation.save is not None and operation.save.kind is sim.SaveKind.UNITARY
        sets = operation.set_state is not None and operation.set_state.kind is sim.GivenKind.UNITARY
        if saves or sets:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
                f"programs[{index}]: {backend.name} has no unitary matrix to {'save' if saves else 'set'}"
                f" (operations[{number}]); use unitary_simulator",
                metadata={"program_index": str(index)},
                field=f"programs[{index}]",
            )


def _check_labels(program: PreparedProgram, index: int, name: str) -> None:
    """Refuses a saved array of a name that the backend itself uses in this job."""
    for number, operation in enumerate(program.circuit.circuit.operations):
        if operation.save is not None and name in operation.save.labels:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
                f"programs[{index}]: operations[{number}] saves {name!r}, as options.{name} does; use another"
                " label",
                metadata={"program_index": str(index)},
                field=f"programs[{index}]",
            )
