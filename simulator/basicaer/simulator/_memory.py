"""How much memory a run takes, computed from the circuit before anything is allocated."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._binding import Template
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._compiled import CompiledCircuit, compiled
from basicaer.simulator._engine import MOST_PLANNED
from basicaer.simulator._operations import Operation, SaveKind
from basicaer.simulator._sampling import num_words
from basicaer.simulator._state import BLOCK_BITS
from basicaer.simulator._trajectories import waiting_states

Method: TypeAlias = Literal["run", "statevector", "unitary"]

# A plan's tables and the buffers of the kernels, which small circuits have too.
_BASE_BYTES = 15 << 16
_BYTES_PER_INSTRUCTION = 256
_BYTES_PER_PLANNED = 1 << 13
_BYTES_PER_BRANCH = 256


def required_bytes(
    circuit: Circuit | CompiledCircuit | Template,
    *,
    method: Method = "run",
    dtype: npt.DTypeLike = np.complex128,
    shots: int = 1024,
    memory: bool = False,
    statevector: bool = False,
    initial: bool = False,
) -> int:
    """The most memory, in bytes, that calling the function `method` with these options takes at one time.

    A template needs what a circuit needs that is bound to one row. `initial` says that an initial state or
    matrix is given, which the caller holds. The result is a Python int of any size: a circuit of 10,000
    qubits has an answer too.

    Raises `CircuitError` when the circuit is not valid.
    """
    ready = circuit if isinstance(circuit, Template) else compiled(circuit)
    circuit = ready.circuit
    item = np.dtype(dtype).itemsize
    num_qubits = circuit.num_qubits * (2 if method == "unitary" else 1)
    state = item << num_qubits
    block = 16 << min(num_qubits, BLOCK_BITS)
    columns = sum(len(block) for operation in circuit.operations for _, block in operation.blocks())
    total = _BASE_BYTES + state + 6 * block + _BYTES_PER_INSTRUCTION * (columns + len(circuit))
    total += _BYTES_PER_PLANNED * min(columns + len(circuit), MOST_PLANNED)
    if initial:
        total += 16 << num_qubits
    total += sum(
        16 * operation.initialize.amplitudes.size
        for operation in circuit.operations
        if operation.initialize is not None and operation.initialize.amplitudes is not None
    )
    if method != "run":
        return total
    program = ready.program(from_zero=not initial)
    total += sum(_saved_bytes(operation, state) for operation in circuit.operations)
    outcome = 8 * num_words(circuit.num_clbits)
    branches = 1
    if program.is_random:
        total += state * waiting_states(state, shots)
        total += state if statevector else 0
        branches = shots
    # Points, places and distinct indices of the samples; then the outcomes before and after they are merged.
    distinct = (
        shots if program.is_random else min(shots, 1 << min(circuit.num_qubits, len(program.tail.qubits), 64))
    )
    total += 40 * shots + distinct * (24 + 4 * outcome) + branches * _BYTES_PER_BRANCH
    if memory:
        total += shots * (2 * outcome + 8)
    return total


def _saved_bytes(operation: Operation, state: int) -> int:
    """What an instruction keeps, and what it needs while it reads a state of `state` bytes."""
    save = operation.save
    if save is None:
        return 0
    if save.kind is SaveKind.STATEVECTOR:
        return state
    if save.kind is SaveKind.PROBABILITIES:
        return 16 << operation.num_qubits
    terms = sum(len(observable.paulis) for observable in save.observables)
    # Letters, masks and weights; then the sums of each block.
    blocks = 1 + (state >> BLOCK_BITS + 3)
    return terms * (3 * operation.num_qubits + 64) + 8 * len(save.observables) * (1 + blocks)
