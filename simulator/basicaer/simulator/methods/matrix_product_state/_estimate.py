"""What a circuit takes as a matrix product state, told from its gates before anything runs."""

from __future__ import annotations

from math import log2

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Operation, SaveKind
from basicaer.simulator.methods.matrix_product_state._meter import RATE, SPLIT_SECONDS, split_seconds
from basicaer.simulator.methods.matrix_product_state._method import MOST_AMPLITUDES
from basicaer.simulator.methods.matrix_product_state._options import MatrixProductStateOptions

_MOST_QUBITS = 8
"""Gates of so many qubits at most are applied: their matrices are whole ones."""

_MOST_PROBABILITIES = 16
_MOST_BITS = 40
_GATE_SECONDS = 2e-6


def refuses(circuit: Circuit) -> str | None:
    """Return the first thing in a valid circuit that the method can't do, for people; None when it can do
    all.
    """
    layout = Layout(circuit.operations)
    for number, operation in enumerate(circuit.operations):
        width = int(layout.qubits[number])
        if (operation.name in GATES or operation.matrix is not None) and width > _MOST_QUBITS:
            return f"{operation.name} on {width} qubits; gates of at most {_MOST_QUBITS} are possible"
        save = operation.save
        if save is None:
            continue
        if save.kind is SaveKind.STATEVECTOR and circuit.num_qubits > MOST_AMPLITUDES:
            return f"save {save.label!r}: the state vector of {circuit.num_qubits} qubits"
        if save.kind is SaveKind.PROBABILITIES and operation.num_qubits > _MOST_PROBABILITIES:
            return f"save {save.label!r}: the probabilities of {operation.num_qubits} qubits"
    return None


def bonds(circuit: Circuit, options: MatrixProductStateOptions | None = None) -> npt.NDArray[np.float64]:
    """Return the logarithms to base 2 of what the bonds between neighbouring qubits come to, at most.

    Each gate across a bond makes it twice as wide, or four times if it has no diagonal or controlled form.
    Where loops run an unknown number of times, nothing but the circuit's width bounds them.
    """
    size = max(1, circuit.num_qubits)
    sites = np.arange(1, size)
    found = np.minimum(_across(circuit), np.minimum(sites, size - sites))
    if options is not None and options.max_bond_dimension is not None:
        found = np.minimum(found, log2(options.max_bond_dimension))
    return found


def _across(circuit: Circuit) -> npt.NDArray[np.float64]:
    """Return by how much, as logarithms to base 2, all gates across each bond may widen it."""
    size = max(1, circuit.num_qubits)
    growth = np.zeros(size + 1)
    _add(circuit.body, circuit, Layout(circuit.operations), growth, 1.0)
    found: npt.NDArray[np.float64] = np.cumsum(growth)[: size - 1]
    return found


def estimate(
    circuit: Circuit, shots: int, options: MatrixProductStateOptions | None = None
) -> tuple[float, int]:
    """Return about how long a run takes, in seconds, and the most bytes that it needs at a time.

    Both are bounds that circuits whose gates undo one another, or do little, stay far below.
    """
    across, bits = _across(circuit), np.minimum(bonds(circuit, options), _MOST_BITS)
    found = 2.0**bits
    sides = np.concatenate([[1.0], found, [1.0]])
    tensors = float((sides[:-1] * sides[1:]).sum())
    largest = float(found.max(initial=1.0))
    random = any(operation.name in ("measure", "reset") for operation in circuit.operations)
    # A bond that grows to its last size is smaller before, by as much for each gate.
    turns = 8.0 / 7.0 + across - bits
    seconds = float((across * SPLIT_SECONDS + turns * split_seconds(2.0 * found, 2.0 * found)).sum())
    seconds += len(circuit.body) * _GATE_SECONDS
    seconds += min(shots, 1 << 20) * circuit.num_qubits * largest**2 / RATE if random else 0.0
    return seconds, int(min(2.0**62, 32.0 * tensors + 16.0 * 40.0 * largest**2 + (1 << 20)))


def _add(
    block: Block, circuit: Circuit, layout: Layout, growth: npt.NDArray[np.float64], turns: float
) -> None:
    """Add what a block's gates, done so many times, make of the bonds that they cross: where it begins and
    ends.
    """
    if not len(block):
        return
    widths = layout.qubits[block.operations]
    starts = layout.offsets(block).qubits[:-1]
    several = np.flatnonzero(widths > 1)
    if len(several):
        factors = np.array([_growth(operation) for operation in circuit.operations])
        low = np.minimum.reduceat(block.qubits, starts[widths > 0])
        high = np.maximum.reduceat(block.qubits, starts[widths > 0])
        held = np.flatnonzero(widths > 0)
        places = np.searchsorted(held, several)
        amounts = factors[block.operations[several]] * turns
        np.add.at(growth, low[places], amounts)
        np.add.at(growth, high[places], -amounts)
    for index in np.unique(block.operations).tolist():
        operation = circuit.operations[index]
        if operation.for_loop is not None:
            inner = float(len(operation.for_loop.values)) * turns
        else:
            inner = 64.0 * turns if operation.while_loop is not None else turns
        for _, nested in operation.blocks():
            _add(nested, circuit, layout, growth, inner)


def _growth(operation: Operation) -> float:
    """Return by how much, as a logarithm to base 2, a gate may widen a bond that it crosses."""
    if operation.channel is not None:
        # Of a mixture of Pauli operators one acts, which is a product.
        return 0.0 if operation.channel.pauli_probabilities is not None else 2.0
    if operation.set_state is not None:
        return log2(operation.set_state.largest_bond)
    if operation.matrix is None and operation.name not in GATES:
        return 0.0 if operation.save is not None or operation.name == "barrier" else 2.0
    name = operation.name
    if operation.matrix is None and (
        GATES[name].num_controls or name in ("rzz", "rxx", "ryy", "rzx", "swap")
    ):
        return 0.0 if name == "swap" else 1.0
    return 2.0
