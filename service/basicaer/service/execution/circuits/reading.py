"""The contract's `Circuit` as the simulator's: columns become numpy arrays, with no Python object for each
gate.

What can be read is read; whether the circuit makes sense is for `basicaer.simulator.validate` to say. Here
only that is refused which the simulator's data model can't hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.execution.circuits.arrays import complex_array
from basicaer.service.execution.circuits.expressions import classical_type, expression
from basicaer.service.execution.circuits.noise import Noise
from basicaer.service.execution.circuits.states import given_state
from basicaer.service.parsing import MAX_BITS, Pause, ProgramFault, no_pause, too_large
from basicaer.service.printable import printable
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["SAVED_FIELDS", "Reading", "describe_path", "observable", "to_simulator"]

_Message = TypeVar("_Message")

# Of all registers of a kind, which may share bits: a few bytes on the wire stand for any number of them.
_MOST_REGISTER_BITS = 10 * MAX_BITS

# Of a basis state's number: as many as MAX_BITS need.
_MOST_WORDS = 1_600

# Of an operation's name in a message (characters); those that there are have a dozen.
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Reading:
    """How a circuit is read: with the long lists that its messages lack, and calling `pause` again and
    again.
    """

    columns: Columns = NO_COLUMNS
    pause: Pause = no_pause

    @cached_property
    def noise(self) -> Noise:
        """What reads the channels of this circuit, and counts what they take."""
        return Noise(self.columns, self.pause)


# Of a block.
_COLUMNS: dict[str, npt.DTypeLike] = {
    "operations": np.uint32,
    "qubits": np.uint32,
    "clbits": np.uint32,
    "parameters": np.float64,
    "term_parameters": np.uint32,
    "term_variables": np.uint32,
    "term_factors": np.float64,
}


def to_simulator(
    circuit: pb.Circuit, body: sim.Block | None = None, reading: Reading | None = None
) -> sim.Circuit:
    """Return the same circuit for the simulator, perhaps with another body; not validated.

    Raises:
        GivenUpError: By `Reading.pause`.
        ProgramFault: It can't be expressed there: an enumeration's unknown number, an expression without a
            kind, an array whose size and shape differ, noise that is none, more bits than any state has.
    """
    reading = Reading() if reading is None else reading
    for count, word in ((circuit.num_qubits, "qubits"), (circuit.num_clbits, "classical bits")):
        if count > MAX_BITS:
            raise too_large("max_bits", MAX_BITS, count, f"{count:,} {word}, and the most is {MAX_BITS:,}")
    return sim.Circuit(
        circuit.num_qubits,
        circuit.num_clbits,
        # The name is the header's, which may be long, and is kept once.
        global_phase=circuit.global_phase,
        quantum_registers=_registers(circuit.quantum_registers, "quantum_registers", reading),
        classical_registers=_registers(circuit.classical_registers, "classical_registers", reading),
        variables=[
            sim.Variable(
                variable.name, classical_type(variable.type, f"circuit.variables[{number}]"), variable.input
            )
            for number, variable in _paused(circuit.variables, reading)
        ],
        operations=[
            _operation(operation, number, reading)
            for number, operation in _paused(circuit.operations, reading)
        ],
        body=_block(circuit.body, reading) if body is None else body,
    )


def describe_path(circuit: pb.Circuit, path: Sequence[str | int]) -> str:
    """Where a `CircuitError.path` leads, in words that name the operations."""
    words: list[str] = []
    block = circuit.body
    position = 0
    while position < len(path):
        step = path[position]
        following = path[position + 1] if position + 1 < len(path) else None
        if step == "operations" and isinstance(following, int):
            name = circuit.operations[following].name if following < len(circuit.operations) else ""
            words.append(f"operations[{following}]{_named(name)}")
            if following < len(circuit.operations) and position + 2 < len(path):
                block = _block_named(circuit.operations[following], str(path[position + 2])) or block
            position += 2
        elif isinstance(step, int):
            words.append(f"[{step}]")
            position += 1
        else:
            words.append(str(step))
            if isinstance(following, int) and _is_block(str(step)):
                words.append(f"instruction {following}{_name_at(circuit, block, following)}")
                position += 1
            position += 1
    return "circuit." + " ".join(words).replace(" [", "[") if words else "circuit"


def _is_block(name: str) -> bool:
    return name in ("body", "then_block", "else_block", "while_body", "for_body") or name.startswith("case_")


def _block_named(operation: pb.Operation, name: str) -> pb.Block | None:
    if name == "then_block":
        return operation.if_else.then_block
    if name == "else_block":
        return operation.if_else.else_block
    if name == "while_body":
        return operation.while_loop.body
    if name == "for_body":
        return operation.for_loop.body
    number = name.removeprefix("case_")
    if number.isdigit() and int(number) < len(operation.switch_case.cases):
        return operation.switch_case.cases[int(number)].body
    return None


def _name_at(circuit: pb.Circuit, block: pb.Block, number: int) -> str:
    """Return the name of a block's instruction, in brackets."""
    if number < len(block.operations) and block.operations[number] < len(circuit.operations):
        return f" ({circuit.operations[block.operations[number]].name})"
    return ""


