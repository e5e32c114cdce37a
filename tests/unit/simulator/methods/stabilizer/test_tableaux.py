"""What stabilizer states save by tableaux, and in loops."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    Channel,
    Circuit,
    CircuitError,
    ClbitRef,
    ForLoop,
    Observable,
    Save,
    SaveKind,
    run,
    saved_bytes,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford, Pauli, StabilizerState

SAVES = (
    Save("s", SaveKind.AMPLITUDES_SQUARED, basis_states=(7, 0, 2, 4)),
    Save("s", SaveKind.PROBABILITIES),
    Save("s", SaveKind.EXPECTATION_VALUES, (Observable(("XZ", "ZI", "II"), (1.0, -0.5, 0.25)),)),
)


@pytest.mark.parametrize("parted", [False, True])
@pytest.mark.parametrize("save", SAVES, ids=lambda save: str(save.kind.value))
def test_saves_of_stabilizers_in_loops_are_means_over_turns(save: Save, parted: bool) -> None:
    circuit = Circuit(3, 1).append("h", [0]).append("cx", [0, 1])
    if parted:
        if save.kind is not SaveKind.EXPECTATION_VALUES:
            return
        circuit.append("measure", [0], [], [0]).append("h", [0], condition=ClbitRef(0))
    turn = circuit.block([("save", [2, 1], [], [], {"save": save}), ("x", [2]), ("s", [1]), ("h", [1])])
    circuit.append("for_loop", for_loop=ForLoop(range(3), turn))
    found = run(circuit, shots=2000, seed=3, method="stabilizer").saved["s"]
    exact = run(circuit, shots=2000, seed=3, method="density_matrix").saved["s"]
    np.testing.assert_allclose(found, exact, atol=0.2 if parted else 1e-9)


def state_of(tableau: npt.NDArray[Any]) -> StabilizerState:
    return StabilizerState(Clifford(tableau.astype(bool)))


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_tableaux_are_qiskits(random: Random, size: int) -> None:
    circuit, gates = Circuit(size), QuantumCircuit(size)
    for _ in range(20):
        name = random.choice(["h", "s", "sdg", "x", "y", "z", "sx"] + ["cx", "cz", "swap"] * (size > 1))
        qubits = random.sample(range(size), 1 + (name in ("cx", "cz", "swap")))
        circuit.append(name, qubits)
        getattr(gates, name)(*qubits)
    circuit.append("save", save=Save("t", SaveKind.STABILIZER))
    found = run(circuit, shots=130, seed=1).saved["t"]
    assert found.shape == (2 * size, 2 * size + 1)
    assert found.dtype == np.uint8
    assert Clifford(found.astype(bool)) == Clifford(gates)


@pytest.mark.parametrize("shots", [1, 63, 64, 65, 5000])
def test_the_tableau_is_that_of_the_last_shot(shots: int) -> None:
    """What was measured and which error there was shows in its signs."""
    circuit = Circuit(4, 4).append("h", [0]).append("cx", [0, 1]).append("cx", [1, 2]).append("h", [3])
    circuit.append("measure", [0], [], [0]).append("y", [2], condition=ClbitRef(0))
    circuit.append("channel", [1], channel=Channel.pauli({"I": 0.5, "X": 0.3, "Y": 0.2}))
    circuit.append("channel", [3], channel=Channel.pauli({"I": 0.5, "Z": 0.5}))
    circuit.append("save", save=Save("t", SaveKind.STABILIZER)).append("h", [3])
    for qubit in range(1, 4):
        circuit.append("measure", [qubit], [], [qubit])
    seen = set()
    for seed in range(12):
        result = run(circuit, shots=shots, seed=seed, memory=True)
        assert result.memory is not None
        last = int(result.memory[-1, 0])
        state = state_of(result.saved["t"])
        for qubit in range(4):
            # Qubit 3 is in + or -, as its outcome behind another h tells.
            letters = ["I"] * 4
            letters[3 - qubit] = "X" if qubit == 3 else "Z"
            assert state.expectation_value(Pauli("".join(letters))) == 1 - 2 * (last >> qubit & 1)
        seen.add(last)
    assert len(seen) > 3


def test_tableaux_are_refused_where_there_are_none() -> None:
    circuit = Circuit(3, 1).append("h", [0]).append("measure", [0], [], [0])
    circuit.append("h", [1], condition=ClbitRef(0)).append("save", save=Save("s", SaveKind.STABILIZER))
    with pytest.raises(CircuitError, match="save 's': a tableau where gates depend on outcomes"):
        run(circuit, method="stabilizer")
    with pytest.raises(CircuitError, match="no method can run this circuit"):
        run(circuit)
    for method in ("statevector", "density_matrix", "matrix_product_state"):
        with pytest.raises(CircuitError, match="save 's': a tableau, which only the method stabilizer has"):
            run(circuit, method=method)
    assert saved_bytes(circuit, np.complex128, 5) == 6 * 7 + 8
