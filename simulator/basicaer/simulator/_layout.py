"""How many operands each operation takes, and where each instruction's operands lie in a block's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._operations import Block, Operation

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
    "store",
    "save",
    *CONTROL_FLOW,
    *LOOP_JUMPS,
)
"""The names that are operations without being gates of the table."""


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
    payload = operation.initialize
    if payload is not None and payload.amplitudes is not None:
        return matrix_width(payload.amplitudes.size)
    if payload is not None and payload.label is not None:
        return len(payload.label)
    return operation.num_qubits


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


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """Instruction i's operands are `column[offsets[i]:offsets[i + 1]]`, for each column of a block."""

    qubits: Counts
    clbits: Counts
    parameters: Counts


class Layout:
    """How many qubits, clbits and parameters an instruction of each of a table's valid operations takes."""

    __slots__ = ("_latest", "clbits", "parameters", "qubits")

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.qubits: Counts = np.array([qubits_of(operation) for operation in operations], dtype=np.int64)
        self.clbits: Counts = np.array(
            [operation.name == "measure" for operation in operations], dtype=np.int64
        )
        self.parameters: Counts = np.array(
            [parameters_of(operation) for operation in operations], dtype=np.int64
        )
        self._latest: tuple[Block, Offsets] | None = None

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


def _starts(counts: Counts, block: Block) -> Counts:
    starts = np.zeros(len(block.operations) + 1, dtype=np.int64)
    counts.take(block.operations).cumsum(out=starts[1:])
    return starts
