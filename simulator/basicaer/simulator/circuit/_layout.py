"""How many operands each operation takes, and where each instruction's operands lie in a block's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._pausing import current_pause
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Block, Operation

Counts = npt.NDArray[np.int64]

CONTROL_FLOW = ("if_else", "while_loop", "for_loop", "switch_case")
"""The control-flow operations with blocks. Each needs the field of `Operation` of its own name."""

LOOP_JUMPS = ("break_loop", "continue_loop")
NO_EFFECT = ("barrier", "delay")
SPECIAL = (
    "measure",
    "reset",
    *NO_EFFECT,
    "unitary",
    "initialize",
    "set_state",
    "store",
    "save",
    "channel",
    "readout_error",
    *CONTROL_FLOW,
    *LOOP_JUMPS,
)
"""The names that are operations without being gates of the table."""

# Instructions that take a few milliseconds.
_AT_ONCE = 1 << 19

_LEAVES_ZERO = ("measure", "reset", "save", "readout_error", *NO_EFFECT)


def matrix_width(length: int) -> int:
    """k for a length of 2^k; -1 when the length is not a power of two."""
    return length.bit_length() - 1 if length > 0 and length & (length - 1) == 0 else -1


def qubits_of(operation: Operation) -> int:
    """How many qubits an instruction of a valid `operation` takes, extra controls included."""
    spec = GATES.get(operation.name)
    if spec is not None:
        return operation.num_qubits if spec.any_controls else spec.num_qubits + operation.num_controls
    if operation.name in ("measure", "reset"):
        return 1
    if operation.matrix is not None:
        return matrix_width(operation.matrix.shape[0]) + operation.num_controls
    if operation.channel is not None:
        return operation.channel.num_qubits
    if operation.readout is not None:
        return 0
    if operation.set_state is not None:
        return operation.set_state.num_qubits
    payload = operation.initialize
    if payload is not None and payload.amplitudes is not None:
        return matrix_width(payload.amplitudes.size)
    if payload is not None and payload.label is not None:
        return len(payload.label)
    return operation.num_qubits


def clbits_of(operation: Operation) -> int:
    """How many classical bits an instruction of a valid `operation` takes."""
    if operation.readout is not None:
        return operation.readout.num_clbits
    return int(operation.name == "measure")


def parameters_of(operation: Operation) -> int:
    """How many values of the parameter column an instruction of `operation` takes."""
    if operation.parameter_expressions:
        return 0
    return fixed_parameters(operation.name)


def fixed_parameters(name: str) -> int:
    """How many parameters an operation of this name has."""
    spec = GATES.get(name)
    if spec is not None:
        return spec.num_parameters
    return 1 if name == "delay" else 0


def acting(operations: Sequence[Operation]) -> npt.NDArray[np.bool_]:
    """Which operations may take a qubit of their own out of 0: gates, channels, and what gives states."""
    return np.array([operation.name not in _LEAVES_ZERO for operation in operations], dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """Instruction i's operands are `column[offsets[i]:offsets[i + 1]]`, for each column of a block."""

    qubits: Counts
    clbits: Counts
    parameters: Counts


class Layout:
    """How many qubits, clbits and parameters an instruction of each of a table's valid operations takes."""

    __slots__ = ("_latest", "clbits", "kept", "parameters", "qubits")

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.qubits: Counts = np.array([qubits_of(operation) for operation in operations], dtype=np.int64)
        self.clbits: Counts = np.array([clbits_of(operation) for operation in operations], dtype=np.int64)
        self.parameters: Counts = np.array(
            [parameters_of(operation) for operation in operations], dtype=np.int64
        )
        self._latest: tuple[Block, Offsets] | None = None
        self.kept: dict[str, Any] = {}
        """What methods have made of the table once, by a name of theirs: trajectories plan many short runs of
        gates of one table."""

    def with_more(self, count: int, qubits: int) -> Layout:
        """Return the layout of a table with `count` operations behind it that take so many qubits alone."""
        found = Layout(())
        more, none = np.full(count, qubits, dtype=np.int64), np.zeros(count, dtype=np.int64)
        found.qubits = np.concatenate([self.qubits, more])
        found.clbits = np.concatenate([self.clbits, none])
        found.parameters = np.concatenate([self.parameters, none])
        return found

    def offsets(self, block: Block) -> Offsets:
        """Where the operands of the block's instructions lie."""
        # Checking, compiling and planning ask for the same block one after another.
        latest = self._latest
        if latest is not None and latest[0] is block:
            return latest[1]
        offsets = Offsets(
            qubits=_starts(self.qubits, block),
            clbits=_starts(self.clbits, block),
            parameters=_starts(self.parameters, block),
        )
        self._latest = (block, offsets)
        return offsets


def owners_of(starts: Counts) -> Counts:
    """For each operand of a column, its instruction."""
    result = np.empty(int(starts[-1]), dtype=np.int64)
    pause = current_pause()
    for begin in range(0, len(starts) - 1, _AT_ONCE):
        pause()
        borders = starts[begin : begin + _AT_ONCE + 1]
        numbers = np.arange(begin, begin + len(borders) - 1, dtype=np.int64)
        result[borders[0] : borders[-1]] = np.repeat(numbers, borders[1:] - borders[:-1])
    return result


def _starts(counts: Counts, block: Block) -> Counts:
    starts = np.zeros(len(block.operations) + 1, dtype=np.int64)
    pause = current_pause()
    for begin in range(0, len(block.operations), _AT_ONCE):
        pause()
        piece = starts[begin + 1 : begin + 1 + _AT_ONCE]
        counts.take(block.operations[begin : begin + _AT_ONCE]).cumsum(out=piece)
        if begin:
            piece += starts[begin]
    return starts
