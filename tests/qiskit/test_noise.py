"""Aer's noise on a server: in circuits and as a noise model, beside what Aer itself makes of it."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
from basicaer.client import Channel, NoiseModel, OptionInvalidError
from basicaer.client.qiskit import AerSimulator, BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Delay, Instruction
from qiskit.circuit.library import XGate
from qiskit.quantum_info import Kraus

aer = pytest.importorskip("qiskit_aer")
noise = pytest.importorskip("qiskit_aer.noise")

SHOTS = 40_000


def distance(circuit: QuantumCircuit, ours: dict[str, int], model: Any = None) -> float:
    """The total variation between counts and what Aer's density matrix gives."""
    options = {} if model is None else {"noise_model": model}
    theirs = (
        aer.AerSimulator(method="density_matrix", **options).run(circuit, shots=SHOTS).result().get_counts()
    )
    keys = theirs.keys() | ours.keys()
    return float(sum(abs(theirs.get(key, 0) - ours.get(key, 0)) for key in keys) / 2 / SHOTS)


def workload() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rx(0.7, 2)
    circuit.cx(1, 2)
    circuit.ccx(0, 1, 2)
    circuit.reset(0)
    circuit.id(0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def model() -> Any:
    """Errors of each kind that Aer makes, for all qubits and for some."""
    made = noise.NoiseModel()
    made.add_all_qubit_quantum_error(noise.depolarizing_error(0.2, 1), ["h", "rx"])
    made.add_all_qubit_quantum_error(noise.amplitude_damping_error(0.3), ["id"])
    made.add_all_qubit_quantum_error(noise.depolarizing_error(0.1, 2), ["cx"])
    damped = noise.thermal_relaxation_error(50, 80, 20).tensor(noise.phase_amplitude_damping_error(0.1, 0.2))
    made.add_quantum_error(damped, ["cx"], [1, 2])
    made.add_all_qubit_quantum_error(noise.pauli_error([("XIZ", 0.2), ("III", 0.8)]), ["ccx"])
    made.add_all_qubit_quantum_error(noise.pauli_error([("X", 0.3), ("I", 0.7)]), ["reset"])
    made.add_quantum_error(noise.coherent_unitary_error([[0, 1], [1, 0]]), ["measure"], [1])
    made.add_all_qubit_readout_error(noise.ReadoutError([[0.9, 0.1], [0.3, 0.7]]))
    made.add_readout_error(noise.ReadoutError([[0.6, 0.4], [0.0, 1.0]]), [2])
    return made


@pytest.fixture
def simulator(address: str) -> AerSimulator:
    return AerSimulator(BasicAerProvider(address))


def test_a_noise_model_of_aer_gives_what_aer_gives(simulator: AerSimulator, backend: BasicAerBackend) -> None:
    circuit = workload()
    simulator.set_options(noise_model=model())
    ours = simulator.run(circuit, shots=SHOTS, seed_simulator=1).result().get_counts()
    assert distance(circuit, ours, model()) < 0.015
    assert distance(circuit, ours) > 0.1
    again = backend.run(circuit, shots=SHOTS, seed_simulator=1, noise_model=model()).result().get_counts()
    assert again == ours
    # A copy's options are its own.
    plain = copy.copy(simulator)
    plain.set_options(noise_model=None)
    counts = plain.run(circuit, shots=SHOTS, seed_simulator=1).result().get_counts()
    assert distance(circuit, counts) < 0.015


def test_circuits_are_transpiled_to_the_gates_that_have_noise(simulator: AerSimulator) -> None:
    made = noise.NoiseModel(basis_gates=["rz", "sx", "cx"])
    made.add_all_qubit_quantum_error(noise.depolarizing_error(0.1, 2), ["cx"])
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.rzz(0.5, 0, 1)
    circuit.append(noise.depolarizing_error(0.3, 2), [1, 0])
    circuit.measure([0, 1], [0, 1])
    assert set(transpile(circuit, simulator).count_ops()) == {"h", "rzz", "quantum_channel", "measure"}
    simulator.set_options(noise_model=made)
    found = transpile(circuit, simulator)
    assert set(found.count_ops()) <= {"rz", "sx", "cx", "id", "quantum_channel", "measure"}
    assert found.count_ops()["cx"] == 2
    simulator.set_options(noise_model=None)
    assert "rzz" in transpile(circuit, simulator).count_ops()


def test_noise_that_stands_in_circuits(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.append(noise.depolarizing_error(0.3, 2), [1, 0])
    circuit.append(noise.amplitude_damping_error(0.4), [0])
    circuit.append(Kraus([np.diag([1, 0.8]), np.array([[0, 0.6], [0, 0]])]), [1])
    circuit.append(noise.reset_error(0.25, 0.25), [1])
    circuit.measure([0, 1], [0, 1])
    ours = backend.run(circuit, shots=SHOTS, seed_simulator=1).result().get_counts()
    assert distance(circuit, ours) < 0.015


def test_readout_errors_that_stand_in_circuits(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 1)
    circuit.append(noise.ReadoutError([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]), [], [1, 0])
    assert backend.run(circuit, shots=50).result().get_counts() == {"10": 50}


def test_noise_in_a_gate_of_ones_own_and_in_a_branch(backend: BasicAerBackend) -> None:
    inner = QuantumCircuit(1, name="inner")
    inner.append(noise.pauli_error([("X", 1.0)]), [0])
    circuit = QuantumCircuit(2, 2)
    circuit.append(inner.to_instruction(), [0])
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.append(inner.to_instruction(), [1])
    circuit.measure(1, 1)
    assert backend.run(circuit, shots=50).result().get_counts() == {"11": 50}


@pytest.mark.parametrize("kinds", [[Delay], [Delay, XGate]])
def test_noise_of_delays(simulator: AerSimulator, backend: BasicAerBackend, kinds: list[Any]) -> None:
    passes = noise.passes.RelaxationNoisePass(t1s=[1e-6], t2s=[1e-6], dt=1e-9, op_types=kinds)
    made = noise.NoiseModel()
    made._custom_noise_passes.append(passes)
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.delay(100_000, 0, "dt")
    circuit.measure(0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Aer's, of a gate whose duration isn't known
        assert simulator.run(circuit, shots=50, noise_model=made).result().get_counts() == {"0": 50}
    if kinds == [Delay]:
        assert backend.run(circuit, shots=50, noise_model=made).result().get_counts() == {"0": 50}
        return
    # What else a pass puts into a circuit can't be told beforehand.
    with pytest.raises(OptionInvalidError, match="AerSimulator"):
        NoiseModel.from_aer(made)


def test_a_model_of_the_clients(simulator: AerSimulator) -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    own = NoiseModel().add(Channel.pauli({"X": 1.0}), ["x"])
    assert simulator.run(circuit, shots=50, noise_model=own).result().get_counts() == {"0": 50}
    for sent in (own, model()):
        with pytest.raises(OptionInvalidError, match="without noise"):
            simulator.run(
                circuit.remove_final_measurements(inplace=False), method="unitary", noise_model=sent
            )


def test_measurements_are_told_wrong_together(backend: BasicAerBackend) -> None:
    made = noise.NoiseModel()
    made.add_readout_error(noise.ReadoutError(np.eye(4)[::-1]), [0, 1])
    circuit = QuantumCircuit(2, 2)
    circuit.append(Instruction("measure", 2, 2, []), [0, 1], [0, 1])
    counts = backend.run(circuit, shots=50, noise_model=made).result().get_counts()
    assert counts == aer.AerSimulator(noise_model=made).run(circuit, shots=50).result().get_counts()
