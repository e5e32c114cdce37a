"""Programs that were checked and can be run, and what is needed to check them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.execution.circuits.noise import noise_bytes
from basicaer.service.execution.circuits.outputs import check_outputs
from basicaer.service.execution.circuits.reading import Reading, describe_path, observable, to_simulator
from basicaer.service.execution.circuits.states import given_bytes
from basicaer.service.execution.preparing.noise import with_noise
from basicaer.service.execution.results.writer import header_field
from basicaer.service.parsing import (
    HIDDEN,
    LANGUAGES,
    STIM,
    Parsers,
    Patience,
    ProgramFault,
    Where,
    externs_of,
    pause_of,
    text_of,
    too_large,
)
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2, result_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = [
    "EXPECTATION_VALUES",
    "GRADIENTS",
    "IDLE",
    "LARGEST_KEY",
    "Cost",
    "PreparedProgram",
    "load_program",
    "program_key",
]

LARGEST_KEY = 64 * 1024
"""A program of more bytes isn't kept: it is rare, and to run it takes longer than to check it."""

EXPECTATION_VALUES = "expectation_values"
"""The name of the array that an estimation gives."""

GRADIENTS = "gradients"
"""The name of the array of its derivatives."""

# Finds the statement that makes an instruction.
_Locate: TypeAlias = Callable[[int], Where | None]

IDLE = "the text has no statement that does something, such as a gate or a measurement"
"""What is said of such a text."""

# What a record of the table of operations takes in Python, and what an instruction takes when it is compiled,
# about.
_OPERATION_BYTES = 1_000
_INSTRUCTION_BYTES = 256
_TERM_BYTES = 200
# What a byte of an expression, or of the values of a loop or a case, becomes in Python, about; and an
# operation on the wire that has none.
_BYTES_PER_WIRE_BYTE = 60
_PLAIN_OPERATION_BYTES = 64
# A bit of a register, and a register or a variable beside its name.
_BIT_BYTES = 40
_NAMED_BYTES = 500


@dataclass(frozen=True, slots=True)
class Cost:
    """What a simulation of a program costs, whatever its values: its weight among others, the memory it needs
    while it runs, and what stays of it in the result's message and in arrays beside that, in bytes.

    `is_short` tells a small program with few instructions, each of which is run once, for all shots together.
    `method` holds its state, for `reason`, over so many `nodes`, each of which needs what is said here.
    """

    method: sim.MethodName
    reason: str
    weight: float
    need: int
    message_bytes: int
    array_bytes: int
    is_short: bool
    nodes: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class PreparedProgram:
    """A valid program: its circuit, its result's header as `header_field` has it, and about how many bytes it
    takes.

    A circuit with inputs is a template, which is bound for each row of values. A program with an estimation
    saves the expectation values of its `num_observables` observables at its end, and has `gradients` where
    their derivatives are wanted. `idle_text` is the field
    of a text without a statement that does something, else "". `warnings` are those of a text, as of program
    0. `costs` are those that were asked for, by the options they are for.
    """

    circuit: sim.ValidCircuit | sim.Template
    header: bytes
    size_bytes: int
    num_observables: int = 0
    idle_text: str = ""
    warnings: Sequence[Diagnostic] = ()
    costs: dict[tuple[object, ...], Cost] = field(default_factory=dict)
    gradients: sim.Gradients | None = None


