"""OpenQASM 2 text to the contract's `Circuit`, by Qiskit's parser.

The dialect is that of `QuantumCircuit.from_qasm_str`: the gates that Qiskit adds to `qelib1.inc` are there.
It differs in two things. No file is ever read. And where a program defines a gate under the name of one of
Qiskit's, Qiskit's is taken only if it does the same.

Errors have a position. Qiskit gives one for what its parser finds; for what is found later, in a gate's
definition or in the finished circuit, the statement is found by halving the program.

A text of 16 MiB takes from ten seconds to a minute, much of it without a chance for other threads. So the
server itself calls `parse_at_once` alone; the rest of this runs in its parser processes.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from basicaer.client._from_qiskit import (
    CircuitTooLargeError,
    ConversionError,
    NestingTooDeepError,
    circuit_to_proto,
)
from basicaer.service.parsing._faults import ProgramFault, Where, too_large
from basicaer.service.parsing._limits import (
    bits_made,
    blank,
    check_limits,
    check_size,
    position,
    statement_ends,
)
from basicaer.service.parsing._patience import TakesLongError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["LONGEST_LOCATED", "load", "locate_instruction", "parse", "parse_at_once", "warm"]

_POSITION = re.compile(r"<input>:(\d+),(\d+): (.*)", re.DOTALL)
_UNDEFINED = re.compile(r"'(\w+)' is not defined in this scope|custom instruction '(\w+)' before definition")
_GATE_DEFINITION = re.compile(r"\bgate\s+([A-Za-z_]\w*)")
_NAMED = re.compile(r"\b(?:gate|opaque|qreg|creg)\s+([A-Za-z_]\w*)")
_QELIB1 = 'include "qelib1.inc";'
# Halving a longer program would take seconds; its error then names the instruction instead of the line.
LONGEST_LOCATED = 256 * 1024
# What `parse_at_once` takes: texts up to so many characters, whose registers and barriers have so many bits,
# and which expand to so many instructions. That is done in about 10 ms, or 20 ms with the dear statements.
_SHORT, _FEW_INSTRUCTIONS = 32 * 1024, 4_000
_FEW_BITS = 20_000
# Calls of gates of the program's own, and conditions, take twenty times as long as other statements.
_DEAR = re.compile(r"\b(?:gate|if)\b")
_SHORT_IF_DEAR, _FEW_INSTRUCTIONS_IF_DEAR = 4 * 1024, 500
# A gate of more instructions isn't compared with Qiskit's of that name, but taken for it.
_MOST_COMPARED = 10_000
# Parameters that no two different gates agree on by chance.
_PROBE = (0.7390851, 1.2020569, 2.5029079, 0.5671433)


def load() -> None:
    """Imports Qiskit's parser. To be called by a thread that lives as long as the process: the main thread.

    Qiskit's native part (seen in 2.6) allocates with mimalloc, which takes the thread that loads it for the
    main one. Once that thread has ended, the first allocation on any new thread is a segmentation fault.
    """
    from qiskit import qasm2  # noqa: F401 - for its effect


def warm() -> None:
    """Runs Qiskit's parser once, so that the first job doesn't wait for what it does only then."""
    parse(
        f"OPENQASM 2.0; {_QELIB1} qreg q[1]; creg c[1]; h q[0]; measure q -> c;",
        max_bytes=1024,
        max_instructions=10,
    )


def parse_at_once(text: str, *, max_bytes: int, max_instructions: int) -> pb.Circuit:
    """`parse`, if that takes no longer than a moment, about 20 ms.

    Raises:
        TakesLongError: It takes longer, or may do so.
        ProgramFault: As by `parse`.
    """
    check_size(text, max_bytes)
    if len(text) > _SHORT or bits_made(text) > _FEW_BITS:
        raise TakesLongError
    few = _FEW_INSTRUCTIONS
    if _DEAR.search(text):
        if len(text) > _SHORT_IF_DEAR:
            raise TakesLongError
        few = _FEW_INSTRUCTIONS_IF_DEAR
    few = min(few, max_instructions)
    try:
        return parse(text, max_bytes=max_bytes, max_instructions=few, at_once=True)
    except ProgramFault as fault:
        if fault.metadata.get("limit") == "max_instructions" and few < max_instructions:
            raise TakesLongError from None
        raise


def parse(text: str, *, max_bytes: int, max_instructions: int, at_once: bool = False) -> pb.Circuit:
    """The program as a circuit, without a name.

    Args:
        text: The OpenQASM 2 program.
        max_bytes: The longest text.
        max_instructions: The most instructions after all definitions are expanded.
        at_once: Whether to leave it when it takes to read the program more often than once.

    Raises:
        ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
        TakesLongError: It would have to be read again, and `at_once` was asked for.
    """
    check_limits(text, max_bytes=max_bytes, max_instructions=max_instructions)
    customs = _customs(text, at_once)
    circuit = _load(text, customs, at_once)
    try:
        message = circuit_to_proto(circuit, max_instructions=max_instructions)
    except CircuitTooLargeError as error:
        raise too_large("max_instructions", error.limit, error.actual, error.message) from None
    except NestingTooDeepError as error:
        raise too_large("max_nesting", error.limit, error.limit + 1, error.message) from None
    except BaseException as error:
        # A definition is only evaluated here, and Qiskit lets a gate without its parameters come this far.
        if not _is_parser_error(error):
            raise
        if at_once:
            raise TakesLongError from None
        place = _first_statement(text, lambda part: _converts(part, customs, max_instructions))
        raise ProgramFault(_explain(error, text, place), where=place) from None
    message.name = ""
    return message


def locate_instruction(text: str, instruction: int) -> Where | None:
    """The statement of a valid program that makes an instruction, by its number in the circuit's body."""

    customs = _customs(text, at_once=False)

    def has_not(part: str) -> bool:
        return len(circuit_to_proto(_loads(part, customs)).body.operations) <= instruction

    return _first_statement(text, has_not)


