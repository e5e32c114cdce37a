"""Programs that were written for Aer's simulator, of which the backend's line alone is changed."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from basicaer.client import OptionInvalidError
from basicaer.client.qiskit import AerSimulator, BasicAerProvider
from qiskit import QuantumCircuit, transpile
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator


@pytest.fixture
def simulator(address: str) -> AerSimulator:
    return AerSimulator(BasicAerProvider(address))


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


def measured() -> QuantumCircuit:
    circuit = bell()
    circuit.measure_all()
    return circuit


def test_a_program_for_aer_runs(simulator: AerSimulator) -> None:
    circuit = transpile(measured(), simulator)
    job = simulator.run(circuit, shots=1000, seed_simulator=7)
    result = job.result()
    assert set(result.get_counts()) == {"00", "11"}
    assert sum(result.get_counts().values()) == 1000
    assert job.backend().name == simulator.name == "aer_simulator"
    assert result.results[0].metadata["device"] == "CPU"


def test_where_the_server_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASICAER_SERVER", address)
    for given in ((), (address,), (BasicAerProvider(address).client,)):
        made = AerSimulator(*given)
        assert sum(made.run(measured(), shots=3).result().get_counts().values()) == 3


def test_a_method_is_part_of_the_name(simulator: AerSimulator) -> None:
    simulator.set_options(method="statevector", shots=5)
    assert simulator.name == "aer_simulator_statevector"
    assert sum(simulator.run(measured()).result().get_counts().values()) == 5
    assert "statevector" in simulator.available_methods()
    assert simulator.available_devices() == ("CPU",)
    simulator.set_option("method", None)
    assert simulator.name == "aer_simulator"


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "stabilizer", "matrix_product_state"])
def test_the_method_is_the_one_that_runs(simulator: AerSimulator, method: str) -> None:
    simulator.set_options(method=method)
    assert method in simulator.available_methods()
    result = simulator.run(measured(), shots=50).result()
    assert result.results[0].metadata["method"] == method
    assert set(result.get_counts()) == {"00", "11"}


def test_wide_circuits_take_what_fits(simulator: AerSimulator) -> None:
    circuit = QuantumCircuit(100)
    circuit.h(0)
    for qubit in range(99):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    result = simulator.run(transpile(circuit, simulator), shots=20).result()
    assert result.results[0].metadata["method"] == "stabilizer"
    assert "Clifford" in result.results[0].metadata["reason"]
    assert set(result.get_counts()) <= {"0" * 100, "1" * 100}


def test_bonds_are_bounded_by_aers_options(simulator: AerSimulator) -> None:
    simulator.set_options(
        method="matrix_product_state",
        matrix_product_state_max_bond_dimension=1,
        matrix_product_state_truncation_threshold=1e-8,
    )
    told = simulator.run(measured(), shots=5).result().results[0].metadata
    assert told["matrix_product_state"]["largest_bond"] == 1
    assert told["matrix_product_state"]["estimated_fidelity"] == pytest.approx(0.5)


@pytest.mark.parametrize("method", ["extended_stabilizer", "tensor_network"])
def test_methods_that_are_not_there_are_refused_by_name(simulator: AerSimulator, method: str) -> None:
    with pytest.raises(QiskitError, match=f"method can't be followed: '{method}' is none of automatic"):
        simulator.set_options(method=method)


def test_the_matrix_of_a_circuit(simulator: AerSimulator) -> None:
    found = simulator.run(bell(), method="unitary").result().get_unitary()
    assert Operator(found).equiv(Operator(bell()))
    # The backend itself is as it was.
    assert simulator.name == "aer_simulator"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fusion_enable", False),
        ("max_parallel_shots", 2),
        ("blocking_qubits", 3),
        ("mps_omp_threads", 4),
        ("device", "CPU"),
        ("precision", "single"),
        ("noise_model", None),
        ("executor", None),
    ],
)
def test_what_tunes_changes_nothing(simulator: AerSimulator, name: str, value: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = simulator.run(measured(), seed_simulator=3).result().get_counts()
        assert simulator.run(measured(), seed_simulator=3, **{name: value}).result().get_counts() == expected
        simulator.set_options(**{name: value})
        assert simulator.run(measured(), seed_simulator=3).result().get_counts() == expected


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("device", "GPU", "device.*GPU"),
        ("method", "tensor_network", "method.*tensor_network"),
        ("colour", "red", "colour.*none of this name"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(
    simulator: AerSimulator, address: str, name: str, value: Any, words: str
) -> None:
    with pytest.raises(QiskitError, match=words) as caught:
        simulator.set_options(**{name: value})
    assert isinstance(caught.value, OptionInvalidError)
    with pytest.raises(OptionInvalidError, match=words):
        AerSimulator(BasicAerProvider(address), **{name: value})
    if name != "colour":
        with pytest.raises(OptionInvalidError, match=words):
            simulator.run(measured(), **{name: value})


def test_copies_keep_the_options(simulator: AerSimulator) -> None:
    simulator.set_options(method="statevector", shots=11)
    for made in (copy.copy(simulator), copy.deepcopy(simulator), pickle.loads(pickle.dumps(simulator))):
        assert (made.name, made.options.shots) == ("aer_simulator_statevector", 11)
        made.set_options(shots=12)
    assert simulator.options.shots == 11


def test_aers_saves(simulator: AerSimulator) -> None:
    library = pytest.importorskip("qiskit_aer.library")
    circuit = bell()
    circuit.append(library.SaveStatevector(2), [0, 1])
    circuit.append(library.SaveProbabilities(2), [0, 1])
    result = simulator.run(circuit).result()
    assert result.data(0)["probabilities"] == pytest.approx([0.5, 0, 0, 0.5])
    # A Statevector, or an array as Qiskit 0.46 has it.
    assert abs(np.asarray(result.get_statevector())[3]) ** 2 == pytest.approx(0.5)
