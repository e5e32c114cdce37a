"""What `run` takes, made into programs for the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from basicaer.client._circuit import Circuit
from basicaer.client._errors import CircuitError
from basicaer.v1 import circuit_pb2, job_pb2

__all__ = ["programs_from"]


def programs_from(programs: Any) -> list[job_pb2.Program]:
    """Returns one program, or each of several, as messages.

    A program is a Circuit, OpenQASM 2 text, a Qiskit QuantumCircuit, or a message of `basicaer.v1`.

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
