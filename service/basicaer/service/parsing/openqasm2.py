"""OpenQASM 2 text to the contract's `Circuit`, by Qiskit's parser.

The dialect is that of `QuantumCircuit.from_qasm_str`: the gates that Qiskit adds to `qelib1.inc` are there.
It differs in some things. No file is ever read; `hqslib1.inc` is known beside `qelib1.inc`. Where a program
defines a gate under the name of one of Qiskit's, Qiskit's is taken only if it does the same. And lines may
end as they do anywhere.

Errors have a position. Qiskit gives one for what its parser finds; for what is found later, in a gate's
definition or in the finished circuit, the statement is found by halving the program.

A text of 16 MiB takes from ten seconds to a minute, much of it without a chance for other threads. So the
server itself calls `parse_at_once` alone; the rest of this runs in its parser processes.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

from basicaer.client.conversion.from_qiskit import (
    CircuitTooLargeError,
    NestingTooDeepError,
    circuit_to_proto,
)
from basicaer.service.parsing._faults import ProgramFault, Where, too_large
from basicaer.service.parsing._gates import Dialect, choose_dialect, is_parser_error, loads
from basicaer.service.parsing._hints import describe, explain
from basicaer.service.parsing._limits import bits_made, check_limits, check_size, statement_ends
from basicaer.service.parsing._patience import TakesLongError
from basicaer.service.parsing._source import QELIB1, Source, read
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = [
    "LONGEST_LOCATED",
    "is_idle",
    "load",
    "locate_instruction",
    "parse",
    "parse_at_once",
    "warm",
]

_POSITION = re.compile(r"<input>:(\d+),(\d+): (.*)", re.DOTALL)
# What declares something and does nothing.
_IDLE = re.compile(r"(?:OPENQASM|include|qreg|creg|gate|opaque)\b|[;{}]|\Z")
# Halving a longer program would take seconds; its error then names the instruction instead of the line.
LONGEST_LOCATED = 256 * 1024
# What `parse_at_once` takes: texts up to so many characters, whose registers and barriers have so many bits,
# and which expand to so many instructions. That is done in about 10 ms, or 20 ms with the dear statements.
_SHORT, _FEW_INSTRUCTIONS = 32 * 1024, 4_000
_FEW_BITS = 20_000
# Calls of gates of the program's own, and conditions, take twenty times as long as other statements.
_DEAR = re.compile(r"\b(?:gate|if)\b")
_SHORT_IF_DEAR, _FEW_INSTRUCTIONS_IF_DEAR = 4 * 1024, 500


def load() -> None:
    """Import Qiskit's parser. To be called by a thread that lives as long as the process: the main thread.

    Qiskit's native part (seen in 2.6) allocates with mimalloc, which takes the thread that loads it for the
    main one. Once that thread has ended, the first allocation on any new thread is a segmentation fault.
    """
    importlib.import_module("qiskit.qasm2")


def warm() -> None:
    """Run Qiskit's parser once, so that the first job doesn't wait for what it does only then."""
    parse(
        f'OPENQASM 2.0; include "{QELIB1}"; qreg q[1]; creg c[1]; h q[0]; measure q -> c;',
        max_bytes=1024,
        max_instructions=10,
    )


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
    _check_no_externs(externs)
    if len(text) > _SHORT:
        raise TakesLongError
    source = read(text)
    if bits_made(source.blanked) > _FEW_BITS:
        raise TakesLongError
    few = _FEW_INSTRUCTIONS
    if _DEAR.search(source.blanked):
        if len(text) > _SHORT_IF_DEAR:
            raise TakesLongError
        few = _FEW_INSTRUCTIONS_IF_DEAR
    few = min(few, max_instructions)
    try:
        return _parse(source, few, at_once=True)
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

    Args:
        text: The OpenQASM 2 program.
        max_bytes: The longest text.
        max_instructions: The most instructions after all definitions are expanded.
        externs: Extern functions, which this language hasn't.
        warnings: Gets none: all that Qiskit's parser has to say is an error.

    Raises:
        ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
    """
    check_size(text, max_bytes)
    _check_no_externs(externs)
    return _parse(read(text), max_instructions, at_once=False)


