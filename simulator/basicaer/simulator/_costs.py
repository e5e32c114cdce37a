"""What a circuit costs by each method, told before anything runs: seconds of one core.

Nothing here depends on how many threads there are, so that neither does the method that is chosen. The rates
are those of one core of 2023; only how they compare matters.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._layout import qubits_of
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.compiler._drawing import LARGE
from basicaer.simulator.methods.matrix_product_state import _estimate as chains
from basicaer.simulator.methods.matrix_product_state._options import MatrixProductStateOptions

_RATE = 4e9
"""Amplitudes that gates change in a second, where a block of them lies in the cache."""
_LARGE_RATE = 1.7e9
_LARGE_WIRES = 17
"""From this size on, passes over memory count."""
_PLAN_SECONDS = 1e-3
"""What planning takes before the first gate."""
_MIXED_SECONDS = 3e-6
"""What an instruction takes to become gates on the wires of a density matrix."""
_MIXED_RATE, _LARGE_MIXED_RATE = 5.5e9, 2.8e9
_PATTERN_SECONDS = 3e-4
_GATE_SECONDS = 1e-6
"""What a run of gates with an error among them takes, and what each gate adds, however small the state is."""
_HALF_SECONDS = 5e-5
"""What one run takes of those among which a jump is looked for, however small the state is."""
_BRANCH_SECONDS = 3e-4
"""What one more branch takes at a measurement, however small the state is."""
_MOST_EXPONENT = 255
_CHAIN_FACTOR = 2.0
"""As gates of qubits that lie far apart take more than is counted, chains must win by so much."""
_LOOKING = frozenset(("measure", "reset"))
_PASSIVE = frozenset(("barrier", "delay", "save", "store", "readout_error"))
_DENSE_CHANNEL = 7.0
"""How many gates a channel of two qubits is worth that isn't diagonal: it is dense on four wires."""


class _Counts(NamedTuple):
    """What a circuit has, where loops of unknown length count as one turn.

    `mixed` is the work of all gates and channels on density matrices, in gates. Of what channels do, `errors`
    is how many a shot has in the mean that are drawn beforehand, `kinds` how many different ones there are,
    `jumps` how many a shot has where the state says it, and `forced` how often the state chooses. `looks`
    counts measurements and resets.
    """

    gates: float = 0.0
    mixed: float = 0.0
    errors: float = 0.0
    kinds: float = 0.0
    jumps: float = 0.0
    forced: float = 0.0
    looks: float = 0.0


def _of_channel(channel: Channel) -> _Counts:
    parts = channel.parts
    diagonal = channel.num_qubits == 1 or channel.pauli_probabilities is not None
    mixed = 1.0 if diagonal else _DENSE_CHANNEL ** (channel.num_qubits - 1)
    if len(parts) == 1 and len(parts[0][1]) > 1:
        norms = [float(np.vdot(each, each).real) / len(each) for each in parts[0][1]]
        if max(norms) < LARGE:
            return _Counts(mixed=mixed, forced=1.0)
        return _Counts(mixed=mixed, jumps=max(0.0, 1.0 - max(norms)))
    likely = max((weight for weight, operators in parts if len(operators) == 1), default=0.0)
    return _Counts(mixed=mixed, errors=1.0 - likely, kinds=float(len(parts) - 1))


def _of_operation(operation: Operation, each: list[_Counts]) -> _Counts:
    if operation.channel is not None:
        return _of_channel(operation.channel)
    acts = operation.name in GATES or operation.matrix is not None
    total = np.zeros(len(_Counts._fields))
    if acts and qubits_of(operation):
        # A gate of several qubits is one on rows and one on columns.
        total[:2] = 1.0, min(2.0, qubits_of(operation))
    total[-1] = operation.name in _LOOKING
    turns = float(len(operation.for_loop.values)) if operation.for_loop is not None else 1.0
    for _, block in operation.blocks():
        for index in block.operations.tolist():
            total += turns * np.array(each[index])
    return _Counts(*total.tolist())


def _counts(circuit: Circuit) -> _Counts:
    each: list[_Counts] = []
    for operation in circuit.operations:
        each.append(_of_operation(operation, each))
    if not each:
        return _Counts()
    times = np.bincount(circuit.body.operations, minlength=len(each))
    return _Counts(*(times @ np.array(each)).tolist())


def _patterns(found: _Counts, shots: int) -> float:
    """About how many different patterns of errors are drawn: of those with one error, many are the same."""
    single = shots * found.errors * math.exp(-found.errors)
    several = max(0.0, -shots * math.expm1(-found.errors) - single)
    distinct = -found.kinds * math.expm1(-single / found.kinds) if found.kinds else 0.0
    return distinct + several


