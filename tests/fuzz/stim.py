"""Text in stim's language: a circuit that is valid and can be run, or a refusal that points into the text."""

from __future__ import annotations

from basicaer import simulator as sim
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import _languages
from basicaer.v1 import circuit_pb2

from tests.fuzz.inputs.mutation import mutate_program
from tests.fuzz.openqasm2 import read_both_ways
from tests.fuzz.targets import Target

__all__ = ["STIM"]

_MAX_BYTES = 20_000
_MAX_INSTRUCTIONS = 5_000
# Of a circuit that is run.
_MOST_QUBITS = 300

_WORDS = (
    *("H 0", "CX 0 1", "M 0 1", "MR !2", "MPP X0*Y1 !Z2", "MXX 0 1", "SPP X0*Z1", "R 0", "MPAD 0 1"),
    *("DETECTOR rec[-1]", "OBSERVABLE_INCLUDE(0) rec[-1]", "TICK", "SHIFT_COORDS(1, 2)", "REPEAT 3 {\n"),
    *("}\n", "X_ERROR(0.1) 0", "DEPOLARIZE2(0.1) 0 1", "E(0.1) X0 Y1", "ELSE_CORRELATED_ERROR(0.2) Z0"),
    *("HERALDED_ERASE(0.1) 0", "CX rec[-1] 0", "CZ sweep[0] 1", "C_XYZ 0", "ISWAP_DAG 0 1", "[tag]", "# c"),
    *("(0.5)", "(", ")", "*", "!", "rec[-2]", "rec[0]", "{", "}", "\n", "\r\n", "\t", "1e-3", "nan", "-1"),
    *("99999999999999999999", "0", "7", "X3", "I", "é", "\ufeff", ",", "_", "REPEAT 1000000000000 {\n"),
)

_SEEDS = (
    "H 0\nCX 0 1\nM 0 1\nDETECTOR rec[-1] rec[-2]",
    "R 0 1 2\nREPEAT 3 {\n    DEPOLARIZE1(0.1) 0 1\n    CX 0 1\n    MR(0.01) !1\n    DETECTOR(1) rec[-1]\n}\n"
    "OBSERVABLE_INCLUDE(1) rec[-1] rec[-2]\nCX rec[-1] 2\nM 2",
    "MPP(0.1) X0*Y1*!Z2\nSPP_DAG !X0*Y1\nE(0.1) X0 Z1\nELSE_CORRELATED_ERROR(0.5) Y0\n"
    "HERALDED_PAULI_CHANNEL_1(0.1, 0.2, 0, 0.1) 1 # comment\nMPAD(0.1) 0 1\nh[tag] 0\nMYY 0 !1\n",
)


def _run(data: bytes) -> None:
    message = read_both_ways(_languages.STIM, data, _MAX_BYTES, _MAX_INSTRUCTIONS)
    if message is None:
        return
    # With the saves.
    assert len(message.body.operations) <= _MAX_INSTRUCTIONS + 2
    assert circuit_pb2.Circuit.FromString(message.SerializeToString()) == message
    compiled = sim.ValidCircuit(to_simulator(message), max_instructions=_MAX_INSTRUCTIONS + 2)
    if message.num_qubits > _MOST_QUBITS or not message.body.operations:
        return
    result = sim.run(compiled, shots=3, seed=1, threads=1, method="stabilizer", memory=True)
    assert int(result.counts.sum()) == 3


STIM = Target(
    name="stim",
    run=_run,
    seeds=lambda: [text.encode() for text in _SEEDS],
    mutate=mutate_program(_WORDS),
    words=_WORDS,
)
