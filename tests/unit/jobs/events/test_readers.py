"""Random lives of readers against a model: each is told every durable event after its cursor once, in order.

Readers begin at any cursor, read at their own speed, vanish and come back, while jobs move on, servers stop
or crash, and old events are compacted. What a reader has been told is a cursor that is never refused as too
new; it may be too old, and then the reader begins with the present state.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.jobs import JobManager, Watch
from basicaer.service.jobs.kept.retention import Sweeper
from basicaer.service.store import SQLiteStore
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1 import job_pb2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

DAY = 86_400.0
# Which of the jobs, or of the readers, as far as there are so many.
places = st.integers(0, 5)


@dataclass
class Reader:
    """A reader of one job: what it was told last, and its stream while it has one."""

    job_id: str
    cursor: int
    watch: Watch | None
    manager: JobManager | None


@dataclass
class Known:
    """What is known of a job: every event that anybody was told, and the last one that is compacted."""

    told: dict[int, job_pb2.Event] = field(default_factory=dict)
    compacted: int = 0


class Readers(RuleBasedStateMachine):
    tools: SimpleNamespace

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = Path(tempfile.mkdtemp())
        self.names = itertools.count()
        self.known: dict[str, Known] = {}
        self.readers: list[Reader] = []
        self.managers: list[JobManager] = []
        self.executors: list[Any] = []
        self.image = self.directory / "first"
        self.start()

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(asyncio.wait_for(coroutine, 60))

    def start(self) -> None:
        self.executor = self.tools.ScriptExecutor()
        self.executors.append(self.executor)
        self.config = Config(
            data_dir=self.image,
            workers=2,
            max_memory_bytes=1000,
            finished_cache_bytes=20_000,
            max_attempts=100,
            progress_interval=0.001,
            event_retention=DAY,
        )
        self.manager = JobManager(SQLiteStore(self.image), self.executor, self.config)
        self.managers.append(self.manager)
        self.run(self.manager.start())

    # What happens to jobs and servers

    @initialize()
    def begin(self) -> None:
        for text in ("hold", "done"):
            self.submit(text)
            self.read_from(-1, 0)

    @rule(text=st.sampled_from(["hold", "fail", "quick done"]))
    def submit(self, text: str) -> None:
        spec = self.tools.spec(f"hold {next(self.names)}" if text == "hold" else text)
        job, _ = self.run(self.manager.submit(spec))
        self.known[job.job_id] = Known()

    def job(self, place: int) -> str:
        return list(self.known)[place % len(self.known)]

    @rule(place=places, fraction=st.floats(0, 1))
    def progress(self, place: int, fraction: float) -> None:
        control = self.executor.controls.get(self.job(place))
        if control is not None:
            control.fraction = fraction

    @rule(place=places)
    def end(self, place: int) -> None:
        self.run(self.manager.cancel(self.job(place)))

    @rule()
    def restart(self) -> None:
        self.run(self.manager.close())
        self.start()

    @rule()
    def crash(self) -> None:
        self.image = self.tools.crash_image(self.image, self.directory / str(next(self.names)))
        self.start()

    @rule()
    def compact(self) -> None:
        """Forgets all but the last event of each job that has ended; of others nothing."""

        async def sweep() -> tuple[list[job_pb2.Job], list[job_pb2.Job]]:
            before = [await self.manager.get(job_id) for job_id in self.known]
            sweeper = Sweeper(self.manager._store, self.manager._registry, self.config)
            await sweeper.sweep(time.time_ns() + round(2 * DAY * 1e9))
            return before, [await self.manager.get(job_id) for job_id in self.known]

        for before, after in zip(*self.run(sweep()), strict=True):
            known = self.known[after.job_id]
            if before.status in self.tools.FINAL:
                known.compacted = after.sequence - 1
            elif after.status in self.tools.FINAL:
                # It has ended in these moments, before or after it was looked at.
                known.compacted = self.found_compacted(after.job_id)

    def found_compacted(self, job_id: str) -> int:
        try:
            self.run(self.manager.watch(job_id, 0)).close()
        except ServiceError as error:
            return int(error.metadata["first_sequence"]) - 1
        return 0

    # What readers do

    @rule(place=places, cursor=st.none() | st.integers(0, 5))
    def read_from(self, place: int, cursor: int | None) -> None:
        """A new reader begins at a cursor, which may be too old or too new."""
        reader = Reader(self.job(place), cursor or 0, None, None)
        self.readers.append(reader)
        self.open(reader, cursor)

    @rule(place=places, count=st.integers(1, 5))
    def resume(self, place: int, count: int) -> None:
        """A reader leaves its stream, comes back with its cursor, and reads on."""
        self.come_back(self.reader(place))
        self.read(place, count)

    @rule(place=places, count=st.integers(1, 5))
    def read(self, place: int, count: int) -> None:
        reader = self.reader(place)
        if reader.watch is not None and reader.manager is self.manager:
            self.run(self.take(reader, count))

    def reader(self, place: int) -> Reader:
        return self.readers[place % len(self.readers)]

    def come_back(self, reader: Reader) -> None:
        if reader.watch is not None and reader.manager is self.manager:
            reader.watch.close()
        if not self.open(reader, reader.cursor):
            assert self.open(reader, None)

    async def take(self, reader: Reader, count: int) -> None:
        """Takes as many events as are there at once, and then gives up, as a call that is cancelled."""
        assert reader.watch is not None
        for _ in range(count):
            task = asyncio.ensure_future(reader.watch.next())
            await asyncio.sleep(0)
            if not task.done():
                task.cancel()
                return
            published = task.result()
            if published is None:
                return
            self.tell(reader, published.event)

    # What must hold

    def open(self, reader: Reader, cursor: int | None) -> bool:
        """Opens a reader's stream; whether its cursor was accepted, as it must be if its events are there."""
        known = self.known[reader.job_id]
        before = self.run(self.manager.get(reader.job_id)).sequence
        try:
            reader.watch = self.run(self.manager.watch(reader.job_id, cursor))
        except ServiceError as error:
            refusal: ServiceError | None = error
        else:
            refusal = None
        after = self.run(self.manager.get(reader.job_id)).sequence
        if refusal is not None:
            assert refusal.reason == reasons.ERROR_REASON_EVENTS_COMPACTED
            assert cursor is not None
            # Either is for good; what a reader was told is never too new.
            assert cursor < known.compacted or cursor > max(before, *known.told, 0)
            assert refusal.metadata["first_sequence"] == str(known.compacted + 1)
            assert before <= int(refusal.metadata["last_sequence"]) <= after
            return False
        reader.manager = self.manager
        assert reader.watch is not None
        if cursor is None:
            reader.cursor = reader.watch.job.sequence
            assert before <= reader.cursor <= after
        else:
            assert known.compacted <= cursor <= after
            reader.cursor = cursor
        return True

    def tell(self, reader: Reader, event: job_pb2.Event) -> None:
        """The next durable event, the same for everybody; or a passing one, whose number is a cursor too."""
        if not event.HasField("status"):
            assert event.sequence <= reader.cursor
            return
        assert event.sequence == reader.cursor + 1
        reader.cursor = event.sequence
        assert self.known[reader.job_id].told.setdefault(event.sequence, event) == event

    def teardown(self) -> None:
        try:
            for executor in self.executors:
                executor.release_all()
            for reader in self.readers:
                self.finish(reader)
        finally:
            for manager in self.managers:
                self.run(manager.close())
            self.runner.close()
            shutil.rmtree(self.directory)

    def finish(self, reader: Reader) -> None:
        """At last every reader that comes back is told the rest, up to the final event."""
        job = self.run(self.tools.until(self.manager, reader.job_id))
        if reader.cursor > job.sequence:
            with pytest.raises(ServiceError):
                self.run(self.manager.watch(reader.job_id, reader.cursor))
            return
        self.come_back(reader)
        self.run(self.take(reader, 1000))
        assert reader.cursor == job.sequence
        assert reader.watch is not None
        assert self.run(reader.watch.next()) is None


def test_readers(tools: SimpleNamespace) -> None:
    Readers.tools = tools
    run_state_machine_as_test(
        Readers,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
