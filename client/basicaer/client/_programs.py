"""What `run` takes, made into programs for the wire."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._circuit import Circuit
from basicaer.client._errors import CircuitError
from basicaer.client._inputs import Observable, observable_message
from basicaer.v1 import circuit_pb2, job_pb2

__all__ = ["Program", "programs_from"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A circuit with what its run needs beside it; `run` takes it like the circuit itself.

        theta = circuit.add_input("theta")
        ...
        backend.run(Program(circuit, inputs={"theta": [0.1, 0.2]}, observables=["ZZ", {"XX": 0.5}]))

    `circuit` is whatever `run` takes. `inputs` has, for each input of the circuit, a number or one for each
    row; the result has an experiment for each row. With `observables` (see `Circuit.save_expectation_value`)
    it has one, whose expectation values `Result.get_expectation_values` returns, for each row those of all
    observables; normally distributed noise of standard deviation `precision` is added to them. `shots` takes
    the place of the job's.
    """

    circuit: Any
    inputs: Mapping[str, npt.ArrayLike] = dataclasses.field(default_factory=dict)
    observables: Sequence[Observable] = ()
    precision: float = 0.0
    shots: int | None = None

    def to_message(self) -> job_pb2.Program:
        """Returns the program for the wire.

        Raises: CircuitError for inputs that are no numbers, or columns of different lengths.
        """
        message = job_pb2.Program()
        message.CopyFrom(_program(self.circuit))
        if self.inputs:
            try:
                columns = [np.asarray(values, np.float64) for values in self.inputs.values()]
                rows = np.stack(np.broadcast_arrays(*columns, np.zeros(1))[:-1], axis=-1)
            except (TypeError, ValueError) as error:
                raise CircuitError(f"The inputs are no rows of numbers: {error}") from None
            if rows.ndim != 2:
                raise CircuitError("An input's values are a number, or a list with one for each row.")
            message.inputs.CopyFrom(job_pb2.Inputs(names=self.inputs, values=rows.reshape(-1)))
        if self.observables:
            message.estimation.precision = self.precision
            message.estimation.observables.extend(map(observable_message, self.observables))
        if self.shots is not None:
            message.shots = operator.index(self.shots)
        return message


def programs_from(programs: Any) -> list[job_pb2.Program]:
    """Returns one program, or each of several, as messages.

    A program is a Circuit, OpenQASM 2 text, a Qiskit QuantumCircuit, a Program of one of them, or a message
    of `basicaer.v1`.

    Raises: CircuitError for anything else, and for an empty list.
    """
    if isinstance(programs, str | bytes) or not isinstance(programs, Iterable) or _is_qiskit(programs):
        return [_program(programs)]
    made = [_program(program) for program in programs]
    if not made:
        raise CircuitError("There is no program to run.")
    return made


def _program(program: Any) -> job_pb2.Program:
    match program:
        case str():
            return job_pb2.Program(openqasm2=program)
        case Circuit():
            return job_pb2.Program(circuit=program.to_message())
        case circuit_pb2.Circuit():
            return job_pb2.Program(circuit=program)
        case job_pb2.Program():
            return program
        case Program():
            return program.to_message()
        case _ if _is_qiskit(program):
            from basicaer.client import _from_qiskit  # Qiskit takes longer to import than all else together

            return job_pb2.Program(circuit=_from_qiskit.circuit_to_proto(program))
    raise CircuitError(
        f"A {type(program).__name__} is not a program; "
        "a Circuit, OpenQASM 2 text and a Qiskit QuantumCircuit are."
    )


def _is_qiskit(program: Any) -> bool:
    """Whether an object's class, or one that it derives from, comes from Qiskit."""
    return any(kind.__module__.partition(".")[0] == "qiskit" for kind in type(program).__mro__)
