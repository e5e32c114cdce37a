"""Programs that were checked and can be run, and what is needed to check them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings, option_error
from basicaer.service.execution.programs import describe_path, observable, to_simulator
from basicaer.service.parsing import Parsers, Patience, ProgramFault, Where, too_large
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2, result_pb2

__all__ = [
    "EXPECTATION_VALUES",
    "LARGEST_KEY",
    "PreparedProgram",
    "check_for_backend",
    "load_program",
    "program_key",
]

LARGEST_KEY = 64 * 1024
"""A program of more bytes isn't kept: it is rare, and to run it takes longer than to check it."""

EXPECTATION_VALUES = "expectation_values"
"""The name of the array that an estimation gives."""

# Finds the statement that makes an instruction.
_Locate: TypeAlias = Callable[[int], Where | None]

# What a record of the table of operations takes in Python, and what an instruction takes when it is compiled,
# about.
_OPERATION_BYTES = 1_000
_INSTRUCTION_BYTES = 256
_TERM_BYTES = 200


@dataclass(frozen=True, slots=True, eq=False)
class PreparedProgram:
    """A valid program: its circuit, what its result's header says, and about how many bytes it takes.

    A circuit with inputs is a template, which is bound for each row of values. A program with an estimation
    saves the expectation values of its `num_observables` observables at its end.
    """

    circuit: sim.CompiledCircuit | sim.Template
    header: result_pb2.ProgramHeader
    size_bytes: int
    num_observables: int = 0


def load_program(
    program: job_pb2.Program,
    index: int,
    parsers: Parsers,
    patience: Patience | None,
    *,
    max_bytes: int,
    max_instructions: int,
) -> PreparedProgram:
    """Parses, converts and validates program `index` of a job. For `patience` see `Executor.prepare`.

    Raises:
        ServiceError: PROGRAM_INVALID or PROGRAM_TOO_LARGE, with what is known about the place.
        TakesLongError, GivenUpError: As by `Executor.prepare`.
    """
    source = program.WhichOneof("source")
    if source is None:
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
            f"programs[{index}] is empty; set circuit or openqasm2.",
            metadata={"program_index": str(index)},
            field=f"programs[{index}]",
        )
    try:
        if patience is not None:
            patience.check()
        if source == "openqasm2":
            text = program.openqasm2
            message, columns = parsers.parse(
                text, max_bytes=max_bytes, max_instructions=max_instructions, patience=patience
            )
            body = None if columns is None else sim.Block(*columns)
            locate = partial(parsers.locate_instruction, text, patience=patience)
            return _prepare(message, body, program, max_instructions, locate)
        return _prepare(program.circuit, None, program, max_instructions, None)
    except _EstimationFault as fault:
        raise fault.to_service_error(index, "estimation") from None
    except ProgramFault as fault:
        raise fault.to_service_error(index, source) from None


def program_key(program: job_pb2.Program) -> bytes | None:
    """What tells a prepared program from others: everything of it but its rows of values, pairs and shots.

    None for a text that is too long to be kept.
    """
    if len(program.openqasm2) > LARGEST_KEY:
        return None
    estimated = program.HasField("estimation")
    if not (estimated or program.HasField("inputs") or program.HasField("shots")):
        return program.SerializeToString()
    text = (
        program.openqasm2.encode() if program.HasField("openqasm2") else program.circuit.SerializeToString()
    )
    rest = b""
    if estimated:
        rest = job_pb2.Estimation(observables=program.estimation.observables).SerializeToString()
    # No message begins with a zero, so that these keys are different from those of whole programs.
    kind = (program.WhichOneof("source") or "").encode()
    return b"\0%s %d %d %s%s" % (kind, estimated, len(text), text, rest)


class _EstimationFault(ProgramFault):
    """What is wrong with the estimation of a program."""


