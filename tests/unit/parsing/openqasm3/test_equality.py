"""The same circuit by several ways: flat and general, from OpenQASM 2 and 3, from Qiskit and by its text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from basicaer import simulator as sim
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import ProgramFault, openqasm2
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit.random import random_circuit

from tests.unit.parsing.openqasm3.outcomes import circuit, outcomes

HEAD = 'include "stdgates.inc";\nqubit[3] q;\nqubit t;\nbit[3] c;\nbit d;\n'
PLACES = st.permutations(["q[0]", "q[1]", "q[2]", "t"])
ANGLES = st.one_of(
    st.sampled_from(
        ["pi", "-pi/2", "3*pi/4", "tau", "1", "-2", "1/2", "2**-1", ".5", "1e-3", "7", "sin(1)", "-7.5"]
    ),
    st.floats(-20, 20).map(repr),
)
SIZES = {
    **dict.fromkeys(("h", "x", "sdg"), (0, 1)),
    **dict.fromkeys(("rz", "phase"), (1, 1)),
    **dict.fromkeys(("U", "u3"), (3, 1)),
    "u2": (2, 1),
    **dict.fromkeys(("cx", "swap"), (0, 2)),
    **dict.fromkeys(("cp", "crz"), (1, 2)),
    "cu": (4, 2),
    **dict.fromkeys(("ccx", "cswap"), (0, 3)),
}


@st.composite
def _gates(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(SIZES)))
    parameters, qubits = SIZES[name]
    values = ", ".join(draw(ANGLES) for _ in range(parameters))
    operands = draw(st.sampled_from([", ", ","])).join(draw(PLACES)[:qubits])
    return f"{name}{f'({values})' if values else ''} {operands};"


OTHERS = [
    *("c[0] = measure q[0];", "measure q[1] -> c[1];", "d = measure t;", "c = measure q;", "barrier;"),
    *("c[2] = 1;", "/* a */", "reset q[2];", "x q;", "h q[3];", "cx q[0], q[0];", "rz q[0];", "d = 0;"),
]
STATEMENTS = st.one_of(
    _gates(),
    _gates().map(lambda gate: f"if (c[1]) {gate}"),
    _gates().map(lambda gate: f"if (c == 3 && !d) {{ {gate} }}"),
    _gates().map(lambda gate: f"if (d) {gate} // b\n else x t;"),
    st.sampled_from(OTHERS),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STATEMENTS, max_size=12), st.sampled_from(["\n", " ", "\t\n"]))
def test_the_flat_way_is_the_general_one(statements: list[str], between: str) -> None:
    text = HEAD + between.join(statements)
    found: list[tuple[object, object]] = []
    for is_flat in (True, False):
        try:
            message = circuit(text, is_flat=is_flat)
        except ProgramFault as fault:
            found.append((fault.message, fault.where))
        else:
            phase, message.global_phase = message.global_phase, 0.0
            found.append((_listed(message), round(phase, 9)))
    assert found[0] == found[1]


def _listed(message: pb.Circuit) -> list[object]:
    """A circuit without the order in which its operations were first met."""
    return _block(message, message.body)


def _block(message: pb.Circuit, block: pb.Block) -> list[object]:
    made: list[object] = [list(block.qubits), list(block.clbits), list(block.parameters)]
    for number in block.operations:
        operation = pb.Operation()
        operation.CopyFrom(message.operations[number])
        choice = operation.if_else
        made += _block(message, choice.then_block) + _block(message, choice.else_block)
        choice.ClearField("then_block")
        choice.ClearField("else_block")
        made.append(str(operation))
    return made


@pytest.mark.parametrize("seed", range(60))
def test_what_qiskit_writes_is_what_it_means(seed: int) -> None:
    qiskit = random_circuit(4, 5, max_operands=3, seed=seed)
    ours, theirs = circuit(qasm3.dumps(qiskit)), circuit_to_proto(qiskit)
    first, second = (_state(message) for message in (ours, theirs))
    assert abs(np.vdot(first, second)) == pytest.approx(1.0, abs=1e-9)


def _state(message: pb.Circuit) -> npt.NDArray[np.complex128]:
    valid = sim.ValidCircuit(to_simulator(message), max_instructions=10_000)
    state = sim.run(valid, shots=1, statevector=True).statevector
    assert state is not None
    return state.astype(np.complex128)


@pytest.mark.parametrize("seed", range(30))
def test_dynamic_circuits_of_qiskit(seed: int) -> None:
    qiskit = random_circuit(3, 4, max_operands=2, measure=True, conditional=True, reset=True, seed=seed)
    if not any(instruction.operation.name == "if_else" for instruction in qiskit.data):
        qiskit = _branched(seed)
    text = qasm3.dumps(qiskit)
    direct = sim.run(
        sim.ValidCircuit(to_simulator(circuit_to_proto(qiskit)), max_instructions=10_000), shots=8000, seed=1
    )
    wanted = {
        int(words[0]): int(count) / 8000 for words, count in zip(direct.outcomes, direct.counts, strict=True)
    }
    found: dict[int, float] = {}
    for outcome, share in outcomes(text, shots=8000).items():
        digits = "".join(part.partition("=")[2] for part in reversed(outcome.split()))
        found[int(digits, 2)] = found.get(int(digits, 2), 0) + share
    for number in sorted({*wanted, *found}):
        assert found.get(number, 0.0) == pytest.approx(wanted.get(number, 0.0), abs=0.04)


def _branched(seed: int) -> QuantumCircuit:
    made = QuantumCircuit(3, 3)
    made.compose(random_circuit(3, 2, max_operands=2, seed=seed), inplace=True)
    made.measure([0, 1], [0, 1])
    with made.if_test((made.clbits[0], True)) as otherwise:
        made.x(2)
    with otherwise:
        made.h(2)
    with made.for_loop(range(3)), made.if_test((made.clbits[1], 0)):
        made.ry(0.3, 2)
    with made.switch(made.clbits[0]) as case:
        with case(0):
            made.x(1)
        with case(1):
            made.h(1)
    made.measure([0, 1, 2], [0, 1, 2])
    return made


@pytest.mark.parametrize("seed", range(20))
def test_both_versions_of_the_language(seed: int) -> None:
    gates = [str(gate) for gate in _fixed(seed)]
    second = openqasm2.parse(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ncreg c[3];\n'
        + "\n".join(gates)
        + "\nmeasure q -> c;",
        max_bytes=1 << 20,
        max_instructions=1000,
    )
    third = circuit(
        'include "stdgates.inc";\nqubit[3] q;\nbit[3] c;\n' + "\n".join(gates) + "\nc = measure q;"
    )
    for column in ("qubits", "clbits", "parameters"):
        assert list(getattr(second.body, column)) == list(getattr(third.body, column))
    names = [[each.operations[number].name for number in each.body.operations] for each in (second, third)]
    assert names[0] == names[1]


def _fixed(seed: int) -> list[str]:
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(20):
        name = str(chance.choice(["h", "x", "cx", "rz", "ccx", "cu1", "swap", "sdg", "ry"])).replace(
            "cu1", "crz"
        )
        parameters, qubits = {**SIZES, "ry": (1, 1)}[name]
        values = ",".join(f"{value!r}" for value in chance.uniform(-3, 3, parameters).tolist())
        operands = ", ".join(f"q[{number}]" for number in chance.permutation(3)[:qubits])
        made.append(f"{name}{f'({values})' if values else ''} {operands};")
    return made
