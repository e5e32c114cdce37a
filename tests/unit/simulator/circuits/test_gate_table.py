"""The gate table against Qiskit's own matrices, and against itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qiskit
from basicaer.simulator import GATES, Circuit, GateSpec, unitary
from qiskit.circuit.library.standard_gates import (
    MCPhaseGate,
    MCXGate,
    SwapGate,
    U2Gate,
    U3Gate,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import Operator

NOT_UNITARY = {"delay", "reset", "measure"}
SPECS = sorted({spec.name: spec for spec in GATES.values()}.values(), key=lambda spec: spec.name)


def angles(count: int) -> list[float]:
    return [0.3 + 0.7 * number for number in range(count)]


@pytest.mark.parametrize("name", sorted(set(get_standard_gate_name_mapping()) - NOT_UNITARY))
def test_matrix_is_qiskits(name: str) -> None:
    gate = get_standard_gate_name_mapping()[name]
    values = angles(len(gate.params))
    expected = Operator(type(gate)(*values) if values else gate).data
    np.testing.assert_allclose(GATES[name].matrix(*values), expected, atol=1e-15)


@pytest.mark.parametrize("controls", [1, 2, 4])
@pytest.mark.parametrize(
    ("name", "gate", "values"),
    [
        ("mcx", lambda controls: MCXGate(controls), []),
        ("mcp", lambda controls: MCPhaseGate(0.3, controls), [0.3]),
        ("mcphase", lambda controls: MCPhaseGate(0.3, controls), [0.3]),
        ("mcu2", lambda controls: U2Gate(0.3, 1.0).control(controls, annotated=False), [0.3, 1.0]),
        ("mcu3", lambda controls: U3Gate(0.3, 1.0, 1.7).control(controls, annotated=False), [0.3, 1.0, 1.7]),
        ("mcswap", lambda controls: SwapGate().control(controls, annotated=False), []),
    ],
)
def test_any_number_of_controls_is_qiskits(
    name: str, gate: Callable[[int], Any], values: list[float], controls: int
) -> None:
    expected = Operator(gate(controls)).data
    width = len(expected).bit_length() - 1
    circuit = Circuit.from_gates(width, [(name, range(width), values)])
    np.testing.assert_allclose(unitary(circuit), expected, atol=1e-12)


def test_every_gate_of_qelib1_is_there() -> None:
    text = (Path(qiskit.__file__).parent / "qasm" / "libs" / "qelib1.inc").read_text()
    names = set(re.findall(r"^gate (\w+)", text, re.MULTILINE))
    assert len(names) > 30
    assert names - set(GATES) == set()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_matrix_is_unitary_and_documented(spec: GateSpec) -> None:
    matrix = spec.matrix(*angles(spec.num_parameters))
    assert matrix.shape == (2**spec.num_qubits, 2**spec.num_qubits)
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(len(matrix)), atol=1e-14)
    assert spec.doc.endswith(".")


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.decomposition], ids=lambda spec: spec.name)
def test_decomposition_gives_the_matrix(spec: GateSpec) -> None:
    assert spec.decomposition is not None
    values = angles(spec.num_parameters)
    circuit = Circuit.from_gates(spec.num_qubits, spec.decomposition(*values))
    np.testing.assert_allclose(unitary(circuit), spec.matrix(*values), atol=1e-14)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_columns_of_parameters_give_a_matrix_for_each_row(spec: GateSpec) -> None:
    rows = np.random.default_rng(1).uniform(-7, 7, (3, spec.num_parameters))
    found = spec.target_matrices(rows)
    assert found.shape == (3, 2**spec.num_targets, 2**spec.num_targets)
    for row, matrix in zip(rows, found, strict=True):
        np.testing.assert_array_equal(spec.target_matrices(row[None])[0], matrix)


def test_wrong_number_of_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="rx takes 1 parameters, not 2"):
        GATES["rx"].matrix(0.1, 0.2)
