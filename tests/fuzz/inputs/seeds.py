"""Inputs to begin with: the project's own circuits, its golden bytes, and each kind of operation."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TypeVar

from basicaer.client import Circuit, Program
from basicaer.client.jobs._programs import programs_from
from basicaer.v1 import circuit_pb2, job_pb2
from google.protobuf.message import Message

__all__ = ["OPENQASM2_WORDS", "WORDS", "golden", "qasm_texts", "specs"]

_ROOT = Path(__file__).parents[3]
_FOLDERS = (_ROOT / "examples" / "shell", _ROOT / "tests" / "circuits" / "qasmbench")
_TEXTS = [path for folder in _FOLDERS for path in folder.glob("*.qasm")]
# A longer text takes longer to parse, and has nothing that a shorter one hasn't.
_LONGEST = 4000
_MORE_TEXTS = (
    'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3]; creg c[3]; creg d[1];\nu3(pi/2,-0.1,2e-1) q[0];\n'
    "if (c==5) x q[1];\nreset q[0];\nbarrier q[0],q[2];\nmeasure q -> c;\n",
    'OPENQASM 2.0;\ninclude "qelib1.inc";\n// a gate of its own\ngate pair(a,b) x,y { rx(a) x; cx x,y; '
    "ry(sin(b)^2-ln(3)/sqrt(a)) y; }\nqreg q[4]; creg c[4];\npair(0.3,1) q[0],q[1]; pair(pi,-pi) q[2],q[3];\n"
    "measure q[3] -> c[3];\n",
    'OPENQASM 2.0; include "qelib1.inc"; gate cx a,b { CX b,a; } gate h a { U(0,0,pi) a; } qreg a[2];'
    "qreg b[2]; opaque magic(t) u,v; h a; cx a,b; cu1(pi/8) a[0],b[1]; c4x a[0],a[1],b[0],b[1],a[0];",
    'include "./hqslib1.inc";\rqreg q[2];\r// native\rU1q(pi/2,0.1) q[0]; Rz(1) q[1]; ZZ q[0],q[1];\r'
    "gate store(t) a { U(0,0,t) a; } gate cu a,b { CX a,b; } store(1) q[0]; cu q[0],q[1];\r",
)

OPENQASM2_WORDS = (
    *("OPENQASM", "2.0", "3.0", "include", '"qelib1.inc"', "qreg", "creg", "gate", "opaque", "barrier"),
    *("measure", "reset", "if", "U", "CX", "pi", "sin", "cos", "tan", "exp", "ln", "sqrt", "->", "=="),
    *("h", "x", "cx", "ccx", "u", "u1", "u2", "u3", "rx", "rz", "rzz", "cu1", "swap", "delay", "gateway"),
    *(";", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "^", "//", "q", "c", "q[0]", "c[0]"),
    *("store", "acos", "save_statevector", "\r", "\f", "\u2028", "\ufeff", '"./qelib1.inc"', '"hqslib1.inc"'),
    *("U1q", "ZZ", "Rz", "qubit", "bit[2]", "= measure", "$0"),
)
WORDS = (
    *("h", "x", "cx", "rx", "u3", "swap", "measure", "reset", "barrier", "unitary", "initialize", "delay"),
    *("if_else", "while_loop", "for_loop", "switch_case", "break_loop", "continue_loop", "store", "save"),
    *("channel", "readout_error"),
    *("", "c", "theta", "00", "+-", "ZZ", "XI", "memory", "statevector", "counts", "result", "0/statevector"),
    *("qasm_simulator", "statevector_simulator", "unitary_simulator", "ns", "dt", "\0", "é", "a" * 64, "/"),
)


@functools.cache
def qasm_texts() -> tuple[str, ...]:
    """Returns OpenQASM 2 programs: the examples, those of the tests, and some with what these lack."""
    texts = [path.read_text() for path in sorted(_TEXTS)]
    return (*(text for text in texts if len(text) <= _LONGEST), *_MORE_TEXTS)


M = TypeVar("M", bound=Message)


def golden(kind: type[M]) -> list[M]:
    """Returns the messages of a kind whose bytes tests/conformance fixes."""
    vectors = json.loads((_ROOT / "tests" / "conformance" / "vectors.json").read_text())
    name = kind.DESCRIPTOR.name
    return [kind.FromString(bytes.fromhex(vector["hex"])) for vector in vectors if vector["message"] == name]


def _flow() -> Circuit:
    circuit = Circuit(3, 3)
    circuit.h(0).measure([0], [0])
    with circuit.if_test(circuit.bit(0)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.reset(1)
    with circuit.for_loop(range(3)) as number:
        circuit.rx(0.5, 2)
        circuit.store(1, number == 2)
    with circuit.while_loop(circuit.bit(1)):
        circuit.measure([1], [1])
        circuit.break_loop()
    circuit.initialize([0.6, 0.8], [2]).unitary([[0, 1], [1, 0]], [2]).measure([2], [2])
    return circuit


def _template() -> Program:
    circuit = Circuit(2)
    theta = circuit.add_input("theta")
    circuit.ry(2 * theta + 0.5, 0).cx(0, 1)
    return Program(circuit, inputs={"theta": [0.1, 0.2]}, observables=["ZZ", {"XX": 0.5}], shots=7)


def _saving() -> Circuit:
    circuit = Circuit(2, 2).h(0).cx(0, 1)
    circuit.save_statevector("middle").save_probabilities([1], "one").save_expectation_value("ZZ", label="zz")
    circuit.save_density_matrix([1, 0], pershot=True, conditional=True).save_amplitudes([0, 3])
    circuit.save_amplitudes_squared([1, 0], unnormalized=True)
    circuit.save_expectation_value_variance({"ZZ": 0.5, "XI": 2.0})
    return circuit.measure([0, 1], [0, 1])


def stabilized() -> job_pb2.JobSpec:
    """Returns a job for the method stabilizer, with what it alone saves."""
    circuit = Circuit(2, 2).h(0).cx(0, 1).save_stabilizer().measure([0, 1], [0, 1]).save_detectors([[0, 1]])
    return job_pb2.JobSpec(backend_name="qasm_simulator", programs=programs_from(circuit))


@functools.cache
def specs() -> tuple[job_pb2.JobSpec, ...]:
    """Returns small jobs with every kind of program, operation and option."""
    bell = golden(circuit_pb2.Circuit)[0]
    programs = [*map(programs_from, (_flow(), _template(), _saving()))]
    programs += [[job_pb2.Program(circuit=circuit)] for circuit in golden(circuit_pb2.Circuit)]
    programs += [[program] for program in golden(job_pb2.Program)]
    programs += [[job_pb2.Program(openqasm2=_MORE_TEXTS[0])]]
    for program in programs[3:]:
        if program[0].circuit.variables and program[0].circuit.variables[0].input:
            program[0].inputs.CopyFrom(job_pb2.Inputs(names=["theta"], values=[0.1, 0.2]))
    made = [job_pb2.JobSpec(backend_name="qasm_simulator", programs=some) for some in programs]
    for spec in made:
        spec.options.shots = 20
    plain = programs_from(Circuit(2).h(0).cx(0, 1))
    state = job_pb2.JobSpec(backend_name="statevector_simulator", programs=plain)
    state.options.initial_statevector.CopyFrom(
        circuit_pb2.ComplexArray(shape=[4], values=[0, 0, 1, 0, 0, 0, 0, 0])
    )
    state.options.precision = job_pb2.PRECISION_SINGLE
    unitary = job_pb2.JobSpec(backend_name="unitary_simulator", programs=plain)
    unitary.options.chop_threshold = 1e-9
    several = job_pb2.JobSpec(
        backend_name="qasm_simulator",
        programs=[job_pb2.Program(circuit=bell)] * 2,
        options=job_pb2.RunOptions(shots=9, memory=True, seed_simulator=7, max_parallel_threads=1),
        labels={"team": "red"},
    )
    several.metadata["note"] = [1.5, {"deep": None}]
    return (*made, state, unitary, several)
