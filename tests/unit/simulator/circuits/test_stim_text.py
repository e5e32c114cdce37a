"""Texts in stim's language: what each says, and where it is wrong."""

from __future__ import annotations

import pytest
import stim
from basicaer.simulator import CircuitError, StimTextError, read_stim, read_text
from basicaer.simulator.stim_text._gates import GATES, NAMES

OURS = {
    "sdg": "S_DAG",
    "sx": "SQRT_X",
    "sxdg": "SQRT_X_DAG",
    **{name.lower(): name for name in ("X", "Y", "Z", "H", "S", "CX", "CY", "CZ", "SWAP")},
}


@pytest.mark.parametrize("name", GATES)
def test_each_gate_is_stims(name: str) -> None:
    width, pieces = GATES[name]
    made = stim.Circuit()
    for gate, places in pieces:
        made.append(OURS[gate], places)
    made.append("I", range(width))
    asked = stim.Circuit()
    asked.append(name, range(width))
    assert made.to_tableau() == asked.to_tableau()


def test_every_name_of_stims_is_known() -> None:
    names = {alias for data in stim.gate_data().values() for alias in data.aliases}
    text = {
        "REPEAT": "REPEAT 1 {\n}",
        "ELSE_CORRELATED_ERROR": "E(0.1) X0\nELSE_CORRELATED_ERROR(0.1) X0",
        "PAULI_CHANNEL_2": f"PAULI_CHANNEL_2({','.join(['0.01'] * 15)}) 0 1",
        "PAULI_CHANNEL_1": "PAULI_CHANNEL_1(0,0,0.1) 0",
        "HERALDED_PAULI_CHANNEL_1": "HERALDED_PAULI_CHANNEL_1(0,0,0.1,0) 0",
        "OBSERVABLE_INCLUDE": "OBSERVABLE_INCLUDE(0)",
        "MPAD": "MPAD 0",
    }
    noise = ("X_ERROR", "Y_ERROR", "Z_ERROR", "DEPOLARIZE1", "HERALDED_ERASE", "I_ERROR")
    for name in names:
        known = NAMES.get(name, name)
        if known in text:
            line = text[known]
        elif known == "E":
            line = f"{name}(0.1) X0"
        elif known in noise:
            line = f"{name}(0.1) 0"
        elif known in ("DEPOLARIZE2", "II_ERROR"):
            line = f"{name}(0.1) 0 1"
        elif known in ("MPP", "SPP", "SPP_DAG"):
            line = f"{name} X0*Z1"
        elif known in ("DETECTOR", "TICK", "SHIFT_COORDS"):
            line = name
        else:
            line = f"{name} 0 1"
        assert read_stim(line).num_clbits == stim.Circuit(line).num_measurements, line


def test_blocks_tags_comments_and_cases() -> None:
    text = """# A comment.
    h[a tag # with \\C 1] 0 # and another
    REPEAT[again] 3 { # turns
        CX 0 1  1 2\r
        REPEAT 2 {
            M(0.25) !1 # rec[-1]
            DETECTOR(1, -2.5) rec[-1] rec[-2]
        }
    }
    OBSERVABLE_INCLUDE(1) rec[-1]
    """
    read = read_text(text.replace("[-1] rec[-2]", "[-1]"))
    circuit = read.circuit
    assert (circuit.num_qubits, circuit.num_clbits) == (3, 6)
    detectors, observables = (op.save for op in circuit.operations if op.save is not None)
    assert detectors.detectors == tuple((bit,) for bit in range(6))
    assert observables.detectors == ((), (5,))
    places = [read.place(number) for number in range(len(circuit) - 2)]
    assert [place[0] for place in places if place is not None] == [2] + 3 * ([4] * 2 + 2 * [6] * 4)
    assert read.place(len(circuit) - 1) is None


