"""Checks a circuit before anything runs, and says where a fault is and what to do about it.

The instructions are checked as columns, so that 100,000 gates take milliseconds; only the table of distinct
operations is walked one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import ClassicalKind
from basicaer.simulator.circuit._layout import CONTROL_FLOW, LOOP_JUMPS, Layout
from basicaer.simulator.circuit._operations import Block, Operation, Register, Variable
from basicaer.simulator.circuit._visits import visits
from basicaer.simulator.classical._conversions import INTEGER_KINDS
from basicaer.simulator.classical._scope import Path, Scope
from basicaer.simulator.compiler._operation_checks import check_operation, unitary_operations

_MOST_BITS = 1_000_000
_DEEPEST_BLOCKS = 10_000
_WIDEST_VARIABLE, _WIDEST_INPUT = 64, 1_024

_Usable = npt.NDArray[np.bool_]


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
    pause = current_pause()
    for number, operation in enumerate(table):
        pause()
        check_operation(operation, circuit, scope, ("operations", number), is_unitary=number in unitary)
    layout = Layout(table)
    # What an operation's blocks need was found before it, as no block holds a later operation.
    sizes = [0] * len(table)
    depths = [0] * len(table)
    jumps = [False] * len(table)
    inputs = _float_inputs(circuit.variables)
    for number, operation in enumerate(table):
        for name, block in operation.blocks():
            pause()
            path = ("operations", number, name)
            _check_block(block, circuit, layout, inputs, number, path)
            used = _nested(block, table)
            sizes[number] += len(block) + sum(sizes[index] * times for index, times in used)
            depths[number] = max([depths[number], *(depths[index] + 1 for index, _ in used)])
            jumps[number] |= any(jumps[index] for index, _ in used)
        if depths[number] > _DEEPEST_BLOCKS:
            message = f"its blocks lie more than {_DEEPEST_BLOCKS:,} deep in one another"
            raise CircuitError(message, ("operations", number))
        if operation.name in LOOP_JUMPS:
            jumps[number] = True
        elif operation.name in ("while_loop", "for_loop"):
            jumps[number] = False
    body = circuit.body
    _check_block(body, circuit, layout, inputs, len(table), ("body",))
    pause()
    _check_saves(circuit)
    pause()
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
        is_wide = variable.is_input and variable.type.kind in INTEGER_KINDS
        most = _WIDEST_INPUT if is_wide else _WIDEST_VARIABLE
        if not 0 <= variable.type.width <= most:
            raise CircuitError(
                f"variable {variable.name!r} has {variable.type.width} bits; {most:,} are possible", path
            )


def _nested(block: Block, table: Sequence[Operation]) -> list[tuple[int, int]]:
    """Return the operations of control flow in the block, each with how often it is used."""
    # In time in proportion to the block, however long the table is.
    found, counts = np.unique(block.operations, return_counts=True)
    return [
        (index, times)
        for index, times in zip(found.tolist(), counts.tolist(), strict=True)
        if table[index].name in CONTROL_FLOW or table[index].name in LOOP_JUMPS
    ]


def _check_block(
    block: Block, circuit: Circuit, layout: Layout, inputs: _Usable, owner: int, path: Path
) -> None:
    """Check the columns of a block whose operations have to stand before number `owner` of the table."""
    operations = block.operations
    if len(block.term_parameters) or len(block.term_variables) or len(block.term_factors):
        _check_terms(block, inputs, path)
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
    # Between passes over all columns.
    pause = current_pause()
    pause()
    offsets = layout.offsets(block)
    pause()
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
        """Return the first bad operand, its instruction, and that one's name."""
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
    pause()
    if not np.isfinite(block.parameters).all():
        operand, instruction, name = fault(~np.isfinite(block.parameters), offsets.parameters)
        message = f"{name} has the parameter {block.parameters[operand]}; parameters are finite numbers"
        raise CircuitError(message, (*path, instruction))
    _check_distinct(block, circuit, "qubit", block.qubits, offsets.qubits, path)
    if layout.clbits.max() > 1:
        _check_distinct(block, circuit, "clbit", block.clbits, offsets.clbits, path)


def _float_inputs(variables: Sequence[Variable]) -> _Usable:
    """Whether each variable is an input of type float."""
    return np.array(
        [variable.is_input and variable.type.kind is ClassicalKind.FLOAT for variable in variables],
        dtype=np.bool_,
    )


def _check_terms(block: Block, usable: _Usable, path: Path) -> None:
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
        save = circuit.operations[number].save
        for own in (label,) if save is None else save.labels:
            if own in labels:
                raise CircuitError(f"the label {own!r} is used twice", ("operations", number, "save"))
            labels.add(own)
    uses = np.zeros(len(circuit.operations), dtype=np.int64)
    for block in (circuit.body, *(block for op in circuit.operations for _, block in op.blocks())):
        np.add.at(uses, block.operations, 1)
    for number, label in saving.items():
        if uses[number] > 1:
            raise CircuitError(
                f"the label {label!r} is saved by several instructions", ("operations", number, "save")
            )
    if any(op.save is not None and op.save.per_shot for op in circuit.operations):
        for number, (operation, times) in enumerate(zip(circuit.operations, visits(circuit), strict=True)):
            if operation.save is not None and operation.save.per_shot and times is None:
                raise CircuitError(
                    "how often a shot comes by isn't known in a while loop; leave out per_shot there",
                    ("operations", number, "save"),
                )


def _check_distinct(
    block: Block,
    circuit: Circuit,
    word: str,
    column: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    path: Path,
) -> None:
    """Check that no instruction has an operand of `column` twice: all instructions of one width at a time."""
    pause = current_pause()
    pause()
    widths = starts[1:] - starts[:-1]
    worst: int | None = None
    for width in np.bincount(widths).nonzero()[0].tolist():
        if width < 2:
            continue
        members = (widths == width).nonzero()[0]
        pause()
        operands = column[starts[members][:, None] + np.arange(width)]
        pause()
        operands.sort(axis=1)
        pause()
        twice = (operands[:, 1:] == operands[:, :-1]).any(axis=1)
        if twice.any():
            first = int(members[np.argmax(twice)])
            worst = first if worst is None else min(worst, first)
    if worst is not None:
        operands = column[starts[worst] : starts[worst + 1]]
        name = circuit.operations[block.operations[worst]].name
        raise CircuitError(f"{name} acts on the same {word} twice: {operands.tolist()}", (*path, worst))