def _paused(messages: Iterable[_Message], reading: Reading) -> Iterator[tuple[int, _Message]]:
    """Return the messages of a list with their places."""
    for number, message in enumerate(messages):
        reading.pause()
        yield number, message


# --- Parts --------------------------------------------------------------------------------------------------


def _registers(registers: Iterable[pb.Register], field: str, reading: Reading) -> list[sim.Register]:
    result: list[sim.Register] = []
    following = total = 0
    for number, register in _paused(registers, reading):
        size = len(register.bits) or register.size
        if size > MAX_BITS:
            raise ProgramFault(
                f"{size:,} bits, and the most is {MAX_BITS:,}", path=f"circuit.{field}[{number}]"
            )
        total += size
        if total > _MOST_REGISTER_BITS:
            raise too_large(
                "max_register_bits",
                _MOST_REGISTER_BITS,
                total,
                f"the {field} have {total:,} bits together, and the most is {_MOST_REGISTER_BITS:,}",
            )
        bits = tuple(register.bits) or tuple(range(following, following + size))
        following = bits[-1] + 1 if bits else following
        result.append(sim.Register(register.name, register.size, bits))
    return result


def _block(block: pb.Block, reading: Reading) -> sim.Block:
    numbers = reading.columns.numbers
    return sim.Block(
        **{
            name: numbers(block, name, dtype)
            for name, dtype in _COLUMNS.items()
            if reading.columns.length(block, name)
        }
    )


def _named(name: str) -> str:
    """Return an operation's name after its number, as far as it fits into a message."""
    return f" ({printable(name[:_LONGEST_NAME])}{'…' if len(name) > _LONGEST_NAME else ''})" if name else ""


def _operation(operation: pb.Operation, number: int, reading: Reading) -> sim.Operation:
    name = operation.name
    path = f"circuit.operations[{number}]{_named(name)}"
    fields: dict[str, Any] = {"name": name}
    # Most operations are a name and their sizes; asking for each other field would cost more than all else.
    for descriptor, value in operation.ListFields():
        field = descriptor.name
        read = _READERS.get(field)
        fields[field] = value if read is None else read(value, path, reading)
    return sim.Operation(**fields)


def _initialize(message: pb.Initialize, path: str, reading: Reading) -> sim.Initialize:
    kind = message.WhichOneof("state")
    if kind == "amplitudes":
        amplitudes = complex_array(message.amplitudes, f"{path} initialize", reading.columns)
        return sim.Initialize(amplitudes=amplitudes.reshape(-1))
    if kind == "label":
        return sim.Initialize(label=message.label)
    return sim.Initialize(basis_state=message.basis_state if kind == "basis_state" else None)


def observable(message: pb.Observable) -> sim.Observable:
    """Return the observable; not validated."""
    return sim.Observable(tuple(message.paulis), tuple(message.coefficients))


_SAVES = {
    "statevector": sim.SaveKind.STATEVECTOR,
    "probabilities": sim.SaveKind.PROBABILITIES,
    "density_matrix": sim.SaveKind.DENSITY_MATRIX,
    "expectation_value": sim.SaveKind.EXPECTATION_VALUES,
    "expectation_value_variance": sim.SaveKind.EXPECTATION_VALUE_VARIANCE,
    "amplitudes": sim.SaveKind.AMPLITUDES,
    "amplitudes_squared": sim.SaveKind.AMPLITUDES_SQUARED,
    "unitary": sim.SaveKind.UNITARY,
    "detectors": sim.SaveKind.DETECTORS,
    "stabilizer": sim.SaveKind.STABILIZER,
    "superoperator": sim.SaveKind.SUPEROPERATOR,
    "matrix_product_state": sim.SaveKind.MATRIX_PRODUCT_STATE,
}


SAVED_FIELDS = {kind: field for field, kind in _SAVES.items()}
"""The field of Save's `kind` for each kind of the simulator's."""


def _save(message: pb.Save, path: str, reading: Reading) -> sim.Save:
    name = message.WhichOneof("kind")
    kind = _SAVES.get(name or "")
    if kind is None:
        raise ProgramFault(f"it keeps nothing; set one of {', '.join(_SAVES)}", path=f"{path} save")
    what = getattr(message, str(name))
    return sim.Save(
        message.label,
        kind,
        (observable(what),) if isinstance(what, pb.Observable) else (),
        _detectors(what, f"{path} save.detectors", reading) if isinstance(what, pb.SaveDetectors) else (),
        basis_states=_basis_states(what, path, reading) if isinstance(what, pb.BasisStates) else (),
        per_shot=message.per_shot,
        conditional=message.conditional,
        unnormalized=message.unnormalized,
        as_dict=message.as_dict,
        as_operator=message.as_operator,
    )


