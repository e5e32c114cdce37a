"""How much memory a run takes, computed from the circuit before anything is allocated."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._outcomes import num_words
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._formulas import POOLED
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Operation, Save, SaveKind
from basicaer.simulator.circuit._visits import visits
from basicaer.simulator.compiler._binding import Template
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.compiler._valid import ValidCircuit, validated
from basicaer.simulator.methods.density_matrix._method import DENSITY_MATRIX
from basicaer.simulator.methods.density_matrix._superop import SUPEROP
from basicaer.simulator.methods.statevector._engine import MOST_PLANNED
from basicaer.simulator.methods.statevector._method import STATEVECTOR
from basicaer.simulator.methods.statevector._state import BLOCK_BITS
from basicaer.simulator.running._trajectories import waiting_states

Computation: TypeAlias = Literal["run", "statevector", "unitary"]

# A plan's tables and the buffers of the kernels, which small circuits have too.
_BASE_BYTES = 15 << 16
_BYTES_PER_INSTRUCTION = 256
_BYTES_PER_PLANNED = 1 << 13
_BYTES_PER_BRANCH = 256
# A chain of bonds up to about 180 needs no more; what routes of gates make of bonds isn't foreseen.
_CHAIN_BYTES = 16 << 20
# Of a chain that is saved: bonds of up to 64 values.
_SAVED_BOND_BITS = 6
# An error of a shot, which is drawn beforehand, and a place where one was looked for.
_BYTES_PER_ERROR = 160
_BYTES_PER_PLACE = 48


def required_bytes(
    circuit: Circuit | ValidCircuit | Template,
    *,
    method: Computation = "run",
    dtype: npt.DTypeLike = np.complex128,
    shots: int = 1024,
    memory: bool = False,
    statevector: bool = False,
    initial: bool = False,
    threads: int | None = None,
) -> int:
    """Return the most memory, in bytes, that calling the function `method` with these options takes at one
    time, `run` by state vectors.

    A template needs what a circuit needs that is bound to one row. `initial` says that an initial state or
    matrix is given, which the caller holds; `threads` are those that will be asked for. The result is a
    Python int of any size: a circuit of 10,000 qubits has an answer too.

    Raises `CircuitError` when the circuit is not valid.
    """
    ready = circuit if isinstance(circuit, Template) else validated(circuit)
    circuit = ready.circuit
    as_matrix = method == "unitary"
    wires = ready.wires(from_zero=not initial, as_matrix=as_matrix)
    num_qubits = wires.count * (2 if as_matrix else 1)
    state = STATEVECTOR.required_bytes(num_qubits, np.dtype(dtype))
    whole = STATEVECTOR.required_bytes(circuit.num_qubits * (2 if as_matrix else 1), np.dtype(dtype))
    total = state + _planned_bytes(circuit, num_qubits)
    if initial:
        total += 16 << num_qubits
    if method != "run":
        # A state of all qubits lies where that of the wires was; a matrix doesn't.
        total += saved_bytes(circuit, dtype, 1) if as_matrix else 0
        return total + (0 if wires.is_whole else whole if as_matrix else whole - state)
    program = ready.program(from_zero=not initial, threads=threads)
    total += _saving_bytes(circuit, dtype, shots, state)
    outcome = 8 * num_words(circuit.num_clbits)
    branches = 1
    if program.is_random:
        total += state * waiting_states(state, shots)
        # Branches have copied the state that is widened.
        total += state + (0 if wires.is_whole else whole) if statevector else 0
        branches = shots
        total += int(shots * _drawn_bytes(circuit))
    elif statevector:
        total += whole - state
    memory = memory or _has_lists(circuit)
    return total + _outcome_bytes(program, wires.count, outcome, shots, branches, memory=memory)


def mixed_bytes(
    ready: ValidCircuit | Template,
    dtype: npt.DTypeLike,
    shots: int,
    *,
    memory: bool,
    initial: bool,
    threads: int | None = None,
) -> int:
    """Return the same for a run by density matrices."""
    circuit = ready.circuit
    count = ready.wires(from_zero=not initial).count
    state = DENSITY_MATRIX.required_bytes(count, np.dtype(dtype))
    program = ready.program(from_zero=not initial, mixed=True, threads=threads)
    total = _planned_bytes(circuit, 2 * count) + 2 * state
    if initial:
        total += 48 << 2 * count
    total += _saving_bytes(circuit, dtype, shots, state)
    branches = 1
    if program.is_random:
        total += state * waiting_states(state, shots)
        branches = shots
    outcome = 8 * num_words(circuit.num_clbits)
    memory = memory or _has_lists(circuit)
    return total + _outcome_bytes(program, count, outcome, shots, branches, memory=memory)


def map_bytes(ready: ValidCircuit | Template, dtype: npt.DTypeLike) -> int:
    """Return the same for a superoperator."""
    circuit = ready.circuit
    state = SUPEROP.required_bytes(circuit.num_qubits, np.dtype(dtype))
    total = _planned_bytes(circuit, 4 * circuit.num_qubits) + 2 * state
    return total + _saving_bytes(circuit, dtype, 1, state)


def chain_bytes(ready: ValidCircuit | Template, chain: int, shots: int, *, memory: bool) -> int:
    """Return about the same for a run by matrix product states, where one comes to `chain` bytes."""
    circuit = ready.circuit
    program = ready.program(from_zero=True)
    total = _CHAIN_BYTES + 2 * chain + _BYTES_PER_INSTRUCTION * len(circuit)
    total += _given_bytes(circuit, 0)
    total += _saving_bytes(circuit, np.complex128, shots, 0)
    branches = 1
    if program.is_random:
        # Chains share the tensors that they have in common.
        total += chain // 2 * waiting_states(max(chain, 1), shots)
        branches = shots
    outcome = 8 * num_words(circuit.num_clbits)
    memory = memory or _has_lists(circuit)
    return total + _outcome_bytes(program, circuit.num_qubits, outcome, shots, branches, memory=memory)


def _has_lists(circuit: Circuit) -> bool:
    return any(operation.save is not None and operation.save.per_shot for operation in circuit.operations)


def _saving_bytes(circuit: Circuit, dtype: npt.DTypeLike, shots: int, state: int) -> int:
    """Return what a circuit's saves take, and what it takes to read a state of so many bytes for them."""
    total = sum(_reading_bytes(operation, state) for operation in circuit.operations)
    # Lists are put together of what branches have kept.
    return total + saved_bytes(circuit, dtype, shots) * (2 if _has_lists(circuit) else 1)


