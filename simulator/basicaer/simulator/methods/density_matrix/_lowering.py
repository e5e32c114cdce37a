"""Turns gates and channels on qubits into gates on wires, of which each qubit has two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._channel_matrices import (
    Matrix,
    superoperator_of,
    transfer_of,
    transfers_of,
)
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import Step
from basicaer.simulator.circuit._layout import Layout, qubits_of
from basicaer.simulator.circuit._operations import Block, Operation
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.density_matrix._basis import FROM_ENTRIES, TO_ENTRIES

Piece: TypeAlias = tuple[Operation, tuple[int, ...]]
"""A gate on wires, which have the numbers 2 j for the x and 2 j + 1 for the z of an instruction's qubit j."""

_Numbers: TypeAlias = npt.NDArray[np.int64]

_START = np.array([[1.0, 1.0], [1.0, -1.0]], dtype=np.complex128)
_RESET = Channel.mixture([(1.0, [("reset", [0])])])
_SMALLEST = 1e-3
"""A factor that all coefficients get is divided by, so that it is no smaller."""

_CZ: tuple[Step, ...] = (("h", (1,), ()), ("cx", (0, 1), ()), ("h", (1,), ()))


class Lowered(NamedTuple):
    """A segment on wires; `matrices`, of shape (m, 4, 4), are operations behind those of its table."""

    segment: Segment
    matrices: Matrix


def lowered(segment: Segment, *, from_zero: bool) -> Lowered:
    """Return a segment of gates and channels as one of gates on twice as many wires.

    `from_zero` says that all wires are in 0, and first become the coefficients of all qubits in 0.
    """
    return _Lowering(segment).segment(from_zero)


def starting(num_qubits: int) -> Iterable[Piece]:
    """Return the gates that make coefficients of wires in 0: 1 where all x are 0."""
    return ((_matrix(_START), (2 * qubit + 1,)) for qubit in range(num_qubits))


class _Lowering:
    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._operations: list[Operation] = []
        self._numbers: dict[object, int] = {}
        # What instructions become, each kind once: numbers of operations, and places of wires.
        self._templates: dict[tuple[int, tuple[float, ...]], int] = {}
        self._made: list[list[int]] = []
        self._places: list[list[int]] = []

    def segment(self, from_zero: bool) -> Lowered:
        segment, size = self._segment, self._segment.num_qubits
        block = segment.block
        offsets = segment.layout.offsets(block)
        first = self._template([(each, places) for each, places in starting(size)]) if from_zero else None
        kinds = np.empty(len(block), dtype=np.int64)
        alone, matrices = self._fill(kinds, offsets.parameters)
        owners, made = _gathered(self._made, kinds)
        place_owners, places = _gathered(self._places, kinds)
        # They come behind all others, whose number is known by now.
        made[np.isin(owners, alone)] = len(self._operations) + np.arange(len(alone))
        wires = block.qubits[offsets.qubits[place_owners] + (places >> 1)] + (places & 1) * size
        if first is not None:
            start = np.array(self._places[first], dtype=np.int64)
            made = np.concatenate([self._made[first], made])
            wires = np.concatenate([(start >> 1) + (start & 1) * size, wires])
        table = tuple(self._operations)
        own = Block(made.astype(np.uint32), wires.astype(np.uint32))
        layout = Layout(table).with_more(len(matrices), 2)
        return Lowered(Segment(2 * size, table, layout, own), matrices)

    def _fill(self, kinds: _Numbers, parameters: _Numbers) -> tuple[_Numbers, Matrix]:
        """Find the template of each instruction. Return the places of the gates of one qubit that have
        parameters, whose matrices are computed together, and these.
        """
        segment, block = self._segment, self._segment.block
        alone: list[_Numbers] = [np.zeros(0, dtype=np.int64)]
        matrices: list[Matrix] = [np.zeros((0, 4, 4), dtype=np.complex128)]
        pause = current_pause()
        for index in np.unique(block.operations).tolist():
            pause()
            operation, chosen = segment.operations[index], np.flatnonzero(block.operations == index)
            spec, count = GATES.get(operation.name), int(segment.layout.parameters[index])
            if not count:
                kinds[chosen] = self._template_of(index, ())
                continue
            values = block.parameters[parameters[chosen][:, None] + np.arange(count)]
            if spec is not None and spec.num_targets == 1 and qubits_of(operation) == 1:
                kinds[chosen] = self._template([], (0, 1))
                alone.append(chosen)
                matrices.append(transfers_of(spec.target_matrices(values)))
                continue
            for place, row in zip(chosen.tolist(), values.tolist(), strict=True):
                pause()
                kinds[place] = self._template_of(index, tuple(row))
        places = np.concatenate(alone)
        order = np.argsort(places)
        return places[order], np.concatenate(matrices)[order]

    def _template_of(self, index: int, parameters: tuple[float, ...]) -> int:
        key = (index, parameters)
        found = self._templates.get(key)
        if found is None:
            found = self._templates[key] = self._template(
                pieces_of(self._segment.operations[index], parameters)
            )
        return found

    def _template(self, pieces: list[Piece], alone: tuple[int, ...] = ()) -> int:
        """Return the number of a new template; `alone` are the places of one operation that isn't known."""
        self._made.append([self._number(operation) for operation, _ in pieces] + [0] * bool(alone))
        self._places.append([place for _, places in pieces for place in places] + list(alone))
        return len(self._made) - 1

    def _number(self, operation: Operation) -> int:
        """Return an operation's number in the table, which has equal ones once."""
        matrix = None if operation.matrix is None else operation.matrix.tobytes()
        key = (operation.name, operation.num_controls, operation.control_state, matrix)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._operations)
            self._operations.append(operation)
        return found


