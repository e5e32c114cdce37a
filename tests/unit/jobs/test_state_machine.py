"""Random lives of jobs against a model: nothing lost, nothing done twice, every reader told the same story.

Servers come and go, cleanly and by kill -9 (as the image that it would leave on the disk); readers connect,
vanish and come back with their cursors; calls are repeated, some of them at once.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.jobs import JobManager, Watch
from basicaer.service.store import SQLiteStore
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from basicaer.v1.job_service_pb2 import ListJobsRequest, ReadResultRequest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

PROGRAMS = [
    "done",
    "quick done",
    "quick fail",
    "quick array 5000",
    "hold",
    "hold",
    "deaf",
    "fail",
    "array 5000",
    "bytes 600 hold",
    "weighs 900 done",
]


@dataclass
class Known:
    """What has been promised about a job."""

    job_id: str
    request_id: str
    program: str
    # The durable events that a reader has been told, by their sequence.
    told: dict[int, job_pb2.Event] = field(default_factory=dict)
    # The last sequence that a call has returned.
    sequence: int = 1
    final: job_pb2.Job | None = None
    cancel_promised: bool = False
    deleted: bool = False
    # How often each server had run it when it was first seen to be final.
    runs: dict[int, int] = field(default_factory=dict)


class Lives(RuleBasedStateMachine):
    tools: SimpleNamespace

    jobs = Bundle("jobs")
    watches = Bundle("watches")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = Path(tempfile.mkdtemp())
        self.names = itertools.count()
        self.known: dict[str, Known] = {}
        self.executors: list[Any] = []
        self.managers: list[JobManager] = []
        self.image = self.directory / "first"
        self.start()

    # The server

    def start(self) -> None:
        self.executor = self.tools.ScriptExecutor()
        self.executors.append(self.executor)
        config = Config(
            data_dir=self.image,
            workers=2,
            max_memory_bytes=1000,
            max_overtakes=2,
            prepared_cache_bytes=1000,
            finished_cache_bytes=20_000,
            max_attempts=100,
            progress_interval=0.001,
        )
        self.manager = JobManager(SQLiteStore(self.image), self.executor, config)
        self.managers.append(self.manager)
        self.run(self.manager.start())

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(asyncio.wait_for(coroutine, 60))

    @rule()
    def restart(self) -> None:
        for executor in self.executors:
            # A job that doesn't listen would only hold up the drain.
            executor.release("deaf")
        self.run(self.manager.close())
        self.start()

    @rule()
    def crash(self) -> None:
        image = self.tools.crash_image(self.image, self.directory / str(next(self.names)))
        # The old server's threads go on for a while, in a directory that nobody looks at any more.
        self.image = image
        self.start()

    # Calls

    @rule(target=jobs, program=st.sampled_from(PROGRAMS), copies=st.integers(1, 3))
    def submit(self, program: str, copies: int) -> str:
        request_id = f"request {next(self.names)}"
        program += {"hold": f" {request_id.split()[1]}", "deaf": " deaf"}.get(program.split()[-1], "")

        async def calls() -> list[Any]:
            spec = self.tools.spec(program)
            return await asyncio.gather(*(self.manager.submit(spec, request_id) for _ in range(copies)))

        answers = self.run(calls())
        assert len({job.job_id for job, _ in answers}) == 1
        assert sum(not duplicate for _, duplicate in answers) == 1
        job_id: str = answers[0].job.job_id
        assert job_id not in self.known
        self.known[job_id] = Known(job_id, request_id, program)
        return job_id

    @rule(job_id=jobs)
    def repeat(self, job_id: str) -> None:
        known = self.known[job_id]
        if known.deleted:
            return
        job, duplicate = self.run(self.manager.submit(self.tools.spec(known.program), known.request_id))
        assert (job.job_id, duplicate) == (job_id, True)
        with pytest.raises(ServiceError) as caught:
            self.run(self.manager.submit(self.tools.spec("done", backend_name="other"), known.request_id))
        assert caught.value.reason == reasons.ERROR_REASON_REQUEST_ID_REUSED

    @rule(job_id=jobs)
    def release(self, job_id: str) -> None:
        known = self.known[job_id]
        if "hold" in known.program:
            self.executor.release(known.program.split()[-1])

    @rule()
    def release_deaf(self) -> None:
        self.executor.release("deaf")

    @rule(job_id=jobs, fraction=st.floats(0, 1))
    def progress(self, job_id: str, fraction: float) -> None:
        control = self.executor.controls.get(job_id)
        if control is not None:
            control.fraction = fraction

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        known = self.known[job_id]
        if known.deleted:
            with pytest.raises(JobNotFoundError):
                self.run(self.manager.cancel(job_id))
            return
        job = self.run(self.manager.cancel(job_id))
        known.cancel_promised |= job.cancel_requested and job.status not in self.tools.FINAL
        self.look(known, job)

    @rule(job_id=jobs)
    def delete(self, job_id: str) -> None:
        known = self.known[job_id]
        if known.final is not None and not known.deleted:
            self.run(self.manager.delete(job_id))
            known.deleted = True
            return
        reason: reasons.ErrorReason.ValueType | None
        try:
            self.run(self.manager.delete(job_id))
        except ServiceError as error:
            reason = error.reason
        else:
            # It has become final since it was last looked at.
            reason = None
        allowed = {
            True: (reasons.ERROR_REASON_JOB_NOT_FOUND,),
            False: (reasons.ERROR_REASON_JOB_NOT_FINAL, None),
        }
        assert reason in allowed[known.deleted]
        known.deleted |= reason is None

    @rule(job_id=jobs)
    def result(self, job_id: str) -> None:
        known = self.known[job_id]
        if known.final is None or known.deleted:
            return

        async def read() -> bytes:
            reading = await self.manager.read_result(ReadResultRequest(job_id=job_id, part="0/second"))
            data = b""
            while (chunk := await reading.next()) is not None:
                data += chunk.data
            reading.close()
            return data

        if known.program.endswith("array 5000") and known.final.status == job_pb2.JOB_STATUS_DONE:
            assert self.run(read()) == self.tools.array_bytes(5000)
        else:
            with pytest.raises(ServiceError) as caught:
                self.run(read())
            assert caught.value.reason in (
                reasons.ERROR_REASON_RESULT_UNAVAILABLE,
                reasons.ERROR_REASON_PART_NOT_FOUND,
            )

    # Readers

    @rule(target=watches, job_id=jobs, cursor=st.none() | st.integers(0, 6))
    def watch(self, job_id: str, cursor: int | None) -> tuple[str, Watch | None, JobManager]:
        known = self.known[job_id]
        if known.deleted:
            with pytest.raises(JobNotFoundError):
                self.run(self.manager.watch(job_id, cursor))
            return job_id, None, self.manager
        self.look(known, self.run(self.manager.get(job_id)))
        try:
            watch = self.run(self.manager.watch(job_id, cursor))
        except ServiceError as error:
            reason = error.reason
        else:
            self.look(known, watch.job)
            return job_id, watch, self.manager
        assert reason == reasons.ERROR_REASON_EVENTS_COMPACTED
        assert cursor is not None
        assert cursor > known.sequence
        return job_id, None, self.manager

    @rule(opened=watches, count=st.integers(1, 4))
    def read(self, opened: tuple[str, Watch | None, JobManager], count: int) -> None:
        job_id, watch, manager = opened
        if watch is None or manager is not self.manager or self.known[job_id].deleted:
            return

        async def some() -> list[Any]:
            events = []
            for _ in range(count):
                # What is there is returned at once; else the reader gives up, as one whose call was
                # cancelled.
                task = asyncio.ensure_future(watch.next())
                await asyncio.sleep(0)
                if not task.done():
                    task.cancel()
                    break
                events.append(task.result())
            return events

        for event in self.run(some()):
            if event is not None and event.event.HasField("status"):
                self.tell(self.known[job_id], event.event)

    @rule(opened=consumes(watches))
    def vanish(self, opened: tuple[str, Watch | None, JobManager]) -> None:
        if opened[1] is not None and opened[2] is self.manager:
            opened[1].close()

    # What must hold

    def tell(self, known: Known, event: job_pb2.Event) -> None:
        """The same sequence is the same event for everybody, for ever."""
        assert known.told.setdefault(event.sequence, event) == event

    def look(self, known: Known, job: job_pb2.Job) -> None:
        """A job only ever moves on."""
        assert job.job_id == known.job_id
        assert job.sequence >= known.sequence
        known.sequence = job.sequence
        if known.final is not None:
            assert job == known.final
        elif job.status in self.tools.FINAL:
            known.final = job
            known.runs = {id(self.executor): self.executor.runs[known.job_id]}
            if known.cancel_promised:
                assert job.status == job_pb2.JOB_STATUS_CANCELLED
        else:
            assert not known.cancel_promised or job.cancel_requested

    @invariant()
    def every_job_is_there(self) -> None:
        listed = {
            job.job_id for job in self.run(self.manager.list_jobs(ListJobsRequest(page_size=1000))).jobs
        }
        assert listed == {known.job_id for known in self.known.values() if not known.deleted}
        for known in self.known.values():
            if not known.deleted:
                self.look(known, self.run(self.manager.get(known.job_id)))
            if known.final is not None:
                assert self.executor.runs[known.job_id] == known.runs.get(id(self.executor), 0)

    def teardown(self) -> None:
        try:
            for executor in self.executors:
                executor.release_all()
            for known in self.known.values():
                if not known.deleted:
                    self.finish(known)
            self.every_job_is_there()
        finally:
            for manager in self.managers:
                self.run(manager.close())
            self.runner.close()
            shutil.rmtree(self.directory)

    def finish(self, known: Known) -> None:
        """At the end every job gets to its end, and its whole story can be read, as everybody was told it."""
        job = self.run(self.tools.until(self.manager, known.job_id))
        self.look(known, job)

        async def story() -> list[Any]:
            told: list[Any] = await self.tools.read(await self.manager.watch(known.job_id, 0))
            return told

        events = [event.event for event in self.run(story())]
        assert [event.sequence for event in events] == list(range(1, job.sequence + 1))
        for event in events:
            self.tell(known, event)
        statuses = [event.status.status for event in events]
        assert statuses[0] == job_pb2.JOB_STATUS_QUEUED
        assert statuses[-1] == job.status
        assert [status in self.tools.FINAL for status in statuses] == [False] * (len(events) - 1) + [True]
        assert statuses.count(job_pb2.JOB_STATUS_RUNNING) == job.attempt == events[-1].status.attempt
        if job.status == job_pb2.JOB_STATUS_ERROR:
            assert known.program.endswith("fail")


def test_lives(tools: SimpleNamespace) -> None:
    Lives.tools = tools
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
