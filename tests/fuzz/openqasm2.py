"""OpenQASM 2 text: a circuit that can be run, or a refusal that points into the text; as Qiskit sees it."""

from __future__ import annotations

import contextlib
import re
from random import Random
from typing import Any

import numpy as np
from basicaer import simulator as sim
from basicaer.service.execution.programs import to_simulator
from basicaer.service.parsing import ProgramFault, TakesLongError, openqasm2
from basicaer.service.rpc._status import DETAILS_LIMIT, status_of
from basicaer.v1 import circuit_pb2
from basicaer.v1 import error_reason_pb2 as reasons

from tests.fuzz.mutation import mutate_bytes, mutate_text
from tests.fuzz.seeds import OPENQASM2_WORDS, qasm_texts
from tests.fuzz.target import Target

__all__ = ["OPENQASM2"]

_MAX_BYTES = 20_000
_MAX_INSTRUCTIONS = 2_000
# Of a circuit that is run.
_MOST_QUBITS = 8
_REASONS = (reasons.ERROR_REASON_PROGRAM_INVALID, reasons.ERROR_REASON_PROGRAM_TOO_LARGE)
_INCLUDE = re.compile(r"include\s*[\"'](?!qelib1\.inc[\"'])")


def _run(data: bytes) -> None:
    # A string of the wire is UTF-8.
    text = data.decode(errors="replace")
    try:
        message = openqasm2.parse(text, max_bytes=_MAX_BYTES, max_instructions=_MAX_INSTRUCTIONS)
    except ProgramFault as fault:
        _check_fault(fault, text)
        return
    finally:
        _check_at_once(text)
    circuit = to_simulator(message)
    try:
        compiled = sim.CompiledCircuit(circuit, max_instructions=_MAX_INSTRUCTIONS)
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


def _check_fault(fault: ProgramFault, text: str) -> None:
    """Whether the refusal can be sent, and points to a character of the text, or behind a line's last one."""
    error = fault.to_service_error(0, "openqasm2")
    assert error.reason in _REASONS, error
    assert status_of(error).ByteSize() <= DETAILS_LIMIT
    assert fault.message.strip(), "the refusal doesn't say why"
    where = fault.where
    if where is not None:
        lines = text.split("\n")
        assert 1 <= where.line <= len(lines), f"line {where.line} of {len(lines)}"
        line = lines[where.line - 1]
        assert 1 <= where.column <= len(line) + 1, f"column {where.column} of {len(line)}"
        _, shown, caret = where.excerpt.split("\n") if where.excerpt else ("", "", "")
        assert shown[2:] in line.replace("\t", " "), f"{shown!r} is not in line {where.line}, {line!r}"
        assert len(caret) <= len(shown) + 2


def _check_width(text: str, message: circuit_pb2.Circuit) -> None:
    theirs = _by_qiskit(text)
    if theirs is not None:
        ours = (message.num_qubits, message.num_clbits)
        assert ours == (theirs.num_qubits, theirs.num_clbits), f"{ours} bits, where Qiskit finds others"


def _by_qiskit(text: str) -> Any:
    """The circuit as `from_qasm_str` reads it; None when it refuses it, or would read a file."""
    from qiskit import QuantumCircuit

    if _INCLUDE.search(text):
        return None
    try:
        return QuantumCircuit.from_qasm_str(text)
    except BaseException as error:
        if openqasm2._is_parser_error(error):
            return None
        raise


def _check_run(compiled: sim.CompiledCircuit) -> None:
    try:
        result = sim.run(compiled, shots=3, seed=1, statevector=True, threads=1)
    except sim.SimulationFailed as error:
        assert error.message
        return
    assert int(result.counts.sum()) == 3
    assert result.statevector is not None
    assert abs(float(np.linalg.norm(result.statevector)) - 1.0) < 1e-6, "the state's norm isn't 1"


def _mutate(data: bytes, random: Random) -> bytes:
    if not random.randrange(8):
        return mutate_bytes(data, random)
    return mutate_text(data.decode(errors="replace"), random, OPENQASM2_WORDS).encode(errors="replace")


OPENQASM2 = Target(
    name="openqasm2",
    run=_run,
    seeds=lambda: [text.encode() for text in qasm_texts()],
    mutate=_mutate,
    words=OPENQASM2_WORDS,
)