# --- Qiskit's parser ----------------------------------------------------------------------------------------


@functools.cache
def _legacy_customs() -> dict[str, Any]:
    """Qiskit's additions to qelib1.inc by their names."""
    from qiskit import qasm2

    return {custom.name: custom for custom in qasm2.LEGACY_CUSTOM_INSTRUCTIONS}


def _loads(text: str, customs: Iterable[Any]) -> Any:
    from qiskit import qasm2

    return qasm2.loads(
        text,
        include_path=(),
        custom_instructions=tuple(customs),
        custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
    )


def _is_parser_error(error: BaseException) -> bool:
    """Whether this is the program's fault: what Qiskit and arithmetic raise for a program, a gate called
    without its parameters (a TypeError), and a panic of the parser's Rust code, which derives from
    BaseException."""
    if isinstance(error, TypeError | ValueError | ArithmeticError):
        return True
    return type(error).__module__.startswith("qiskit") or type(error).__name__ == "PanicException"


def _load(text: str, customs: Iterable[Any], at_once: bool) -> Any:
    """The program as Qiskit's circuit.

    Raises:
        ProgramFault: It has an error; the fault has its position if that can be found.
        TakesLongError: It has one, whose position takes longer to find.
    """
    try:
        return _loads(text, customs)
    except BaseException as error:
        if not _is_parser_error(error):
            raise
        found = _POSITION.search(str(getattr(error, "message", error)))
        if found is not None:
            line, column, message = int(found[1]), int(found[2]), found[3]
            where = _where(text, line, column)
            raise ProgramFault(message + _hint(message, text), where=where) from None
        if at_once:
            raise TakesLongError from None
        place = _first_statement(text, lambda part: _parses(part, customs))
        raise ProgramFault(_explain(error, text, place), where=place) from None


def _where(text: str, line: int, column: int) -> Where:
    """Where Qiskit's position is: it ends lines at newlines alone, and counts columns from 0, in bytes."""
    lines = text.split("\n")
    if line > len(lines):
        # The text's end, behind its last newline.
        return Where.within(len(lines), len(lines[-1]) + 1, lines[-1])
    found = lines[line - 1]
    return Where.within(line, len(found.encode()[:column].decode(errors="ignore")) + 1, found)


def _parses(text: str, customs: Iterable[Any]) -> bool:
    try:
        _loads(text, customs)
    except BaseException as error:
        if not _is_parser_error(error):
            raise
        return False
    return True


def _converts(text: str, customs: Iterable[Any], max_instructions: int) -> bool:
    try:
        circuit_to_proto(_loads(text, customs), max_instructions=max_instructions)
    except BaseException as error:
        if not _is_parser_error(error):
            raise
        return False
    return True


