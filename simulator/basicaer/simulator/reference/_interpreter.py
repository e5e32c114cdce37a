"""Runs a circuit by whole matrices, following every outcome with its probability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._expressions import ClassicalKind, ClbitRef, Expression, RegisterRef
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._operations import Block, Initialize, Operation, Save, SaveKind, Store
from basicaer.simulator.reference._expressions import as_type, evaluate, shape

Matrix = npt.NDArray[np.complex128]

_NEGLIGIBLE = 1e-14
_MOST_TURNS = 10_000
_MOST_LEAVES = 500
_PAULIS: dict[str, Matrix] = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]).astype(complex),
}


class TooManyLeavesError(Exception):
    """A circuit can go more ways than this simulator follows; a test should pass it over."""


@dataclass(frozen=True)
class Leaf:
    """One way that a run can go: its probability, and what it has in its memories.

    `jump` is "break" or "continue" while a loop is being left. `saved` has what was saved so far, in order.
    """

    probability: float
    state: Matrix
    clbits: int
    variables: tuple[Any, ...]
    jump: str = ""
    saved: tuple[tuple[str, Matrix], ...] = ()


def interpret(circuit: Circuit, initial: npt.ArrayLike | None = None) -> list[Leaf]:
    """Every way that a run of a valid circuit can go, with states of norm 1. Raises `TooManyLeavesError`."""
    state: Matrix = np.zeros(2**circuit.num_qubits, dtype=complex)
    state[0] = 1.0
    if initial is not None:
        state = np.array(initial, dtype=complex)
    first = tuple(
        variable.value or (0.0 if variable.type.kind is ClassicalKind.FLOAT else 0)
        for variable in circuit.variables
    )
    leaves = _run_block(circuit, circuit.body, [Leaf(1.0, state, 0, first)])
    return [replace(leaf, state=leaf.state * np.exp(1j * circuit.global_phase)) for leaf in leaves]


def distribution(circuit: Circuit, initial: npt.ArrayLike | None = None) -> dict[int, float]:
    """The probability of each outcome of the classical bits."""
    found: dict[int, float] = {}
    for leaf in interpret(circuit, initial):
        found[leaf.clbits] = found.get(leaf.clbits, 0.0) + leaf.probability
    return found


def saved_means(circuit: Circuit, initial: npt.ArrayLike | None = None) -> dict[str, Matrix]:
    """For each label the mean of what is saved under it, over all times that a run comes by."""
    totals: dict[str, Matrix] = {}
    weights: dict[str, float] = {}
    for leaf in interpret(circuit, initial):
        for label, value in leaf.saved:
            totals[label] = totals.get(label, 0.0) + leaf.probability * value
            weights[label] = weights.get(label, 0.0) + leaf.probability
    return {label: total / weights[label] for label, total in totals.items()}


def matrix_of(circuit: Circuit) -> Matrix:
    """The matrix of a circuit that is not random."""
    size = 2**circuit.num_qubits
    columns = [interpret(circuit, np.eye(size)[column])[0].state for column in range(size)]
    return np.array(columns).T


def _run_block(circuit: Circuit, block: Block, leaves: list[Leaf]) -> list[Leaf]:
    qubits, clbits = iter(block.qubits.tolist()), iter(block.clbits.tolist())
    parameters = iter(block.parameters.tolist())
    for index in block.operations.tolist():
        operation = circuit.operations[index]
        own_qubits = [next(qubits) for _ in range(_width(operation))]
        own_clbits = [next(clbits) for _ in range(1 if operation.name == "measure" else 0)]
        count = (
            GATES[operation.name].num_parameters
            if operation.name in GATES
            else int(operation.name == "delay")
        )
        own = [next(parameters) for _ in range(0 if operation.parameter_expressions else count)]
        after: list[Leaf] = []
        for leaf in leaves:
            if leaf.jump or (
                operation.condition is not None and not _value(operation.condition, circuit, leaf)
            ):
                after.append(leaf)
            else:
                after.extend(_do(circuit, operation, own_qubits, own_clbits, own, leaf))
        leaves = after
        if len(leaves) > _MOST_LEAVES:
            raise TooManyLeavesError
    return leaves


def _width(operation: Operation) -> int:
    spec = GATES.get(operation.name)
    if spec is not None and not spec.any_controls:
        return spec.num_qubits + operation.num_controls
    if operation.matrix is not None:
        return int(np.log2(len(operation.matrix))) + operation.num_controls
    if operation.initialize is not None and operation.initialize.amplitudes is not None:
        return int(np.log2(operation.initialize.amplitudes.size))
    return {"measure": 1, "reset": 1}.get(operation.name, operation.num_qubits)


def _value(expression: Expression, circuit: Circuit, leaf: Leaf) -> Any:
    return evaluate(expression, circuit, leaf.clbits, leaf.variables).value


def _do(
    circuit: Circuit,
    operation: Operation,
    qubits: list[int],
    clbits: list[int],
    parameters: list[float],
    leaf: Leaf,
) -> Iterable[Leaf]:
    name, size = operation.name, circuit.num_qubits
    if name in ("barrier", "delay"):
        return [leaf]
    if name in GATES or name == "unitary":
        values = [_radians(expression, circuit, leaf) for expression in operation.parameter_expressions]
        matrix = _gate(operation, values or parameters, len(qubits))
        return [replace(leaf, state=_embed(matrix, qubits, size) @ leaf.state)]
    if name == "measure":
        return [
            replace(part, clbits=part.clbits & ~(1 << clbits[0]) | outcome << clbits[0])
            for outcome, part in _measure(leaf, qubits[0])
        ]
    if name == "reset":
        return _reset(leaf, qubits, size)
    if operation.initialize is not None:
        amplitudes = _amplitudes(operation.initialize, len(qubits))
        # Any matrix will do whose first column is the state, as the qubits are in 0.
        matrix = np.zeros((len(amplitudes), len(amplitudes)), dtype=complex)
        matrix[:, 0] = amplitudes
        whole = _embed(matrix, qubits, size)
        return [replace(part, state=whole @ part.state) for part in _reset(leaf, qubits, size)]
    if operation.save is not None:
        value = _kept(operation.save, qubits, size, leaf.state)
        return [replace(leaf, saved=(*leaf.saved, (operation.save.label, value)))]
    if operation.store is not None:
        return [_assign(operation.store, circuit, leaf)]
    if name in ("break_loop", "continue_loop"):
        return [replace(leaf, jump=name.removesuffix("_loop"))]
    return _control_flow(circuit, operation, leaf)


def _control_flow(circuit: Circuit, operation: Operation, leaf: Leaf) -> Iterable[Leaf]:
    if operation.if_else is not None:
        choice = operation.if_else
        if _value(choice.condition, circuit, leaf):
            return _run_block(circuit, choice.then_block, [leaf])
        return _run_block(circuit, choice.else_block, [leaf]) if choice.else_block is not None else [leaf]
    if operation.switch_case is not None:
        selected = int(_value(operation.switch_case.target, circuit, leaf))
        for case in operation.switch_case.cases:
            if case.is_default or selected in case.values:
                return _run_block(circuit, case.body, [leaf])
        return [leaf]
    done: list[Leaf] = []
    if operation.for_loop is not None:
        loop = operation.for_loop
        running = [leaf]
        for value in loop.values:
            if loop.variable is not None:
                running = [
                    replace(part, variables=_with(part.variables, loop.variable, value)) for part in running
                ]
            running = _turn(_run_block(circuit, loop.body, running), done)
        return done + running
    if operation.while_loop is None:
        raise AssertionError(operation.name)
    running = [leaf]
    for _ in range(_MOST_TURNS):
        done += [part for part in running if not _value(operation.while_loop.condition, circuit, part)]
        running = [part for part in running if _value(operation.while_loop.condition, circuit, part)]
        if not running:
            return done
        running = _turn(_run_block(circuit, operation.while_loop.body, running), done)
    raise AssertionError("a loop does not end")


def _turn(leaves: list[Leaf], done: list[Leaf]) -> list[Leaf]:
    """What goes on after a loop's turn; what breaks is done."""
    done += [replace(leaf, jump="") for leaf in leaves if leaf.jump == "break"]
    return [replace(leaf, jump="") for leaf in leaves if leaf.jump != "break"]


