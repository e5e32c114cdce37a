"""Gates come before measurements of other qubits, and nothing else changes."""

import numpy as np
import pytest
from basicaer.simulator import Circuit, ClbitRef, _trajectories, run, statevector
from basicaer.simulator._ordering import GATE, MEASURE, OTHER, RESET, ordered
from basicaer.simulator._program import compile_circuit
from basicaer.simulator._steps import GateStep, IfStep, MeasureStep, ResetStep
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

INSTRUCTIONS = st.lists(
    st.tuples(
        st.sampled_from([GATE, GATE, MEASURE, RESET, OTHER]),
        st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True),
        st.integers(0, 2),
    ),
    max_size=60,
)


def order_of(instructions):
    kinds, qubits, clbits = [], [], []
    for kind, own, clbit in instructions:
        kinds.append(kind)
        qubits.append(own if kind in (GATE, OTHER) else own[:1])
        clbits.append([clbit] if kind == MEASURE else [])
    columns = []
    for column in (qubits, clbits):
        columns.append(np.array([operand for own in column for operand in own], dtype=np.uint32))
        columns.append(np.cumsum([0, *map(len, column)]))
    return ordered(kinds, *columns), kinds, qubits, clbits


@given(INSTRUCTIONS)
def test_the_order_stays_on_every_qubit_and_bit_and_around_what_reads_bits(instructions):
    order, kinds, qubits, clbits = order_of(instructions)
    assert sorted(order) == list(range(len(instructions)))
    for column in (qubits, clbits):
        for operand in range(5):
            using = [index for index in order if operand in column[index]]
            assert using == sorted(using)
    for at, index in enumerate(order):
        if kinds[index] == OTHER:
            assert set(order[:at]) == set(range(index))


@given(INSTRUCTIONS)
def test_what_follows_no_measurement_comes_before_all(instructions):
    order, kinds, qubits, _ = order_of([(kind % OTHER, *rest) for kind, *rest in instructions])
    touched, free = set(), []
    for index, kind in enumerate(kinds):
        if kind != GATE or touched.intersection(qubits[index]):
            touched.update(qubits[index])
        else:
            free.append(index)
    assert order[: len(free)] == free


def rounds_of_parities(count):
    circuit = Circuit(6, 3)
    for _ in range(count):
        for qubit in range(3):
            circuit.append("rx", [qubit], [0.7])
        for index in range(3):
            circuit.append("cx", [index, 3 + index]).append("cx", [(index + 1) % 3, 3 + index])
            circuit.append("measure", [3 + index], [], [index]).append("reset", [3 + index])
        circuit.append("x", [0], condition=ClbitRef(1))
    return circuit


def test_a_round_of_parity_checks_is_one_segment_and_one_row_of_measurements():
    program = compile_circuit(rounds_of_parities(2), from_zero=True)
    assert [type(step) for step in program.steps] == [GateStep, MeasureStep, ResetStep, IfStep] * 2
    assert program.steps[1].qubits.tolist() == program.steps[2].qubits.tolist() == [3, 4, 5]
    assert program.steps[1].clbits.tolist() == [0, 1, 2]
    assert len(program.steps[0].segment.block) == 9


@pytest.mark.parametrize("flips", [0, 1])
def test_what_was_just_measured_or_reset_is_known(flips):
    circuit = Circuit(2, 4).append("h", [0]).append("cx", [0, 1])
    circuit.append("measure", [0], [], [0]).append("measure", [0], [], [1])
    circuit.append("reset", [0]).append("measure", [0], [], [2])
    for _ in range(flips):
        circuit.append("x", [0])
    circuit.append("measure", [0], [], [2]).append("cx", [0, 1]).append("measure", [1], [], [3])
    result = run(circuit, shots=200, seed=3)
    seen = result.outcomes[:, 0].tolist()
    # Bits 0 and 1 agree; bit 2 is 0 after the reset, but for the flip, which also flips bit 3.
    assert seen == ([0b0000, 0b1011] if not flips else [0b0111, 0b1100])


@pytest.mark.parametrize("waiting_bytes", [1 << 28, 0], ids=["states wait", "branches run again"])
def test_many_qubits_in_a_row_are_drawn_from_their_joint_distribution(waiting_bytes, monkeypatch):
    monkeypatch.setattr(_trajectories, "_WAITING_BYTES", waiting_bytes)
    circuit = Circuit(8, 9)
    for qubit in range(8):
        circuit.append("ry", [qubit], [1.2 + 0.1 * qubit])
    for qubit in range(7):
        circuit.append("cx", [qubit, qubit + 1]).append("rx", [qubit], [0.8])
    expected = np.abs(statevector(circuit)) ** 2
    for qubit in reversed(range(8)):
        circuit.append("measure", [qubit], [], [7 - qubit])
    circuit.append("h", [0]).append("measure", [0], [], [8])
    result = run(circuit, shots=40_000, seed=6)
    assert result.method == "branched"
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    backwards = (bits << np.arange(7, -1, -1)).sum(axis=1)
    seen = np.bincount(result.outcomes[:, 0].astype(int) & 255, weights=result.counts, minlength=256)[
        backwards
    ]
    assert expected.min() * 40_000 > 5
    assert chisquare(seen, expected * 40_000).pvalue > 1e-4
