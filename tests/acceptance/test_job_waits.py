"""`wait_for_final_state` against a live server, and waits, events and results that outlive one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from basicaer.client import BasicAerBackend, BasicAerJob, BasicAerProvider, JobStatus, JobTimeoutError

from tests.acceptance.jobs import LIMIT, await_status, bell, endless


def test_waiting_tells_each_live_status_and_comes_again_every_wait_seconds(running: BasicAerJob) -> None:
    calls: list[tuple[Any, ...]] = []

    def callback(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 4:
            assert running.cancel()

    assert running.wait_for_final_state(LIMIT, 0.05, callback) is None  # type: ignore[func-returns-value]  # the point
    assert len(calls) >= 4
    assert set(calls) == {(running.job_id(), JobStatus.RUNNING, running)}


def test_waiting_tells_the_change_from_queued_to_running(start_server: Callable[..., Any]) -> None:
    with BasicAerProvider(start_server("--workers", "1").address) as provider:
        backend = provider.get_backend("qasm_simulator")
        first, second = backend.run(endless()), backend.run(endless())
        statuses = []

        def callback(job_id: str, status: JobStatus, job: BasicAerJob) -> None:
            statuses.append(status)
            assert (first if status is JobStatus.QUEUED else second).cancel()

        # With a long `wait`, only the changes themselves bring the callback.
        second.wait_for_final_state(timeout=LIMIT, wait=1000, callback=callback)
        assert statuses == [JobStatus.QUEUED, JobStatus.RUNNING]


def test_waiting_for_a_final_job_calls_nobody(backend: BasicAerBackend) -> None:
    job = backend.run(bell())
    job.wait_for_final_state(LIMIT)
    BasicAerJob(backend, job.job_id()).wait_for_final_state(callback=lambda *_: pytest.fail("called"))


def test_waiting_zero_seconds_raises_without_a_callback(running: BasicAerJob) -> None:
    with pytest.raises(JobTimeoutError) as caught:
        running.wait_for_final_state(timeout=0, callback=lambda *_: pytest.fail("called"))
    assert str(caught.value) == f"Timeout while waiting for job {running.job_id()}."


def test_waiting_too_long_raises_after_callbacks(running: BasicAerJob) -> None:
    calls: list[JobStatus] = []
    with pytest.raises(JobTimeoutError):
        running.wait_for_final_state(0.5, 0.05, lambda job_id, status, job: calls.append(status))
    assert calls
    assert set(calls) == {JobStatus.RUNNING}


def test_the_callbacks_exception_reaches_the_caller(running: BasicAerJob) -> None:
    def callback(*_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        running.wait_for_final_state(callback=callback)
    assert running.running()


def test_waiting_returns_none_for_a_cancelled_job(running: BasicAerJob) -> None:
    running.cancel()
    assert running.wait_for_final_state(LIMIT) is None  # type: ignore[func-returns-value]  # the point


def test_a_wait_outlives_a_killed_server(start_server: Callable[..., Any]) -> None:
    server = start_server("--workers", "1")
    with BasicAerProvider(server.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        expected = backend.run(bell(), shots=1000, seed_simulator=42).result(LIMIT).get_counts()
        blocker = backend.run(endless())
        await_status(blocker, JobStatus.RUNNING)
        job = backend.run(bell(), shots=1000, seed_simulator=42)
        waits, told = threading.Event(), []
        outcome: list[Any] = []

        def callback(job_id: str, status: JobStatus, handle: BasicAerJob) -> None:
            told.append(status)
            waits.set()

        def wait() -> None:
            job.wait_for_final_state(timeout=LIMIT, wait=0.2, callback=callback)
            outcome.append(job.result(LIMIT).get_counts())

        waiter = threading.Thread(target=wait)
        waiter.start()
        assert waits.wait(LIMIT)
        server.kill()
        start_server("--workers", "1", data_dir=server.data_dir, listen=server.address)
        assert blocker.cancel()
        waiter.join(LIMIT)
        assert outcome == [expected]
        assert set(told) <= {JobStatus.QUEUED, JobStatus.VALIDATING, JobStatus.RUNNING}


def test_events_and_running_jobs_outlive_a_killed_server(start_server: Callable[..., Any]) -> None:
    server = start_server("--workers", "1")
    with BasicAerProvider(server.address) as provider:
        job = provider.get_backend("qasm_simulator").run(endless())
        events = job.events(timeout=LIMIT)
        seen = []
        killed = False
        for event in events:
            if event.status is None:
                continue
            seen.append(event)
            if event.status is JobStatus.RUNNING and not killed:
                server.kill()
                start_server("--workers", "1", data_dir=server.data_dir, listen=server.address)
                killed = True
            elif event.status is JobStatus.RUNNING:
                assert event.attempt == 2
                assert job.cancel()
        assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
        assert seen[-1].status is JobStatus.CANCELLED
        assert [event.status for event in seen].count(JobStatus.RUNNING) == 2


def test_finished_jobs_are_there_after_a_restart(start_server: Callable[..., Any]) -> None:
    server = start_server()
    with BasicAerProvider(server.address) as provider:
        job = provider.get_backend("qasm_simulator").run(bell(), shots=500, labels={"kept": "yes"})
        counts = job.result(LIMIT).get_counts()
    server.kill()
    again = start_server(data_dir=server.data_dir)
    with BasicAerProvider(again.address) as provider:
        assert provider.retrieve_job(job.job_id()).result(LIMIT).get_counts() == counts
        assert [found.job_id() for found in provider.jobs(labels={"kept": "yes"})] == [job.job_id()]
