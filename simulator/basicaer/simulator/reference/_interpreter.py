"""Runs a circuit by whole matrices, following every outcome with its probability.

States are columns, or density matrices, to which channels are applied as sums over their Kraus operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._expressions import ClassicalKind, ClbitRef, Expression, RegisterRef
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Block, Operation, Store
from basicaer.simulator.reference._expressions import as_type, evaluate, shape
from basicaer.simulator.reference._matrices import Matrix, embed, gate_matrix, initial_amplitudes, kept

_NEGLIGIBLE = 1e-14
_MOST_TURNS = 10_000
_MOST_LEAVES = 500


class TooManyLeavesError(Exception):
    """A circuit can go more ways than this simulator follows; a test should pass it over."""


@dataclass(frozen=True)
class Leaf:
    """One way that a run can go: its probability, its state, and what it has in its memories.

    `jump` is "break" or "continue" while a loop is being left. `saved` has what was saved so far, in order,
    and `outcomes` the classical bits that each of these saw.
    """

    probability: float
    state: Matrix
    clbits: int
    variables: tuple[Any, ...]
    jump: str = ""
    saved: tuple[tuple[str, Matrix], ...] = ()
    outcomes: tuple[int, ...] = ()


def interpret(circuit: Circuit, initial: npt.ArrayLike | None = None, *, mixed: bool = False) -> list[Leaf]:
    """Every way that a run of a valid circuit can go, with states of norm 1. Raises `TooManyLeavesError`.

    States are columns, for which each operator of a channel is a way of its own; where they are `mixed`,
    density matrices of trace 1.
    """
    state: Matrix = np.zeros(2**circuit.num_qubits, dtype=complex)
    state[0] = 1.0
    if initial is not None:
        state = np.array(initial, dtype=complex)
    if mixed:
        state = np.outer(state, state.conj())
    first = tuple(
        variable.value or (0.0 if variable.type.kind is ClassicalKind.FLOAT else 0)
        for variable in circuit.variables
    )
    leaves = _run_block(circuit, circuit.body, [Leaf(1.0, state, 0, first)])
    phase = 1.0 if mixed else np.exp(1j * circuit.global_phase)
    return [replace(leaf, state=leaf.state * phase) for leaf in leaves]


def distribution(
    circuit: Circuit, initial: npt.ArrayLike | None = None, *, mixed: bool = False
) -> dict[int, float]:
    """Return the probability of each outcome of the classical bits."""
    found: dict[int, float] = {}
    for leaf in interpret(circuit, initial, mixed=mixed):
        found[leaf.clbits] = found.get(leaf.clbits, 0.0) + leaf.probability
    return found


def saved_means(
    circuit: Circuit, initial: npt.ArrayLike | None = None, *, mixed: bool = False
) -> dict[str, Matrix]:
    """For each label the mean of what is saved under it, over all times that a run comes by."""
    totals: dict[str, Matrix] = {}
    weights: dict[str, float] = {}
    for leaf in interpret(circuit, initial, mixed=mixed):
        for label, value in leaf.saved:
            totals[label] = totals.get(label, 0.0) + leaf.probability * value
            weights[label] = weights.get(label, 0.0) + leaf.probability
    return {label: total / weights[label] for label, total in totals.items()}


def saved_by_outcome(
    circuit: Circuit, initial: npt.ArrayLike | None = None, *, mixed: bool = False
) -> dict[str, dict[int, tuple[float, Matrix]]]:
    """For each label, and each value of the classical bits there, how often in the mean a run comes by, and
    the mean of what is saved then.
    """
    totals: dict[str, dict[int, tuple[float, Matrix]]] = {}
    for leaf in interpret(circuit, initial, mixed=mixed):
        for (label, value), clbits in zip(leaf.saved, leaf.outcomes, strict=True):
            found = totals.setdefault(label, {})
            weight, total = found.get(clbits, (0.0, np.zeros_like(value)))
            found[clbits] = (weight + leaf.probability, total + leaf.probability * value)
    return {
        label: {clbits: (weight, total / weight) for clbits, (weight, total) in found.items()}
        for label, found in totals.items()
    }


def matrix_of(circuit: Circuit) -> Matrix:
    """Return the matrix of a circuit that is not random."""
    size = 2**circuit.num_qubits
    columns = [interpret(circuit, np.eye(size)[column])[0].state for column in range(size)]
    return np.array(columns).T


def _run_block(circuit: Circuit, block: Block, leaves: list[Leaf]) -> list[Leaf]:
    qubits, clbits = iter(block.qubits.tolist()), iter(block.clbits.tolist())
    parameters = iter(block.parameters.tolist())
    for index in block.operations.tolist():
        operation = circuit.operations[index]
        own_qubits = [next(qubits) for _ in range(_width(operation))]
        own_clbits = [next(clbits) for _ in range(_bits(operation))]
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
    if operation.channel is not None:
        return operation.channel.num_qubits
    return {"measure": 1, "reset": 1}.get(operation.name, operation.num_qubits)


def _bits(operation: Operation) -> int:
    return operation.readout.num_clbits if operation.readout is not None else int(operation.name == "measure")


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
        matrix = gate_matrix(operation, values or parameters, len(qubits))
        return _apply(leaf, [embed(matrix, qubits, size)])
    if operation.channel is not None:
        return _apply(leaf, [embed(each, qubits, size) for each in operation.channel.operators])
    if operation.readout is not None:
        return _misread(leaf, operation.readout.probabilities, clbits)
    if name == "measure":
        return [
            replace(part, clbits=part.clbits & ~(1 << clbits[0]) | outcome << clbits[0])
            for outcome, part in _measure(leaf, qubits[0])
        ]
    if name == "reset":
        return _reset(leaf, qubits, size)
    if operation.initialize is not None:
        amplitudes = initial_amplitudes(operation.initialize, len(qubits))
        # Any matrix will do whose first column is the state, as the qubits are in 0.
        matrix = np.zeros((len(amplitudes), len(amplitudes)), dtype=complex)
        matrix[:, 0] = amplitudes
        whole = embed(matrix, qubits, size)
        return [done for part in _reset(leaf, qubits, size) for done in _apply(part, [whole])]
    if operation.save is not None:
        value = kept(operation.save, qubits, size, leaf.state)
        saved = (*leaf.saved, (operation.save.label, value))
        return [replace(leaf, saved=saved, outcomes=(*leaf.outcomes, leaf.clbits))]
    if operation.store is not None:
        return [_assign(operation.store, circuit, leaf)]
    if name in ("break_loop", "continue_loop"):
        return [replace(leaf, jump=name.removesuffix("_loop"))]
    return _control_flow(circuit, operation, leaf)


def _apply(leaf: Leaf, operators: Sequence[Matrix]) -> list[Leaf]:
    """Return what a channel of these Kraus operators makes of a leaf; of a column, each by itself."""
    if leaf.state.ndim == 2:
        terms = [operator @ leaf.state @ operator.conj().T for operator in operators]
        return [replace(leaf, state=np.asarray(sum(terms), dtype=np.complex128))]
    found = []
    for operator in operators:
        state: Matrix = operator @ leaf.state
        weight = float(np.vdot(state, state).real)
        if weight > _NEGLIGIBLE:
            found.append(replace(leaf, state=state / np.sqrt(weight), probability=leaf.probability * weight))
    return found


def _misread(leaf: Leaf, probabilities: npt.NDArray[np.float64], clbits: Sequence[int]) -> list[Leaf]:
    true = sum((leaf.clbits >> clbit & 1) << place for place, clbit in enumerate(clbits))
    found = []
    for told, probability in enumerate(probabilities[true]):
        bits = leaf.clbits
        for place, clbit in enumerate(clbits):
            bits = bits & ~(1 << clbit) | (told >> place & 1) << clbit
        if probability > 0.0:
            found.append(replace(leaf, clbits=bits, probability=leaf.probability * float(probability)))
    return found


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
    """Return what goes on after a loop's turn; what breaks is done."""
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


