"""Simulators of devices: their target, their noise, and what is refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from basicaer.client import NoiseModel, OptionInvalidError
from basicaer.client.qiskit import AerSimulator, BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate
from qiskit.circuit.library import DiagonalGate, UCGate, UnitaryGate, XGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Kraus, SuperOp

aer = pytest.importorskip("qiskit_aer")
noise = pytest.importorskip("qiskit_aer.noise")
devices = pytest.importorskip("qiskit.providers.fake_provider")
if not hasattr(devices, "GenericBackendV2"):
    pytest.skip("devices of any size came with Qiskit 1", allow_module_level=True)

FLIP = noise.pauli_error([("X", 1.0)])


@pytest.fixture
def simulator(address: str) -> AerSimulator:
    return AerSimulator(BasicAerProvider(address))


def line(size: int = 5) -> Any:
    pairs = [[first, first + 1] for first in range(size - 1)]
    return devices.GenericBackendV2(size, coupling_map=pairs, seed=4)


def ghz(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.h(0)
    for qubit in range(size - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def test_a_device_gives_its_name_its_target_and_its_noise(address: str) -> None:
    device = line()
    # Made unlike any device, so that a mistake about one would be seen.
    for qubits in device.target["cx"]:
        device.target["cx"][qubits].error = 0.3
    made = AerSimulator.from_backend(device, address, shots=2000, seed_simulator=5)
    assert made.name == f"aer_simulator_from({device.name})"
    assert (made.num_qubits, made.options.shots) == (5, 2000)
    circuit = transpile(ghz(3), made, seed_transpiler=1, initial_layout=[4, 3, 2])
    assert set(circuit.count_ops()) <= {"rz", "sx", "x", "cx", "id", "measure", "barrier"}
    counts = made.run(circuit).result().get_counts()
    theirs = aer.AerSimulator.from_backend(device).run(circuit, shots=20_000, seed_simulator=1)
    expected = theirs.result().get_counts()
    for outcome in (f"{number:03b}" for number in range(8)):
        share = expected.get(outcome, 0) / 20_000
        # Of both the counts are drawn.
        sigma = (share * (1 - share) * (1 / 2000 + 1 / 20_000)) ** 0.5
        assert abs(counts.get(outcome, 0) / 2000 - share) < 5 * sigma + 0.002, outcome
    made.set_options(method="statevector")
    assert made.name == f"aer_simulator_from({device.name})"
    without = made.run(circuit, noise_model=None).result().get_counts()
    assert set(without) == {"000", "111"}
    ideal = AerSimulator.from_backend(device, address, noise_model=None)
    assert set(ideal.run(circuit).result().get_counts()) == {"000", "111"}


def test_copies_and_facts_of_a_device(address: str) -> None:
    device = line()
    made = AerSimulator.from_backend(device, address)
    assert isinstance(made.options.noise_model, NoiseModel)
    facts = made.configuration()
    assert (facts.num_qubits, facts.n_qubits, facts.backend_name) == (5, 5, made.name)
    assert sorted(map(tuple, facts.coupling_map)) == [(each, each + 1) for each in range(4)]
    assert {"cx", "sx", "measure", "save_statevector"} <= set(facts.basis_gates)
    assert "save_statevector" in facts.custom_instructions
    for other in (copy.copy(made), pickle.loads(pickle.dumps(made))):
        assert (other.name, other.num_qubits) == (made.name, 5)
        assert other.options.noise_model.to_message() == made.options.noise_model.to_message()
    # The device's own target stays as it is.
    assert "save_statevector" not in device.target.operation_names
    with pytest.raises(TypeError, match="a BackendV2 is needed, not a str"):
        AerSimulator.from_backend("fake", address)


def test_gates_are_those_of_a_model_or_those_that_are_given(simulator: AerSimulator) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cz(0, 1)
    assert "h" in simulator.configuration().basis_gates
    assert simulator.configuration().coupling_map is None
    simulator.set_options(noise_model=NoiseModel.from_backend(line(2)))
    assert set(transpile(circuit, simulator).count_ops()) <= {"rz", "sx", "x", "cx", "id"}
    simulator.set_options(basis_gates=["u", "cz"])
    assert set(transpile(circuit, simulator).count_ops()) == {"u", "cz"}
    simulator.clear_options()
    assert set(transpile(circuit, simulator).count_ops()) == {"h", "cz"}
    assert simulator.options.noise_model is None
    simulator.set_options(fusion_enable=False, shots=7)
    simulator.set_options(fusion_enable=None, shots=None)
    assert (simulator.options.fusion_enable, simulator.options.shots) == (True, 1024)


@pytest.mark.parametrize("name", ["cuStateVec_enable", "use_cuTensorNet_autotuning"])
def test_what_needs_a_gpu_is_refused_by_name(simulator: AerSimulator, name: str) -> None:
    simulator.set_options(**{name: False})
    with pytest.raises(OptionInvalidError, match=name):
        simulator.set_options(**{name: True})
    with pytest.raises(QiskitError, match=name):
        simulator.run(ghz(2), **{name: True})


def outcome(circuit: QuantumCircuit, backend: Any, model: Any) -> str:
    whole = circuit.copy()
    whole.measure_all()
    (found,) = backend.run(whole, shots=20, noise_model=model).result().get_counts()
    return str(found)


def labelled() -> list[QuantumCircuit]:
    """Circuits of gates that noise may come with by their labels, and by names that are no gates'."""
    made = [QuantumCircuit(2) for _ in range(4)]
    made[0].append(XGate(label="mine"), [0])
    made[1].append(UnitaryGate(np.eye(2), label="mine"), [1])
    made[2].append(DiagonalGate([1, -1]), [0])
    made[3].x(0)
    made[3].append(UCGate([np.eye(2), np.array([[0, 1], [1, 0]])]), [1, 0])
    return made