def load_program(
    program: job_pb2.Program,
    index: int,
    parsers: Parsers,
    patience: Patience | None,
    columns: Columns = NO_COLUMNS,
    *,
    max_bytes: int,
    max_instructions: int,
    noise_model: sim.NoiseModel | None = None,
) -> PreparedProgram:
    """Parse, convert and validate program `index` of a job. For `patience` see `Executor.prepare`.

    Raises:
        ServiceError: PROGRAM_INVALID or PROGRAM_TOO_LARGE, with what is known about the place; OPTION_INVALID
            when it can't have the noise of `noise_model`.
        TakesLongError, GivenUpError: As by `Executor.prepare`.
    """
    source = program.WhichOneof("source")
    if source is None:
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
            f"programs[{index}] is empty; set circuit or {' or '.join(LANGUAGES)}.",
            metadata={"program_index": str(index)},
            field=f"programs[{index}]",
        )
    try:
        if patience is not None:
            patience.check()
        if noise_model is not None and source == STIM.field:
            raise ProgramFault("the text has its noise in itself; leave options.noise_model out")
        if (found := text_of(program)) is not None:
            language, text = found
            externs = externs_of(program)
            message, parsed, is_idle, warnings = parsers.parse(
                language,
                text,
                max_bytes=max_bytes,
                max_instructions=max_instructions,
                patience=patience,
                externs=externs,
            )
            if is_idle and not message.num_qubits:
                raise ProgramFault(IDLE)
            body = None if parsed is None else sim.Block(*parsed)
            locate = partial(parsers.locate_instruction, language, text, patience=patience, externs=externs)
            made = _prepare(
                message, body, program, max_instructions, locate, NO_COLUMNS, patience, noise_model
            )
            return replace(made, idle_text=source if is_idle else "", warnings=warnings)
        if program.externs:
            raise ProgramFault("externs are of OpenQASM 3 texts, and this is a circuit")
        return _prepare(
            program.circuit, None, program, max_instructions, None, columns, patience, noise_model
        )
    except _EstimationFault as fault:
        raise fault.to_service_error(index, "estimation", is_text=False) from None
    except ProgramFault as fault:
        raise fault.to_service_error(index, source, is_text=text_of(program) is not None) from None


def program_key(program: job_pb2.Program) -> bytes | None:
    """Return what tells a prepared program from others: everything of it but its rows of values, pairs and
    shots.

    None for one that is too long to be kept.
    """
    found = text_of(program)
    if (program.circuit.ByteSize() if found is None else len(found[1])) > LARGEST_KEY:
        return None
    estimated = program.HasField("estimation")
    if not (estimated or program.HasField("inputs") or program.HasField("shots")):
        return program.SerializeToString()
    text = program.circuit.SerializeToString() if found is None else found[1].encode()
    rest = externs_of(program)
    if estimated:
        asked = program.estimation
        kept = job_pb2.Estimation(observables=asked.observables, gradient=asked.gradient)
        rest += kept.SerializeToString()
    # No message begins with a zero, so that these keys are different from those of whole programs.
    kind = (program.WhichOneof("source") or "").encode()
    return b"\0%s %d %d %d %s%s" % (kind, estimated, len(program.externs), len(text), text, rest)


class _EstimationFault(ProgramFault):
    """What is wrong with the estimation of a program."""


def _prepare(
    message: circuit_pb2.Circuit,
    body: sim.Block | None,
    program: job_pb2.Program,
    max_instructions: int,
    locate: _Locate | None,
    columns: Columns,
    patience: Patience | None,
    noise_model: sim.NoiseModel | None,
) -> PreparedProgram:
    """Check a circuit, whose body is that of the message unless it is given."""
    instructions = columns.length(message.body, "operations") if body is None else len(body)
    if instructions > max_instructions:
        raise too_large(
            "max_instructions",
            max_instructions,
            instructions,
            f"the circuit has {instructions:,} instructions, and the most is {max_instructions:,}",
        )
    pause = pause_of(patience)
    circuit = to_simulator(message, body, Reading(columns, pause))
    check_outputs(message, pause)
    observables: list[sim.Observable] = []
    if program.HasField("estimation"):
        observables = [observable(wanted) for wanted in program.estimation.observables]
        _add_estimation(circuit, observables)
        max_instructions += 1
    try:
        compiled = sim.ValidCircuit(circuit, max_instructions=max_instructions)
    except sim.CircuitError as error:
        if observables and error.path[:2] == ("operations", len(message.operations)):
            raise _EstimationFault(error.message, path=_steps(error.path[3:])) from None
        raise _fault(error, message, circuit, locate) from None
    if noise_model is not None:
        compiled = with_noise(compiled, noise_model, max_instructions)
        circuit = compiled.circuit
    # What a text has in registers that results don't show is 0 at its end.
    shown = [
        each for each in message.classical_registers if locate is None or not each.name.startswith(HIDDEN)
    ]
    hidden = sum(each.size for each in message.classical_registers) - sum(each.size for each in shown)
    header = result_pb2.ProgramHeader(
        name=message.name,
        global_phase=message.global_phase,
        num_qubits=message.num_qubits,
        num_clbits=message.num_clbits - hidden,
        quantum_registers=message.quantum_registers,
        classical_registers=shown,
        outputs=message.outputs,
    )
    if message.HasField("metadata"):
        header.metadata.CopyFrom(message.metadata)
    has_inputs = any(variable.is_input for variable in circuit.variables)
    runnable = sim.Template(compiled) if has_inputs else compiled
    gradients = _gradients(runnable) if program.estimation.gradient else None
    # Twice in the size: while it is made it is there more often, in blocks that leave holes.
    its_field = header_field(header)
    size = _size(circuit) + _names_size(circuit) + _expressions_size(message) + 2 * len(its_field)
    return PreparedProgram(
        runnable,
        its_field,
        # Backwards, all instructions are there once more.
        size if gradients is None else 2 * size,
        len(observables),
        gradients=gradients,
    )


