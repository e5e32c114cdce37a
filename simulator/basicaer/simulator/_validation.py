"""Checks a circuit before anything runs, and says where a fault is and what to do about it.

The instructions are checked as columns, so that 100,000 gates take milliseconds; only the table of distinct
operations is walked one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._classical import Path, Scope
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._expressions import ClassicalKind
from basicaer.simulator._layout import CONTROL_FLOW, LOOP_JUMPS, Layout
from basicaer.simulator._operation_checks import check_operation, unitary_operations
from basicaer.simulator._operations import Block, Operation, Register, Variable

_MOST_BITS = 1_000_000


def validate(circuit: Circuit, *, max_instructions: int | None = None) -> None:
    """Check everything about `circuit` that can be wrong before it runs.

    `max_instructions` bounds the instructions, those of nested blocks counted as often as the blocks are
    used, and loops as one turn.

    Raises `CircuitError` with the path of the first fault found.
    """
    _check_size("num_qubits", circuit.num_qubits)
    _check_size("num_clbits", circuit.num_clbits)
    if not math.isfinite(circuit.global_phase):
        raise CircuitError(f"the phase {circuit.global_phase} is not finite", ("global_phase",))
    _check_registers("quantum_registers", circuit.quantum_registers, circuit.num_qubits, "qubit")
    _check_registers("classical_registers", circuit.classical_registers, circuit.num_clbits, "clbit")
    _check_variables(circuit.variables)
    scope = Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables)
    table = circuit.operations
    unitary = unitary_operations(table)
    for number, operation in enumerate(table):
        check_operation(operation, circuit, scope, ("operations", number), is_unitary=number in unitary)
    layout = Layout(table)
    # What an operation's blocks need was found before it, as no block holds a later operation.
    sizes = [0] * len(table)
    jumps = [False] * len(table)
    for number, operation in enumerate(table):
        for name, block in operation.blocks():
            path = ("operations", number, name)
            _check_block(block, circuit, layout, number, path)
            used = _nested(block, table)
            sizes[number] += len(block) + sum(sizes[index] * times for index, times in used)
            jumps[number] |= any(jumps[index] for index, _ in used)
        if operation.name in LOOP_JUMPS:
            jumps[number] = True
        elif operation.name in ("while_loop", "for_loop"):
            jumps[number] = False
    body = circuit.body
    _check_block(body, circuit, layout, len(table), ("body",))
    _check_saves(circuit)
    used = _nested(body, table)
    for index, _ in used:
        if jumps[index]:
            first = int(np.flatnonzero(body.operations == index)[0])
            raise CircuitError(f"{table[index].name} needs a loop around it", ("body", first))
    total = len(body) + sum(sizes[index] * times for index, times in used)
    if max_instructions is not None and total > max_instructions:
        raise CircuitError(f"the circuit has {total} instructions, and {max_instructions} are allowed")


def _check_size(name: str, value: object) -> None:
    if not isinstance(value, int | np.integer) or not 0 <= value <= _MOST_BITS:
        raise CircuitError(f"{name} is {value!r}; it is an integer from 0 to {_MOST_BITS}", (name,))


def _check_registers(field: str, registers: Sequence[Register], count: int, word: str) -> None:
    names: set[str] = set()
    for number, register in enumerate(registers):
        path = (field, number)
        if register.name in names:
            raise CircuitError(f"the name {register.name!r} is used twice", path)
        names.add(register.name)
        if register.size != len(register.bits):
            raise CircuitError(
                f"register {register.name!r} of size {register.size} has {len(register.bits)} bits", path
            )
        if len(set(register.bits)) != len(register.bits):
            raise CircuitError(f"register {register.name!r} has a {word} twice", path)
        for bit in register.bits:
            if not 0 <= bit < count:
                raise CircuitError(
                    f"{word} {bit} of register {register.name!r} is out of range; there are {count}", path
                )


def _check_variables(variables: Sequence[Variable]) -> None:
    names: set[str] = set()
    for number, variable in enumerate(variables):
        path = ("variables", number)
        if variable.name in names:
            raise CircuitError(f"the name {variable.name!r} is used twice", path)
        names.add(variable.name)
        if variable.type.kind is ClassicalKind.UNSPECIFIED:
            raise CircuitError(f"variable {variable.name!r} has no type", path)
        if not 0 <= variable.type.width <= 64:
            raise CircuitError(
                f"variable {variable.name!r} has {variable.type.width} bits; 64 are possible", path
            )


def _nested(block: Block, table: Sequence[Operation]) -> list[tuple[int, int]]:
    """The operations of control flow in the block, each with how often it is used."""
    counts = np.bincount(block.operations)
    return [
        (index, int(counts[index]))
        for index in counts.nonzero()[0].tolist()
        if table[index].name in CONTROL_FLOW or table[index].name in LOOP_JUMPS
    ]


def _check_block(block: Block, circuit: Circuit, layout: Layout, owner: int, path: Path) -> None:
    """Check the columns of a block whose operations have to stand before number `owner` of the table."""
    operations = block.operations
    if len(block.term_parameters) or len(block.term_variables) or len(block.term_factors):
        _check_terms(block, circuit, path)
    if not len(operations):
        if len(block.qubits) or len(block.clbits) or len(block.parameters):
            raise CircuitError("there are operands, but no instruction", path)
        return
    late = operations >= owner
    if late.any():
        first = int(np.argmax(late))
        if operations[first] >= len(circuit.operations):
            message = f"there is no operation {operations[first]}; the table has {len(circuit.operations)}"
        else:
            message = (
                f"operation {operations[first]} has to stand before operation {owner}, whose block uses it"
            )
        raise CircuitError(message, (*path, first))
    offsets = layout.offsets(block)
    columns = (
        ("qubits", block.qubits, offsets.qubits),
        ("clbits", block.clbits, offsets.clbits),
        ("parameters", block.parameters, offsets.parameters),
    )
    for word, column, starts in columns:
        if len(column) != starts[-1]:
            raise CircuitError(
                f"the instructions take {starts[-1]} {word}, and there are {len(column)}", path
            )

    def fault(bad: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]) -> tuple[int, int, str]:
        """The first bad operand, its instruction, and that one's name."""
        operand = int(np.argmax(bad))
        instruction = int(np.searchsorted(starts, operand, side="right")) - 1
        return operand, instruction, circuit.operations[operations[instruction]].name

    for word, column, starts, count in (
        ("qubit", block.qubits, offsets.qubits, circuit.num_qubits),
        ("clbit", block.clbits, offsets.clbits, circuit.num_clbits),
    ):
        if len(column) and int(column.max()) >= count:
            operand, instruction, name = fault(column >= count, starts)
            message = f"{name} acts on {word} {column[operand]}, but the circuit has {count} {word}s"
            raise CircuitError(message, (*path, instruction))
    if not np.isfinite(block.parameters).all():
        operand, instruction, name = fault(~np.isfinite(block.parameters), offsets.parameters)
        message = f"{name} has the parameter {block.parameters[operand]}; parameters are finite numbers"
        raise CircuitError(message, (*path, instruction))
    _check_distinct(block, circuit, offsets.qubits, path)