def _gathered(parts: list[list[int]], kinds: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Return parts one after another, of the given numbers, and for each of their elements whose it is."""
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    flat = np.array([each for part in parts for each in part], dtype=np.int64)
    counts = sizes[kinds]
    owners = np.repeat(np.arange(len(kinds)), counts)
    # From where each one's begin, as they lie one after another, to where its part lies.
    shifts = (np.cumsum(sizes) - sizes)[kinds] - (np.cumsum(counts) - counts)
    return owners, flat[np.arange(len(owners)) + shifts[owners]]


def pieces_of(operation: Operation, parameters: tuple[float, ...]) -> list[Piece]:
    """Return what a gate, a channel or a reset is on wires."""
    if operation.channel is not None:
        return _of_channel(operation.channel)
    if operation.name == "reset":
        return _of_channel(_RESET)
    width = qubits_of(operation)
    spec = GATES.get(operation.name)
    if width == 0 or (spec is not None and spec.name == "id" and not operation.num_controls):
        return []
    if spec is not None and not operation.num_controls:
        if spec.name == "cx":
            return [(Operation("cx", 2), (0, 2)), (Operation("cx", 2), (3, 1))]
        if spec.name == "swap":
            return [(Operation("swap", 2), (0, 2)), (Operation("swap", 2), (1, 3))]
        steps: tuple[Step, ...] | None = _CZ if spec.name == "cz" else None
        if spec.decomposition is not None:
            steps = tuple(spec.decomposition(*parameters))
        if steps is not None:
            return [
                (inner, tuple(2 * qubits[place >> 1] + (place & 1) for place in places))
                for name, qubits, angles in steps
                for inner, places in pieces_of(Operation(name, len(qubits)), angles)
            ]
    matrix = _target_matrix(operation, parameters)
    if width == 1 and len(matrix) == 2:
        return [(_matrix(transfer_of(superoperator_of([matrix]))), (0, 1))]
    return _of_entries(operation, matrix, width)


def _target_matrix(operation: Operation, parameters: tuple[float, ...]) -> Matrix:
    if operation.matrix is not None:
        return np.asarray(operation.matrix, dtype=np.complex128)
    values = np.array(parameters, dtype=np.float64).reshape(1, -1)
    matrix: Matrix = GATES[operation.name].target_matrices(values)[0]
    return matrix


def _of_entries(operation: Operation, matrix: Matrix, width: int) -> list[Piece]:
    """Return a gate as itself on rows, and as its conjugate on columns, of the qubits' entries."""
    controls = width - (len(matrix).bit_length() - 1)
    state = operation.control_state
    if state is None:
        state = (1 << operation.num_controls) - 1
    state |= (1 << controls) - (1 << operation.num_controls)

    def of(own: Matrix) -> Operation:
        return Operation(
            "unitary",
            width,
            num_controls=controls,
            control_state=state if controls else None,
            matrix=np.ascontiguousarray(own),
        )

    rows, columns = tuple(range(0, 2 * width, 2)), tuple(range(1, 2 * width, 2))
    return [
        *((_matrix(TO_ENTRIES), (2 * j, 2 * j + 1)) for j in range(width)),
        (of(matrix), rows),
        (of(matrix.conj()), columns),
        *((_matrix(FROM_ENTRIES), (2 * j, 2 * j + 1)) for j in range(width)),
    ]


def _of_channel(channel: Channel) -> list[Piece]:
    transfer = transfer_of(channel.superoperator)
    wires = tuple(range(2 * channel.num_qubits))
    if channel.num_qubits == 1 or channel.pauli_probabilities is None:
        return [(_matrix(_hermitian(transfer)), wires)]
    return _diagonal(np.diag(transfer), wires)


def _hermitian(transfer: Matrix) -> Matrix:
    """Return a map without what rounding left of parts that take Hermitian matrices to others: between the
    products i^(x z) X^x Z^z, which are Hermitian, a map is real.
    """
    turned = np.array([bin(number & number >> 1 & 0x5555).count("1") & 1 for number in range(len(transfer))])
    same = turned[:, None] == turned
    return np.where(same, transfer.real, 1j * transfer.imag)


def _diagonal(factors: Matrix, wires: tuple[int, ...]) -> list[Piece]:
    """Return a diagonal gate on four wires or more as one factor for all, and others where they differ."""
    values, times = np.unique(factors.round(14), return_counts=True)
    usual = complex(values[np.argmax(times)])
    if abs(usual) < _SMALLEST:
        usual = 1.0
    found: list[Piece] = []
    if usual != 1.0:
        found.append((_matrix(np.diag([usual, usual])), wires[:1]))
    half = len(factors) // 2
    # The last wire is the target, the others control it.
    for state, pair in enumerate(zip(factors[:half] / usual, factors[half:] / usual, strict=True)):
        if max(abs(pair[0] - 1.0), abs(pair[1] - 1.0)) > 1e-14:
            own = Operation(
                "unitary",
                len(wires),
                num_controls=len(wires) - 1,
                control_state=state,
                matrix=np.diag(pair).astype(np.complex128),
            )
            found.append((own, wires))
    return found


def _matrix(matrix: Matrix) -> Operation:
    return Operation(
        "unitary", len(matrix).bit_length() - 1, matrix=np.ascontiguousarray(matrix, np.complex128)
    )
