"""What `run` takes, made into programs for the wire."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy.typing as npt
from basicaer.client._errors import CircuitError, OptionInvalidError
from basicaer.client._moved import set_fields
from basicaer.client._texts import Encoded, is_openqasm3, is_stim
from basicaer.client.circuit._circuit import Circuit
from basicaer.client.circuit._inputs import Observable, observable_message
from basicaer.client.jobs._externs import Extern, extern_message
from basicaer.client.jobs._input_values import floats, inputs_message, rows_of
from basicaer.client.jobs._options import integer
from basicaer.v1 import circuit_pb2, job_pb2

__all__ = ["Program", "metadata_left", "program_list", "programs_from"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A circuit with what its run needs beside it; `run` takes it like the circuit itself.

        theta = circuit.add_input("theta")
        ...
        backend.run(Program(circuit, inputs={"theta": [0.1, 0.2]}, observables=["ZZ", {"XX": 0.5}]))

    `circuit` is whatever `run` takes. `inputs` has, for each input of the circuit, a value or a list with one
    for each row; the result has an experiment for each row. A value is a number (integers of any size are
    exact), a truth value, or bits as text, such as "0110"; it is complex for an OpenQASM 3 text's complex
    input. That of an array has its axes behind the one of the rows: `{"a": [[1, 2, 3]]}` is one row of an
    array of 3. `shots` takes the place of the job's.
    `externs` has the functions, by their names, that an OpenQASM 3 text declares as `extern`.

    With `observables` (see `Circuit.save_expectation_value`) the result has one experiment, whose expectation
    values `Result.get_expectation_values` returns, for each row those of all observables; normally
    distributed noise of standard deviation `precision` is added to them. With `gradient` there are their
    derivatives by the inputs too, exact: `Result.get_gradients`.

    The inputs of a Qiskit circuit are its unbound parameters and input variables; a key is one of these, a
    `ParameterVector`, or a name.
    """

    circuit: Any
    inputs: Mapping[str, npt.ArrayLike] = dataclasses.field(default_factory=dict)
    observables: Sequence[Observable] = ()
    precision: float = 0.0
    shots: int | None = None
    externs: Mapping[str, Extern | Mapping[Any, float]] = dataclasses.field(default_factory=dict)
    gradient: bool = False

    def __setstate__(self, state: Sequence[Any]) -> None:
        set_fields(self, state)

    def to_message(self) -> job_pb2.Program:
        """Return the program for the wire.

        Raises:
            CircuitError: For inputs that are no numbers, or columns of different lengths.
            OptionInvalidError: For shots that are no integer, and for a gradient of no observables.
        """
        made = self._messages()
        if len(made) > 1:
            raise CircuitError(
                "The circuit can't be sent without its values, so each row is a program of its own; "
                "give the Program to run()."
            )
        return made[0]

    def _messages(self) -> list[job_pb2.Program]:
        """Return the program, or one for each row where the circuit can't be sent without its values."""
        if self.inputs and _is_qiskit(self.circuit):
            made = self._of_qiskit()
        else:
            made = [job_pb2.Program()]
            made[0].CopyFrom(_program(self.circuit))
            if self.inputs:
                made[0].inputs.CopyFrom(inputs_message(self.inputs))
        if len(made) > 1 and self.observables:
            raise CircuitError(
                "The circuit can't be sent without its values; estimate each row by a Program of its own."
            )
        if self.gradient and not self.observables:
            raise OptionInvalidError("gradient is of expectation values; give observables, too.")
        for message in made:
            if self.observables:
                message.estimation.gradient = self.gradient
                message.estimation.precision = self.precision
                message.estimation.observables.extend(map(observable_message, self.observables))
            message.externs.extend(extern_message(name, each) for name, each in self.externs.items())
            if self.shots is not None:
                message.shots = integer("shots", self.shots, -(2**63), 2**63)
        return made

    def _of_qiskit(self) -> list[job_pb2.Program]:
        from basicaer.client.conversion import from_qiskit  # as in `_program`
        from basicaer.client.conversion._unbound import Unbound, key_name

        unbound = Unbound(self.circuit, from_qiskit.circuit_to_program, "inputs")
        given = unbound.given(self.inputs)
        known = {id(one.key) for one in given}
        if unknown := [key_name(key) for key in self.inputs if id(key) not in known]:
            raise CircuitError(f"Circuit {unbound.name!r} has no input {unknown[0]!r}.")
        columns: dict[int, Any] = {}
        for one in given:
            values = floats(one.value)
            if one.length not in (None, *values.shape[-1:]):
                raise CircuitError(f"inputs gives {key_name(one.key)!r} no {one.length} values in each row.")
            for column, place in one.places:
                columns[column] = values if one.length is None else values[..., place]
        unbound.check_complete(columns)
        return unbound.programs(rows_of([columns[column] for column in sorted(columns)]))


