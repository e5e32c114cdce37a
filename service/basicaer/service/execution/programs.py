"""The contract's `Circuit` as the simulator's: columns become numpy arrays, with no Python object for each
gate.

What can be read is read; whether the circuit makes sense is for `basicaer.simulator.validate` to say. Here
only that is refused which the simulator's data model can't hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.parsing import MAX_BITS, ProgramFault, too_large
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["complex_array", "describe_path", "observable", "to_simulator"]


def to_simulator(circuit: pb.Circuit, body: sim.Block | None = None) -> sim.Circuit:
    """The same circuit for the simulator, perhaps with another body; not validated.

    Raises:
        ProgramFault: It can't be expressed there: an enumeration's unknown number, an expression without a
            kind, an
            array whose size and shape differ, more bits than any state has.
    """
    for count, word in ((circuit.num_qubits, "qubits"), (circuit.num_clbits, "classical bits")):
        if count > MAX_BITS:
            raise too_large("max_bits", MAX_BITS, count, f"{count:,} {word}, and the most is {MAX_BITS:,}")
    return sim.Circuit(
        circuit.num_qubits,
        circuit.num_clbits,
        name=circuit.name,
        global_phase=circuit.global_phase,
        quantum_registers=_registers(circuit.quantum_registers, "quantum_registers"),
        classical_registers=_registers(circuit.classical_registers, "classical_registers"),
        variables=[
            sim.Variable(variable.name, _type(variable.type, f"circuit.variables[{number}]"), variable.input)
            for number, variable in enumerate(circuit.variables)
        ],
        operations=[_operation(operation, number) for number, operation in enumerate(circuit.operations)],
        body=_block(circuit.body) if body is None else body,
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
            words.append(f"operations[{following}]{f' ({name})' if name else ''}")
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
    """The name of a block's instruction, in brackets."""
    if number < len(block.operations) and block.operations[number] < len(circuit.operations):
        return f" ({circuit.operations[block.operations[number]].name})"
    return ""


# --- Parts --------------------------------------------------------------------------------------------------


def _registers(registers: Iterable[pb.Register], field: str) -> list[sim.Register]:
    result: list[sim.Register] = []
    following = 0
    for number, register in enumerate(registers):
        if register.bits:
            bits = tuple(register.bits)
        elif register.size > MAX_BITS:
            raise ProgramFault(
                f"{register.size:,} bits, and the most is {MAX_BITS:,}", path=f"circuit.{field}[{number}]"
            )
        else:
            bits = tuple(range(following, following + register.size))
        following = bits[-1] + 1 if bits else following
        result.append(sim.Register(register.name, register.size, bits))
    return result


def _block(block: pb.Block) -> sim.Block:
    # A slice of a repeated field is a list, which numpy reads several times faster than the field itself.
    columns = (
        np.array(block.operations[:], dtype=np.uint32),
        np.array(block.qubits[:], dtype=np.uint32),
        np.array(block.clbits[:], dtype=np.uint32),
        np.array(block.parameters[:], dtype=np.float64),
    )
    if not (block.term_parameters or block.term_variables or block.term_factors):
        return sim.Block(*columns)
    return sim.Block(
        *columns,
        np.array(block.term_parameters[:], dtype=np.uint32),
        np.array(block.term_variables[:], dtype=np.uint32),
        np.array(block.term_factors[:], dtype=np.float64),
    )


def _operation(operation: pb.Operation, number: int) -> sim.Operation:
    name = operation.name
    path = f"circuit.operations[{number}]{f' ({name})' if name else ''}"
    fields: dict[str, Any] = {"name": name}
    # Most operations are a name and their sizes; asking for each other field would cost more than all else.
    for descriptor, value in operation.ListFields():
        field = descriptor.name
        read = _READERS.get(field)
        fields[field] = value if read is None else read(value, path)
    return sim.Operation(**fields)


def complex_array(message: pb.ComplexArray, path: str) -> npt.NDArray[np.complex128]:
    """The array; a view of the message's bytes where they lie right.

    Raises:
        ProgramFault: Its shape and its number of elements differ, or both `values` and `data` are set.
    """
    if message.values and message.data:
        raise ProgramFault("give either `values` or `data`, not both", path=path)
    if message.data:
        if len(message.data) % 16:
            raise ProgramFault(f"`data` has {len(message.data)} bytes; a complex number has 16", path=path)
        array = np.frombuffer(message.data, dtype="<c16")
    else:
        if len(message.values) % 2:
            raise ProgramFault(
                "`values` holds real and imaginary parts by turns, so that its length is even", path=path
            )
        array = np.array(message.values[:], dtype=np.float64).view(np.complex128)
    shape = tuple(message.shape)
    elements = 1
    for length in shape:
        elements *= length
    if array.size == 0 or len(shape) > 2:
        raise ProgramFault("an array of 1 or 2 axes is needed, and with numbers in it", path=path)
    if elements != array.size:
        sizes = " by ".join(map(str, shape)) or "empty"
        raise ProgramFault(f"the shape is {sizes}, but there are {array.size} numbers", path=path)
    return array.reshape(shape).astype(np.complex128, copy=False)


def _initialize(message: pb.Initialize, path: str) -> sim.Initialize:
    kind = message.WhichOneof("state")
    if kind == "amplitudes":
        amplitudes = complex_array(message.amplitudes, f"{path} initialize")
        return sim.Initialize(amplitudes=amplitudes.reshape(-1))
    if kind == "label":
        return sim.Initialize(label=message.label)
    return sim.Initialize(basis_state=message.basis_state if kind == "basis_state" else None)


