"""A server and workers on one database: what callers see when a worker is frozen, killed, or away."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

from tests.cluster.processes import Part, parts
from tests.conftest import open_channel
from tests.integration.conftest import Wire
from tests.postgresql import PostgreSQL

LEASE = 3.0

RUNNING = job_pb2.JOB_STATUS_RUNNING
CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE


class Cluster(NamedTuple):
    server: Part
    workers: list[Part]
    stub: job_service_pb2_grpc.JobServiceStub
    database: PostgreSQL

    def submit(self, spec: job_pb2.JobSpec, request_id: str) -> str:
        request = job_service_pb2.SubmitJobRequest(spec=spec, request_id=request_id)
        return self.stub.SubmitJob(request, timeout=60).job.job_id

    def statuses(self, job_id: str) -> Iterator[job_pb2.Event]:
        request = job_service_pb2.WatchJobRequest(job_id=job_id, after_sequence=0)
        for message in self.stub.WatchJob(request, timeout=300):
            if message.event.WhichOneof("kind") == "status":
                yield message.event

    def members(self) -> list[tuple[int, bool]]:
        """The workers of each process, and whether it takes calls."""
        info = self.stub.GetServerInfo(job_service_pb2.GetServerInfoRequest(), timeout=60)
        return sorted((member.workers, bool(member.address)) for member in info.members)

    def owner(self, job_id: str) -> Part:
        """The worker that has a job."""
        name = self.database.run(
            "SELECT name FROM basicaer.servers JOIN basicaer.jobs ON owner = number"
            f" WHERE job_id = convert_to('{job_id}', 'UTF8')"
        )
        return next(
            worker
            for worker in self.workers
            if worker.process is not None and name.endswith(f":{worker.process.pid}")
        )


@pytest.fixture
def cluster(new_postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Cluster]:
    servers, workers = parts(
        tmp_path, lambda _: new_postgresql.base_url, 1, 2, ("--lease-time", f"{LEASE:g}")
    )
    started = [*servers, *workers]
    try:
        for part in started:
            part.begin()
        for part in started:
            part.ready()
        with open_channel(servers[0].address) as channel:
            stub = job_service_pb2_grpc.JobServiceStub(channel)
            yield Cluster(servers[0], workers, stub, new_postgresql)
    finally:
        for part in started:
            with contextlib.suppress(Exception):
                part.kill()


def attempt(events: Iterator[job_pb2.Event], number: int) -> list[job_pb2.Event]:
    """The events up to the one with which an attempt runs."""
    seen = []
    for event in events:
        seen.append(event)
        if (event.status.status, event.status.attempt) == (RUNNING, number):
            return seen
    raise AssertionError(f"no attempt {number}: {seen}")


def test_workers_that_are_frozen_and_killed(cluster: Cluster) -> None:
    job_id = cluster.submit(Wire.endless(), "endless")
    events = cluster.statuses(job_id)
    told = attempt(events, 1)
    frozen = cluster.owner(job_id)
    frozen.signal(signal.SIGSTOP)
    told += attempt(events, 2)
    second = cluster.owner(job_id)
    assert second is not frozen
    row = f"SELECT attempt, fence, sequence FROM basicaer.jobs WHERE job_id = convert_to('{job_id}', 'UTF8')"
    before = cluster.database.run(row)
    frozen.signal(signal.SIGCONT)
    # It notices that its lease has ended, takes another one, and writes nothing of its old attempt.
    until = time.monotonic() + 60
    while "is lost" not in frozen.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(LEASE / 2)
    assert cluster.database.run(row) == before
    second.kill()
    told += attempt(events, 3)
    assert cluster.owner(job_id) is frozen
    request = job_service_pb2.CancelJobRequest(job_id=job_id, reason="enough")
    assert cluster.stub.CancelJob(request, timeout=60).job.cancel_requested
    told += events
    assert told[-1].status.status == CANCELLED
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))


def doctor(cluster: Cluster) -> list[dict[str, str]]:
    """What it says of the database, and of the server."""
    command = [sys.executable, "-m", "basicaer.service.cli", "doctor", "--json"]
    command += ["--server", cluster.server.address, "--database", cluster.database.base_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    checks: list[dict[str, str]] = json.loads(done.stdout)["checks"]
    return checks


def test_doctor_tells_who_is_there(cluster: Cluster) -> None:
    until = time.monotonic() + 60
    while (found := cluster.members()) != [(0, True), (1, False), (1, False)]:
        assert time.monotonic() < until, found
        time.sleep(0.1)
    checks = doctor(cluster)
    assert ("clocks", "ok", "this machine's and the database's agree") in [
        (one["check"], one["verdict"], one["seen"]) for one in checks
    ]
    # Once as the database has it, with the leases, and once as the server tells it.
    of_database, of_server = [one for one in checks if one["check"] == "members"]
    for one in (of_database, of_server):
        assert one["verdict"] == "ok"
        assert "1 take calls, 2 run jobs" in one["seen"]
        assert f"at {cluster.server.address}" in one["seen"]
    assert of_database["seen"].count("lease") == 3
    for worker in cluster.workers:
        worker.kill()
    cluster.submit(Wire.state(16), "waits")
    while True:
        (first, *_) = [one for one in doctor(cluster) if one["check"] == "members"]
        if first["verdict"] == "failed":
            break
        assert time.monotonic() < until
    assert "1 jobs wait, and nobody runs jobs" in first["seen"]
    assert "basicaer work" in first["remedy"]


def test_what_was_accepted_outlives_the_database(cluster: Cluster) -> None:
    ids = [cluster.submit(Wire.bell(), f"before {number}") for number in range(5)]
    # Read by its parts, so a worker has to run it.
    state = cluster.submit(Wire.state(16), "state")
    endless = cluster.submit(Wire.endless(), "endless")
    events = cluster.statuses(endless)
    attempt(events, 1)
    cluster.database.stop(signal.SIGQUIT)
    cluster.database.start()
    for number in itertools.count():
        with contextlib.suppress(Exception):
            ids.append(cluster.submit(Wire.bell(), "after"))
            break
        assert number < 100
        time.sleep(0.1)
    assert cluster.submit(Wire.bell(), "before 0") == ids[0]
    for job_id in (*ids, state):
        assert list(cluster.statuses(job_id))[-1].status.status == DONE
    cluster.stub.CancelJob(job_service_pb2.CancelJobRequest(job_id=endless), timeout=60)
    assert list(events)[-1].status.status == CANCELLED
    # One whose lease has ended meanwhile is there twice, until that is taken up.
    until = time.monotonic() + 60
    while (found := cluster.members()) != [(0, True), (1, False), (1, False)]:
        assert time.monotonic() < until, found
        time.sleep(0.1)
    for part in (cluster.server, *cluster.workers):
        part.signal(signal.SIGTERM)
        assert part.wait() == 0