def _first_statement(text: str, good: Callable[[str], bool]) -> Where | None:
    """The first statement with which the program is no longer good; None when that takes too long to find."""
    if len(text) > LONGEST_LOCATED:
        return None
    blanked = blank(text)
    ends = statement_ends(blanked)
    low, high = 0, len(ends)
    while high - low > 1:
        middle = (low + high) // 2
        if good(text[: ends[middle - 1]]):
            low = middle
        else:
            high = middle
    start = ends[low - 1] if low else 0
    while start < len(blanked) and blanked[start].isspace():
        start += 1
    return position(text, min(start, max(len(text) - 1, 0)))


# --- Gates under Qiskit's names -----------------------------------------------------------------------------


def _customs(text: str, at_once: bool) -> tuple[Any, ...]:
    """Qiskit's gates for this program: all but those that it defines itself, and in another way.

    Raises:
        TakesLongError: They have to be compared.
    """
    customs = _legacy_customs()
    defined = [name for name in dict.fromkeys(_GATE_DEFINITION.findall(blank(text))) if name in customs]
    own = {name for name in defined if name != "delay"}
    if not own:
        return tuple(customs.values())
    if at_once:
        raise TakesLongError
    own -= _agreeing(text, own)
    return tuple(custom for name, custom in customs.items() if name not in own)


def _agreeing(text: str, own: set[str]) -> set[str]:
    """Which of the program's definitions equal Qiskit's gates of these names, but for a phase."""
    # u0 takes whole numbers alone, which those of the probe are not.
    customs = {name: custom for name, custom in _legacy_customs().items() if name in own and name != "u0"}
    if not customs:
        return set()
    width = max(custom.num_qubits for custom in customs.values())
    calls = [
        f"{name}({','.join(map(str, _PROBE[: custom.num_params]))})"
        f" {','.join(f'basicaer_probe[{qubit}]' for qubit in range(custom.num_qubits))};"
        for name, custom in customs.items()
    ]
    probed = f"{text}\nqreg basicaer_probe[{width}];{''.join(calls)}"
    others = [custom for name, custom in _legacy_customs().items() if name not in own]
    try:
        probes = _loads(probed, others).data[-len(calls) :]
    except BaseException as error:
        if not _is_parser_error(error):
            raise
        return set(customs)  # It has an error, which is found again with its position.
    agreeing: set[str] = set()
    for (name, custom), probe in zip(customs.items(), probes, strict=True):
        theirs = _matrix(probe.operation)
        qiskits = _matrix(custom.constructor(*_PROBE[: custom.num_params]))
        if theirs is None or (qiskits is not None and _same_but_phase(theirs, qiskits)):
            agreeing.add(name)
    return agreeing


def _matrix(gate: Any) -> Any:
    """The gate's matrix; None when it has none or takes too many gates to tell."""
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import Operator

    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    try:
        # Counts what it expands to, which Qiskit doesn't.
        circuit_to_proto(circuit, max_instructions=_MOST_COMPARED)
        return Operator(circuit).data
    except BaseException as error:
        if not _is_parser_error(error):
            raise
        return None


def _same_but_phase(first: Any, second: Any) -> bool:
    overlap = np.vdot(first, second) / len(first)
    return bool(abs(abs(overlap) - 1.0) < 1e-9)


# --- Words --------------------------------------------------------------------------------------------------


def _explain(error: BaseException, text: str, place: Where | None) -> str:
    """What an error without a position means."""
    message = str(getattr(error, "message", error))
    if isinstance(error, TypeError) or message == "gate parameter index out of range":
        gate = re.match(r"(\w+)Gate\.__init__\(\) missing", message)
        name = f"the gate {gate[1].lower()!r}" if gate else "a gate with parameters"
        return f"{name} is called without its parameters"
    if type(error).__name__ == "PanicException":
        return "a number is too large"
    if isinstance(error, ConversionError) and place is None:
        return str(error)
    return message


def _hint(message: str, text: str) -> str:
    """What to do about it, if that can be told."""
    undefined = _UNDEFINED.search(message)
    if undefined is not None:
        name = undefined[1] or undefined[2]
        included = re.search(r"\binclude\b", text) is not None
        if name in _legacy_customs() and not included:
            return f"; the gates of Qiskit need {_QELIB1}"
        known = {*_NAMED.findall(blank(text)), *(_legacy_customs() if included else ())}
        close = difflib.get_close_matches(name, sorted(known), n=1)
        return f"; did you mean {close[0]!r}?" if close else ""
    if "in the include search path" in message:
        return f"; only {_QELIB1} can be included, so put the file's text into the program"
    if message.startswith("can only handle OpenQASM 2.0"):
        return "; write the program in OpenQASM 2.0, or send a typed circuit"
    return ""
