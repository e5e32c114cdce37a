"""Requests in which one thing is blown up as far as it goes, made from the descriptors: each list, with the
shortest elements and with those of valid jobs, up to its limit and up to the message's; what may hold
itself; and what no client writes, such as unknown fields, and one message given again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from basicaer.service.wire._limits import MOST, MOST_PARTS
from basicaer.v1 import circuit_pb2, job_pb2
from basicaer.v1 import job_service_pb2 as pb

from tests.fuzz.inputs.seeds import specs
from tests.unit.wire.encoding import element, field, nested, varint
from tests.unit.wire.paths import METHODS, fields_of, lists

__all__ = ["BlownUp", "blown_up"]

# Below what one list can't be told from the others' share.
_PARTS = MOST_PARTS - 1_000
_LENGTH = 2
# Of the keys and lengths around a list.
_HEAD = 200
_BACKEND = field(1, b"qasm_simulator")
# SubmitJobRequest.validate_only
_CHECK = b"\x18\x01"
# Of a table, beside a few others.
_OPERATIONS = MOST["basicaer.v1.Circuit.operations"] - 10
_NUMBERED = ("quantum_registers", "classical_registers", "variables", "outputs")


@dataclass(frozen=True)
class BlownUp:
    """A request of an RPC: `make` returns its bytes, up to so many."""

    name: str
    method: str
    make: Callable[[int], bytes]


def blown_up() -> Iterator[BlownUp]:
    """Returns all of them, each of which is for up to as many bytes as it is asked for."""
    yield from _shortest()
    yield from _valid()
    yield from _in_itself()
    yield from _odd()


def _shortest() -> Iterator[BlownUp]:
    """Each list with its shortest elements."""
    methods = {method.input_type.full_name: method.name for method in reversed(METHODS)}
    for name, (root, path, descriptor) in lists().items():
        method, one = methods[root.full_name], element(descriptor)
        if method == "RunJob":
            # The same spec, which is only checked.
            method = "SubmitJob"
        limited = partial(_elements, path, one, MOST[name])
        yield BlownUp(f"{name}, up to its limit", method, limited)
        yield BlownUp(f"{name}, without end", method, partial(_elements, path, one, 1 << 60))
        if descriptor.message_type is None and one[0] & 7 != _LENGTH:
            yield BlownUp(f"{name}, packed", method, partial(_packed, path, descriptor.number))


def _elements(path: list[Any], one: bytes, most: int, room: int) -> bytes:
    return _asked(path, one * min(most, (room - _HEAD) // len(one)))


def _packed(path: list[Any], number: int, room: int) -> bytes:
    # Whole doubles, too.
    return _asked(path, field(number, bytes((room - _HEAD) // 8 * 8)))


def _asked(path: list[Any], contents: bytes) -> bytes:
    """A request; one with a spec only has it checked, by a backend that there is."""
    if path and path[0].name == "spec":
        return field(1, _BACKEND + nested(path[1:], contents)) + _CHECK
    return nested(path, contents)


def _valid() -> Iterator[BlownUp]:
    """Each list of valid jobs, with its elements again and again."""
    seen = set()
    for number, spec in enumerate(specs()):
        for name, steps in _places(spec):
            if name in seen or name not in MOST:
                continue
            seen.add(name)

            yield BlownUp(
                f"{name}, of a valid job", "SubmitJob", partial(_repeated, number, steps, MOST[name])
            )


def _places(message: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The lists that a message has, each with the way there."""
    for descriptor, value in message.ListFields():
        here = (*steps, descriptor.name)
        if descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry:
            continue
        if descriptor.is_repeated:
            yield descriptor.full_name, here
        if descriptor.message_type is not None:
            for index, child in enumerate(value) if descriptor.is_repeated else [(None, value)]:
                yield from _places(child, here if index is None else (*here, index))