@pytest.mark.parametrize("name", ["x", "mine", "diagonal"])
def test_labels_and_names_are_those_that_aer_goes_by(backend: BasicAerBackend, name: str) -> None:
    model = noise.NoiseModel()
    model.add_all_qubit_quantum_error(FLIP, ["mine"], warnings=False)
    model.add_all_qubit_quantum_error(FLIP, [name], warnings=False) if name != "mine" else None
    simulator = aer.AerSimulator(noise_model=model)
    for number, circuit in enumerate(labelled()):
        whole = circuit.copy()
        whole.measure_all()
        (expected,) = simulator.run(whole, shots=20).result().get_counts()
        assert outcome(circuit, backend, model) == expected, number


def test_labels_in_branches_and_under_conditions(backend: BasicAerBackend) -> None:
    model = noise.NoiseModel()
    model.add_all_qubit_quantum_error(FLIP, ["mine"], warnings=False)
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.append(XGate(label="mine"), [1])
    circuit.measure(1, 0)
    assert backend.run(circuit, shots=20, noise_model=model).result().get_counts() == {"0": 20}


def test_places_of_errors_superoperators_and_multiplexers(backend: BasicAerBackend) -> None:
    model = noise.NoiseModel()
    model.add_all_qubit_quantum_error(FLIP, ["here"], warnings=False)
    circuit = QuantumCircuit(2)
    place = type(noise.noise_model.QuantumErrorLocation(FLIP))(FLIP)
    place.label = "here"
    circuit.append(place, [1])
    assert outcome(circuit, backend, model) == "10"
    channel = SuperOp(Kraus(np.array([[0, 1], [1, 0]])))
    plain = QuantumCircuit(2)
    plain.append(superoperator(channel.data), [0])
    plain.append(Multiplexer("multiplexer", 2, [np.eye(2), np.array([[0, 1], [1, 0]])]), [1, 0])
    assert outcome(plain, backend, None) == "11"


class Multiplexer(Gate):  # type: ignore[misc]  # Qiskit has no types
    """One that has its matrices alone, as Aer takes it."""

    def validate_parameter(self, parameter: Any) -> Any:
        return parameter


def superoperator(matrix: Any) -> Any:
    from qiskit.circuit import Instruction

    class Own(Instruction):  # type: ignore[misc]  # Qiskit has no types
        def validate_parameter(self, parameter: Any) -> Any:
            return parameter

    return Own("superop", 1, 0, [matrix])
