"""The parts of a conversion: columns under construction, and what the bits of nested Qiskit circuits stand
for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from basicaer.client.conversion._expressions import ConversionError
from basicaer.client.conversion._operations import MAX_DEPTH, NestingTooDeepError
from basicaer.client.conversion._parameters import Term
from basicaer.v1 import circuit_pb2 as pb
from google.protobuf import json_format

__all__ = [
    "Columns",
    "Frame",
    "Names",
    "NotLocalError",
    "Table",
    "blocks_of",
    "registers_to_proto",
    "set_metadata",
]


class Names:
    """What the program's names mean, each with its index in the program.

    The classical registers are known by their bits, the variables by Qiskit's identity, the loop parameters
    that have a value where the conversion stands, and the inputs by themselves (a `Parameter` or a `Var`).
    """

    __slots__ = (
        *("_taken", "bound_parameters", "inputs", "loop_parameters", "registers", "table", "takes_inputs"),
        "variables",
    )

    def __init__(self, takes_inputs: bool) -> None:
        self.takes_inputs = takes_inputs
        self.inputs: dict[Any, int] = {}
        self.registers: dict[tuple[int, ...], int] = {}
        self.variables: dict[Any, int] = {}
        self.table: list[pb.Variable] = []
        self._taken: set[str] = set()
        self.bound_parameters: dict[Any, int] = {}
        self.loop_parameters: set[Any] = set()

    def add_input(self, identity: Any, name: str, kind: pb.ClassicalType | None) -> int:
        """Add a variable whose value comes with the program, and give its index."""
        index = self.inputs[identity] = self.add_variable(name, kind)
        self.table[index].input = True
        return index

    def parameter(self, parameter: Any) -> int | None:
        """Return the index of the input that an unbound `Parameter` becomes; None where inputs can't be
        given.
        """
        index = self.inputs.get(parameter)
        if index is None and self.takes_inputs:
            index = self.add_input(parameter, parameter.name, pb.ClassicalType(kind=pb.CLASSICAL_KIND_FLOAT))
        return index

    def add_variable(self, name: str, kind: pb.ClassicalType | None) -> int:
        """Add a variable to the program's table, under a name of its own, and give its index there."""
        if kind is None:
            raise ConversionError(f"the variable {name!r} has more than 64 bits")
        unique, number = name, 0
        while unique in self._taken:
            number += 1
            unique = f"{name}_{number}"
        self._taken.add(unique)
        self.table.append(pb.Variable(name=unique, type=kind))
        return len(self.table) - 1


class NotLocalError(Exception):
    """A definition holds something that can't be copied by renumbering its qubits and classical bits."""


class Table:
    """The distinct operations of a program, each at its index."""

    __slots__ = ("_indices", "entries", "may_have_unused")

    def __init__(self) -> None:
        self.entries: list[pb.Operation] = []
        # Whether an instruction was made and then not used as it was.
        self.may_have_unused = False
        self._indices: dict[object, int] = {}

    def add(self, operation: pb.Operation) -> int:
        """Return the index of an operation that is like no other."""
        self.entries.append(operation)
        return len(self.entries) - 1

    def gate(self, name: str, qubits: int, parameters: int, **controls: int) -> int:
        """Return the index of a gate."""
        key = (name, *controls.values())
        return self.index(key, name=name, num_qubits=qubits, num_parameters=parameters, **controls)

    def index(self, key: object, **fields: Any) -> int:
        """Return the index of an operation that `key` tells apart from all others."""
        index = self._indices.get(key)
        if index is None:
            index = self._indices[key] = self.add(pb.Operation(**fields))
        return index

    def drop_unused(self, body: Columns) -> None:
        """Remove the operations that neither `body` nor a block in it has, and renumber the others.

        For a reader of the program, the table alone tells what is in it: a label that it saves, for one.
        """
        if not self.may_have_unused:
            return
        used: set[int] = set()
        found = set(body.operations)
        while found:
            used |= found
            blocks = [block for index in found for block in blocks_of(self.entries[index])]
            found = {index for block in blocks for index in block.operations} - used
        kept = sorted(used)
        number = {index: place for place, index in enumerate(kept)}
        self.entries = [self.entries[index] for index in kept]
        body.operations[:] = map(number.__getitem__, body.operations)
        for entry in self.entries:
            for block in blocks_of(entry):
                block.operations[:] = [number[index] for index in block.operations]

    def intern(self, operation: pb.Operation) -> int:
        """Return the index of an operation that only its bytes tell apart."""
        key = operation.SerializeToString(deterministic=True)
        index = self._indices.get(key)
        if index is None:
            index = self._indices[key] = self.add(operation)
        return index


def blocks_of(operation: pb.Operation) -> list[pb.Block]:
    """Return the blocks of a structure of control flow."""
    match operation.name:
        case "if_else":
            blocks = [operation.if_else.then_block, operation.if_else.else_block]
        case "while_loop":
            blocks = [operation.while_loop.body]
        case "for_loop":
            blocks = [operation.for_loop.body]
        case "switch_case":
            blocks = [case.body for case in operation.switch_case.cases]
        case _:
            return []
    # What is written to a block that is unset would set it.
    return [block for block in blocks if block.operations]


