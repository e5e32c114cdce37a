"""Every row of BasicAerJob's table but waiting, against a live server.

`version`, `backend()`, `job_id()`, `submit()`, `status()`, `done()` and its kin, `cancel()` and `result()`;
beyond them queue position, progress, events, labels, error, delete, partial result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerBackend,
    BasicAerJob,
    BasicAerProvider,
    Circuit,
    JobCancelledError,
    JobError,
    JobFailedError,
    JobNotFinalError,
    JobNotFoundError,
    JobStatus,
    JobTimeoutError,
    OptionInvalidError,
    ProgramInvalidError,
    RequestIdReusedError,
    Result,
    ResultError,
    ResultUnavailableError,
)

from tests.acceptance.jobs import LIMIT, await_status, bell, dividing_by_zero, endless


def test_version_is_1(backend: BasicAerBackend) -> None:
    assert BasicAerJob.version == 1
    assert backend.run(bell()).version == 1


def test_backend_is_the_instance(backend: BasicAerBackend) -> None:
    assert backend.run(bell()).backend() is backend


def test_a_job_id_is_text_unique_and_found_again_by_another_client(
    server: Any, backend: BasicAerBackend
) -> None:
    jobs = [backend.run(bell(), shots=10, seed_simulator=1) for _ in range(10)]
    ids = [job.job_id() for job in jobs]
    assert all(isinstance(one, str) and one for one in ids)
    assert len(set(ids)) == 10
    counts = jobs[3].result(LIMIT).get_counts()
    with BasicAerProvider(server.address) as other:
        found = other.retrieve_job(ids[3])
        assert found.job_id() == ids[3]
        assert found.backend().name == "qasm_simulator"
        assert found.result(LIMIT).get_counts() == counts


def test_a_handle_made_by_hand_costs_no_call_and_works(backend: BasicAerBackend) -> None:
    made = backend.run(bell(), shots=7)
    handle = BasicAerJob(backend, made.job_id(), note="mine")
    assert handle.metadata == {"note": "mine"}
    assert sum(handle.result(LIMIT).get_counts().values()) == 7
    with pytest.raises(JobNotFoundError):
        BasicAerJob(backend, "no-such-job").status()


def test_a_handle_made_with_its_result_is_done(backend: BasicAerBackend) -> None:
    result = backend.run(bell()).result(LIMIT)
    job = BasicAerJob(backend, "any", result)
    assert job.result() is result
    assert job.status() is JobStatus.DONE
    job.wait_for_final_state()


def test_submit_submits_once(backend: BasicAerBackend) -> None:
    job = backend.new_job(bell(), shots=12)
    assert job.status() is JobStatus.INITIALIZING
    job.submit()
    assert sum(job.result(LIMIT).get_counts().values()) == 12
    with pytest.raises(JobError):
        job.submit()
    with pytest.raises(JobError):
        backend.run(bell()).submit()


def test_the_statuses_have_qiskits_names_and_values() -> None:
    providers = pytest.importorskip("qiskit.providers")
    theirs = {status.name: status.value for status in providers.JobStatus}
    assert theirs == {status.name: status.value for status in JobStatus}


def test_status_and_its_questions_while_running_and_after(running: BasicAerJob) -> None:
    assert running.status() is JobStatus.RUNNING
    assert running.running()
    assert not running.done()
    assert not running.cancelled()
    assert not running.in_final_state()
    assert running.cancel() is True
    running.wait_for_final_state(LIMIT)
    assert running.status() is JobStatus.CANCELLED
    assert running.cancelled()
    assert running.in_final_state()
    assert not running.done()
    assert not running.running()


def test_status_when_done(backend: BasicAerBackend) -> None:
    job = backend.run(bell())
    job.wait_for_final_state(LIMIT)
    assert job.status() is JobStatus.DONE
    assert job.done()
    assert job.in_final_state()


def test_status_when_it_failed(backend: BasicAerBackend) -> None:
    job = backend.run(dividing_by_zero())
    assert job.wait_for_final_state(LIMIT) is None  # type: ignore[func-returns-value]  # that it's None is the row
    assert job.status() is JobStatus.ERROR
    assert job.in_final_state()
    assert not job.done()


def test_cancel_tells_the_truth(backend: BasicAerBackend, running: BasicAerJob) -> None:
    done = backend.run(bell())
    done.wait_for_final_state(LIMIT)
    assert done.cancel() is False
    assert BasicAerJob(backend, done.job_id()).cancel() is False
    assert done.status() is JobStatus.DONE
    assert running.cancel() is True
    assert running.cancel() is True
    running.wait_for_final_state(LIMIT)
    assert running.cancel() is True


def test_a_waiting_job_is_cancelled_at_once(start_server: Callable[..., Any]) -> None:
    with BasicAerProvider(start_server("--workers", "1").address) as provider:
        backend = provider.get_backend("qasm_simulator")
        first, second, third = (backend.run(endless()) for _ in range(3))
        await_status(first, JobStatus.RUNNING)
        assert second.status() is third.status() is JobStatus.QUEUED
        assert (second.queue_position(), third.queue_position()) == (0, 1)
        assert second.cancel() is True
        assert second.cancelled()
        assert first.cancel() is True
        await_status(third, JobStatus.RUNNING)
        assert third.queue_position() is None
        assert third.cancel() is True
        third.wait_for_final_state(LIMIT)


def test_result_waits_and_is_kept(backend: BasicAerBackend) -> None:
    job = backend.run(bell(), shots=1000)
    result = job.result()
    assert isinstance(result, Result)
    assert set(result.get_counts()) == {"00", "11"}
    assert job.result(timeout=0) is result
    assert BasicAerJob(backend, job.job_id()).result(timeout=0).get_counts() == result.get_counts()


def test_result_in_time_or_a_timeout(running: BasicAerJob) -> None:
    with pytest.raises(JobTimeoutError) as caught:
        running.result(timeout=0.2)
    assert str(caught.value) == f"Timeout while waiting for job {running.job_id()}."
    assert isinstance(caught.value, JobError)
    assert running.running()


def test_the_result_of_a_cancelled_job_is_a_job_error(running: BasicAerJob) -> None:
    running.cancel("no longer needed")
    with pytest.raises(JobCancelledError) as caught:
        running.result(LIMIT)
    assert caught.value.reason == "CANCELLED_BY_USER"
    assert isinstance(running.error(), JobCancelledError)


def test_the_result_of_a_failed_job_is_a_job_error_with_the_servers_cause(backend: BasicAerBackend) -> None:
    job = backend.run([bell(), dividing_by_zero(), bell()], shots=20)
    with pytest.raises(JobFailedError) as caught:
        job.result(LIMIT)
    assert caught.value.reason == "SIMULATION_FAILED"
    assert caught.value.program_index == 1
    assert "zero" in str(caught.value)
    partial = job.partial_result()
    assert [one.success for one in partial.results] == [True, False, True]
    assert not partial.success
    assert sum(partial.get_counts(2).values()) == 20
    with pytest.raises(ResultError, match="zero"):
        partial.get_counts(1)


def test_a_cancelled_job_has_no_partial_result(running: BasicAerJob) -> None:
    running.cancel()
    with pytest.raises(ResultUnavailableError):
        running.partial_result(LIMIT)


def test_a_bad_request_is_raised_by_run(backend: BasicAerBackend) -> None:
    with pytest.raises(ProgramInvalidError) as caught:
        backend.run('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nfoo q[0];')
    assert (caught.value.line, caught.value.column) == (4, 1)
    with pytest.raises(OptionInvalidError) as refused:
        backend.run(bell(), shots=0)
    assert refused.value.field == "options.shots"


def test_progress_of_a_running_job(running: BasicAerJob, backend: BasicAerBackend) -> None:
    progress = running.progress()
    assert progress is not None
    assert (progress.programs_done, progress.programs_total, progress.shots_total) == (0, 1, 1024)
    assert 0 <= progress.fraction <= 1
    done = backend.run(bell())
    done.wait_for_final_state(LIMIT)
    assert done.progress() is None


def test_events_from_the_first_and_from_a_cursor(backend: BasicAerBackend) -> None:
    job = backend.run(bell())
    events = [event for event in job.events(timeout=LIMIT) if event.status]
    assert [event.sequence for event in events] == [1, 2, 3]
    assert [event.status for event in events] == [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE]
    assert all(event.time is not None for event in events)
    assert [event.sequence for event in job.events(after_sequence=2)] == [3]
    assert list(job.events(after_sequence=3)) == []


def test_labels_metadata_and_lists(provider: BasicAerProvider, backend: BasicAerBackend) -> None:
    labels = {"experiment": "table", "run": backend.run(bell()).job_id()}
    metadata = {"n": 3, "f": 0.5, "list": [True, None, {"a": "b"}]}
    jobs = [backend.run(bell(), labels=labels, metadata=metadata) for _ in range(5)]
    listed = list(provider.jobs(labels=labels, page_size=2))
    assert [job.job_id() for job in listed] == [job.job_id() for job in reversed(jobs)]
    assert listed[0].labels() == labels
    assert listed[0].metadata == jobs[0].metadata == metadata
    assert len(list(provider.jobs(limit=2, labels=labels))) == 2
    for job in jobs:
        job.wait_for_final_state(LIMIT)
    assert len(list(provider.jobs(labels=labels, status=JobStatus.DONE, backend_name="qasm_simulator"))) == 5
    assert list(provider.jobs(labels=labels, status=[JobStatus.QUEUED, JobStatus.RUNNING])) == []


def test_delete_removes_a_final_job(backend: BasicAerBackend, running: BasicAerJob) -> None:
    job = backend.run(bell())
    job.wait_for_final_state(LIMIT)
    job.delete()
    with pytest.raises(JobNotFoundError):
        BasicAerJob(backend, job.job_id()).status()
    with pytest.raises(JobNotFinalError):
        running.delete()


def test_the_same_request_id_makes_one_job(backend: BasicAerBackend) -> None:
    circuit = bell()
    request_id = f"request-after-{backend.run(circuit).job_id()}"
    first = backend.run(circuit, request_id=request_id)
    assert backend.run(circuit, request_id=request_id).job_id() == first.job_id()
    with pytest.raises(RequestIdReusedError) as caught:
        backend.run(circuit, request_id=request_id, shots=5)
    assert caught.value.metadata["job_id"] == first.job_id()


def test_states_arrive_as_arrays(provider: BasicAerProvider) -> None:
    circuit = Circuit(18).h(0)
    for qubit in range(17):
        circuit.cx(qubit, qubit + 1)
    state = provider.get_backend("statevector_simulator").run(circuit).result(LIMIT).get_statevector()
    assert state.dtype == np.complex128
    assert state.shape == (2**18,)
    assert abs(state[0]) == pytest.approx(2**-0.5)
    assert abs(state[-1]) == pytest.approx(2**-0.5)
    assert np.count_nonzero(state) == 2
    unitary = provider.get_backend("unitary_simulator").run(Circuit(2).x(0)).result(LIMIT).get_unitary()
    np.testing.assert_allclose(unitary, np.kron(np.eye(2), [[0, 1], [1, 0]]))


async def test_the_asyncio_twin_has_the_rows_too(server: Any) -> None:
    async with AsyncBasicAerProvider(server.address) as provider:
        backend = await provider.get_backend("qasm_simulator")
        job = await backend.run(bell(), shots=100)
        assert set((await job.result(LIMIT)).get_counts()) <= {"00", "11"}
        assert await job.done()
        assert await job.cancel() is False
        assert [event.sequence async for event in job.events() if event.status] == [1, 2, 3]
        live = await backend.run(endless())
        statuses: list[JobStatus] = []

        async def callback(job_id: str, status: JobStatus, handle: Any) -> None:
            statuses.append(status)
            if status is JobStatus.RUNNING:
                assert await handle.cancel()

        await live.wait_for_final_state(LIMIT, callback=callback)
        assert statuses[-1] is JobStatus.RUNNING
        with pytest.raises(JobCancelledError):
            await live.result()
        found = await provider.retrieve_job(live.job_id())
        assert await found.cancelled()
        with pytest.raises(JobNotFoundError):
            await provider.retrieve_job("no-such-job")