def _planned_bytes(circuit: Circuit, num_qubits: int) -> int:
    """Return what a circuit's plans take on a state of so many qubits, and what is prepared in it."""
    block = 16 << min(num_qubits, BLOCK_BITS)
    columns = sum(len(block) for operation in circuit.operations for _, block in operation.blocks())
    total = _BASE_BYTES + 6 * block + _BYTES_PER_INSTRUCTION * (columns + len(circuit))
    total += _BYTES_PER_PLANNED * min(columns + len(circuit), MOST_PLANNED)
    total += (columns + len(circuit)) * max(map(_matrix_bytes, circuit.operations), default=0)
    total += _given_bytes(circuit, num_qubits)
    return total + sum(
        16 * operation.initialize.amplitudes.size
        for operation in circuit.operations
        if operation.initialize is not None and operation.initialize.amplitudes is not None
    )


def _given_bytes(circuit: Circuit, num_qubits: int) -> int:
    """Return what states take that the circuit is given, until they are those of so many qubits."""
    given = [op.set_state for op in circuit.operations if op.set_state is not None]
    if not given:
        return 0
    prepared = sum(len(each.operations) for each in given if each.operations is not None)
    splits = max((64 * each.array.size for each in given if each.array is not None), default=0)
    total = sum(each.nbytes for each in given) + splits + (48 << num_qubits)
    return total + prepared * _BYTES_PER_INSTRUCTION


def _outcome_bytes(
    program: StepProgram, count: int, outcome: int, shots: int, branches: int, *, memory: bool
) -> int:
    """Return what the outcomes of all shots take, each of so many bytes, of a state of `count` qubits."""
    # Points, places and distinct indices of the samples; then the outcomes before and after they are merged.
    distinct = shots if program.is_random else min(shots, 1 << min(count, len(program.tail.qubits), 64))
    total = 40 * shots + distinct * (24 + 4 * outcome) + branches * _BYTES_PER_BRANCH
    return total + (shots * (2 * outcome + 8) if memory else 0)


def _drawn_bytes(circuit: Circuit) -> float:
    """Return what the errors take that are drawn for a shot, in the mean; of loops, one turn's."""
    likely = np.array(
        [
            0.0 if operation.channel is None else 1.0 - max(weight for weight, _ in operation.channel.parts)
            for operation in circuit.operations
        ]
    )
    if not likely.any():
        return 0.0
    drawn = 0.0
    for block in [circuit.body, *(block for op in circuit.operations for _, block in op.blocks())]:
        found = likely[block.operations]
        # They are looked for as if all were as likely as the most likely one.
        drawn += _BYTES_PER_ERROR * float(found.sum())
        drawn += _BYTES_PER_PLACE * np.count_nonzero(found) * float(found.max(initial=0.0))
    return drawn


def _matrix_bytes(operation: Operation) -> int:
    """Return what an instruction takes whose matrix only its gate's record can compute."""
    spec = GATES.get(operation.name)
    if spec is None or spec.formula != POOLED or not spec.num_parameters:
        return 0
    return 48 << 2 * (spec.num_targets or 1)


