"""Reads texts by the simulator's own reader, which is imported when the first one is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from basicaer.service.parsing._faults import ProgramFault, Where, too_large
from basicaer.service.parsing._limits import MAX_BITS, check_size
from basicaer.service.parsing._patience import TakesLongError
from basicaer.service.parsing.stim_text._messages import circuit_message
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1.diagnostic_pb2 import Diagnostic

if TYPE_CHECKING:
    from basicaer import simulator as sim

__all__ = [
    "LONGEST_LOCATED",
    "is_idle",
    "load",
    "locate_instruction",
    "parse",
    "parse_at_once",
    "warm",
]

LONGEST_LOCATED = 256 * 1024
# What `parse_at_once` takes: texts up to so many characters, which come to so many instructions. That is done
# in about 10 ms.
_SHORT, _FEW_INSTRUCTIONS = 16 * 1024, 20_000
# Some editors begin a file with it; it is no character of the text.
_MARK = "\ufeff"
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def load() -> None:
    """Do nothing: what needs the simulator imports it."""


def warm() -> None:
    """Read a text once."""
    parse("H 0", max_bytes=10, max_instructions=10)


def parse_at_once(
    text: str,
    *,
    max_bytes: int,
    max_instructions: int,
    externs: bytes = b"",
    warnings: list[Diagnostic] | None = None,
) -> pb.Circuit:
    """`parse`, if that takes no longer than a moment.

    Raises:
        TakesLongError: It takes longer, or may do so.
        ProgramFault: As by `parse`.
    """
    check_size(text, max_bytes)
    if len(text) > _SHORT:
        raise TakesLongError
    few = min(_FEW_INSTRUCTIONS, max_instructions)
    try:
        return parse(text, max_bytes=max_bytes, max_instructions=few, externs=externs)
    except ProgramFault as fault:
        if fault.metadata.get("limit") == "max_instructions" and few < max_instructions:
            raise TakesLongError from None
        raise


def parse(
    text: str,
    *,
    max_bytes: int,
    max_instructions: int,
    externs: bytes = b"",
    warnings: list[Diagnostic] | None = None,
) -> pb.Circuit:
    """Return the program as a circuit, without a name.

    `max_instructions` are those of the circuit with all repeated blocks written out. Of `warnings` and
    `externs` the language has none.

    Raises:
        ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
    """
    check_size(text, max_bytes)
    if externs:
        raise ProgramFault("externs are of OpenQASM 3 texts, and this is stim's language")
    return circuit_message(_read(text, max_instructions).circuit)


def is_idle(text: str, circuit: pb.Circuit) -> bool:
    """Whether a text, which gave this circuit, has nothing that does something."""
    return not circuit.body.operations


def locate_instruction(text: str, instruction: int, externs: bytes = b"") -> Where | None:
    """Return the statement that makes an instruction, by its number."""
    try:
        place = _read(text, None).place(instruction)
    except ProgramFault:
        return None
    return None if place is None else _where(text, *place)


def _read(text: str, max_instructions: int | None) -> sim.StimText:
    from basicaer.simulator import StimTextError, read_text

    text = text.removeprefix(_MARK)
    try:
        if max_instructions is None:
            return read_text(text)
        return read_text(text, max_instructions, MAX_BITS)
    except StimTextError as error:
        where = _where(text, error.line, error.column, error.length)
        if error.limit is None:
            raise ProgramFault(error.message, where=where) from None
        fault = too_large(*error.limit, error.message)
        fault.where = where
        raise fault from None


def _where(text: str, line: int, column: int, length: int = 1) -> Where:
    return Where.within(line, column, _LINE_ENDS.split(text.removeprefix(_MARK), line)[line - 1], length)