class Work:
    """What a circuit has to be done, counted once for all methods."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit

    @cached_property
    def counts(self) -> _Counts:
        """What it has."""
        return _counts(self.circuit)

    @cached_property
    def looks(self) -> float:
        """About how many measurements and resets stand on its way: something acts on their qubits later, or
        may ask for what they told.
        """
        return _looks(self.circuit, self.counts.looks)

    def branches(self, shots: int) -> float:
        """About how many branches measurements on the way make of the shots."""
        return float(min(shots, 1 << int(min(self.looks, 40.0))))


def _looks(circuit: Circuit, every: float) -> float:
    """Return what `Work.looks` is, where there are `every` measurements and resets."""
    table, body = circuit.operations, circuit.body
    names = [operation.name for operation in table]
    looking = np.array([name in _LOOKING for name in names], dtype=np.bool_)
    controls = np.array(
        [operation.condition is not None or bool(operation.blocks()) for operation in table], dtype=np.bool_
    )
    if not looking.any() or any(operation.while_loop is not None for operation in table):
        # Nobody knows how often a loop is gone through.
        return 0.0
    column = body.operations
    acts = ~looking & np.array([name not in _PASSIVE for name in names], dtype=np.bool_)
    found, acting = np.flatnonzero(looking[column]), np.flatnonzero((acts | controls)[column])
    last = int(acting[-1]) if len(acting) else -1
    ends = 0
    if not len(found) or last < found[0]:
        ends = len(found)
    else:
        widths = np.array([qubits_of(operation) for operation in table], dtype=np.int64)[column]
        places, kinds = np.repeat(np.arange(len(body)), widths), np.repeat(column, widths)
        latest = np.full(max(1, circuit.num_qubits), -1)
        chosen = acts[kinds]
        np.maximum.at(latest, body.qubits[chosen], places[chosen])
        own = latest[body.qubits[(np.cumsum(widths) - widths)[found]]]
        asking = np.flatnonzero(controls[column])
        ends = int(np.count_nonzero(np.maximum(own, asking[-1] if len(asking) else -1) < found))
    return every - ends


def of_states(work: Work, wires: int, shots: int) -> float:
    """Return the seconds of state vectors; with noise, of as many as there are patterns of errors."""
    found = work.counts
    once = found.gates * 2.0 ** min(wires, _MOST_EXPONENT) / (_RATE if wires < _LARGE_WIRES else _LARGE_RATE)
    planned = found.gates * _GATE_SECONDS
    seconds = _PLAN_SECONDS + 3.0 * planned + once
    # A shot with errors goes on by itself from its first one.
    seconds += _patterns(found, shots) * (_PATTERN_SECONDS + planned + 0.5 * once)
    # Where one jumps is found by halves, in runs that are planned once, and then it goes on.
    halves = math.log2(2.0 + found.gates)
    seconds += min(1.0, shots * found.jumps) * halves * planned
    seconds += shots * found.jumps * (halves * _HALF_SECONDS + once)
    # There shots part at every channel, until each is alone.
    seconds += shots * (found.forced * 2.0 * _PATTERN_SECONDS + once * (found.forced > 0.0))
    return seconds + (work.branches(shots) - 1.0) * (_BRANCH_SECONDS + 0.5 * once)


def of_density_matrices(work: Work, wires: int, shots: int) -> float:
    """Return the seconds of density matrices, one for each branch."""
    found = work.counts
    rate = _MIXED_RATE if 2 * wires < _LARGE_WIRES + 6 else _LARGE_MIXED_RATE
    once = found.mixed * 4.0 ** min(wires, _MOST_EXPONENT) / rate
    seconds = _PLAN_SECONDS + found.mixed * _MIXED_SECONDS + once
    return seconds + (work.branches(shots) - 1.0) * (_BRANCH_SECONDS + 0.5 * once)


def of_maps(work: Work) -> float:
    """Return the seconds of a superoperator."""
    found = work.counts
    once = found.mixed * 16.0 ** min(work.circuit.num_qubits, _MOST_EXPONENT) / (0.7 * _RATE)
    return _PLAN_SECONDS + found.mixed * _MIXED_SECONDS + once


def of_chains(work: Work, shots: int, options: MatrixProductStateOptions | None = None) -> float:
    """Return at most the seconds of matrix product states: circuits that entangle little stay far below."""
    found = work.counts
    own = _patterns(found, shots) + shots * min(1.0, found.jumps + found.forced)
    return _CHAIN_FACTOR * chains.estimate(work.circuit, shots, options)[0] * max(1.0, own)