def _with(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def _assign(store: Store, circuit: Circuit, leaf: Leaf) -> Leaf:
    item = evaluate(store.value, circuit, leaf.clbits, leaf.variables)
    target = store.target
    if isinstance(target, ClbitRef):
        return replace(
            leaf, clbits=leaf.clbits & ~(1 << target.index) | int(bool(item.value)) << target.index
        )
    if isinstance(target, RegisterRef):
        clbits = leaf.clbits
        for place, bit in enumerate(circuit.classical_registers[target.index].bits):
            clbits = clbits & ~(1 << bit) | (int(item.value) // 2**place % 2) << bit
        return replace(leaf, clbits=clbits)
    kind, width = shape(circuit.variables[target.index].type)
    return replace(leaf, variables=_with(leaf.variables, target.index, as_type(item, kind, width).value))


def _radians(expression: Expression, circuit: Circuit, leaf: Leaf) -> float:
    item = evaluate(expression, circuit, leaf.clbits, leaf.variables)
    return float(as_type(item, ClassicalKind.FLOAT, 64).value)


def _gate(operation: Operation, parameters: Sequence[float], width: int) -> Matrix:
    """The matrix of an instruction on its `width` qubits, controls first."""
    if operation.matrix is not None:
        matrix = np.asarray(operation.matrix, dtype=complex)
    else:
        matrix = GATES[operation.name].matrix(*parameters)
    # The table's matrix of mcx and its like has one control; each further one is added on 1 before it.
    known = int(np.log2(len(matrix)))
    further = width - operation.num_controls - known
    for _ in range(further):
        matrix = _with_control(matrix, 1)
    state = operation.control_state
    for place in reversed(range(operation.num_controls)):
        matrix = _with_control(matrix, 1 if state is None else state // 2**place % 2)
    return matrix


def _with_control(matrix: Matrix, value: int) -> Matrix:
    """`matrix` with one more qubit, the new least significant one, on whose `value` it acts."""
    on, off = np.zeros((2, 2)), np.zeros((2, 2))
    on[value, value] = 1.0
    off[1 - value, 1 - value] = 1.0
    return np.asarray(np.kron(matrix, on) + np.kron(np.eye(len(matrix)), off), dtype=np.complex128)


def _embed(matrix: Matrix, qubits: Sequence[int], size: int) -> Matrix:
    """The matrix on all qubits, entry by entry."""
    whole = np.zeros((2**size, 2**size), dtype=complex)
    for column in range(2**size):
        inner = sum((column >> qubit & 1) << place for place, qubit in enumerate(qubits))
        for row_inner in range(len(matrix)):
            row = column
            for place, qubit in enumerate(qubits):
                row = row & ~(1 << qubit) | (row_inner >> place & 1) << qubit
            whole[row, column] += matrix[row_inner, inner]
    return whole


def _kept(save: Save, qubits: Sequence[int], size: int, state: Matrix) -> Matrix:
    """What a save keeps of a state, without the circuit's phase."""
    if save.kind is SaveKind.STATEVECTOR:
        return state
    if save.kind is SaveKind.PROBABILITIES:
        found = np.zeros(2 ** len(qubits))
        for index, amplitude in enumerate(state):
            outcome = sum((index >> qubit & 1) << place for place, qubit in enumerate(qubits))
            found[outcome] += abs(amplitude) ** 2
        return found.astype(complex)
    values = []
    for observable in save.observables:
        matrix: Matrix = np.zeros((2 ** len(qubits),) * 2, dtype=complex)
        for pauli, coefficient in zip(observable.paulis, observable.coefficients, strict=True):
            product: Matrix = np.ones((1, 1), dtype=complex)
            for letter in pauli:
                product = np.asarray(np.kron(product, _PAULIS[letter]), dtype=np.complex128)
            matrix = matrix + coefficient * product
        values.append(np.vdot(state, _embed(matrix, qubits, size) @ state))
    return np.array(values)


def _measure(leaf: Leaf, qubit: int) -> list[tuple[int, Leaf]]:
    """The outcomes of a measurement that are possible, with what follows from each."""
    bits = np.arange(len(leaf.state)) >> qubit & 1
    found = []
    for outcome in (0, 1):
        part: Matrix = np.where(bits == outcome, leaf.state, 0.0).astype(complex)
        weight = float(np.vdot(part, part).real)
        if weight > _NEGLIGIBLE:
            found.append(
                (outcome, replace(leaf, state=part / np.sqrt(weight), probability=leaf.probability * weight))
            )
    return found


def _reset(leaf: Leaf, qubits: Sequence[int], size: int) -> list[Leaf]:
    flip = np.array([[0, 1], [1, 0]], dtype=complex)
    leaves = [leaf]
    for qubit in qubits:
        whole = _embed(flip, [qubit], size)
        leaves = [
            replace(part, state=whole @ part.state) if outcome else part
            for each in leaves
            for outcome, part in _measure(each, qubit)
        ]
    return leaves


def _amplitudes(initialize: Initialize, width: int) -> Matrix:
    if initialize.amplitudes is not None:
        return np.asarray(initialize.amplitudes, dtype=complex)
    if initialize.basis_state is not None:
        return np.asarray(np.eye(2**width)[initialize.basis_state], dtype=np.complex128)
    root = np.sqrt(0.5)
    letters = {
        "0": [1, 0],
        "1": [0, 1],
        "+": [root, root],
        "-": [root, -root],
        "r": [root, 1j * root],
        "l": [root, -1j * root],
    }
    state: Matrix = np.ones(1, dtype=complex)
    for letter in initialize.label or "":
        state = np.asarray(np.kron(state, letters[letter]), dtype=np.complex128)
    return state
