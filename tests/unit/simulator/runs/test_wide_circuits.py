"""Circuits of more qubits than a state could have: they take what their gates need."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from basicaer.simulator import (
    Circuit,
    CircuitError,
    Observable,
    RunControl,
    Save,
    SaveKind,
    SimulationFailed,
    ValidCircuit,
    required_bytes,
    run,
    statevector,
    unitary,
)
from basicaer.simulator.compiler import _wires as wires_module

from tests.traced import traced
from tests.unit.simulator.shorthand import close, memory_of


@pytest.fixture
def tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small circuits are searched for known qubits too."""
    monkeypatch.setattr(wires_module, "SMALL_QUBITS", 0)


def bell(num_qubits: int, first: int, second: int, num_clbits: int = 2) -> Circuit:
    return Circuit(num_qubits, num_clbits).append("h", [first]).append("cx", [first, second])


def measure_all(circuit: Circuit) -> Circuit:
    for qubit in range(circuit.num_qubits):
        circuit.append("measure", [qubit], [], [qubit])
    return circuit


@pytest.mark.parametrize("size", [127, 433, 1000])
def test_a_wide_circuit_takes_what_its_gates_need(size: int) -> None:
    circuit = measure_all(bell(size, 5, size - 2, size).append("x", [size - 1]))
    result = run(circuit, shots=1000, seed=1, memory=True)
    seen = [sum(int(word) << 64 * place for place, word in enumerate(words)) for words in result.outcomes]
    one = 1 << size - 1
    assert seen == [one, one | 1 << 5 | 1 << size - 2]
    assert result.counts.sum() == 1000
    assert memory_of(result).shape == (1000, -(-size // 64))
    assert required_bytes(circuit, shots=1000, memory=True) < (2 << 20) + (len(circuit) << 14)


@pytest.mark.parametrize("size", [127, 1000])
def test_flips_and_phases_need_no_memory(size: int) -> None:
    """Neither gates on known qubits, nor known controls of others."""
    circuit = Circuit(size, size)
    for qubit in range(size):
        circuit.append("x", [qubit]).append("rz", [qubit], [0.1]).append("z", [qubit])
    for qubit in range(0, size - 1, 2):
        circuit.append("cx", [qubit, qubit + 1])
    circuit.append("h", [0]).append("mcx", [*range(2, size - 1, 2), 1])
    circuit.append("cx", [0, 3])
    result = run(measure_all(circuit), shots=100, seed=1)
    assert required_bytes(circuit, shots=100) < (2 << 20) + (len(circuit) << 14)
    seen = [sum(int(word) << 64 * place for place, word in enumerate(words)) for words in result.outcomes]
    even = sum(1 << qubit for qubit in range(0, size, 2))
    assert seen == [(even & ~1) | 2, even | 2 | 8]


def test_a_whole_state_is_refused_by_its_own_size() -> None:
    circuit = bell(127, 0, 126)
    for call in (statevector, unitary, lambda wide: run(wide, statevector=True)):
        with pytest.raises(SimulationFailed, match=r"2\^(127|254) amplitudes"):
            call(circuit)
    circuit.append("save", save=Save("s", SaveKind.STATEVECTOR))
    with pytest.raises(SimulationFailed, match=r"2\^127 amplitudes"):
        run(circuit)
    assert required_bytes(circuit) > 16 << 127
    assert required_bytes(bell(127, 0, 1), statevector=True) > 16 << 127
    assert required_bytes(bell(127, 0, 1), method="statevector") > 16 << 127
    assert required_bytes(bell(127, 0, 1), method="unitary") > 16 << 254


def test_too_many_live_qubits_are_refused() -> None:
    circuit = Circuit(100)
    for qubit in range(100):
        circuit.append("h", [qubit])
    with pytest.raises(SimulationFailed, match=r"2\^100 amplitudes"):
        run(circuit, method="statevector")


def test_observables_of_127_letters() -> None:
    circuit = bell(127, 3, 90).append("x", [126])
    texts = {
        "I" * 127: 1.0,
        "Z" * 127: -1.0,
        "I" * (126 - 90) + "Z" + "I" * 86 + "Z" + "III": 1.0,
        "I" * (126 - 90) + "X" + "I" * 86 + "X" + "III": 1.0,
        "I" * (126 - 90) + "Y" + "I" * 86 + "Y" + "III": -1.0,
        "I" * 126 + "X": 0.0,
        "Y" + "I" * 126: 0.0,
        "Z" + "I" * 126: -1.0,
    }
    save = Save("e", SaveKind.EXPECTATION_VALUES, tuple(Observable((text,), (2.0,)) for text in texts))
    circuit.append("save", range(127), save=save)
    circuit.append("save", [126, 3, 7, 90], save=Save("p", SaveKind.PROBABILITIES))
    saved = run(circuit, shots=1).saved
    assert close(saved["e"], [2 * value for value in texts.values()])
    assert close(saved["p"], np.eye(16)[0b0001] / 2 + np.eye(16)[0b1011] / 2)


def test_nothing_acts_at_all() -> None:
    circuit = measure_all(Circuit(200, 200)).append("reset", [3]).append("barrier", range(200))
    result = run(circuit, shots=7, seed=1, memory=True)
    assert result.outcomes.tolist() == [[0, 0, 0, 0]]
    assert result.counts.tolist() == [7]
    assert close(statevector(ValidCircuit(Circuit(18))), np.eye(1, 2**18)[0])
    assert close(unitary(Circuit(3)), np.eye(8))


def test_a_long_search_is_given_up(monkeypatch: pytest.MonkeyPatch, tracking: None) -> None:
    monkeypatch.setattr("basicaer.simulator.compiler._tracking._MOST_STEPS", 5)
    circuit = Circuit(3, 3)
    for _ in range(4):
        circuit.append("x", [0]).append("cx", [0, 1])
    circuit.append("x", [2])
    assert close(statevector(ValidCircuit(circuit), control=RunControl()), np.eye(8)[4])
    assert ValidCircuit(circuit).wires(from_zero=True).count == 3


def test_widening_a_state_takes_no_second_copy() -> None:
    circuit = Circuit(20)
    for qubit in range(20):
        if qubit != 9:
            circuit.append("h", [qubit])
    ready = ValidCircuit(circuit)
    statevector(ready)
    with traced():
        state = statevector(ready)
        assert tracemalloc.get_traced_memory()[1] <= required_bytes(ready, method="statevector")
    assert close(np.abs(state.reshape(-1, 2, 512)[:, 0]), 2**-9.5)
    assert not state.reshape(-1, 2, 512)[:, 1].any()
    for more in (0.0, 0.1):
        circuit.append("ry", [9], [more])
    assert required_bytes(ready, method="statevector") < required_bytes(circuit, method="statevector")


def test_faults_on_idle_qubits_are_found() -> None:
    with pytest.raises(CircuitError):
        run(Circuit(127).append("measure", [127], [], [0]))
