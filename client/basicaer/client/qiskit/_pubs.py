"""Qiskit's PUBs (primitive unified blocs) as programs for the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from basicaer.client._errors import CircuitError
from basicaer.client._from_qiskit import circuit_to_program
from basicaer.client._provider import BasicAerBackend as PlainBackend
from basicaer.client._provider import BasicAerProvider as PlainProvider
from basicaer.client.qiskit._backend import BasicAerBackend
from basicaer.client.qiskit._provider import BasicAerProvider
from basicaer.v1 import circuit_pb2, job_pb2

__all__ = ["Source", "observable_to_proto", "primitive_backend", "program_of"]

Source = BasicAerProvider | BasicAerBackend | PlainProvider | PlainBackend
"""Where a primitive runs: a server, or one of its backends."""

# Each projector letter as Pauli letters with their coefficients; all but Z, X and Y themselves are halves.
_PROJECTORS = {
    "0": (("I", 0.5), ("Z", 0.5)),
    "1": (("I", 0.5), ("Z", -0.5)),
    "+": (("I", 0.5), ("X", 0.5)),
    "-": (("I", 0.5), ("X", -0.5)),
    "r": (("I", 0.5), ("Y", 0.5)),
    "l": (("I", 0.5), ("Y", -0.5)),
}
# A product of k projectors is 2^k Pauli terms.
_MOST_TERMS = 1 << 16


def primitive_backend(source: Source) -> PlainBackend:
    """Returns the client's backend that runs a primitive's jobs."""
    match source:
        case BasicAerBackend():
            return source._client
        case BasicAerProvider():
            return source.client.get_backend("qasm_simulator")
        case PlainBackend():
            return source
        case PlainProvider():
            return source.get_backend("qasm_simulator")
    raise TypeError(f"a BasicAerProvider or one of its backends is needed, not a {type(source).__name__}")


def program_of(circuit: Any, values: Any) -> job_pb2.Program:
    """Returns a circuit with all sets of parameter values (a BindingsArray), in row-major order.

    Raises: ConversionError.
    """
    converted = circuit_to_program(circuit, metadata=False)
    program = job_pb2.Program(circuit=converted.message)
    parameters = list(circuit.parameters)
    if parameters or values.shape:
        program.inputs.names.extend(converted.names[parameter] for parameter in parameters)
        program.inputs.values.extend(values.as_array(parameters).reshape(-1).tolist())
    return program


def observable_to_proto(terms: Mapping[str, complex]) -> circuit_pb2.Observable:
    """Returns an observable, given as coefficients by products of I X Y Z 0 1 + - r l, in Pauli terms.

    Raises: CircuitError when it isn't Hermitian, or has too many terms.
    """
    sums: dict[str, float] = {}
    for letters, coefficient in terms.items():
        if complex(coefficient).imag:
            raise CircuitError(
                f"The observable is not Hermitian: {letters} has the coefficient {coefficient}."
            )
        if not _PROJECTORS.keys() & set(letters):
            sums[letters] = sums.get(letters, 0.0) + complex(coefficient).real
            continue
        expanded = {"": complex(coefficient).real}
        for letter in letters:
            choices = _PROJECTORS.get(letter, ((letter, 1.0),))
            expanded = {
                paulis + pauli: value * factor
                for paulis, value in expanded.items()
                for pauli, factor in choices
            }
            if len(expanded) > _MOST_TERMS:
                raise CircuitError(f"The observable {letters} has more than {_MOST_TERMS:,} Pauli terms.")
        for paulis, value in expanded.items():
            sums[paulis] = sums.get(paulis, 0.0) + value
    return circuit_pb2.Observable(paulis=sums.keys(), coefficients=sums.values())