def _prepare(
    message: circuit_pb2.Circuit,
    body: sim.Block | None,
    program: job_pb2.Program,
    max_instructions: int,
    locate: _Locate | None,
) -> PreparedProgram:
    """Checks a circuit, whose body is that of the message unless it is given."""
    instructions = len(message.body.operations) if body is None else len(body)
    if instructions > max_instructions:
        raise too_large(
            "max_instructions",
            max_instructions,
            instructions,
            f"the circuit has {instructions:,} instructions, and the most is {max_instructions:,}",
        )
    circuit = to_simulator(message, body)
    observables: list[sim.Observable] = []
    if program.HasField("estimation"):
        observables = [observable(wanted) for wanted in program.estimation.observables]
        _add_estimation(circuit, observables)
        max_instructions += 1
    try:
        compiled = sim.CompiledCircuit(circuit, max_instructions=max_instructions)
    except sim.CircuitError as error:
        if observables and error.path[:2] == ("operations", len(message.operations)):
            raise _EstimationFault(error.message, path=_steps(error.path[3:])) from None
        raise _fault(error, message, circuit, locate) from None
    header = result_pb2.ProgramHeader(
        name=message.name,
        global_phase=message.global_phase,
        num_qubits=message.num_qubits,
        num_clbits=message.num_clbits,
        quantum_registers=message.quantum_registers,
        classical_registers=message.classical_registers,
    )
    if message.HasField("metadata"):
        header.metadata.CopyFrom(message.metadata)
    has_inputs = any(variable.is_input for variable in circuit.variables)
    return PreparedProgram(
        sim.Template(compiled) if has_inputs else compiled,
        header,
        _size(circuit) + header.ByteSize(),
        len(observables),
    )


def _add_estimation(circuit: sim.Circuit, observables: list[sim.Observable]) -> None:
    """Let the circuit save the observables' expectation values at its end."""
    if not observables:
        raise _EstimationFault("there is no observable; give at least one")
    if any(operation.save is not None for operation in circuit.operations):
        raise _EstimationFault("the circuit saves something; run it without an estimation")
    save = sim.Save(EXPECTATION_VALUES, sim.SaveKind.EXPECTATION_VALUES, tuple(observables))
    circuit.append("save", range(circuit.num_qubits), save=save)


def _steps(path: tuple[str | int, ...]) -> str:
    """A path in the contract's notation."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _fault(
    error: sim.CircuitError, message: circuit_pb2.Circuit, circuit: sim.Circuit, locate: _Locate | None
) -> ProgramFault:
    """What is wrong with a circuit, at its place in the text or in the message."""
    if locate is None:
        return ProgramFault(error.message, path=describe_path(message, error.path))
    instruction = _instruction_of(error.path, circuit)
    where = None if instruction is None else locate(instruction)
    return ProgramFault(error.message, where=where)


def _instruction_of(path: tuple[str | int, ...], circuit: sim.Circuit) -> int | None:
    """The first instruction of the body that a path concerns."""
    if len(path) < 2:
        return None
    number = path[1]
    if path[0] == "body" and isinstance(number, int):
        return number
    if path[0] == "operations":
        makers = np.flatnonzero(circuit.body.operations == number)
        return int(makers[0]) if len(makers) else None
    return None


def _size(circuit: sim.Circuit) -> int:
    total = 0
    for block in (
        circuit.body,
        *(block for operation in circuit.operations for _, block in operation.blocks()),
    ):
        total += len(block) * _INSTRUCTION_BYTES + block.qubits.nbytes + block.parameters.nbytes
    for operation in circuit.operations:
        total += _OPERATION_BYTES
        if operation.matrix is not None:
            total += operation.matrix.nbytes
        if operation.initialize is not None and operation.initialize.amplitudes is not None:
            total += operation.initialize.amplitudes.nbytes
        if operation.save is not None:
            terms = sum(len(observable.paulis) for observable in operation.save.observables)
            total += terms * (circuit.num_qubits + _TERM_BYTES)
    return total


def check_for_backend(program: PreparedProgram, index: int, backend: Backend, settings: Settings) -> None:
    """Checks what a backend can't do, and that the initial state is of the program's size.

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
    if backend.task is not Task.UNITARY:
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


def _check_labels(program: PreparedProgram, index: int, name: str) -> None:
    """Refuses a saved array of a name that the backend itself uses in this job."""
    for number, operation in enumerate(program.circuit.circuit.operations):
        if operation.save is not None and operation.save.label == name:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
                f"programs[{index}]: operations[{number}] saves {name!r}, as options.{name} does; use another"
                " label",
                metadata={"program_index": str(index)},
                field=f"programs[{index}]",
            )