WRONG = (
    ("H 0\n  NONSENSE 0", 2, 3, "there is no instruction NONSENSE"),
    ("H 0 a", 1, 5, "'a' is no target"),
    ("H rec[-1]", 1, 3, "H takes qubits here"),
    ("H !0", 1, 3, "H takes qubits here"),
    ("H(0.1) 0", 1, 1, "H takes 0 arguments, not 1"),
    ("X_ERROR(x) 0", 1, 9, "'x' is no number"),
    ("X_ERROR(1.5) 0", 1, 1, "1.5 is no probability"),
    ("X_ERROR(nan) 0", 1, 1, "nan is no probability"),
    ("DEPOLARIZE1(0.9) 0", 1, 1, "at most 0.75"),
    ("HERALDED_PAULI_CHANNEL_1(0.5,0.5,0.5,0) 0", 1, 1, "at most 1"),
    ("CX 0", 1, 4, "pairs of qubits"),
    ("CX 0 1 2 2", 1, 10, "two different qubits"),
    ("M 0\nCX rec[-1] 1 2", 2, 14, "pairs of targets"),
    ("M 0\nCX rec[-1] 1 2 2", 2, 16, "two different qubits"),
    ("M 0\nCX 1 rec[-1]", 2, 6, "can't be controlled by a record here"),
    ("M 0\nSWAP rec[-1] 1", 2, 6, "can't be controlled"),
    ("CZ sweep[0] 1", 1, 4, "sweep bits aren't supported"),
    ("M 0\nDETECTOR rec[0]", 2, 10, "takes records here"),
    ("M 0\nDETECTOR rec[-2]", 2, 1, "before the first measurement"),
    ("REPEAT 2 {\nCX rec[-1] 0\nM 0\n}", 2, 1, "before the first measurement"),
    ("OBSERVABLE_INCLUDE rec[-1]", 1, 1, "an observable has a number"),
    ("OBSERVABLE_INCLUDE(inf)", 1, 1, "an observable has a number"),
    ("OBSERVABLE_INCLUDE(1e9)", 1, 1, "an observable's number is below"),
    ("OBSERVABLE_INCLUDE(0) X0", 1, 23, "observables of Pauli operators"),
    ("MPP X0*X0", 1, 8, "names each qubit once"),
    ("MPP 0", 1, 5, "takes Pauli operators"),
    ("MPP X0*", 1, 7, "stands between two targets"),
    ("MPP *X0", 1, 5, "stands between two targets"),
    ("MPAD 2", 1, 6, "MPAD takes bits"),
    ("E(0.1) X0 X1 X2 X3 X4", 1, 1, "an error of 5 qubits"),
    ("ELSE_CORRELATED_ERROR(0.1) X0", 1, 1, "right behind an E"),
    ("E(0.1) X0\nTICK\nELSE_CORRELATED_ERROR(0.1) X0", 3, 1, "right behind an E"),
    ("REPEAT 5", 1, 1, "REPEAT is written as"),
    ("REPEAT 0 {\n}", 1, 8, "at least once"),
    ("H 0\nREPEAT 5 {\nH 0", 2, 1, "isn't closed"),
    ("H 0\n }", 2, 2, "closes no block"),
    ("REPEAT 2 {\n} H 0", 2, 5, "ends its line"),
    ("5 0", 1, 1, "begins with a name"),
    ("H@ 0", 1, 2, "unexpected behind H"),
    (f"H {'9' * 40}", 1, 3, "too large"),
)


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG)
def test_what_is_wrong_is_told_at_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(StimTextError, match=message) as caught:
        read_stim(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert isinstance(caught.value, CircuitError)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("REPEAT 999999999999999999 {\nH 0\n}", "max_instructions"),
        ("REPEAT 1000000 {\nREPEAT 1000000 {\nH 0\n}\n}", "max_instructions"),
        ("REPEAT 101 {\nM 0\n}", "max_bits"),
        ("M 0\nREPEAT 101 {\nDETECTOR rec[-1]\n}", "max_bits"),
        ("H 100", "max_bits"),
        ("M 0\nREPEAT 100 {\nDETECTOR" + " rec[-1]" * 200 + "\n}", "max_instructions"),
        ("H 0 1 2 3\n" * 300, "max_instructions"),
    ],
)
def test_a_short_text_of_many_instructions_is_refused(text: str, limit: str) -> None:
    with pytest.raises(StimTextError) as caught:
        read_stim(text, max_instructions=1_000, max_bits=100)
    assert caught.value.limit is not None
    name, most, found = caught.value.limit
    assert name == limit
    assert found > most


def test_empty_blocks_are_repeated_at_once() -> None:
    assert len(read_stim("REPEAT 999999999999999999 {\nTICK\n}")) == 0
