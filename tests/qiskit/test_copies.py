"""Copies and pickles of the adapter's objects: what Qiskit's tools and process pools make of a backend."""

from __future__ import annotations

import concurrent.futures
import copy
import json
import multiprocessing
import operator
import pickle
from typing import Any

import numpy as np
import pytest
import qiskit.primitives
from basicaer.client import CircuitError
from basicaer.client.qiskit import BasicAerBackend, BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus

HAS_PRIMITIVES = hasattr(qiskit.primitives, "BaseSamplerV2")
needs_primitives = pytest.mark.skipif(not HAS_PRIMITIVES, reason="the second primitives came with Qiskit 1")


def bell(**facts: Any) -> QuantumCircuit:
    circuit = QuantumCircuit(2, **facts)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


WAYS = pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])


@WAYS
def test_a_copied_backend_runs_and_has_options_of_its_own(backend: BasicAerBackend, way: Any) -> None:
    backend.set_options(shots=7, seed_simulator=3)
    made = way(backend)
    assert (made.name, made.description) == (backend.name, backend.description)
    assert (made.max_circuits, made.max_qubits) == (backend.max_circuits, backend.max_qubits)
    assert made.target.operation_names == backend.target.operation_names
    assert dict(made.options) == dict(backend.options)
    made.set_options(shots=9)
    assert backend.options.shots == 7
    counts = made.run(bell()).result().get_counts()
    assert sum(counts.values()) == 9
    assert made.run(bell(), shots=500).result().get_counts() == (
        backend.run(bell(), shots=500).result().get_counts()
    )


def test_a_copy_has_the_connection_of_its_original(backend: BasicAerBackend) -> None:
    for made in (
        copy.copy(backend),
        copy.deepcopy(backend),
        copy.deepcopy({"backend": [backend]})["backend"][0],
    ):
        assert made.provider is backend.provider


def test_a_copied_provider_is_itself_and_a_pickled_one_connects_again(provider: BasicAerProvider) -> None:
    assert copy.copy(provider) is copy.deepcopy(provider) is provider
    made = pickled(provider)
    assert made is not provider
    assert made.address == provider.address
    assert made.get_backend("qasm_simulator").run(bell(), shots=5).result().success
    made.close()
    assert provider.client.server_info().version


def test_what_is_pickled_together_stays_together(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    job = backend.run(bell(), shots=5)
    made = pickled((provider, backend, job))
    assert made[2].backend().provider is made[1].provider is made[0]


def test_pickles_share_one_connection_where_they_are_loaded(provider: BasicAerProvider) -> None:
    jobs = [pickle.dumps(provider.get_backend("qasm_simulator").run(bell(), shots=3)) for _ in range(3)]
    loaded = [pickle.loads(job) for job in jobs]
    assert len({id(job.backend().provider.client) for job in loaded}) == 1
    loaded[0].backend().provider.close()
    assert pickle.loads(jobs[0]).result().success


def test_a_job_is_its_id_and_its_provider(provider: BasicAerProvider) -> None:
    circuit = bell(metadata={"which": {1, 2}})
    job = provider.get_backend("qasm_simulator").run(circuit, shots=50, metadata={"mine": 1})
    assert copy.deepcopy([job])[0] is job
    made = pickled(job)
    assert (made.job_id(), made.metadata) == (job.job_id(), job.metadata)
    assert made.result().get_counts() == job.result().get_counts()
    header = made.result().results[0].header
    assert (header if isinstance(header, dict) else header.to_dict())["metadata"] == {"which": {1, 2}}
    assert made.status() is JobStatus.DONE
    assert pickled(job).done()


def test_a_result_is_copied_and_pickled(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    for name, ran in (("statevector_simulator", circuit), ("qasm_simulator", bell())):
        result = provider.get_backend(name).run(ran).result()
        for made in (copy.deepcopy(result), pickled(result)):
            assert json.dumps(made.to_dict()) == json.dumps(result.to_dict())
            assert made.get_counts() == result.get_counts()


def test_errors_are_pickled(provider: BasicAerProvider) -> None:
    """Those that happen in another process come back as they were."""
    with pytest.raises(QiskitError) as caught:
        provider.get_backend("qasm_simulator").run("text")
    for _ in range(2):
        made = pickled(caught.value)
        assert isinstance(made, QiskitError)
        assert isinstance(made, CircuitError)
        assert str(made) == str(caught.value)
        assert made.__dict__ == caught.value.__dict__


def test_processes_of_a_pool_use_a_backend(provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    run = operator.methodcaller("run", bell(), shots=20, seed_simulator=1)
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        jobs = list(pool.map(run, [backend] * 3))
        results = list(pool.map(operator.methodcaller("result"), jobs))
        with pytest.raises(QiskitError, match="shots"):
            pool.submit(operator.methodcaller("run", bell(), shots=-1), backend).result()
    for job, result in zip(jobs, results, strict=True):
        again = provider.retrieve_job(job.job_id())
        assert result.get_counts() == job.result().get_counts() == again.result().get_counts()


@needs_primitives
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])
def test_primitives_and_their_jobs(provider: BasicAerProvider, way: Any) -> None:
    from basicaer.client.qiskit import EstimatorV2, SamplerV2

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    for source in (provider, provider.get_backend("qasm_simulator"), provider.client):
        sampler = SamplerV2(source, seed=4, default_shots=70)
        estimator = EstimatorV2(source, seed=4, default_precision=0.1)
        for primitive, pub in ((sampler, bell()), (estimator, (circuit, ["ZZ", "XI"]))):
            job = primitive.run([pub])
            again = way(primitive).run([pub])
            results = [job.result(), again.result(), way(job).result(), way(job.result())]
            assert way(job).job_id() == job.job_id()
            assert way(job).backend().name == "qasm_simulator"
            for data in (result[0].data for result in results):
                for name, value in results[0][0].data.items():
                    one, other = (getattr(each, "array", each) for each in (value, data[name]))
                    np.testing.assert_array_equal(one, other)


@needs_primitives
def test_a_primitives_copy_has_options_of_its_own(provider: BasicAerProvider) -> None:
    from basicaer.client.qiskit import SamplerV2

    sampler = SamplerV2(provider, options={"run_options": {"max_parallel_threads": 1}})
    made = copy.deepcopy(sampler)
    made.options.default_shots = 5
    made.options.run_options["precision"] = "single"
    assert sampler.default_shots == 1024
    assert sampler.options.run_options == {"max_parallel_threads": 1}


@needs_primitives
def test_qiskits_primitives_take_a_copy(provider: BasicAerProvider) -> None:
    """What qiskit_ibm_runtime's local mode does with a backend, its options among others."""
    if not hasattr(qiskit.primitives, "BackendSamplerV2"):
        pytest.skip("came with Qiskit 1.2")
    backend = copy.deepcopy({"backend": provider.get_backend("qasm_simulator")})["backend"]
    run_options = {"meas_level": 2, "noise_model": None}
    sampler = qiskit.primitives.BackendSamplerV2(backend=backend, options={"run_options": run_options})
    data = sampler.run([bell()], shots=30).result()[0].data
    assert set(data.meas.get_counts()) <= {"00", "11"}