def _check_terms(block: Block, circuit: Circuit, path: Path) -> None:
    """Check the terms of a block: equal columns, indices in range, inputs of type float, finite factors."""
    parameters, variables, factors = block.term_parameters, block.term_variables, block.term_factors
    if not len(parameters) == len(variables) == len(factors):
        lengths = f"{len(parameters)}, {len(variables)} and {len(factors)}"
        raise CircuitError(
            f"term_parameters, term_variables and term_factors have {lengths} elements; give equally many",
            (*path, "term_parameters"),
        )
    late = parameters >= len(block.parameters)
    if late.any():
        first = int(np.argmax(late))
        message = f"there is no parameter {parameters[first]}; the block has {len(block.parameters)}"
        raise CircuitError(message, (*path, "term_parameters", first))
    usable = np.array(
        [variable.is_input and variable.type.kind is ClassicalKind.FLOAT for variable in circuit.variables],
        dtype=np.bool_,
    )
    wrong = variables >= len(usable)
    wrong[~wrong] = ~usable[variables[~wrong]]
    if wrong.any():
        first = int(np.argmax(wrong))
        raise CircuitError(
            f"variable {variables[first]} is not an input of type float", (*path, "term_variables", first)
        )
    endless = ~np.isfinite(factors)
    if endless.any():
        first = int(np.argmax(endless))
        raise CircuitError(f"{factors[first]} is not finite", (*path, "term_factors", first))


def _check_saves(circuit: Circuit) -> None:
    """Check that each label is used once: by one operation, which is used by one instruction."""
    saving = {number: op.save.label for number, op in enumerate(circuit.operations) if op.save is not None}
    if not saving:
        return
    labels: set[str] = set()
    for number, label in saving.items():
        if label in labels:
            raise CircuitError(f"the label {label!r} is used twice", ("operations", number, "save"))
        labels.add(label)
    blocks = [circuit.body, *(block for operation in circuit.operations for _, block in operation.blocks())]
    for number, label in saving.items():
        if sum(int((block.operations == number).sum()) for block in blocks) > 1:
            raise CircuitError(
                f"the label {label!r} is saved by several instructions", ("operations", number, "save")
            )


def _check_distinct(block: Block, circuit: Circuit, starts: npt.NDArray[np.int64], path: Path) -> None:
    """Check that no instruction has a qubit twice: all instructions of one width at a time."""
    widths = starts[1:] - starts[:-1]
    worst: int | None = None
    for width in np.bincount(widths).nonzero()[0].tolist():
        if width < 2:
            continue
        members = (widths == width).nonzero()[0]
        operands = block.qubits[starts[members][:, None] + np.arange(width)]
        operands.sort(axis=1)
        twice = (operands[:, 1:] == operands[:, :-1]).any(axis=1)
        if twice.any():
            first = int(members[np.argmax(twice)])
            worst = first if worst is None else min(worst, first)
    if worst is not None:
        qubits = block.qubits[starts[worst] : starts[worst + 1]].tolist()
        name = circuit.operations[block.operations[worst]].name
        raise CircuitError(f"{name} acts on the same qubit twice: {qubits}", (*path, worst))
