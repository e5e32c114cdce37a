"""Results as `qiskit.result.Result`: the data, the headers, and what is made of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import qiskit
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.quantum_info import Statevector
from qiskit.result import Result, marginal_counts

OLD = qiskit.__version__.startswith("0.")


def registers() -> QuantumCircuit:
    """|10> in register a and |1> in register b, measured."""
    circuit = QuantumCircuit(
        QuantumRegister(2, "qa"),
        QuantumRegister(1, "qb"),
        ClassicalRegister(2, "a"),
        ClassicalRegister(1, "b"),
        name="registers",
        metadata={"who": "me", "angles": [0.5, 1]},
        global_phase=0.25,
    )
    circuit.x([1, 2])
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def header(result: Result, index: int = 0) -> dict[str, Any]:
    found: Any = result.results[index].header
    plain: dict[str, Any] = found if isinstance(found, dict) else found.to_dict()
    return plain


def test_counts_and_memory_have_qiskits_forms(backend: BasicAerBackend) -> None:
    result = backend.run(registers(), shots=3, memory=True).result()
    assert isinstance(result, Result)
    assert result.data()["counts"] == {"0x6": 3}
    assert result.data()["memory"] == ["0x6"] * 3
    assert result.get_counts() == {"1 10": 3}
    assert result.get_counts().int_outcomes() == {6: 3}
    assert result.get_counts("registers") == result.get_counts(registers())
    assert result.get_memory() == ["1 10"] * 3
    assert marginal_counts(result, indices=[1]).get_counts() == {"1": 3}


def test_a_result_tells_all_that_basicaer_told(backend: BasicAerBackend) -> None:
    job = backend.run(registers(), shots=3, seed_simulator=8)
    result = job.result()
    assert (result.backend_name, result.backend_version) == ("qasm_simulator", backend.backend_version)
    assert (result.job_id, result.status, result.success) == (job.job_id(), "COMPLETED", True)
    assert result.time_taken > 0
    (experiment,) = result.results
    assert (experiment.shots, experiment.success, experiment.status) == (3, True, "DONE")
    assert (experiment.seed, experiment.seed_simulator) == (8, 8)
    assert experiment.time_taken > 0
    assert header(result) == {
        "name": "registers",
        "metadata": {"who": "me", "angles": [0.5, 1]},
        "global_phase": 0.25,
        "n_qubits": 3,
        "memory_slots": 3,
        "qreg_sizes": [["qa", 2], ["qb", 1]],
        "creg_sizes": [["a", 2], ["b", 1]],
        "qubit_labels": [["qa", 0], ["qa", 1], ["qb", 0]],
        "clbit_labels": [["a", 0], ["a", 1], ["b", 0]],
    }
    assert Result.from_dict(result.to_dict()).get_counts() == result.get_counts()


def test_metadata_that_is_not_json_comes_back_as_it_was(
    provider: BasicAerProvider, backend: BasicAerBackend
) -> None:
    circuit = registers()
    mark = object()
    circuit.metadata = {"mark": mark}
    job = backend.run(circuit, shots=1)
    assert header(job.result())["metadata"]["mark"] is mark
    assert header(provider.retrieve_job(job.job_id()).result())["metadata"] == {}


def test_circuits_without_measurements_have_the_counts_of_basicaer(backend: BasicAerBackend) -> None:
    result = backend.run([QuantumCircuit(1, 2), QuantumCircuit(1)], shots=5).result()
    assert result.get_counts(0) == {"00": 5}
    assert result.data(1)["counts"] == {}


def test_a_state_vector(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(2, global_phase=np.pi)
    circuit.h(0)
    circuit.cx(0, 1)
    result = provider.get_backend("statevector_simulator").run(circuit).result()
    state = result.get_statevector()
    assert isinstance(state, np.ndarray if OLD else Statevector)
    assert np.allclose(np.asarray(state), Statevector(circuit).data)
    assert np.allclose(result.get_statevector(decimals=3), [-0.707, 0, 0, -0.707])


def test_a_matrix(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    backend = provider.get_backend("unitary_simulator")
    matrix = backend.run(circuit).result().get_unitary()
    assert np.allclose(matrix, qiskit.quantum_info.Operator(circuit).data)
    start = np.diag([1, 1j, -1, 1])
    other = backend.run(circuit, initial_unitary=start).result().get_unitary()
    assert np.allclose(other, matrix @ start)


def test_an_initial_state_vector(backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    minus = np.array([1, -1]) / np.sqrt(2)
    assert backend.run(circuit, shots=9, initial_statevector=minus).result().get_counts() == {"1": 9}
    assert backend.run(circuit, shots=9, initial_statevector=Statevector(minus)).result().get_counts() == {
        "1": 9
    }


def test_a_histogram_is_drawn_of_the_counts(backend: BasicAerBackend) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    from qiskit.visualization import plot_histogram

    figure = plot_histogram(backend.run(registers(), shots=10).result().get_counts())
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["1 10"]


def test_each_experiment_of_a_batch_is_repeated_by_its_seed(backend: BasicAerBackend) -> None:
    coins = []
    for qubits in (3, 4, 5):
        circuit = QuantumCircuit(qubits, name=f"coins{qubits}")
        circuit.h(range(qubits))
        circuit.measure_all()
        coins.append(circuit)
    ways: list[dict[str, Any]] = [{"seed_simulator": 7}, {}]
    for options in ways:
        batch = backend.run(coins, shots=200, memory=True, **options).result()
        assert len({experiment.seed for experiment in batch.results}) == 3
        for circuit, experiment in zip(coins, batch.results, strict=True):
            assert experiment.seed == experiment.seed_simulator
            alone = backend.run(circuit, shots=200, memory=True, seed_simulator=experiment.seed).result()
            assert alone.get_memory() == batch.get_memory(circuit)
            assert alone.results[0].seed == experiment.seed
        # The first is the job's own seed, so that the whole batch is repeated by it.
        again = backend.run(coins, shots=200, seed_simulator=batch.results[0].seed).result()
        assert again.get_counts() == batch.get_counts()


def test_to_dict_is_json_and_comes_back(provider: BasicAerProvider, backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(2, metadata={"array": np.arange(3), "odd": {1j: object}})
    circuit.h(0)
    states = provider.get_backend("statevector_simulator").run(circuit).result()
    matrices = provider.get_backend("unitary_simulator").run(circuit).result()
    made = Result.from_dict(json.loads(json.dumps(states.to_dict())))
    np.testing.assert_array_equal(np.asarray(made.get_statevector()), np.asarray(states.get_statevector()))
    made = Result.from_dict(json.loads(json.dumps(matrices.to_dict())))
    np.testing.assert_array_equal(np.asarray(made.get_unitary()), np.asarray(matrices.get_unitary()))
    counts = backend.run([registers(), registers()], shots=3, memory=True).result()
    made = Result.from_dict(json.loads(json.dumps(counts.to_dict())))
    assert made.get_counts() == counts.get_counts()
    assert made.get_memory(0) == counts.get_memory(0)