def _measure(leaf: Leaf, qubit: int) -> list[tuple[int, Leaf]]:
    """Return the outcomes of a measurement that are possible, with what follows from each."""
    bits = np.arange(len(leaf.state)) >> qubit & 1
    found = []
    for outcome in (0, 1):
        part: Matrix = np.where(bits == outcome, leaf.state, 0.0).astype(complex)
        if part.ndim == 2:
            part = np.where((bits == outcome)[:, None], part, 0.0)
        weight = float(np.vdot(part, part).real) if part.ndim == 1 else float(np.trace(part).real)
        if weight > _NEGLIGIBLE:
            norm = np.sqrt(weight) if part.ndim == 1 else weight
            found.append((outcome, replace(leaf, state=part / norm, probability=leaf.probability * weight)))
    return found


def _reset(leaf: Leaf, qubits: Sequence[int], size: int) -> list[Leaf]:
    flip = np.array([[0, 1], [1, 0]], dtype=complex)
    leaves = [leaf]
    for qubit in qubits:
        whole = embed(flip, [qubit], size)
        if leaf.state.ndim == 2:
            zero = embed(np.diag([1.0, 0.0]).astype(complex), [qubit], size)
            one = np.eye(len(zero)) - zero
            leaves = [done for each in leaves for done in _apply(each, [zero, whole @ one])]
            continue
        leaves = [
            done
            for each in leaves
            for outcome, part in _measure(each, qubit)
            for done in (_apply(part, [whole]) if outcome else [part])
        ]
    return leaves