@Encoded(CircuitError)
def programs_from(programs: Any) -> list[job_pb2.Program]:
    """Return one program, or each of several, as messages.

    A program is a Circuit, OpenQASM 2 or 3 text, a Qiskit QuantumCircuit, a stim.Circuit or its text, a
    Program of one of them, or a message of `basicaer.v1`.

    Raises:
        CircuitError: For anything else, and for an empty list.
    """
    made = [message for program in program_list(programs) for message in _messages(program)]
    if not made:
        raise CircuitError("There is no program to run.")
    return made


def program_list(programs: Any) -> list[Any]:
    """Return what `run` takes as a list, of one program if it is one."""
    single = isinstance(programs, str | bytes) or _is_qiskit(programs) or _is_of("stim", programs)
    if single or not isinstance(programs, Iterable):
        return [programs]
    return list(programs)


def metadata_left(programs: Sequence[Any], messages: Sequence[job_pb2.Program]) -> dict[int, dict[str, Any]]:
    """Return the metadata of circuits that isn't all in their messages, since it isn't JSON, by program."""
    left = {}
    if len(programs) != len(messages):
        # One that can't be sent without its values is a message for each row.
        programs = [program for program in programs for _ in _messages(program)]
    for index, (program, message) in enumerate(zip(programs, messages, strict=True)):
        circuit = program
        while isinstance(circuit, Program):
            circuit = circuit.circuit
        if isinstance(circuit, Circuit) or _is_qiskit(circuit):
            metadata = circuit.metadata or {}
            if len(metadata) != len(message.circuit.metadata.fields):
                left[index] = dict(metadata)
    return left


def _messages(program: Any) -> list[job_pb2.Program]:
    return program._messages() if isinstance(program, Program) else [_program(program)]


def _program(program: Any) -> job_pb2.Program:
    match program:
        case str() if is_stim(program):
            return job_pb2.Program(stim=program)
        case str():
            return (
                job_pb2.Program(openqasm3=program)
                if is_openqasm3(program)
                else job_pb2.Program(openqasm2=program)
            )
        case Circuit():
            return job_pb2.Program(circuit=program.to_message())
        case circuit_pb2.Circuit():
            return job_pb2.Program(circuit=program)
        case job_pb2.Program():
            return program
        case Program():
            return program.to_message()
        case _ if _is_of("stim", program):
            return job_pb2.Program(stim=str(program))
        case _ if _is_qiskit(program):
            from basicaer.client.conversion import (
                from_qiskit,  # Qiskit takes longer to import than all else together
            )

            return job_pb2.Program(circuit=from_qiskit.circuit_to_proto(_with_json_metadata(program)))
    raise CircuitError(
        f"A {type(program).__name__} is not a program; "
        "a Circuit, OpenQASM 2 or 3 text, a Qiskit QuantumCircuit, and a circuit of stim's or its text are."
    )


def _with_json_metadata(circuit: Any) -> Any:
    """Return a Qiskit circuit, without its metadata when that isn't JSON."""
    if not getattr(circuit, "metadata", None):
        return circuit
    from basicaer.client.conversion._frames import set_metadata

    try:
        set_metadata(circuit_pb2.Circuit(), circuit.metadata)
    except CircuitError:
        circuit = circuit.copy()
        circuit.metadata = {}
    return circuit


def _is_qiskit(program: Any) -> bool:
    """Whether an object's class, or one that it derives from, comes from Qiskit."""
    return _is_of("qiskit", program)


def _is_of(package: str, program: Any) -> bool:
    """Whether an object's class, or one that it derives from, comes from a package."""
    return any(kind.__module__.partition(".")[0] == package for kind in type(program).__mro__)
