"""OpenQASM 2 text: a circuit that can be run, or a refusal that points into the text; as Qiskit sees it."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import numpy as np
from basicaer import simulator as sim
from basicaer.service.doors.grpc._status import DETAILS_LIMIT, status_of
from basicaer.service.errors import ServiceError
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import MOST_DIAGNOSTICS, Language, ProgramFault, TakesLongError, openqasm2
from basicaer.service.parsing._gates import is_parser_error
from basicaer.v1 import circuit_pb2, diagnostic_pb2
from basicaer.v1 import error_reason_pb2 as reasons

from tests.fuzz.inputs.mutation import mutate_program
from tests.fuzz.inputs.seeds import OPENQASM2_WORDS, qasm_texts
from tests.fuzz.targets import Target

__all__ = ["OPENQASM2", "read_both_ways"]

_MAX_BYTES = 20_000
_MAX_INSTRUCTIONS = 2_000
# Of a circuit that is run.
_MOST_QUBITS = 8
_REASONS = (reasons.ERROR_REASON_PROGRAM_INVALID, reasons.ERROR_REASON_PROGRAM_TOO_LARGE)
_LINE_END = re.compile("\r\n|\r|\n")
_INCLUDE = re.compile(r"include\s*[\"'](?!qelib1\.inc[\"'])")


def _run(data: bytes) -> None:
    # A string of the wire is UTF-8.
    text = data.decode(errors="replace")
    try:
        message = openqasm2.parse(text, max_bytes=_MAX_BYTES, max_instructions=_MAX_INSTRUCTIONS)
    except ProgramFault as fault:
        _check_fault(fault, text, "openqasm2")
        return
    finally:
        _check_at_once(text)
    circuit = to_simulator(message)
    try:
        compiled = sim.ValidCircuit(circuit, max_instructions=_MAX_INSTRUCTIONS)
    except sim.CircuitError as error:
        assert error.message
        return
    assert len(message.body.operations) <= _MAX_INSTRUCTIONS
    _check_width(text, message)
    if circuit.num_qubits <= _MOST_QUBITS:
        _check_run(compiled)


def _check_at_once(text: str) -> None:
    """Whether the short way to the same, if it gets there, is as good."""
    with contextlib.suppress(ProgramFault, TakesLongError):
        openqasm2.parse_at_once(text, max_bytes=_MAX_BYTES, max_instructions=_MAX_INSTRUCTIONS)


def read_both_ways(
    language: Language, data: bytes, max_bytes: int, max_instructions: int
) -> circuit_pb2.Circuit | None:
    """Return the circuit of a text, None for one that is refused; the short way has to give the same."""
    # A string of the wire is UTF-8.
    text = data.decode(errors="replace")
    try:
        at_once = language.parse_at_once(text, max_bytes=max_bytes, max_instructions=max_instructions)
    except (ProgramFault, TakesLongError):
        at_once = None
    try:
        message = language.parse(text, max_bytes=max_bytes, max_instructions=max_instructions)
    except ProgramFault as fault:
        _check_fault(fault, text, language.field)
        assert at_once is None, "the short way takes what the long one refuses"
        return None
    assert at_once in (None, message), "the short way gives another circuit"
    return message


def _check_fault(fault: ProgramFault, text: str, field: str) -> None:
    """Whether the refusal can be sent, and points to a character of the text, or behind a line's last one."""
    error = fault.to_service_error(0, field)
    assert error.reason in _REASONS, error
    assert status_of(error).ByteSize() <= DETAILS_LIMIT
    assert fault.message.strip(), "the refusal doesn't say why"
    # What isn't expected of Qiskit is refused too, but is to be known.
    assert "Qiskit's parser can't read this" not in fault.message, fault.message
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    _check_diagnostics(error, lines)
    where = fault.where
    if where is not None:
        assert 1 <= where.line <= len(lines), f"line {where.line} of {len(lines)}"
        line = lines[where.line - 1]
        assert 1 <= where.column <= len(line) + 1, f"column {where.column} of {len(line)}"
        _, shown, caret = where.excerpt.split("\n") if where.excerpt else ("", "", "")
        line = "".join(each if each.isprintable() else "\ufffd" for each in line.replace("\t", " "))
        assert shown[2:] in line, f"{shown!r} is not in line {where.line}, {line!r}"
        assert len(caret) <= len(shown) + 2


def _check_width(text: str, message: circuit_pb2.Circuit) -> None:
    theirs = _by_qiskit(text)
    if theirs is not None:
        ours = (message.num_qubits, message.num_clbits)
        assert ours == (theirs.num_qubits, theirs.num_clbits), f"{ours} bits, where Qiskit finds others"


def _by_qiskit(text: str) -> Any:
    """The circuit as `from_qasm_str` reads its lines; None when it refuses it, or would read a file."""
    from qiskit import QuantumCircuit

    if _INCLUDE.search(text):
        return None
    try:
        return QuantumCircuit.from_qasm_str(_LINE_END.sub("\n", text.removeprefix("\ufeff")))
    except BaseException as error:
        if is_parser_error(error):
            return None
        raise


def _check_run(compiled: sim.ValidCircuit) -> None:
    try:
        result = sim.run(compiled, shots=3, seed=1, statevector=True, threads=1)
    except sim.SimulationFailed as error:
        assert error.message
        return
    assert int(result.counts.sum()) == 3
    assert result.statevector is not None
    assert abs(float(np.linalg.norm(result.statevector)) - 1.0) < 1e-6, "the state's norm isn't 1"


OPENQASM2 = Target(
    name="openqasm2",
    run=_run,
    seeds=lambda: [text.encode() for text in qasm_texts()],
    mutate=mutate_program(OPENQASM2_WORDS),
    words=OPENQASM2_WORDS,
)


def _check_diagnostics(error: ServiceError, lines: list[str]) -> None:
    """Whether each mistake is told once, in the order of the text, at characters of it."""
    assert error.diagnostics is not None
    told = error.diagnostics.diagnostics
    assert 1 <= len(told) <= MOST_DIAGNOSTICS
    errors = [each for each in told if each.severity == diagnostic_pb2.SEVERITY_ERROR]
    places = [(each.line, each.column) for each in errors]
    assert places == sorted({*places}), places
    place = (int(error.metadata.get("line", 0)), int(error.metadata.get("column", 0)))
    assert place in places or len(errors) == MOST_DIAGNOSTICS
    for each in told:
        assert each.message.isprintable()
        assert each.message
        if each.line:
            assert each.line <= len(lines), f"line {each.line} of {len(lines)}"
            assert each.column < each.end_column, each
            assert each.end_column <= max(len(lines[each.line - 1]), each.column) + 1, each