class Columns:
    """Instructions under construction, and the phase that they give to the whole circuit."""

    __slots__ = ("clbits", "operations", "parameters", "phase", "qubits", "terms")

    def __init__(self) -> None:
        self.operations: list[int] = []
        self.qubits: list[int] = []
        self.clbits: list[int] = []
        self.parameters: list[float] = []
        # Their positions are those in `parameters`.
        self.terms: list[Term] = []
        self.phase = 0.0

    def append(
        self,
        operation: int,
        qubits: list[int],
        clbits: list[int],
        parameters: list[float],
        terms: Iterable[Term] = (),
    ) -> None:
        self.operations.append(operation)
        self.qubits.extend(qubits)
        self.clbits.extend(clbits)
        self.append_parameters(parameters, terms)

    def append_renumbered(self, other: Columns, qubits: list[int], clbits: list[int]) -> None:
        """Append instructions whose bit i is this circuit's `qubits[i]` or `clbits[i]`."""
        self.operations.extend(other.operations)
        self.qubits.extend(map(qubits.__getitem__, other.qubits))
        self.clbits.extend(map(clbits.__getitem__, other.clbits))
        self.append_parameters(other.parameters, other.terms)
        self.phase += other.phase

    def append_parameters(self, parameters: Iterable[float], terms: Iterable[Term]) -> None:
        """Append parameters, and terms whose positions count from the first of these."""
        start = len(self.parameters)
        self.terms.extend(Term(start + position, variable, factor) for position, variable, factor in terms)
        self.parameters.extend(parameters)

    def settle(self, table: Table) -> None:
        """Make the phase an instruction, for a block: it belongs to the branch that is taken."""
        if self.phase:
            self.operations.insert(0, table.index(("global_phase",), name="global_phase", num_parameters=1))
            self.parameters.insert(0, self.phase)
            self.terms = [term._replace(position=term.position + 1) for term in self.terms]
            self.phase = 0.0

    def to_proto(self) -> pb.Block:
        positions, variables, factors = zip(*self.terms, strict=True) if self.terms else ((), (), ())
        return pb.Block(
            operations=self.operations,
            qubits=self.qubits,
            clbits=self.clbits,
            parameters=self.parameters,
            term_parameters=positions,
            term_variables=variables,
            term_factors=factors,
        )


class Frame:
    """What the bits of one Qiskit circuit (the program, a block, or a definition) stand for; a `Scope`.

    In a `local` frame bits are numbered from 0, to be renumbered later; there nothing may refer to the
    program's classical bits from inside an operation.
    """

    __slots__ = ("_clbits", "_names", "depth", "local", "qubits")

    def __init__(
        self,
        names: Names,
        circuit: Any | None,
        qubits: list[int],
        clbits: list[int],
        depth: int,
        local: bool,
    ) -> None:
        if depth > MAX_DEPTH:
            raise NestingTooDeepError(MAX_DEPTH)
        self._names = names
        self.qubits = dict(zip(circuit.qubits, qubits, strict=True)) if circuit is not None else {}
        self._clbits = dict(zip(circuit.clbits, clbits, strict=True)) if circuit is not None else {}
        self.depth = depth
        self.local = local

    def clbits(self, bits: Any) -> list[int]:
        return [self._clbits[bit] for bit in bits]

    def leave_local(self) -> None:
        if self.local:
            raise NotLocalError

    def clbit(self, bit: Any) -> int:
        self.leave_local()
        index: int | None = self._clbits.get(bit)
        if index is None:
            raise ConversionError(f"the classical bit {bit} is read, but it is not among the bits in reach")
        return index

    def register(self, bits: tuple[int, ...]) -> int | None:
        self.leave_local()
        return self._names.registers.get(bits)

    def variable(self, identity: Any, name: str) -> int:
        self.leave_local()
        index = self._names.variables.get(identity)
        if index is None:
            raise ConversionError(f"the variable {name!r} is used, but it was never declared")
        return index

    def is_bound(self, parameter: Any) -> bool:
        return parameter in self._names.bound_parameters

    def loop_parameter(self, parameter: Any) -> int:
        return self._names.bound_parameters[parameter]

    def input_parameter(self, parameter: Any) -> int | None:
        return self._names.parameter(parameter)


def registers_to_proto(registers: Any, all_bits: Any) -> list[pb.Register]:
    """Return registers with their bits; those that follow one another from bit 0 on need not list them."""
    index_of = {bit: index for index, bit in enumerate(all_bits)}
    result: list[pb.Register] = []
    expected: int | None = 0
    for register in registers:
        bits = [index_of[bit] for bit in register]
        if expected is not None and bits == list(range(expected, expected + len(bits))):
            expected += len(bits)
            result.append(pb.Register(name=register.name, size=len(bits)))
        else:
            expected = None
            result.append(pb.Register(name=register.name, size=len(bits), bits=bits))
    return result


def set_metadata(circuit: pb.Circuit, metadata: Mapping[str, Any]) -> None:
    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(f"a {type(value).__name__} is not JSON")

    try:
        json_format.ParseDict(json.loads(json.dumps(metadata, default=plain)), circuit.metadata)
    except (TypeError, ValueError, json_format.ParseError) as error:
        raise ConversionError(f"the circuit's metadata must be JSON: {error}") from None
