"""Programs that others wrote, through the real server and client, against an independent simulator.

The files are from QASMBench (see the LICENSE beside them); qiskit-aer is the oracle.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from basicaer.client import BasicAerProvider
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from scipy.stats import chi2

from tests.conftest import ServerProcess

CIRCUITS = sorted((Path(__file__).parents[1] / "circuits" / "qasmbench").glob("*.qasm"))
SHOTS = 20_000
ALPHA = 1e-6  # A right simulator fails one run in a million / 14.


def _distance_p_value(ours: dict[str, int], theirs: dict[str, int]) -> float:
    """The p-value of the two-sample chi-square test, with rare outcomes pooled."""
    rows = [(ours.get(key, 0), theirs.get(key, 0)) for key in sorted(set(ours) | set(theirs))]
    common = [row for row in rows if sum(row) >= 20]
    rare = np.sum([row for row in rows if sum(row) < 20] or [(0, 0)], axis=0)
    table = np.array([*common, tuple(rare)] if rare.sum() >= 20 else common, dtype=float)
    if len(table) < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), len(table) - 1))


def test_the_suite_is_there() -> None:
    assert len(CIRCUITS) == 14


@pytest.mark.parametrize("path", CIRCUITS, ids=lambda path: path.stem)
def test_counts_agree_with_aer(path: Path, server: ServerProcess) -> None:
    text = path.read_text()
    with BasicAerProvider(server.address) as provider:
        job = provider.get_backend("qasm_simulator").run(text, shots=SHOTS, seed_simulator=11)
        ours = job.result().get_counts()
    circuit = QuantumCircuit.from_qasm_str(text)
    aer = AerSimulator(seed_simulator=5)
    # Aer takes no gates that a program defines itself, so the oracle is given their definitions.
    lowered = transpile(circuit, aer, optimization_level=0)
    theirs = aer.run(lowered, shots=SHOTS).result().get_counts()
    assert sum(ours.values()) == SHOTS
    assert {len(key) for key in ours} == {len(key) for key in theirs}
    assert _distance_p_value(ours, theirs) > ALPHA


@pytest.mark.parametrize("path", CIRCUITS, ids=lambda path: path.stem)
def test_the_state_before_measurement_agrees_with_aer(path: Path, server: ServerProcess) -> None:
    circuit = _unitary_part(QuantumCircuit.from_qasm_str(path.read_text()))
    with BasicAerProvider(server.address) as provider:
        state = provider.get_backend("statevector_simulator").run(circuit).result().get_statevector()
    saved = circuit.copy()
    saved.save_statevector()
    aer = AerSimulator(method="statevector")
    lowered = transpile(saved, aer, optimization_level=0)
    expected = np.asarray(aer.run(lowered).result().get_statevector())
    assert np.allclose(state, expected, atol=1e-10)


def _unitary_part(circuit: QuantumCircuit) -> QuantumCircuit:
    """The instructions before the first that isn't a gate, barriers left out."""
    part = QuantumCircuit(*circuit.qregs)
    for item in circuit.data:
        if item.operation.name == "barrier":
            continue
        if item.clbits or item.operation.name == "reset":
            break
        part.append(item.operation, item.qubits)
    return part
