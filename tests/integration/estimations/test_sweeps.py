"""Sweeps, estimations and saves through a live server, by the client and across a crash."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from basicaer.client import BasicAerProvider, Circuit, JobFailedError, Program, ProgramInvalidError
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire


@pytest.fixture
def provider(server: ServerProcess) -> Iterator[BasicAerProvider]:
    with BasicAerProvider(server.address) as connection:
        yield connection


def ansatz(num_qubits: int, *, measured: bool = False) -> Circuit:
    circuit = Circuit(num_qubits, num_qubits if measured else 0)
    for qubit in range(num_qubits):
        circuit.ry(2 * circuit.add_input(f"theta{qubit}"), qubit)
    if measured:
        circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def test_a_variational_step_is_one_job(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    generator = np.random.default_rng(5)
    circuit = ansatz(12)
    angles = generator.normal(size=(12, 3))
    inputs = {f"theta{qubit}": row for qubit, row in enumerate(angles)}
    observables: list[str | dict[str, float]] = [{"Z" * 12: 2.0, "I" * 12: 0.5}, "X" + "I" * 11]
    result = backend.run(Program(circuit, inputs, observables)).result()
    values = result.get_expectation_values()
    expected = np.stack([2 * np.cos(2 * angles).prod(axis=0) + 0.5, np.sin(2 * angles[11])], axis=1)
    np.testing.assert_allclose(values, expected, atol=1e-12)
    noisy = Program(circuit, inputs, observables, precision=1e-3)
    first, second = (
        backend.run(noisy, seed_simulator=9).result().get_expectation_values(0) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert 0.0 < abs(first - expected).max() < 1e-2


def test_a_sweep_gives_counts_for_each_row(provider: BasicAerProvider) -> None:
    program = Program(ansatz(2, measured=True), {"theta0": [0.0, np.pi / 2], "theta1": np.pi / 2}, shots=50)
    result = provider.get_backend("basic_simulator").run([program, program]).result()
    assert result.get_counts() == [{"10": 50}, {"11": 50}] * 2


def test_saves_and_large_arrays_are_read_by_their_labels(provider: BasicAerProvider) -> None:
    circuit = Circuit(16).h(range(16)).save_statevector("before").save_probabilities([3, 5])
    circuit.x(3).save_expectation_value({"XX": 1.5, "IZ": 1.0}, [0, 1])
    data = provider.get_backend("qasm_simulator").run(circuit, shots=1).result().data()
    np.testing.assert_allclose(data["before"], np.full(1 << 16, 2.0**-8), atol=1e-12)
    np.testing.assert_allclose(data["probabilities"], [0.25] * 4, atol=1e-12)
    np.testing.assert_allclose(data["expectation_value"], [1.5], atol=1e-12)


def test_bad_inputs_are_refused_at_submission(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    with pytest.raises(ProgramInvalidError, match=r"programs\[0\]\.inputs: names: the circuit has inputs"):
        backend.run(ansatz(2))
    with pytest.raises(ProgramInvalidError, match="'theta1' is missing"):
        backend.run(Program(ansatz(2), {"theta0": 1.0}))
    circuit = ansatz(1)
    circuit.rx(1.0 / circuit.variables[0], 0)
    job = backend.run(Program(circuit, {"theta0": [1.0, 0.0]}, ["Z"]))
    with pytest.raises(JobFailedError, match="row 1: ") as caught:
        job.result()
    assert caught.value.metadata["row"] == "1"


def test_a_sweep_survives_a_crash(start_server: StartServer, tmp_path: Path, wire: Wire) -> None:
    message = ansatz(2).to_message()
    program = job_pb2.Program(
        circuit=message, inputs=job_pb2.Inputs(names=["theta1", "theta0"], values=[0.5, 1.0] * 3)
    )
    # The first program keeps the server busy until it is killed.
    spec = wire.endless()
    swept = job_pb2.JobSpec(
        backend_name="statevector_simulator", programs=[program], options=job_pb2.RunOptions()
    )
    first = start_server("--workers", "1", data_dir=tmp_path / "data")
    with first.stub() as stub:
        stub.SubmitJob(pb.SubmitJobRequest(spec=spec, request_id="endless"))
        job_id = stub.SubmitJob(pb.SubmitJobRequest(spec=swept, request_id=str(uuid.uuid4()))).job.job_id
    first.kill()
    second = start_server("--workers", "1", data_dir=tmp_path / "data")
    with second.stub() as stub:
        endless = stub.SubmitJob(pb.SubmitJobRequest(spec=spec, request_id="endless")).job.job_id
        stub.CancelJob(pb.CancelJobRequest(job_id=endless))
        assert wire.wait_final(stub, job_id).status == job_pb2.JOB_STATUS_DONE
    with BasicAerProvider(second.address) as connection:
        result = connection.retrieve_job(job_id).result()
    expected = np.kron([np.cos(0.5), np.sin(0.5)], [np.cos(1.0), np.sin(1.0)])
    assert len(result.results) == 3
    for row in range(3):
        np.testing.assert_allclose(result.get_statevector(row), expected, atol=1e-12)


def test_the_limit_of_rows_is_told(provider: BasicAerProvider) -> None:
    assert provider.server_info().limits.max_rows == 100_000
