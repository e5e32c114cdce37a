"""A real executor whose jobs do what their program's text says, and managers on it.

Tests run over each store, but for those that are marked `embedded`, since they look at SQLite's files, and
`shared`, which have several servers.

done            ends at once, with counts
hold NAME       runs until the test calls `executor.release(NAME)`, or it is cancelled
deaf NAME       the same, but doesn't listen to a cancellation
array N         has a result with an array of N bytes beside it
surprise N      the same, which shows only at its end
inline N        has a result with an array of N bytes in it
fail            ends with a program's failure, and a result that tells it
lost N          loses its first N attempts with what ran them; then it ends at once
crash           raises what no executor should
bytes N ...     needs N bytes of memory; the rest is as above
nodes N ...     runs on N nodes, each of which needs that memory; the rest is as above
weighs N ...    its checked form takes N bytes; the rest is as above
quick ...       is run before it is committed; the rest is as above
slow NAME ...   takes until the test calls `executor.release(NAME)` to be checked; the rest is as above
invalid         is refused
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import google_crc32c
import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution._interface import (
    UNBOUNDED,
    ExecutionControl,
    ExecutionLostError,
    ExecutionOutcome,
    GivenUpError,
    Patience,
    PreparedJob,
    ResultPart,
    TakesLongError,
)
from basicaer.service.jobs import JobManager, PublishedEvent, Watch
from basicaer.service.parsing import ProgramFault
from basicaer.service.store import JobStore, SQLiteStore
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2, result_pb2

LEASE = 3.0

if TYPE_CHECKING:
    from tests.postgresql import PostgreSQL


class ScriptControl:
    def __init__(self) -> None:
        self.stopped = threading.Event()
        # Set with each change that a waiting job should look at.
        self.changed = threading.Condition()
        self.fraction = 0.0

    def cancel(self) -> None:
        self.stopped.set()
        with self.changed:
            self.changed.notify_all()

    def progress(self) -> job_pb2.Progress:
        return job_pb2.Progress(fraction=self.fraction)


class ScriptJob:
    def __init__(self, words: list[str], max_run_time: float | None) -> None:
        self.words = words
        self.max_run_time = max_run_time
        self.nodes = 1
        self.required_bytes = 1
        self.size_bytes = 100
        self.num_programs = 1
        self.warnings = ()
        self.shots = 1024
        self.quick = words[0] == "quick"
        if self.quick:
            words = self.words = words[1:]
        while words[0] in ("bytes", "nodes", "weighs"):
            if words[0] == "bytes":
                self.required_bytes = int(words[1])
            elif words[0] == "nodes":
                self.nodes = int(words[1])
            else:
                self.size_bytes = int(words[1])
            words = self.words = words[2:]
        self.result_bytes = 2 * int(words[1]) if words[0] == "array" else 0

    def memory_advice(self, available: int) -> str:
        return f"Only {available} fit."

    def new_control(self) -> ScriptControl:
        return ScriptControl()


class ScriptExecutor:
    """Thread-safe, as every executor. Counts what it was asked to do."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.released: set[str] = set()
        self.prepared = 0
        # The names of what is slow to check: what is being checked, and what nobody waited for any more.
        self.checking: list[str] = []
        self.left: list[str] = []
        # How often that was asked, every 0.01 s.
        self.looks = 0
        # How often each job was run, and the controls and names of those that run now.
        self.runs: Counter[str] = Counter()
        self.controls: dict[str, ScriptControl] = {}
        # The most memory that one job may take on a node, and over how many.
        self.largest = 2**62
        self.max_nodes = 1
        # The names of the jobs in the order of their starts.
        self.order: list[str] = []

    def prepare(
        self,
        spec: job_pb2.JobSpec,
        patience: Patience | None = UNBOUNDED,
        columns: Columns = NO_COLUMNS,
        size: int = 0,
    ) -> PreparedJob:
        self.prepared += 1
        words = spec.programs[0].openqasm2.split()
        if words[0] == "invalid":
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_INVALID,
                "It says so itself.",
                metadata={"program_index": "0"},
            )
        if words[0] == "slow":
            self._check_slowly(words[1], patience)
            words = words[2:]
        limit = spec.options.max_run_time.ToNanoseconds() / 1e9
        return ScriptJob(words, limit or None)

    @property
    def largest_bytes(self) -> int:
        return self.largest

    def nodes(self) -> list[job_service_pb2.Node]:
        return []

    def check_apart(self, spec: bytes | memoryview, patience: Patience | None = UNBOUNDED) -> job_pb2.Job:
        raise AssertionError("jobs of a few words need no other process")

    def _check_slowly(self, name: str, patience: Patience | None) -> None:
        if patience is None:
            raise TakesLongError
        self.checking.append(name)
        try:
            while name not in self.released:
                patience.check()
                self.looks += 1
                with self.lock:
                    self.lock.wait(0.01)
        except GivenUpError:
            self.left.append(name)
            raise
        except ProgramFault as fault:
            raise fault.to_service_error(0, "openqasm2") from None
        finally:
            self.checking.remove(name)

    def execute(self, prepared: PreparedJob, control: ExecutionControl, *, job_id: str) -> ExecutionOutcome:
        assert isinstance(prepared, ScriptJob)
        assert isinstance(control, ScriptControl)
        with self.lock:
            self.runs[job_id] += 1
            self.controls[job_id] = control
            self.order.append(" ".join(prepared.words))
            self.lock.notify_all()
        verb, *arguments = prepared.words
        if verb in ("hold", "deaf"):
            deaf = verb == "deaf"
            with control.changed:
                control.changed.wait_for(
                    lambda: arguments[0] in self.released or (control.stopped.is_set() and not deaf)
                )
            if control.stopped.is_set() and not deaf:
                return ExecutionOutcome(job_pb2.JOB_STATUS_CANCELLED)
        if verb == "crash":
            raise ZeroDivisionError("a defect")
        if verb == "lost" and self.runs[job_id] <= int(arguments[0]):
            raise ExecutionLostError("its machine is gone")
        return _outcome(verb, arguments)

    def release(self, name: str) -> None:
        """Lets the jobs `hold NAME` go on."""
        with self.lock:
            self.released.add(name)
            self.lock.notify_all()
            controls = list(self.controls.values())
        for control in controls:
            with control.changed:
                control.changed.notify_all()

    def release_all(self) -> None:
        """Lets all jobs go on, deaf ones too, so that no thread outlives its test."""

        class Everything(set[str]):
            def __contains__(self, name: object) -> bool:
                return True

        self.released = Everything()
        self.release("")


