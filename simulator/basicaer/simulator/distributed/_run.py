"""Runs a circuit on all ranks of a transport, and says which circuits can be run so and what they take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator._abilities import RunRequest, refused_by_states
from basicaer.simulator._by_method import Found, Options
from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator._memory import required_bytes as single_bytes
from basicaer.simulator._programs import run_program
from basicaer.simulator.circuit._operations import SaveKind
from basicaer.simulator.compiler._valid import ValidCircuit
from basicaer.simulator.distributed._mesh import CHUNK_BYTES
from basicaer.simulator.distributed._method import SpreadStatevector
from basicaer.simulator.distributed._transport import Transport

__all__ = ["LEAST_LOCAL_QUBITS", "rank_bytes", "refusal", "required_bytes", "run_spread"]

LEAST_LOCAL_QUBITS = 14
"""Each rank has at least 2^14 amplitudes: the engine's widest gates need as many."""

_BUFFERS = 8 * CHUNK_BYTES
# What must lie in one part at a time: targets of a gate, and qubits that are prepared together.
_MOST_NEAR = 12

_WHOLE = "it isn't brought together as a state vector; save amplitudes, probabilities or expectation values"


def refusal(request: RunRequest, nodes: int) -> str | None:
    """Return what a state over so many nodes can't do of a run, for people; None when it can do all."""
    if nodes < 1 or nodes & nodes - 1:
        return f"{nodes} nodes; a state lies on 1, 2, 4, 8, ..."
    if request.ready.is_noisy:
        return "noise: each shot has a state of its own, and shots run on one node"
    if request.statevector:
        return _WHOLE
    if request.initial:
        return "an initial state"
    for operation in request.circuit.operations:
        if operation.save is not None and operation.save.kind is SaveKind.STATEVECTOR:
            return f"save {operation.save.label!r}: {_WHOLE}"
        if operation.set_state is not None:
            return f"set_state with a {operation.set_state.kind.value}"
        if operation.name == "initialize" and operation.num_qubits > _MOST_NEAR:
            return f"initialize on {operation.num_qubits} qubits, more than {_MOST_NEAR}"
        targets = 0 if operation.matrix is None else len(operation.matrix).bit_length() - 1
        if targets > _MOST_NEAR:
            return f"{operation.name} with {targets} targets, more than {_MOST_NEAR}"
    if (found := refused_by_states(request)) is not None:
        return found
    least = LEAST_LOCAL_QUBITS + nodes.bit_length() - 1
    if nodes > 1 and request.num_wires < least:
        return (
            f"{request.num_wires} qubits that gates act on, too few for {nodes} nodes, which take at least"
            f" {least}"
        )
    return None


def rank_bytes(num_wires: int, dtype: npt.DTypeLike, nodes: int) -> int:
    """Return what the part of a state, and what is exchanged, take on each of the nodes, in bytes."""
    return max(1, (np.dtype(dtype).itemsize << num_wires) // nodes) + (_BUFFERS if nodes > 1 else 0)


def required_bytes(request: RunRequest, nodes: int) -> int:
    """Return the most memory that `run` takes on each of so many nodes, in bytes."""
    whole = single_bytes(
        request.ready,
        dtype=request.dtype,
        shots=request.shots,
        memory=request.memory,
        threads=request.threads,
    )
    one = rank_bytes(request.num_wires, request.dtype, 1)
    return whole - one + rank_bytes(request.num_wires, request.dtype, nodes)


def run_spread(ready: ValidCircuit, request: RunRequest, options: Options, transport: Transport) -> Found:
    """Run a valid circuit as it is asked; all ranks call this with equal arguments, and get equal results.

    A transport whose run was lost or cancelled is closed.

    Raises:
        CircuitError: Such a state can't do it; see `refusal`.
        PeerLost: Another rank is gone.
    """
    if (why := refusal(request, transport.size)) is not None:
        raise CircuitError(f"a state over {transport.size} nodes can't do this: {why}")
    program = ready.program(from_zero=True, threads=options.threads)
    method = SpreadStatevector(transport)
    count, dtype = program.wires.count, options.dtype
    try:
        found = run_program(
            program,
            method,
            lambda: method.zero(count, dtype),
            options.shots,
            options.sequence,
            options.control,
            state_bytes=dtype.itemsize << count,
            memory=options.memory,
            threads=options.threads,
        )
    except SimulationFailed:
        # All ranks come to it at the same place, and may go on with another circuit.
        raise
    except BaseException:
        # Nobody knows any more where the other ranks are.
        transport.close()
        raise
    return Found(found.words, found.counts, found.memory, found.saved, program.is_random)
