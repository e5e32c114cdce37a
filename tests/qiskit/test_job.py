"""A job as Qiskit's JobV1: its status, its waits, its errors, and how it's found again."""

from __future__ import annotations

import pytest
from basicaer.client import _errors as errors
from basicaer.client.qiskit import BasicAerBackend, BasicAerJob, BasicAerProvider
from qiskit import QuantumCircuit
from qiskit.providers import JobError, JobStatus, JobTimeoutError, JobV1


def bell(name: str = "bell") -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name=name)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def endless() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name="endless")
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.x(0)
    return circuit


def test_a_job_goes_from_run_to_done(backend: BasicAerBackend) -> None:
    job = backend.run(bell(), shots=100)
    assert isinstance(job, JobV1)
    assert isinstance(job, BasicAerJob)
    assert job.backend() is backend
    assert isinstance(job.job_id(), str)
    job.wait_for_final_state(timeout=60)
    assert job.status() is JobStatus.DONE
    assert job.done()
    assert job.in_final_state()
    assert not job.running()
    assert not job.cancelled()
    assert not job.cancel()
    assert job.error_message() is None
    assert job.queue_position() is None
    assert job.result() is job.result()
    with pytest.raises(JobError, match="already"):
        job.submit()


def test_a_wait_calls_back_with_qiskits_status(backend: BasicAerBackend) -> None:
    seen = []
    job = backend.run(endless(), shots=1)

    def callback(job_id: str, status: JobStatus, given: BasicAerJob) -> None:
        assert job_id == job.job_id()
        assert given is job
        seen.append(status)
        if status is JobStatus.RUNNING:
            job.cancel()

    job.wait_for_final_state(timeout=60, wait=0.05, callback=callback)
    assert seen[-1] is JobStatus.RUNNING
    assert set(seen) <= {JobStatus.QUEUED, JobStatus.RUNNING}
    assert job.cancelled()
    with pytest.raises(JobError) as caught:
        job.result()
    assert isinstance(caught.value, errors.JobCancelledError)
    message = job.error_message()
    assert message is not None
    assert message in str(caught.value)


def test_a_wait_that_takes_too_long_raises_and_the_job_goes_on(backend: BasicAerBackend) -> None:
    job = backend.run(endless(), shots=1)
    with pytest.raises(JobTimeoutError, match=f"Timeout while waiting for job {job.job_id()}"):
        job.wait_for_final_state(timeout=0.1)
    with pytest.raises(JobError) as caught:
        job.result(timeout=0.1)
    assert isinstance(caught.value, errors.JobTimeoutError)
    assert not job.in_final_state()
    assert job.cancel()
    job.wait_for_final_state(timeout=60)


def test_a_job_is_found_again(provider: BasicAerProvider, backend: BasicAerBackend) -> None:
    job = backend.run(bell(), shots=10, labels={"course": "1"}, metadata={"week": 3})
    counts = job.result().get_counts()
    found = provider.retrieve_job(job.job_id())
    assert isinstance(found, BasicAerJob)
    assert found.backend() is backend
    assert found.metadata == {"week": 3}
    assert found.result().get_counts() == counts
    assert [one.job_id() for one in provider.jobs(labels={"course": "1"})] == [job.job_id()]
    assert len(list(provider.jobs(limit=1))) == 1
    with pytest.raises(JobError):
        provider.retrieve_job("no such job")


def test_the_rest_of_a_job_survives_one_circuit_that_fails(backend: BasicAerBackend) -> None:
    expr = pytest.importorskip("qiskit.circuit.classical.expr")
    if not hasattr(QuantumCircuit, "add_var") or not hasattr(expr, "div"):
        pytest.skip("no division in this version of Qiskit")
    types = pytest.importorskip("qiskit.circuit.classical.types")
    failing = QuantumCircuit(1, 1, name="failing")
    number = failing.add_var("number", expr.lift(0, types.Uint(8)))
    failing.store(number, expr.div(expr.lift(1, types.Uint(8)), number))
    failing.measure(0, 0)
    job = backend.run([bell("first"), failing, bell("last")], shots=20)
    result = job.result()
    assert job.status() is JobStatus.ERROR
    assert not result.success
    assert [each.success for each in result.results] == [True, False, True]
    assert sum(result.get_counts("last").values()) == 20
    assert result.status.startswith("PARTIAL COMPLETED: ")
    assert "zero" in result.results[1].status
    with pytest.raises(Exception, match="zero"):
        result.get_counts(1)
    with pytest.raises(JobError, match="zero") as caught:
        backend.run(failing).result()
    assert isinstance(caught.value, errors.JobFailedError)


def test_a_thousand_circuits_are_one_job(backend: BasicAerBackend) -> None:
    job = backend.run([bell(f"c{i}") for i in range(1000)], shots=5, seed_simulator=1)
    result = job.result()
    assert len(result.results) == 1000
    headers = [each.header if isinstance(each.header, dict) else vars(each.header) for each in result.results]
    assert [header["name"] for header in headers] == [f"c{i}" for i in range(1000)]
    assert {each.status for each in result.results} == {"DONE"}