def _repeated(number: int, steps: tuple[Any, ...], most: int, room: int) -> bytes:
    spec = job_pb2.JobSpec()
    spec.CopyFrom(specs()[number])
    owner: Any = spec
    for step in steps[:-1]:
        owner = owner[step] if isinstance(step, int) else getattr(owner, step)
    values = getattr(owner, steps[-1])
    size = max(1, owner.ByteSize() // len(values))
    copies = max(1, min(most, (room - spec.ByteSize()) // (2 * size), _PARTS // 4) // len(values))
    elements = list(values) * copies
    owner.ClearField(steps[-1])
    getattr(owner, steps[-1]).extend(elements)
    if steps[-1] in _NUMBERED:
        for index, value in enumerate(getattr(owner, steps[-1])):
            value.name = f"{value.name}{index}"
    return pb.SubmitJobRequest(spec=spec, validate_only=True).SerializeToString()


def _job(circuit: circuit_pb2.Circuit) -> bytes:
    spec = job_pb2.JobSpec(backend_name="qasm_simulator", programs=[job_pb2.Program(circuit=circuit)])
    return pb.SubmitJobRequest(spec=spec, validate_only=True).SerializeToString()


def _tree(depth: int) -> circuit_pb2.Expression:
    """An expression of 2^depth leaves."""
    tree = circuit_pb2.Expression(clbit=0)
    for _ in range(depth):
        larger = circuit_pb2.Expression()
        larger.binary.operator = circuit_pb2.BINARY_OPERATOR_LOGIC_AND
        larger.binary.left.CopyFrom(tree)
        larger.binary.right.CopyFrom(tree)
        tree = larger
    return tree


def _expression(room: int) -> bytes:
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=1)
    circuit.operations.add(name="x", condition=_tree(16 if room > 4 << 20 else 8))
    circuit.body.operations.append(0)
    circuit.body.qubits.append(0)
    return _job(circuit)


def _expressions(room: int) -> bytes:
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=1)
    one = circuit_pb2.Operation(name="x", condition=_tree(3))
    circuit.operations.extend([one] * min(45_000, room // (2 * one.ByteSize())))
    circuit.body.operations.append(0)
    circuit.body.qubits.append(0)
    return _job(circuit)


def _cases(room: int) -> bytes:
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=1)
    circuit.operations.add(name="x")
    switch = circuit.operations.add(name="switch_case").switch_case
    switch.target.literal.uint_value = 1
    case = circuit_pb2.Case(values=[1], body=circuit_pb2.Block(operations=[0], qubits=[0]))
    switch.cases.extend([case] * min(16_384, room // 64))
    circuit.body.operations.append(1)
    return _job(circuit)


def _ifs(room: int, chained: bool) -> bytes:
    """Many `if`s: each holds an instruction, or the `if` before and a thousand qubits."""
    circuit = circuit_pb2.Circuit(num_qubits=1_000, num_clbits=1)
    circuit.operations.add(name="x")
    circuit.operations.add(name="barrier", num_qubits=1_000)
    for number in range(min(_OPERATIONS, room // (2_200 if chained else 60))):
        choice = circuit.operations.add(name="if_else").if_else
        choice.condition.clbit = 0
        if chained:
            choice.then_block.operations.extend([1, number + 1] if number else [1])
            choice.then_block.qubits.extend(range(1_000))
        else:
            choice.then_block.operations.append(0)
            choice.then_block.qubits.append(0)
    circuit.body.operations.extend(range(2, len(circuit.operations)))
    return _job(circuit)


def _endless(room: int) -> bytes:
    """A loop of 2^63 turns in a loop of 2^63 turns, and so on."""
    circuit = circuit_pb2.Circuit(num_qubits=1, num_clbits=1)
    circuit.operations.add(name="x")
    for number in range(min(10_000, room // 60)):
        loop = circuit.operations.add(name="for_loop").for_loop
        loop.range.start, loop.range.stop, loop.range.step = -(2**63), 2**63 - 1, 1
        loop.body.operations.append(number)
        if not number:
            loop.body.qubits.append(0)
    circuit.body.operations.append(len(circuit.operations) - 1)
    return _job(circuit)


def _many_saves(room: int) -> bytes:
    """Saves, each of all qubits, in a long body."""
    circuit = circuit_pb2.Circuit(num_qubits=2)
    circuit.operations.add(name="x")
    for number in range(min(_OPERATIONS, room // 80)):
        save = circuit.operations.add(name="save", num_qubits=2).save
        save.label = f"s{number}"
        save.probabilities.SetInParent()
    count = len(circuit.operations)
    more = min(1_000_000, room // 8)
    circuit.body.operations.extend([*range(1, count), *[0] * more])
    circuit.body.qubits.extend([*[0, 1] * (count - 1), *[0] * more])
    return _job(circuit)


def _gates(room: int) -> bytes:
    """A long circuit of gates, which is valid."""
    circuit = circuit_pb2.Circuit(num_qubits=4, num_clbits=4)
    circuit.operations.add(name="rx")
    circuit.operations.add(name="measure")
    count = min(5_000_000, room // 12)
    circuit.body.operations.extend([0] * count + [1] * 4)
    circuit.body.qubits.extend([*[number % 4 for number in range(count)], 0, 1, 2, 3])
    circuit.body.clbits.extend(range(4))
    circuit.body.parameters.extend([0.5] * count)
    return _job(circuit)


def _matrix(room: int) -> bytes:
    """A matrix that is not unitary only at its end."""
    rows = 1 << ((room // 32).bit_length() // 2)
    identity = bytearray(16 * rows * rows)
    for row in range(rows - 1):
        place = 16 * row * (rows + 1)
        identity[place : place + 8] = b"\0\0\0\0\0\0\xf0\x3f"
    circuit = circuit_pb2.Circuit(num_qubits=12)
    circuit.operations.add(name="unitary").matrix.MergeFrom(
        circuit_pb2.ComplexArray(shape=[rows, rows], data=bytes(identity))
    )
    return _job(circuit)


def _in_itself() -> Iterator[BlownUp]:
    yield BlownUp("an expression of 65,536 leaves", "SubmitJob", _expression)
    yield BlownUp("45,000 conditions", "SubmitJob", _expressions)
    yield BlownUp("a switch of 16,384 cases", "SubmitJob", _cases)
    yield BlownUp("as many ifs as there may be", "SubmitJob", lambda room: _ifs(room, False))
    yield BlownUp("ifs, each of which holds the one before", "SubmitJob", lambda room: _ifs(room, True))
    yield BlownUp("10,000 loops in one another", "SubmitJob", _endless)
    yield BlownUp("as many saves as there may be", "SubmitJob", _many_saves)
    yield BlownUp("5,000,000 gates", "SubmitJob", _gates)
    yield BlownUp("a large matrix", "SubmitJob", _matrix)
    value = fields_of(pb.SubmitJobRequest.DESCRIPTOR)
    entry = value["google.protobuf.Struct.FieldsEntry.value"][1]
    fields_, metadata = value["google.protobuf.Struct.fields"]
    nest = [metadata, entry, value["google.protobuf.Value.struct_value"][1]]
    deep = [*fields_, *(nest * 40)[: 98 - len(fields_)]]
    yield BlownUp("free data in one another", "SubmitJob", lambda room: _asked(deep, b""))


def _odd() -> Iterator[BlownUp]:
    for method in METHODS:
        yield BlownUp(f"unknown fields of {method.name}", method.name, _unknown)
    yield BlownUp("a text of unknown use", "GetJob", lambda room: field(1_000, bytes(room - 20)))
    yield BlownUp("a spec given again and again", "SubmitJob", lambda room: field(1, b"") * (room // 2))
    yield BlownUp("options given again and again", "SubmitJob", _merged)
    yield BlownUp("many programs of many operations", "SubmitJob", _many_programs)
    yield BlownUp("zeros", "SubmitJob", bytes)
    yield BlownUp(
        "overlong numbers", "SubmitJob", lambda room: (b"\x18" + b"\x80" * 9 + b"\0") * (room // 11)
    )


def _unknown(room: int) -> bytes:
    return (varint(1_000 << 3) + b"\0") * (room // 3)


def _overlong(room: int) -> bytes:
    return (b"\x18" + b"\x80" * 9 + b"\0") * (room // 11)


def _merged(room: int) -> bytes:
    """As often as the limit of all parts allows."""
    return field(1, _BACKEND + field(3, b"") * min(_PARTS, room // 3)) + _CHECK


def _many_programs(room: int) -> bytes:
    program = field(2, field(1, field(9, b"\x0a\x01h") * min(1_400, room // 16_000)))
    return field(1, _BACKEND + program * min(1_000, room // (len(program) + 1))) + _CHECK
