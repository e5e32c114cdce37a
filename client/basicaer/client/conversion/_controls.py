"""Controls before instructions that have been converted, for gates that are more than one instruction."""

from __future__ import annotations

from collections.abc import Iterator

from basicaer.client.conversion._expressions import ConversionError
from basicaer.client.conversion._frames import Columns, Table
from basicaer.client.conversion._operations import GATE_SHAPES, MAX_CONTROLS
from basicaer.client.conversion._parameters import Term
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["append_controlled"]

# These do nothing to a state, and do so with controls too.
_WITHOUT_EFFECT = ("barrier", "delay")


def append_controlled(columns: Columns, other: Columns, table: Table, count: int, state: int) -> None:
    """Append the instructions of `other`, each with qubits 0 to `count` - 1 as its first controls.

    They act where these qubits have the bits of `state`. A phase becomes an instruction.

    Raises:
        ConversionError: One of the instructions isn't a gate, or would have more controls than it can have.
    """
    controls = list(range(count))
    made: dict[int, int] = {}
    for index, qubits, parameters, terms in _instructions(other, table):
        if table.entries[index].name in _WITHOUT_EFFECT:
            columns.append(index, qubits, [], parameters, terms)
            continue
        if index not in made:
            made[index] = table.intern(_with_controls(table.entries[index], count, state))
        columns.append(made[index], [*controls, *qubits], [], parameters, terms)
    if other.phase:
        phase = _with_controls(pb.Operation(name="global_phase", num_parameters=1), count, state)
        columns.append(table.intern(phase), controls, [], [other.phase])


def _with_controls(operation: pb.Operation, count: int, state: int) -> pb.Operation:
    is_gate = operation.name in GATE_SHAPES or operation.name == "unitary"
    if not is_gate or operation.HasField("condition"):
        raise ConversionError(f"{operation.name!r} can't have controls; only gates can")
    inner = operation.num_controls
    if inner + count > MAX_CONTROLS:
        raise ConversionError(f"a gate has {inner + count} controls; the most is {MAX_CONTROLS}")
    inner_state = operation.control_state if operation.HasField("control_state") else (1 << inner) - 1
    result = pb.Operation()
    result.CopyFrom(operation)
    result.num_qubits += count
    result.num_controls += count
    result.ClearField("control_state")
    whole = inner_state << count | state
    if whole != (1 << inner + count) - 1:
        result.control_state = whole
    return result


def _instructions(columns: Columns, table: Table) -> Iterator[tuple[int, list[int], list[float], list[Term]]]:
    """Each instruction: its entry, qubits, parameters and terms, whose positions count from its own first."""
    qubit = parameter = term = 0
    for index in columns.operations:
        operation = table.entries[index]
        qubits = columns.qubits[qubit : qubit + operation.num_qubits]
        qubit += operation.num_qubits
        end = parameter + operation.num_parameters
        terms: list[Term] = []
        while term < len(columns.terms) and columns.terms[term].position < end:
            found = columns.terms[term]
            terms.append(found._replace(position=found.position - parameter))
            term += 1
        yield index, qubits, columns.parameters[parameter:end], terms
        parameter = end