def _gradients(circuit: sim.ValidCircuit | sim.Template) -> sim.Gradients:
    if not isinstance(circuit, sim.Template):
        raise _EstimationFault("the circuit has no inputs to differentiate by", path="gradient")
    try:
        return sim.Gradients(circuit)
    except sim.CircuitError as error:
        raise _EstimationFault(error.message, path="gradient") from None


def _add_estimation(circuit: sim.Circuit, observables: list[sim.Observable]) -> None:
    """Let the circuit save the observables' expectation values at its end."""
    if not observables:
        raise _EstimationFault("there is no observable; give at least one")
    if any(operation.save is not None for operation in circuit.operations):
        raise _EstimationFault("the circuit saves something; run it without an estimation")
    save = sim.Save(EXPECTATION_VALUES, sim.SaveKind.EXPECTATION_VALUES, tuple(observables))
    circuit.append("save", range(circuit.num_qubits), save=save)


def _steps(path: tuple[str | int, ...]) -> str:
    """Return a path in the contract's notation."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _fault(
    error: sim.CircuitError, message: circuit_pb2.Circuit, circuit: sim.Circuit, locate: _Locate | None
) -> ProgramFault:
    """Return what is wrong with a circuit, at its place in the text or in the message."""
    if locate is None:
        return ProgramFault(error.message, path=describe_path(message, error.path))
    instruction = _instruction_of(error.path, circuit)
    where = None if instruction is None else locate(instruction)
    return ProgramFault(error.message, where=where)


def _instruction_of(path: tuple[str | int, ...], circuit: sim.Circuit) -> int | None:
    """Return the first instruction of the body that a path concerns."""
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
    pause = sim.current_pause()
    for block in (
        circuit.body,
        *(block for operation in circuit.operations for _, block in operation.blocks()),
    ):
        pause()
        total += len(block) * _INSTRUCTION_BYTES + block.qubits.nbytes + block.parameters.nbytes
    for operation in circuit.operations:
        pause()
        total += _OPERATION_BYTES
        if operation.matrix is not None:
            total += operation.matrix.nbytes
        total += noise_bytes(operation) + given_bytes(operation)
        if operation.initialize is not None and operation.initialize.amplitudes is not None:
            total += operation.initialize.amplitudes.nbytes
        if operation.save is not None:
            total += _BIT_BYTES * sum(len(bits) + 2 for bits in operation.save.detectors)
            terms = sum(len(observable.paulis) for observable in operation.save.observables)
            total += terms * (circuit.num_qubits + _TERM_BYTES)
    return total


def _names_size(circuit: sim.Circuit) -> int:
    total = 0
    for register in (*circuit.quantum_registers, *circuit.classical_registers):
        total += _NAMED_BYTES + len(register.name) + len(register.bits) * _BIT_BYTES
    return total + sum(_NAMED_BYTES + len(variable.name) for variable in circuit.variables)


def _expressions_size(message: circuit_pb2.Circuit) -> int:
    total = 0
    pause = sim.current_pause()
    for operation in message.operations:
        pause()
        if operation.ByteSize() <= _PLAIN_OPERATION_BYTES:
            continue
        found = operation.condition.ByteSize() + operation.store.ByteSize() + len(operation.label)
        found += sum(expression.ByteSize() for expression in operation.parameter_expressions)
        found += operation.if_else.condition.ByteSize() + operation.while_loop.condition.ByteSize()
        found += operation.switch_case.target.ByteSize() + len(operation.for_loop.values)
        found += sum(_PLAIN_OPERATION_BYTES + len(case.values) for case in operation.switch_case.cases)
        total += found * _BYTES_PER_WIRE_BYTE
    return total