def _check_no_externs(externs: bytes) -> None:
    if externs:
        raise ProgramFault("externs are of OpenQASM 3 texts, and this is OpenQASM 2")


def is_idle(text: str, circuit: pb.Circuit) -> bool:
    """Whether a text, which gave this circuit, has no statement that does something."""
    if circuit.body.operations:
        return False
    blanked = read(text).blanked
    return all(
        _IDLE.match(blanked, _behind_blanks(blanked, start)) for start in (0, *statement_ends(blanked))
    )


def locate_instruction(text: str, instruction: int, externs: bytes = b"") -> Where | None:
    """Return the statement of a valid program that makes an instruction, by its number in the circuit's
    body.
    """
    source = read(text)
    dialect = choose_dialect(source, at_once=False)

    def has_not(part: str) -> bool:
        return len(circuit_to_proto(loads(part, dialect)).body.operations) <= instruction

    return _first_statement(source, has_not)


def _parse(source: Source, max_instructions: int, *, at_once: bool) -> pb.Circuit:
    """Return the program as a circuit. With `at_once` it isn't read more often than once.

    Raises:
        ProgramFault: As by `parse`.
        TakesLongError: It would have to be read again.
    """
    check_limits(source, max_instructions=max_instructions)
    dialect = choose_dialect(source, at_once)
    circuit = _load(source, dialect, at_once)
    try:
        message = circuit_to_proto(circuit, max_instructions=max_instructions)
    except CircuitTooLargeError as error:
        raise too_large("max_instructions", error.limit, error.actual, error.message) from None
    except NestingTooDeepError as error:
        raise too_large("max_nesting", error.limit, error.limit + 1, error.message) from None
    except BaseException as error:
        # A definition is only evaluated here, and Qiskit lets a gate without its parameters come this far.
        if not is_parser_error(error):
            raise
        if at_once:
            raise TakesLongError from None
        place = _first_statement(source, lambda part: _converts(part, dialect, max_instructions))
        raise ProgramFault(explain(error, source, place), where=place) from None
    message.name = ""
    return message


# --- Qiskit's parser ----------------------------------------------------------------------------------------


def _load(source: Source, dialect: Dialect, at_once: bool) -> Any:
    """Return the program as Qiskit's circuit.

    Raises:
        ProgramFault: It has an error; the fault has its position if that can be found.
        TakesLongError: It has one, whose position takes longer to find.
    """
    try:
        return loads(source.code, dialect)
    except BaseException as error:
        if not is_parser_error(error):
            raise
        found = _POSITION.search(str(getattr(error, "message", error)))
        if found is not None:
            offset = source.offset(int(found[1]), int(found[2]))
            raise ProgramFault(describe(found[3], source, offset), where=source.at(offset)) from None
        if at_once:
            raise TakesLongError from None
        place = _first_statement(source, lambda part: _parses(part, dialect))
        raise ProgramFault(explain(error, source, place), where=place) from None


def _parses(code: str, dialect: Dialect) -> bool:
    try:
        loads(code, dialect)
    except BaseException as error:
        if not is_parser_error(error):
            raise
        return False
    return True


def _converts(code: str, dialect: Dialect, max_instructions: int) -> bool:
    try:
        circuit_to_proto(loads(code, dialect), max_instructions=max_instructions)
    except BaseException as error:
        if not is_parser_error(error):
            raise
        return False
    return True


def _first_statement(source: Source, good: Callable[[str], bool]) -> Where | None:
    """Return the first statement with which the program is no longer good; None when that takes too long
    to find.
    """
    if len(source.code) > LONGEST_LOCATED:
        return None
    ends = statement_ends(source.blanked)
    low, high = 0, len(ends)
    while high - low > 1:
        middle = (low + high) // 2
        if good(source.code[: ends[middle - 1]]):
            low = middle
        else:
            high = middle
    start = _behind_blanks(source.blanked, ends[low - 1] if low else 0)
    return source.at(min(start, max(len(source.code) - 1, 0)))


def _behind_blanks(blanked: str, start: int) -> int:
    while start < len(blanked) and blanked[start].isspace():
        start += 1
    return start
