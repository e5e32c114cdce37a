"""OpenQASM 3 text to the contract's circuits: `_languages` alone calls this.

A statement is read (`syntax`) and lowered at once, and only the circuit's columns stay, so that a text takes
little memory beside itself. What is known while the text is read is folded: constants, loops over known
values, subroutines, arrays (`values` has the types and the operators). What only a run knows becomes the
circuit's own classical memory and control flow (`machine`). Each module's class is a layer over the one
before it:

`_steps` holds what all share, `_evaluation` and `_indices` give expressions their values, `_operands` finds
qubits, `_quantum` and `_measuring` are about what is done to them, `_control` and `_loops` about blocks,
`_subroutines` about calls, `_assignments`, `_declarations` and `_lowering` about all other statements.
`_flat` is a short way for runs of plain gates. `_diagnosis` looks at a text with a mistake once more, for all
its mistakes.

Time and memory are bounded by steps that are counted, beside the bounds on instructions, bits and nesting.
"""

from __future__ import annotations

from basicaer.service.parsing._faults import ProgramFault, Where
from basicaer.service.parsing._limits import check_size
from basicaer.service.parsing._patience import TakesLongError
from basicaer.service.parsing.openqasm3._diagnosis import diagnose
from basicaer.service.parsing.openqasm3._lowering import locate, lower
from basicaer.service.parsing.openqasm3.machine._emitter import HIDDEN
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import error_reason_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = [
    "HIDDEN",
    "LONGEST_LOCATED",
    "is_idle",
    "load",
    "locate_instruction",
    "parse",
    "parse_at_once",
    "warm",
]

LONGEST_LOCATED = 256 * 1024
"""Characters of the longest text in which an instruction's statement is looked for."""

# Of a text that is read at once; with few instructions that takes 10 ms.
_SHORT, _FEW_INSTRUCTIONS = 32 * 1024, 2_000
_MOST_INSTRUCTIONS = 10_000_000


def load() -> None:
    """Import nothing more: the reader is this package."""


def warm() -> None:
    """Read a program once."""
    parse('include "stdgates.inc"; qubit q; bit c; h q; c = measure q;', max_bytes=1024, max_instructions=10)


def parse_at_once(
    text: str,
    *,
    max_bytes: int,
    max_instructions: int,
    externs: bytes = b"",
    warnings: list[Diagnostic] | None = None,
) -> pb.Circuit:
    """`parse`, if that takes no longer than a moment, about 20 ms.

    Raises:
        TakesLongError: It takes longer, or may do so.
        ProgramFault: As by `parse`.
    """
    check_size(text, max_bytes)
    if len(text) > _SHORT:
        raise TakesLongError
    if max_instructions <= _FEW_INSTRUCTIONS:
        return _lowered(text, max_instructions, externs, warnings, at_once=False)
    return _lowered(text, _FEW_INSTRUCTIONS, externs, warnings, at_once=True)


def parse(
    text: str,
    *,
    max_bytes: int,
    max_instructions: int,
    externs: bytes = b"",
    warnings: list[Diagnostic] | None = None,
) -> pb.Circuit:
    """Return the program as a circuit, without a name.

    Args:
        text: The OpenQASM 3 program.
        max_bytes: The longest text.
        max_instructions: The most instructions once all is expanded.
        externs: A `Program` that has the extern functions alone.
        warnings: Gets what is doubtful in the text, in its order.

    Raises:
        ProgramFault: PROGRAM_INVALID with the position, and with all mistakes as diagnostics; or
            PROGRAM_TOO_LARGE.
    """
    check_size(text, max_bytes)
    return _lowered(text, max_instructions, externs, warnings, at_once=False)


def _lowered(
    text: str, max_instructions: int, externs: bytes, warnings: list[Diagnostic] | None, *, at_once: bool
) -> pb.Circuit:
    try:
        return lower(text, max_instructions, externs, at_once=at_once, warnings=warnings)
    except ProgramFault as fault:
        if fault.reason == error_reason_pb2.ERROR_REASON_PROGRAM_INVALID:
            fault.diagnostics = diagnose(text, fault, max_instructions, externs, at_once=at_once)
        raise


def is_idle(text: str, circuit: pb.Circuit) -> bool:
    """Whether a text, which gave this circuit, has no statement that does something."""
    return not circuit.body.operations and not circuit.global_phase


def locate_instruction(text: str, instruction: int, externs: bytes = b"") -> Where | None:
    """Return the statement of a valid program that makes an instruction, by its number in the circuit's
    body.
    """
    return locate(text, instruction, _MOST_INSTRUCTIONS, externs)