def array_bytes(size: int) -> bytes:
    """The bytes of an array of so many."""
    return bytes(range(256)) * (size // 256) + bytes(range(size % 256))


def _outcome(verb: str, arguments: list[str]) -> ExecutionOutcome:
    result = result_pb2.Result(backend_name="script", backend_version="1", success=verb != "fail")
    program = result.programs.add(status=job_pb2.JOB_STATUS_DONE, shots=1024, seed_simulator=7)
    program.counts.words_per_outcome = 1
    program.counts.outcomes.extend((0, 3))
    program.counts.counts.extend((500, 524))
    if verb == "fail":
        error = job_pb2.JobError(
            reason=error_reason_pb2.ERROR_REASON_SIMULATION_FAILED, message="It was to fail.", program_index=0
        )
        program.status = job_pb2.JOB_STATUS_ERROR
        program.error.CopyFrom(error)
        return ExecutionOutcome(job_pb2.JOB_STATUS_ERROR, result, error=error)
    parts = []
    if verb in ("array", "surprise", "inline"):
        data = array_bytes(int(arguments[0]))
        for name in ("first", "second"):
            described = program.arrays.add(
                name=name,
                part=f"0/{name}",
                dtype="|u1",
                shape=[len(data)],
                size_bytes=len(data),
                crc32c=google_crc32c.value(data),
            )
            if verb == "inline":
                described.data = data
            else:
                parts.append(ResultPart(described.part, memoryview(data)))
    return ExecutionOutcome(job_pb2.JOB_STATUS_DONE, result, parts)


def spec(text: str = "done", **fields: Any) -> job_pb2.JobSpec:
    """A job of one program with this text."""
    made = job_pb2.JobSpec(backend_name=fields.pop("backend_name", "script"), **fields)
    made.programs.add(openqasm2=text)
    return made


async def read(watch: Watch, *, kinds: tuple[str, ...] = ("status",)) -> list[PublishedEvent]:
    """All events of some kinds, to the stream's end."""
    events = []
    async with asyncio.timeout(60):
        while (event := await watch.next()) is not None:
            if event.event.WhichOneof("kind") in kinds:
                events.append(event)
    watch.close()
    return events


async def until(manager: JobManager, job_id: str, *statuses: int) -> job_pb2.Job:
    """Waits until a job has one of these statuses, or is final."""
    async with asyncio.timeout(60):
        job = await manager.get(job_id)
        while job.status not in (*statuses, *FINAL):
            job = await manager.get(job_id, wait=60, if_sequence_after=job.sequence)
    return job


FINAL = (job_pb2.JOB_STATUS_CANCELLED, job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR)


def crash_image(source: Path, target: Path) -> Path:
    """A copy of a data directory as kill -9 would leave it: what the process wrote, without its goodbye."""
    connection = sqlite3.connect(source / "jobs.sqlite3", isolation_level=None)
    # Nobody writes while this transaction is open.
    connection.execute("BEGIN IMMEDIATE")
    # By another process: one that closes a file gives up all of its own locks on it.
    try:
        subprocess.run(["cp", "-r", source, target], check=True)
    finally:
        connection.execute("ROLLBACK")
        connection.close()
    for name in ("lock", "jobs.sqlite3-shm"):
        (target / name).unlink()
    return target


@pytest.fixture
def tools() -> SimpleNamespace:
    """What test modules need of this one."""
    return SimpleNamespace(
        ScriptExecutor=ScriptExecutor,
        array_bytes=array_bytes,
        spec=spec,
        read=read,
        until=until,
        crash_image=crash_image,
        FINAL=FINAL,
    )


@pytest.fixture
def executor() -> ScriptExecutor:
    return ScriptExecutor()


Start = Callable[..., Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let tests run over each store."""
    if "new_store" in metafunc.fixturenames:
        embedded = metafunc.definition.get_closest_marker("embedded") is not None
        shared = metafunc.definition.get_closest_marker("shared") is not None
        stores = ["sqlite"] * (not shared) + ["postgresql"] * (not embedded)
        metafunc.parametrize("new_store", stores, indirect=True)


@pytest.fixture
def lease() -> float:
    """Of servers on one database, in seconds; a test may parametrize it."""
    return LEASE


@pytest.fixture
def new_store(request: pytest.FixtureRequest, lease: float) -> Callable[[Path], JobStore]:
    """Makes stores, which aren't open yet, by their directory."""
    if request.param == "sqlite":
        return SQLiteStore
    from basicaer.service.store.postgresql import PostgreSQLStore

    database: PostgreSQL = request.getfixturevalue("postgresql")
    return lambda directory: PostgreSQLStore(database.url(directory), lease=lease)


@pytest.fixture
def stored_results(new_store: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], int]:
    """How many large results lie in the store of `start`."""
    if new_store is SQLiteStore:
        return lambda: len(list((tmp_path / "data" / "results").iterdir()))
    database: PostgreSQL = request.getfixturevalue("postgresql")
    schema = database.url(tmp_path / "data").rpartition("=")[2]
    return lambda: int(database.run(f"SELECT count(DISTINCT (job_id, attempt)) FROM {schema}.chunks"))


@pytest.fixture
async def start(
    tmp_path: Path, executor: ScriptExecutor, new_store: Callable[[Path], JobStore]
) -> AsyncIterator[Start]:
    """Starts managers: `await start(data_dir=…, executor=…, **settings)`. They are closed after the test."""
    managers: list[tuple[JobManager, ScriptExecutor]] = []

    async def starts(
        data_dir: Path | None = None, executor: ScriptExecutor = executor, **settings: Any
    ) -> JobManager:
        settings = {"workers": 2, "max_memory_bytes": 1000, "progress_interval": 0.01, **settings}
        config = Config(data_dir=data_dir or tmp_path / "data", **settings)
        manager = JobManager(new_store(config.data_dir), executor, config)
        await manager.start()
        managers.append((manager, executor))
        return manager

    yield starts
    for manager, its_executor in managers:
        its_executor.release_all()
        with contextlib.suppress(Exception):
            await manager.close()


@pytest.fixture
def request_id() -> str:
    return str(uuid.uuid4())