def _basis_states(message: pb.BasisStates, path: str, reading: Reading) -> tuple[int, ...]:
    words = message.words_per_number or 1
    numbers = reading.columns.numbers(message, "numbers", np.uint64)
    if words > _MOST_WORDS or len(numbers) % words:
        raise ProgramFault(
            f"{len(numbers):,} numbers of {words:,} words; give whole ones, of at most {_MOST_WORDS:,}",
            path=f"{path} save",
        )
    if words == 1:
        return tuple(numbers.tolist())
    rows = np.ascontiguousarray(numbers, dtype="<u8").reshape(-1, words)
    return tuple(int.from_bytes(row.tobytes(), "little") for row in rows)


def _detectors(message: pb.SaveDetectors, path: str, reading: Reading) -> tuple[tuple[int, ...], ...]:
    """Return each detector's classical bits; not validated."""
    columns = reading.columns
    clbits = columns.numbers(message, "clbits", np.uint32).tolist()
    ends = np.cumsum(columns.numbers(message, "sizes", np.uint32), dtype=np.int64).tolist()
    total = ends[-1] if ends else 0
    if total != len(clbits):
        told = f"its sizes are {total:,} together, and its clbits are {len(clbits):,}"
        raise ProgramFault(told, path=path)
    reading.pause()
    return tuple(tuple(clbits[start:end]) for start, end in pairwise([0, *ends]))


def _store(message: pb.Store, path: str, reading: Reading) -> sim.Store:
    kind = message.WhichOneof("target")
    value = expression(message.value, f"{path} store", reading.pause)
    if kind == "clbit":
        return sim.Store(sim.ClbitRef(message.clbit), value)
    if kind == "register":
        return sim.Store(sim.RegisterRef(message.register), value)
    if kind == "variable":
        return sim.Store(sim.VariableRef(message.variable), value)
    raise ProgramFault("it has no target; set clbit, register or variable", path=f"{path} store")


def _if_else(message: pb.IfElse, path: str, reading: Reading) -> sim.IfElse:
    return sim.IfElse(
        expression(message.condition, f"{path} if_else.condition", reading.pause),
        _block(message.then_block, reading),
        _block(message.else_block, reading) if message.HasField("else_block") else None,
    )


def _while_loop(message: pb.WhileLoop, path: str, reading: Reading) -> sim.WhileLoop:
    condition = expression(message.condition, f"{path} while_loop.condition", reading.pause)
    return sim.WhileLoop(condition, _block(message.body, reading))


def _for_loop(message: pb.ForLoop, path: str, reading: Reading) -> sim.ForLoop:
    values: range | tuple[int, ...] = tuple(message.values)
    if not values:
        if message.range.step == 0:
            raise ProgramFault("its range has the step 0", path=f"{path} for_loop")
        values = range(message.range.start, message.range.stop, message.range.step)
    variable = message.variable if message.HasField("variable") else None
    return sim.ForLoop(values, _block(message.body, reading), variable)


def _switch_case(message: pb.SwitchCase, path: str, reading: Reading) -> sim.SwitchCase:
    target = expression(message.target, f"{path} switch_case.target", reading.pause)
    cases = [
        sim.Case(tuple(case.values), _block(case.body, reading), case.is_default)
        for _, case in _paused(message.cases, reading)
    ]
    return sim.SwitchCase(target, tuple(cases))


# How to read each field of an operation that isn't taken as it is.
_READERS: dict[str, Any] = {
    "condition": lambda message, path, reading: expression(message, f"{path} condition", reading.pause),
    "parameter_expressions": lambda messages, path, reading: tuple(
        expression(message, f"{path} parameter_expressions[{number}]", reading.pause)
        for number, message in enumerate(messages)
    ),
    "matrix": lambda message, path, reading: complex_array(message, f"{path} matrix", reading.columns),
    "initialize": _initialize,
    "set_state": lambda message, path, reading: given_state(
        message, f"{path} set_state", reading.columns, reading.pause
    ),
    "save": _save,
    "store": _store,
    "if_else": _if_else,
    "while_loop": _while_loop,
    "for_loop": _for_loop,
    "switch_case": _switch_case,
    "channel": lambda message, path, reading: reading.noise.channel(message, f"{path} channel"),
    "readout": lambda message, path, reading: reading.noise.readout(message, f"{path} readout"),
}
