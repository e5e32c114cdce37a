"""Gates come before measurements of other qubits, and nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import Circuit, ClbitRef, run, statevector
from basicaer.simulator.compiler._ordering import GATE, MEASURE, OTHER, RESET, ordered
from basicaer.simulator.compiler._program import compile_circuit
from basicaer.simulator.compiler._steps import GateStep, IfStep, MeasureStep, ResetStep
from basicaer.simulator.running import _trajectories
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

Drawn: TypeAlias = tuple[int, list[int], int]
INSTRUCTIONS = st.lists(
    st.tuples(
        st.sampled_from([GATE, GATE, MEASURE, RESET, OTHER]),
        st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True),
        st.integers(0, 2),
    ),
    max_size=60,
)


def packed(column: list[list[int]]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """All instructions' operands in a row, and where each one's begin and end."""
    operands = np.array([operand for own in column for operand in own], dtype=np.uint32)
    return operands, np.cumsum([0, *map(len, column)])


def order_of(instructions: Sequence[Drawn]) -> tuple[list[int], list[int], list[list[int]], list[list[int]]]:
    kinds, qubits, clbits = [], [], []
    for kind, own, clbit in instructions:
        kinds.append(kind)
        qubits.append(own if kind in (GATE, OTHER) else own[:1])
        clbits.append([clbit] if kind == MEASURE else [])
    return ordered(kinds, *packed(qubits), *packed(clbits)), kinds, qubits, clbits


@given(INSTRUCTIONS)
def test_the_order_stays_on_every_qubit_and_bit_and_around_what_reads_bits(instructions: list[Drawn]) -> None:
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
def test_what_follows_no_measurement_comes_before_all(instructions: list[Drawn]) -> None:
    order, kinds, qubits, _ = order_of([(kind % OTHER, own, clbit) for kind, own, clbit in instructions])
    touched: set[int] = set()
    free = []
    for index, kind in enumerate(kinds):
        if kind != GATE or touched.intersection(qubits[index]):
            touched.update(qubits[index])
        else:
            free.append(index)
    assert order[: len(free)] == free


def rounds_of_parities(count: int) -> Circuit:
    circuit = Circuit(6, 3)
    for _ in range(count):
        for qubit in range(3):
            circuit.append("rx", [qubit], [0.7])
        for index in range(3):
            circuit.append("cx", [index, 3 + index]).append("cx", [(index + 1) % 3, 3 + index])
            circuit.append("measure", [3 + index], [], [index]).append("reset", [3 + index])
        circuit.append("x", [0], condition=ClbitRef(1))
    return circuit


def test_a_round_of_parity_checks_is_one_segment_and_one_row_of_measurements() -> None:
    program = compile_circuit(rounds_of_parities(2), from_zero=True)
    assert [type(step) for step in program.steps] == [GateStep, MeasureStep, ResetStep, IfStep] * 2
    gates, measured, reset, *_ = program.steps
    assert isinstance(gates, GateStep)
    assert isinstance(measured, MeasureStep)
    assert isinstance(reset, ResetStep)
    assert measured.qubits.tolist() == reset.qubits.tolist() == [3, 4, 5]
    assert measured.clbits.tolist() == [0, 1, 2]
    assert len(gates.segment.block) == 9


@pytest.mark.parametrize("flips", [0, 1])
def test_what_was_just_measured_or_reset_is_known(flips: int) -> None:
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
def test_many_qubits_in_a_row_are_drawn_from_their_joint_distribution(
    waiting_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
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
