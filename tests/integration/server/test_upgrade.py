"""Servers of two versions on one database, while they are upgraded one by one: nothing is lost."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from basicaer.service import version
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

from tests.cluster.neighbour import BREAKS, VERSION, neighbour
from tests.cluster.processes import Launch, Part, launch, parts
from tests.conftest import open_channel
from tests.integration.conftest import Wire
from tests.postgresql import PostgreSQL

RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE

pytestmark = pytest.mark.timeout(600)


class Fleet:
    """Servers and workers of both versions; they end with the block."""

    def __init__(self, folder: Path, database: PostgreSQL) -> None:
        self._folder = folder
        self._database = database
        self._stack = ExitStack()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def new(self, role: str, name: str, its: Launch) -> Part:
        """One that isn't started yet."""
        folder = self._folder / name
        folder.mkdir()
        servers, workers = parts(folder, lambda _: self._database.base_url, 1, 1, launch=its)
        (part,) = servers if role == "serve" else workers

        def end() -> None:
            with contextlib.suppress(Exception):
                part.kill()

        self._stack.callback(end)
        return part

    def start(self, role: str, name: str, its: Launch) -> Part:
        part = self.new(role, name, its)
        part.begin()
        part.ready()
        return part

    def stub(self, part: Part) -> job_service_pb2_grpc.JobServiceStub:
        channel = self._stack.enter_context(open_channel(part.address))
        return job_service_pb2_grpc.JobServiceStub(channel)


@pytest.fixture
def fleet(new_postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, new_postgresql) as its:
        yield its


def submit(stub: job_service_pb2_grpc.JobServiceStub, spec: job_pb2.JobSpec) -> str:
    return stub.SubmitJob(job_service_pb2.SubmitJobRequest(spec=spec), timeout=60).job.job_id


def statuses(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> Iterator[job_pb2.Event]:
    request = job_service_pb2.WatchJobRequest(job_id=job_id, after_sequence=0)
    for message in stub.WatchJob(request, timeout=300):
        if message.event.WhichOneof("kind") == "status":
            yield message.event


def until_runs(events: Iterator[job_pb2.Event]) -> None:
    assert any(event.status.status == RUNNING for event in events)


def counted(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> int:
    """The shots of a result, read to its end."""
    request = job_service_pb2.ReadResultRequest(job_id=job_id)
    data = b"".join(answer.chunk.data for answer in stub.ReadResult(request, timeout=60))
    return result_pb2.Result.FromString(data).programs[0].shots


def stop(part: Part) -> None:
    part.signal(signal.SIGTERM)
    assert part.wait() == 0


def test_an_upgrade_one_by_one(fleet: Fleet, wire: Wire, tmp_path: Path) -> None:
    new_version = neighbour(tmp_path / "packages")
    old = fleet.start("serve", "old", launch)
    old_worker = fleet.start("work", "old-worker", launch)
    before = fleet.stub(old)
    endless = submit(before, wire.endless())
    watch = statuses(before, endless)
    until_runs(watch)
    waiting = [submit(before, wire.qasm(shots=1000, seed_simulator=seed)) for seed in range(3)]

    # The tables become those of the new version, under what runs and is watched.
    new = fleet.start("serve", "new", new_version)
    after = fleet.stub(new)

    def versions() -> list[str]:
        info = after.GetServerInfo(job_service_pb2.GetServerInfoRequest(), timeout=60)
        return sorted(member.version for member in info.members)

    wire.until(lambda: versions() == [version(), version(), VERSION])
    here = [submit(stub, wire.qasm(shots=1000, seed_simulator=7)) for stub in (before, after)]
    # A server of the old version that was restarted meanwhile goes on as well.
    stop(old)
    old.begin()
    old.ready()
    before = fleet.stub(old)
    # What one has taken, the other tells of, and stops.
    crossed = statuses(before, here[1])
    cancelled = after.CancelJob(job_service_pb2.CancelJobRequest(job_id=endless), timeout=60)
    assert cancelled.job.cancel_requested
    assert list(statuses(before, endless))[-1].status.status == CANCELLED
    assert list(crossed)[-1].status.status == DONE
    for job_id in (*waiting, *here):
        for stub in (before, after):
            assert list(statuses(stub, job_id))[-1].status.status == DONE
            assert counted(stub, job_id) == 1000

    # A job goes from the old worker to the new one when that is stopped.
    moving = submit(before, wire.endless())
    watch = statuses(after, moving)
    until_runs(watch)
    fleet.start("work", "new-worker", new_version)
    stop(old_worker)
    stop(old)
    until_runs(watch)
    wire.until(lambda: versions() == [VERSION, VERSION])
    after.CancelJob(job_service_pb2.CancelJobRequest(job_id=moving), timeout=60)
    assert list(watch)[-1].status.status == CANCELLED
    last = submit(after, wire.qasm(shots=10))
    assert list(statuses(after, last))[-1].status.status == DONE
    for job_id in (*waiting, *here):
        assert counted(after, job_id) == 1000


def test_an_upgrade_that_the_old_version_cannot_go_along_with(fleet: Fleet, tmp_path: Path) -> None:
    new_version = neighbour(tmp_path / "packages", BREAKS)
    old = fleet.start("serve", "old", launch)
    new = fleet.new("serve", "new", new_version)
    new.begin()
    with pytest.raises(RuntimeError, match=rf"({version()}).* Stop them first"):
        new.ready()
    # It has changed nothing.
    stub = fleet.stub(old)
    job_id = submit(stub, Wire.qasm(shots=10))
    assert next(statuses(stub, job_id)).sequence == 1
    stop(old)
    # It isn't started for good: its statements are those of before, which these tables don't have.
    new.begin()
    with contextlib.suppress(RuntimeError):
        new.ready()
    old.begin()
    with pytest.raises(RuntimeError, match="was written by a later version"):
        old.ready()
