"""Texts in stim's language: circuits of the contract that do what stim does, and refusals at their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import stim
from basicaer import simulator as sim
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import STIM, Parsers, ParsersHere, Patience, ProgramFault, TakesLongError
from basicaer.v1 import error_reason_pb2
from google.protobuf import json_format

LIMITS: dict[str, Any] = {"max_bytes": 1 << 20, "max_instructions": 1_000_000}
EVERYTHING = """
    R 0 1 2
    H_XY 0
    ISWAP_DAG 0 1
    PAULI_CHANNEL_2(0.01,0.02,0.03,0.04,0.05,0.06,0.07,0.01,0.02,0.03,0.04,0.05,0.06,0.07,0.08) 0 1
    E(0.2) X0 Z1 Y2
    ELSE_CORRELATED_ERROR(0.3) Z0
    HERALDED_ERASE(0.25) 2
    M(0.125) !1
    CX rec[-1] 2
    MPAD 0 1
    MPP X0*!Z1 Y2
    DETECTOR rec[-1] rec[-3]
    OBSERVABLE_INCLUDE(1) rec[-2]
"""


def test_a_text_becomes_the_circuit_that_the_simulator_reads() -> None:
    message = STIM.parse(EVERYTHING, **LIMITS)
    found, wanted = to_simulator(message), sim.read_stim(EVERYTHING)
    assert (found.num_qubits, found.num_clbits) == (wanted.num_qubits, wanted.num_clbits) == (3, 6)
    assert found.classical_registers == wanted.classical_registers
    for column in ("operations", "qubits", "clbits"):
        np.testing.assert_array_equal(getattr(found.body, column), getattr(wanted.body, column))
    for ours, theirs in zip(found.operations, wanted.operations, strict=True):
        assert ours.name == theirs.name
        assert ours.condition == theirs.condition
        for part in ("channel", "readout", "store"):
            assert (getattr(ours, part) is None) == (getattr(theirs, part) is None)
        if theirs.channel is not None and ours.channel is not None:
            tables = (ours.channel.pauli_probabilities, theirs.channel.pauli_probabilities)
            np.testing.assert_allclose(np.array(tables[0]), np.array(tables[1]), atol=1e-15)
        if theirs.readout is not None and ours.readout is not None:
            np.testing.assert_array_equal(ours.readout.probabilities, theirs.readout.probabilities)
    one, two = (sim.run(each, shots=500, seed=3, memory=True) for each in (found, wanted))
    np.testing.assert_array_equal(one.memory, two.memory)
    assert found.operations[-2].save is not None
    assert found.operations[-2].save.detectors == ((5, 3),)
    assert found.operations[-1].save is not None
    assert found.operations[-1].save.detectors == ((), (4,))


def test_a_mark_of_byte_order_and_ends_of_lines() -> None:
    assert STIM.parse("\ufeffH 0\rM 0\r\nM 0", **LIMITS).num_clbits == 2
    with pytest.raises(ProgramFault) as caught:
        STIM.parse("\ufeffX 0\r\nNOT 0", **LIMITS)
    assert caught.value.where == (2, 1, "\n  NOT 0\n  ^", 3)


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("H 0\nREPEAT 1000000 {\nH 0 1\n}", "max_instructions", 2),
        ("M 0\nREPEAT 999999999999 {\nM 0\n}", "max_instructions", 2),
        ("REPEAT 100001 {\nM 0\n}", "max_bits", 1),
        ("M 0\nREPEAT 100001 {\nDETECTOR rec[-1]\n}", "max_bits", 2),
        ("H 100000", "max_bits", 1),
    ],
)
def test_a_short_text_of_much_is_too_large(text: str, limit: str, line: int) -> None:
    with pytest.raises(ProgramFault) as caught:
        STIM.parse(text, **LIMITS)
    assert caught.value.reason == error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE
    assert caught.value.metadata["limit"] == limit
    assert caught.value.where is not None
    assert caught.value.where.line == line


def test_what_takes_long_is_read_by_a_process() -> None:
    circuit = stim.Circuit.generated("surface_code:rotated_memory_z", distance=7, rounds=300)
    text = str(circuit)
    assert len(text) < 16 * 1024
    with pytest.raises(TakesLongError):
        STIM.parse_at_once(text, **LIMITS)
    with pytest.raises(TakesLongError):
        STIM.parse_at_once("#" * 20_000, **LIMITS)
    parsers = Parsers(1, 1 << 30)
    try:
        found = parsers.parse(STIM, text, **LIMITS, patience=Patience())
    finally:
        parsers.close()
    assert found.message.num_clbits == circuit.num_measurements
    assert found.columns is not None
    assert len(found.columns[0]) > 20_000


def test_instructions_have_places() -> None:
    text = "H 0\nREPEAT 2 {\n  S 0\n  MX 1\n}\nDETECTOR rec[-1]"
    found = [STIM.locate_instruction(text, number, b"") for number in range(10)]
    places = [None if place is None else (place.line, place.column) for place in found]
    assert places == [(1, 1), *2 * [(3, 3), (4, 3), (4, 3), (4, 3)], None]
    assert STIM.locate_instruction("NOT 0", 0, b"") is None


def test_what_the_language_has_not_is_refused() -> None:
    with pytest.raises(ProgramFault, match="externs are of OpenQASM 3"):
        STIM.parse("H 0", **LIMITS, externs=b"x")
    with pytest.raises(ProgramFault, match="the most is 10"):
        STIM.parse("H 0 1 2 3 4 5", max_bytes=10, max_instructions=10)


def test_a_text_that_does_nothing_is_idle() -> None:
    parsers = ParsersHere()
    for text, idle in (("TICK\n# H 0\nQUBIT_COORDS(1) 3", True), ("", True), ("H 0", False)):
        assert parsers.parse(STIM, text, **LIMITS, patience=None).is_idle is idle


def test_probabilities_arrive_as_json() -> None:
    message = STIM.parse("X_ERROR(0.25) 0", **LIMITS)
    assert json_format.MessageToDict(message.operations[0].channel) == {
        "pauli": {"paulis": ["I", "X"], "probabilities": [0.75, 0.25]}
    }