def observable(message: pb.Observable) -> sim.Observable:
    """The observable; not validated."""
    return sim.Observable(tuple(message.paulis), tuple(message.coefficients))


def _save(message: pb.Save, path: str) -> sim.Save:
    match message.WhichOneof("kind"):
        case "statevector":
            return sim.Save(message.label, sim.SaveKind.STATEVECTOR)
        case "probabilities":
            return sim.Save(message.label, sim.SaveKind.PROBABILITIES)
        case "expectation_value":
            observables = (observable(message.expectation_value),)
            return sim.Save(message.label, sim.SaveKind.EXPECTATION_VALUES, observables)
    raise ProgramFault(
        "it keeps nothing; set statevector, probabilities or expectation_value", path=f"{path} save"
    )


def _store(message: pb.Store, path: str) -> sim.Store:
    kind = message.WhichOneof("target")
    value = _expression(message.value, f"{path} store")
    if kind == "clbit":
        return sim.Store(sim.ClbitRef(message.clbit), value)
    if kind == "register":
        return sim.Store(sim.RegisterRef(message.register), value)
    if kind == "variable":
        return sim.Store(sim.VariableRef(message.variable), value)
    raise ProgramFault("it has no target; set clbit, register or variable", path=f"{path} store")


def _if_else(message: pb.IfElse, path: str) -> sim.IfElse:
    return sim.IfElse(
        _expression(message.condition, f"{path} if_else.condition"),
        _block(message.then_block),
        _block(message.else_block) if message.HasField("else_block") else None,
    )


def _while_loop(message: pb.WhileLoop, path: str) -> sim.WhileLoop:
    condition = _expression(message.condition, f"{path} while_loop.condition")
    return sim.WhileLoop(condition, _block(message.body))


def _for_loop(message: pb.ForLoop, path: str) -> sim.ForLoop:
    values: range | tuple[int, ...] = tuple(message.values)
    if not values:
        if message.range.step == 0:
            raise ProgramFault("its range has the step 0", path=f"{path} for_loop")
        values = range(message.range.start, message.range.stop, message.range.step)
    variable = message.variable if message.HasField("variable") else None
    return sim.ForLoop(values, _block(message.body), variable)


def _switch_case(message: pb.SwitchCase, path: str) -> sim.SwitchCase:
    target = _expression(message.target, f"{path} switch_case.target")
    cases = [sim.Case(tuple(case.values), _block(case.body), case.is_default) for case in message.cases]
    return sim.SwitchCase(target, tuple(cases))


# How to read each field of an operation that isn't taken as it is.
_READERS: dict[str, Any] = {
    "condition": lambda message, path: _expression(message, f"{path} condition"),
    "parameter_expressions": lambda messages, path: tuple(
        _expression(message, f"{path} parameter_expressions[{number}]")
        for number, message in enumerate(messages)
    ),
    "matrix": lambda message, path: complex_array(message, f"{path} matrix"),
    "initialize": _initialize,
    "save": _save,
    "store": _store,
    "if_else": _if_else,
    "while_loop": _while_loop,
    "for_loop": _for_loop,
    "switch_case": _switch_case,
}


# --- Expressions --------------------------------------------------------------------------------------------


def _type(message: pb.ClassicalType, path: str) -> sim.ClassicalType:
    try:
        return sim.ClassicalType(sim.ClassicalKind(message.kind), message.width)
    except ValueError:
        raise ProgramFault(f"there is no classical type number {message.kind}", path=path) from None


def _expression(message: pb.Expression, path: str) -> sim.Expression:
    kind = message.WhichOneof("kind")
    given = _type(message.type, path) if message.HasField("type") else None
    if given is not None and given.kind is sim.ClassicalKind.UNSPECIFIED:
        given = None
    match kind:
        case "literal":
            return sim.Literal(_literal(message.literal, path), given)
        case "clbit":
            return sim.ClbitRef(message.clbit, given)
        case "register":
            return sim.RegisterRef(message.register, given)
        case "variable":
            return sim.VariableRef(message.variable, given)
        case "unary":
            unary = _enumerated(sim.UnaryOperator, message.unary.operator, path)
            return sim.Unary(unary, _expression(message.unary.operand, path), given)
        case "binary":
            binary = _enumerated(sim.BinaryOperator, message.binary.operator, path)
            left = _expression(message.binary.left, path)
            return sim.Binary(binary, left, _expression(message.binary.right, path), given)
        case "cast":
            if given is None:
                raise ProgramFault("a cast needs the type that it converts to", path=path)
            return sim.Cast(_expression(message.cast, path), given)
        case "index":
            target = _expression(message.index.target, path)
            return sim.Index(target, _expression(message.index.index, path), given)
        case "call":
            function = _enumerated(sim.MathFunction, message.call.function, path)
            return sim.Call(function, _expression(message.call.argument, path), given)
    raise ProgramFault("an expression is empty; set one of its kinds", path=path)


def _literal(message: pb.Literal, path: str) -> bool | int | float:
    match message.WhichOneof("value"):
        case "bool_value":
            return message.bool_value
        case "uint_value":
            return message.uint_value
        case "int_value":
            return message.int_value
        case "float_value":
            return message.float_value
        case "wide_value":
            return int.from_bytes(message.wide_value, "little")
    raise ProgramFault("a literal has no value", path=path)


def _enumerated(kind: Any, number: int, path: str) -> Any:
    try:
        return kind(number)
    except ValueError:
        raise ProgramFault(f"there is no {kind.__name__} number {number}", path=path) from None
