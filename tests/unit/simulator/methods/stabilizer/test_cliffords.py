"""Clifford gates are found by their matrices, whatever their names, and signs are right."""

from __future__ import annotations

from functools import reduce
from itertools import product
from math import pi
from typing import Any

import numpy as np
import pytest
from basicaer.simulator import GATES, Circuit, Observable, Operation, Save, SaveKind
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._cliffords import pieces, whole_matrix
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Operator, random_clifford

from tests.unit.simulator.methods.stabilizer.clifford_circuits import outcomes

NAMES = {
    rows.X: "x",
    rows.Y: "y",
    rows.Z: "z",
    rows.H: "h",
    rows.S: "s",
    rows.SX: "sx",
    rows.CX: "cx",
    rows.CZ: "cz",
    rows.SWAP: "swap",
}


def whole(found: Any, width: int) -> Any:
    """The matrix of rows, by Qiskit."""
    circuit = QuantumCircuit(width)
    for code, first, second in found:
        getattr(circuit, NAMES[code])(*((first, second) if code in rows.TWO_QUBITS else (first,)))
    return Operator(circuit).data


def assert_equal_but_for_a_phase(found: Any, expected: Any) -> None:
    overlap = np.trace(found.conj().T @ expected) / len(expected)
    assert abs(overlap) == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(found * overlap, expected, atol=1e-8)


@pytest.mark.parametrize("name", [spec.name for spec in GATES.values() if spec.num_qubits])
def test_gates_at_multiples_of_half_pi_are_found(name: str) -> None:
    spec = GATES[name]
    rows_of = list(product(*[[place * pi / 2 for place in range(4)]] * spec.num_parameters))
    for row in rows_of[:: max(1, len(rows_of) // 16)]:
        operation = Operation(name, spec.num_qubits, num_parameters=spec.num_parameters)
        found = pieces(operation, row)
        matrix = spec.matrix(*row)
        if found is not None:
            assert_equal_but_for_a_phase(whole(found, spec.num_qubits), matrix)
        else:
            assert not is_clifford(matrix)


def is_clifford(matrix: Any) -> bool:
    try:
        Clifford.from_matrix(matrix)
    except QiskitError:
        return False
    return True


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_random_unitaries_of_few_qubits(width: int) -> None:
    for seed in range(5):
        matrix = random_clifford(width, seed=seed).to_matrix()
        phase = np.exp(0.3j * seed)
        operation = Operation("unitary", width, matrix=phase * matrix)
        found = pieces(operation, ())
        assert found is not None
        assert_equal_but_for_a_phase(whole(found, width), matrix)


def test_controls_count() -> None:
    for controls, state in ((1, 0), (1, 1), (1, None)):
        operation = Operation("z", 2, num_controls=controls, control_state=state)
        found = pieces(operation, ())
        assert found is not None
        assert_equal_but_for_a_phase(whole(found, 2), whole_matrix(operation, ()))
    assert pieces(Operation("x", 3, num_controls=2), ()) is None


@pytest.mark.parametrize("angle", [0.3, pi / 4, pi / 2 + 1e-6])
def test_what_is_no_clifford_gate_is_none(angle: float) -> None:
    assert pieces(Operation("rz", 1, num_parameters=1), (angle,)) is None
    assert pieces(Operation("crz", 2, num_parameters=1), (angle,)) is None


def test_rounded_angles_are_found() -> None:
    for angle in (pi / 2 * (1 + 1e-15), 7 * pi / 2, -100.5 * pi):
        assert pieces(Operation("rx", 1, num_parameters=1), (angle,)) is not None


@pytest.mark.parametrize("seed", range(4))
def test_signs_are_those_of_qiskits_clifford(seed: int) -> None:
    size = 40
    theirs = random_clifford(size, seed=seed).to_circuit()
    circuit = Circuit.from_gates(
        size,
        [(each.operation.name, [theirs.find_bit(q).index for q in each.qubits]) for each in theirs.data],
    )
    labels = Clifford(theirs).to_labels(mode="S")
    observables = tuple(Observable((label[1:],), (1.0,)) for label in labels)
    wrong = reduce(
        lambda text, letter: text.replace(*letter), [("I", "i"), ("X", "I"), ("i", "X")], labels[0][1:]
    )
    observables += (Observable((wrong,), (1.0,)),)
    circuit.append("save", range(size), save=Save("signs", SaveKind.EXPECTATION_VALUES, observables))
    found = outcomes(circuit, 64).saved["signs"]
    np.testing.assert_array_equal(found[:size], [1.0 if label[0] == "+" else -1.0 for label in labels])
    assert found[size] == 0.0
