"""What a server finds when the one before was killed."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.errors import DataDirectoryError
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2

from tests.unit.jobs.conftest import ScriptExecutor

QUEUED, VALIDATING, RUNNING = (
    job_pb2.JOB_STATUS_QUEUED,
    job_pb2.JOB_STATUS_VALIDATING,
    job_pb2.JOB_STATUS_RUNNING,
)
CANCELLED, DONE, ERROR = (
    job_pb2.JOB_STATUS_CANCELLED,
    job_pb2.JOB_STATUS_DONE,
    job_pb2.JOB_STATUS_ERROR,
)


def statuses(events: list[Any]) -> list[int]:
    return [event.event.status.status for event in events]


@pytest.mark.embedded
async def test_everything_acknowledged_is_there(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    first = await start(workers=1)
    done = await first.run(tools.spec("array 1000", labels={"which": "done"}), "done")
    await tools.read(done)
    running, _ = await first.submit(tools.spec("hold x"), "running")
    waiting = [(await first.submit(tools.spec("hold x", labels={"n": str(n)}))).job for n in range(5)]
    await tools.until(first, running.job_id, RUNNING)
    cancelled = await first.cancel(waiting[2].job_id)
    image = tools.crash_image(tmp_path / "data", tmp_path / "image")

    executor.release("x")
    again = tools.ScriptExecutor()
    again.release("x")
    second = await start(data_dir=image, executor=again, workers=1)
    assert await second.get(done.job.job_id) == await first.get(done.job.job_id)
    assert await second.get(cancelled.job_id) == cancelled
    duplicate = await second.run(tools.spec("array 1000", labels={"which": "done"}), "done")
    assert duplicate.duplicate
    await tools.read(duplicate)
    assert duplicate.result == done.result

    events = await tools.read(await second.watch(running.job_id, 0))
    assert statuses(events) == [QUEUED, RUNNING, QUEUED, VALIDATING, RUNNING, DONE]
    assert [event.event.sequence for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event.event.status.attempt for event in events] == [0, 1, 1, 1, 2, 2]
    for job in waiting:
        ended = await tools.until(second, job.job_id)
        assert ended.status == (CANCELLED if job.job_id == cancelled.job_id else DONE)
        assert ended.labels == job.labels
    # In their old order, and those that had ended not again.
    expected = [job.job_id for job in waiting if job.job_id != cancelled.job_id]
    assert list(again.runs) == [running.job_id, *expected]


@pytest.mark.embedded
async def test_an_acknowledged_cancellation_survives(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    first = await start()
    job, _ = await first.submit(tools.spec("deaf x"))
    await tools.until(first, job.job_id, RUNNING)
    assert (await first.cancel(job.job_id, "no need")).status == RUNNING
    image = tools.crash_image(tmp_path / "data", tmp_path / "image")
    again = tools.ScriptExecutor()
    second = await start(data_dir=image, executor=again)
    ended = await second.get(job.job_id)
    assert (ended.status, ended.error.metadata["reason"]) == (CANCELLED, "no need")
    assert not again.runs


@pytest.mark.embedded
async def test_a_job_that_kills_its_servers_is_given_up(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    manager = await start(max_attempts=3)
    job, _ = await manager.submit(tools.spec("hold x"))
    image = tmp_path / "data"
    for attempt in range(1, 4):
        current = await tools.until(manager, job.job_id, RUNNING)
        assert (current.status, current.attempt) == (RUNNING, attempt)
        image = tools.crash_image(image, tmp_path / f"image{attempt}")
        manager = await start(data_dir=image, max_attempts=3)
    ended = await manager.get(job.job_id)
    assert ended.status == ERROR
    assert ended.error.reason == reasons.ERROR_REASON_TOO_MANY_ATTEMPTS
    assert ended.error.metadata == {"attempt": "3"}


@pytest.mark.embedded
async def test_an_attempt_is_on_disk_before_a_job_is_read_again(
    start: Any, executor: Any, tools: SimpleNamespace, tmp_path: Path
) -> None:
    """A program that kills the server while it is parsed counts as an attempt too."""

    class Killer(ScriptExecutor):
        def __init__(self) -> None:
            super().__init__()
            self.reached = threading.Event()

        def prepare(self, spec: job_pb2.JobSpec, *rest: Any) -> Any:
            self.reached.set()
            with self.lock:
                self.lock.wait_for(lambda: "" in self.released)
            return super().prepare(spec)

    manager = await start(workers=1)
    job, _ = await manager.submit(tools.spec("hold x"))
    await tools.until(manager, job.job_id, RUNNING)
    image = tmp_path / "data"
    for crash in range(3):
        image = tools.crash_image(image, tmp_path / f"image{crash}")
        killer = Killer()
        manager = await start(data_dir=image, executor=killer, max_attempts=4)
        assert await asyncio.to_thread(killer.reached.wait, 60)
        assert (await manager.get(job.job_id)).status == VALIDATING
    image = tools.crash_image(image, tmp_path / "last")
    manager = await start(data_dir=image, max_attempts=4)
    assert (await manager.get(job.job_id)).error.reason == reasons.ERROR_REASON_TOO_MANY_ATTEMPTS


@pytest.mark.embedded
async def test_less_memory_than_before(start: Any, executor: Any, tools: SimpleNamespace) -> None:
    manager = await start(workers=1)
    first, _ = await manager.submit(tools.spec("hold x"))
    large, _ = await manager.submit(tools.spec("bytes 900 done"))
    await manager.close()
    executor.release("x")
    manager = await start(max_memory_bytes=800)
    ended = await manager.get(large.job_id)
    assert (ended.status, ended.error.reason) == (ERROR, reasons.ERROR_REASON_JOB_EXCEEDS_MEMORY)
    assert (await tools.until(manager, first.job_id)).status == DONE


async def test_a_program_that_is_not_valid_any_more(
    start: Any, executor: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = await start(workers=1)
    await manager.submit(tools.spec("hold x"))
    job, _ = await manager.submit(tools.spec("done"))
    await manager.close()
    executor.release("x")

    class Stricter(ScriptExecutor):
        def prepare(self, spec: job_pb2.JobSpec, *rest: Any) -> Any:
            if spec.programs[0].openqasm2 == "done":
                spec.programs[0].openqasm2 = "invalid"
            return super().prepare(spec)

    manager = await start(executor=Stricter())
    ended = await tools.until(manager, job.job_id)
    assert (ended.status, ended.error.reason) == (ERROR, reasons.ERROR_REASON_PROGRAM_INVALID)
    assert ended.error.program_index == 0


@pytest.mark.embedded
async def test_a_second_server_is_refused(start: Any, tools: SimpleNamespace, tmp_path: Path) -> None:
    manager = await start()
    with pytest.raises(DataDirectoryError, match="Another server"):
        await start()
    await tools.read(await manager.run(tools.spec()))
