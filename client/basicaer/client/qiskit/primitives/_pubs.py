"""Qiskit's PUBs (primitive unified blocs) as programs for the wire."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any

from basicaer.client._errors import CircuitError
from basicaer.client.conversion._unbound import Unbound
from basicaer.client.conversion.from_qiskit import circuit_to_program
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.jobs._options import integer
from basicaer.client.qiskit._labels import with_error_places
from basicaer.v1 import circuit_pb2, job_pb2

__all__ = ["observable_to_proto", "programs_of", "whole_shots", "with_whole_shots"]

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


def whole_shots(shots: Any) -> int:
    """Return shots that are whole, such as 1e4, as an int.

    Raises:
        OptionInvalidError: They are no whole number.
    """
    return integer("shots", shots, -(2**63), 2**63)


def with_whole_shots(pub: Any) -> Any:
    """Return what shall become a sampler's PUB, with its shots as an int.

    Raises:
        OptionInvalidError: They are no whole number.
    """
    if isinstance(pub, tuple | list) and len(pub) == 3 and pub[2] is not None:
        return (*pub[:2], whole_shots(pub[2]))
    return pub


def programs_of(circuit: Any, values: Any, noise: NoiseModel | None = None) -> list[job_pb2.Program]:
    """Return a circuit with all sets of parameter values (a BindingsArray), in row-major order, for a job
    with a noise model.

    That is one program, or one for each set where the circuit can't be sent without its values.

    Raises:
        ConversionError: The circuit can't be run.
    """
    if noise is not None:
        circuit = with_error_places(circuit, noise)
    unbound = Unbound(circuit, functools.partial(circuit_to_program, metadata=False))
    parameters = list(circuit.parameters)
    if len(unbound.inputs) != len(parameters):
        unbound.row([])  # raises: a PUB can't give a variable its value
    programs = unbound.programs(values.as_array(parameters).reshape(values.size, len(parameters)))
    if not parameters and values.shape:
        (program,) = programs
        program.inputs.names.append(_unused_input(program.circuit))
        program.inputs.values.extend([0.0] * values.size)
    return programs


def _unused_input(circuit: circuit_pb2.Circuit) -> str:
    """Add an input that no gate reads, so that a circuit without parameters has rows too; return its
    name.
    """
    taken = {variable.name for variable in circuit.variables}
    name = next(name for name in map("row{}".format, itertools.count()) if name not in taken)
    kind = circuit_pb2.ClassicalType(kind=circuit_pb2.CLASSICAL_KIND_FLOAT)
    circuit.variables.add(name=name, type=kind, input=True)
    return name


def observable_to_proto(terms: Mapping[str, complex]) -> circuit_pb2.Observable:
    """Return an observable, given as coefficients by products of I X Y Z 0 1 + - r l, in Pauli terms.

    Raises:
        CircuitError: It isn't Hermitian, or has too many terms.
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