def saved_bytes(circuit: Circuit | ValidCircuit | Template, dtype: npt.DTypeLike, shots: int) -> int:
    """Return the most bytes that the arrays take which a run of a valid circuit saves; an int of any size."""
    if not isinstance(circuit, Circuit):
        circuit = circuit.circuit
    saves = [(number, op.save) for number, op in enumerate(circuit.operations) if op.save is not None]
    if not saves:
        return 0
    times = visits(circuit)
    total = 0
    for number, save in saves:
        one = _one_saved(circuit.operations[number], circuit.num_qubits, np.dtype(dtype))
        known = times[number]
        most = None if known is None else shots * known
        total += _copies(save, circuit.num_clbits, most) * (one + 8 * num_words(circuit.num_clbits))
    return total


def sure_saves(circuit: Circuit | ValidCircuit | Template, dtype: npt.DTypeLike, shots: int) -> list[int]:
    """Return the bytes of each array that every run of a valid circuit saves, whatever its outcomes are; ints
    of any size.
    """
    if not isinstance(circuit, Circuit):
        circuit = circuit.circuit
    found = []
    # Those in blocks may not be come by, conditional ones have as many values as there are outcomes, and
    # the bonds of a chain show as it runs.
    for number, times in zip(*np.unique(circuit.body.operations, return_counts=True), strict=True):
        operation = circuit.operations[number]
        save = operation.save
        if save is None or save.conditional or save.kind is SaveKind.MATRIX_PRODUCT_STATE:
            continue
        copies = _copies(save, circuit.num_clbits, shots * int(times))
        found.append(copies * _one_saved(operation, circuit.num_qubits, np.dtype(dtype)))
    return found


def _copies(save: Save, num_clbits: int, most: int | None) -> int:
    """Return how many values a save keeps, at most, where shots come by `most` times."""
    if save.per_shot or save.kind is SaveKind.DETECTORS:
        return most or 0
    if not save.conditional:
        return 1
    outcomes = 1 << min(num_clbits, 64)
    return outcomes if most is None else min(outcomes, most)


def _one_saved(operation: Operation, num_qubits: int, dtype: np.dtype[Any]) -> int:
    """Return what one value takes of those that a save keeps."""
    save = operation.save
    if save is None:
        return 0
    match save.kind:
        case SaveKind.STATEVECTOR:
            return dtype.itemsize << num_qubits
        case SaveKind.UNITARY:
            return dtype.itemsize << 2 * num_qubits
        case SaveKind.DENSITY_MATRIX:
            return 16 << 2 * operation.num_qubits
        case SaveKind.PROBABILITIES:
            return 8 << operation.num_qubits
        case SaveKind.AMPLITUDES:
            return dtype.itemsize * len(save.basis_states)
        case SaveKind.AMPLITUDES_SQUARED:
            return 8 * len(save.basis_states)
        case SaveKind.EXPECTATION_VALUES:
            return 8 * len(save.observables)
        case SaveKind.EXPECTATION_VALUE_VARIANCE:
            return 16
        case SaveKind.SUPEROPERATOR:
            return dtype.itemsize << 4 * num_qubits
        case SaveKind.MATRIX_PRODUCT_STATE:
            return _chain_saved(num_qubits)
        case SaveKind.STABILIZER:
            return 2 * num_qubits * (2 * num_qubits + 1)
        case SaveKind.DETECTORS:
            return -(-len(save.detectors) // 8)


def _chain_saved(num_qubits: int) -> int:
    """Return about what the tensors of a chain take. Wider bonds are metered while they come about."""
    bonds = [1 << min(site, num_qubits - site, _SAVED_BOND_BITS) for site in range(num_qubits + 1)]
    return sum(32 * left * right + 16 * right for left, right in pairwise(bonds))


def _reading_bytes(operation: Operation, state: int) -> int:
    """Return what an instruction needs while it reads a state of `state` bytes."""
    save = operation.save
    if save is None:
        return 0
    width = operation.num_qubits
    match save.kind:
        case SaveKind.STATEVECTOR | SaveKind.UNITARY | SaveKind.STABILIZER | SaveKind.MATRIX_PRODUCT_STATE:
            return 0
        case SaveKind.SUPEROPERATOR:
            return state
        case SaveKind.DENSITY_MATRIX:
            # A part of the state by columns, and its conjugate; the sum so far, and what is added.
            return min(64 << BLOCK_BITS, 8 * state) + (32 << 2 * width)
        case SaveKind.PROBABILITIES:
            return 8 << width
        case SaveKind.AMPLITUDES | SaveKind.AMPLITUDES_SQUARED:
            return 200 * len(save.basis_states)
    terms = sum(len(observable.paulis) for observable in save.observables)
    if save.kind is SaveKind.EXPECTATION_VALUE_VARIANCE:
        terms += terms * terms // 2
    # Letters, masks and weights; then the sums of each block.
    blocks = 1 + (state >> BLOCK_BITS + 3)
    return terms * (3 * width + 64) + 8 * (1 + len(save.observables)) * (1 + blocks)
