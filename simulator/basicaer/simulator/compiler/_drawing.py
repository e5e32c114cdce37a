"""Runs of gates with channels among them, for states that are simulated shot by shot.

Of a channel, the part that is the most likely, if it has one operator, is taken for what happens; the others
are events, which are drawn beforehand for all shots. So most shots share what happens mostly, as one segment.
Of a channel whose operators the state chooses from, the one of the largest norm is taken for what happens,
and the others are jumps; where none is large, the channel has a step of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from basicaer.simulator.circuit._channel_matrices import Matrix
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Operation
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.compiler._noise_steps import Draw, KrausStep, NoisyStep
from basicaer.simulator.compiler._steps import GateStep

LARGE = 0.75
"""How likely an operator is, in the mean of all states, that is taken for what happens."""


class Drawing:
    """The channels of a table, as they are drawn; what they do stands behind the table, in `operations`."""

    def __init__(self, table: Sequence[Operation]) -> None:
        self._operations = list(table)
        self._usual: dict[int, int | None] = {}
        self._draws: dict[int, Draw] = {}
        self._forced: dict[int, tuple[int, ...]] = {}
        self._jumps: dict[int, tuple[int, ...]] = {}
        channels = [(number, operation.channel) for number, operation in enumerate(table)]
        for number, channel in channels:
            if channel is not None:
                self._add(number, channel)
        self.operations = tuple(self._operations)
        self._layout = Layout(self.operations)
        self._is_channel = np.array(
            [operation.channel is not None for operation in self.operations], np.bool_
        )

    def _add(self, number: int, channel: Channel) -> None:
        parts = channel.parts
        usual = max(range(len(parts)), key=lambda place: parts[place][0])
        operators = parts[usual][1]
        if len(parts) == 1 and len(operators) > 1:
            numbers = list(map(self._matrix, operators))
            norms = [float(np.vdot(each, each).real) / len(each) for each in operators]
            largest = int(np.argmax(norms))
            if norms[largest] < LARGE:
                self._forced[number] = tuple(numbers)
                return
            self._usual[number] = numbers.pop(largest)
            self._jumps[number] = tuple(numbers)
            return
        back: Matrix = np.eye(1 << channel.num_qubits, dtype=np.complex128)
        others = list(range(len(parts)))
        self._usual[number] = None
        if len(operators) == 1:
            others.remove(usual)
            if not _is_identity(operators[0]):
                self._usual[number] = self._matrix(operators[0])
                # What is drawn instead comes behind what is usual.
                back = operators[0].conj().T
        if not others:
            return
        weights = np.array([parts[place][0] for place in others])
        self._draws[number] = Draw(
            min(1.0, float(weights.sum())),
            np.cumsum(weights) / weights.sum(),
            tuple(tuple(self._matrix(operator @ back) for operator in parts[place][1]) for place in others),
        )

    def _matrix(self, matrix: Matrix) -> int:
        matrix = np.ascontiguousarray(matrix)
        self._operations.append(Operation("unitary", len(matrix).bit_length() - 1, matrix=matrix))
        return len(self._operations) - 1

    def has_channels(self, block: Block) -> bool:
        """Whether a run of gates has channels among them."""
        return bool(self._is_channel[block.operations].any())

    def steps(self, block: Block, num_qubits: int) -> Iterator[GateStep | NoisyStep | KrausStep]:
        """Return the steps of a run of gates and channels on states of `num_qubits` qubits."""
        offsets = self._layout.offsets(block)
        operations = block.operations
        forced = np.isin(operations, list(self._forced)) if self._forced else np.zeros(len(block), np.bool_)
        start = 0
        for stop in [*np.flatnonzero(forced).tolist(), len(block)]:
            if stop > start:
                part = Block(
                    operations[start:stop],
                    block.qubits[offsets.qubits[start] : offsets.qubits[stop]],
                    parameters=block.parameters[offsets.parameters[start] : offsets.parameters[stop]],
                )
                yield self._run(part, num_qubits)
            if stop < len(block):
                qubits = block.qubits[offsets.qubits[stop] : offsets.qubits[stop + 1]]
                numbers = self._forced[int(operations[stop])]
                yield KrausStep(self._segment(Block(), num_qubits), qubits, numbers)
            start = stop + 1

    def _segment(self, block: Block, num_qubits: int) -> Segment:
        return Segment(num_qubits, self.operations, self._layout, block)

    def _run(self, block: Block, num_qubits: int) -> GateStep | NoisyStep:
        """Return the step of a run of gates and of channels that are drawn beforehand."""
        column = block.operations.copy()
        places = np.flatnonzero(self._is_channel[column])
        kept = np.ones(len(column), dtype=np.bool_)
        for number in np.unique(column[places]).tolist():
            usual = self._usual[number]
            chosen = block.operations == number
            if usual is None:
                kept[chosen] = False
            else:
                column[chosen] = usual
        starts = self._layout.offsets(block).qubits
        gates = Block(
            column[kept], block.qubits[np.repeat(kept, np.diff(starts))], parameters=block.parameters
        )
        drawn = [place for place in places.tolist() if int(block.operations[place]) in self._draws]
        segment = self._segment(gates, num_qubits)
        jumping = [place for place in places.tolist() if int(block.operations[place]) in self._jumps]
        if not drawn and not jumping:
            return GateStep(segment)
        before = np.cumsum(kept, dtype=np.int64)
        return NoisyStep(
            segment,
            before[drawn],
            tuple(block.qubits[starts[place] : starts[place + 1]] for place in drawn),
            tuple(self._draws[int(block.operations[place])] for place in drawn),
            before[jumping] - 1,
            tuple(self._jumps[int(block.operations[place])] for place in jumping),
        )


def _is_identity(matrix: Matrix) -> bool:
    # Its phase is nobody's to see.
    return bool(np.abs(matrix - matrix[0, 0] * np.eye(len(matrix))).max() < 1e-15)
