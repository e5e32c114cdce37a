"""Jobs on the nodes of a Ray cluster: the same results, and what is seen when a process or a node dies."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

from tests.cluster.ray import MEMORY, RayCluster
from tests.conftest import ServerProcess
from tests.integration.conftest import Wire
from tests.integration.nodes.services import Service, read, serving
from tests.postgresql import PostgreSQL

CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE
RAY_CHECKS = ("Ray version", "Ray token", "Ray", "Ray nodes")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def service(nodes: RayCluster, new_postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Service]:
    yield from serving(nodes, new_postgresql.base_url, tmp_path)


def counts(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> list[result_pb2.Counts]:
    return [program.counts for program in result_pb2.Result.FromString(read(stub, job_id)).programs]


def test_the_same_results_as_in_one_process(service: Service, server: ServerProcess, wire: Wire) -> None:
    specs = [wire.state(17), wire.qasm(shots=1000, seed_simulator=7, memory=True)]
    ids = [service.submit(spec) for spec in specs]
    with server.stub() as stub:
        own = [wire.submit(stub, spec).job_id for spec in specs]
        for job_id, its in zip(ids, own, strict=True):
            assert list(service.watch(job_id))[-1].status.status == DONE
            assert wire.wait_final(stub, its).status == DONE
            assert counts(service.stub, job_id) == counts(stub, its)
        part = "0/statevector"
        assert read(service.stub, ids[0], part) == read(stub, own[0], part)
    # It stops in order.
    service.worker.signal(signal.SIGTERM)
    assert service.worker.wait() == 0


def test_cancelled_killed_and_on_a_node_that_is_gone(service: Service, wire: Wire) -> None:
    job_id = service.submit(wire.endless())

    def attempts() -> int:
        return service.stub.GetJob(job_service_pb2.GetJobRequest(job_id=job_id), timeout=60).job.attempt

    def killed_until(attempt: int) -> bool:
        """Kill whatever simulates, or is about to; whether an attempt after that has begun."""
        for process in service.nodes.simulators():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return attempts() >= attempt

    wire.until(attempts)
    wire.until(lambda: killed_until(2))
    service.nodes.kill_node()
    # It may have run on the other one.
    before = attempts()
    wire.until(lambda: killed_until(before + 1))
    service.cancel(job_id)
    told = [event for event in service.watch(job_id) if event.WhichOneof("kind") == "status"]
    assert told[-1].status.status == CANCELLED
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))
    service.nodes.add_node()


def test_who_asks_is_told_of_the_nodes(service: Service, wire: Wire) -> None:
    warm = 512 * 1024**2

    def seen() -> list[tuple[int, int, int, int]]:
        return sorted(
            (its.warm_processes, its.running_jobs, its.reserved_bytes, its.cpus)
            for its in service.there()
            if not its.gone
        )

    # One process is kept warm on each; small jobs run in it.
    wire.until(lambda: seen() == [(1, 0, warm, 2)] * 2, 200.0)
    assert {its.memory_bytes for its in service.there() if not its.gone} == {MEMORY}
    assert all(its.name and its.address for its in service.there())
    small = service.submit(wire.endless())
    wire.until(lambda: seen() == [(1, 0, warm, 2), (1, 1, warm, 2)])
    address = service.server.address
    command = [sys.executable, "-m", "basicaer.service.cli", "info", "--server", address]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "2 CPUs  1 running, 1 processes kept warm  512.0 MiB of 1.5 GiB set aside" in told, told
    service.cancel(small)
    wire.until(lambda: seen() == [(1, 0, warm, 2)] * 2)
    # A large one has a process of its own, and its memory.
    large = service.submit(wire.endless(24, method=job_pb2.SIMULATION_METHOD_STATEVECTOR))
    wire.until(lambda: [its[:2] for its in seen()] == [(1, 0), (1, 1)])
    assert seen()[1][2] > warm + 2 * 256 * 1024**2
    service.cancel(large)
    wire.until(lambda: seen() == [(1, 0, warm, 2)] * 2)
    # One that has left is told of, with nothing on it.
    before = sum(its.gone for its in service.there())
    service.nodes.kill_node()
    wire.until(lambda: sum(its.gone for its in service.there()) == before + 1)
    gone = [its for its in service.there() if its.gone][-1]
    assert (gone.cpus, gone.memory_bytes, gone.reserved_bytes, gone.warm_processes) == (0, 0, 0, 0)
    service.nodes.add_node()


def refusal(executor: str, environment: Mapping[str, str], role: str = "work") -> str:
    command = [sys.executable, "-m", "basicaer.service.cli", role, "--database", "postgresql://nowhere/"]
    done = subprocess.run(
        command,
        env={**environment, "BASICAER_EXECUTOR": executor},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def doctor(executor: str, environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What doctor says of Ray, by check."""
    command = [sys.executable, "-m", "basicaer.service.cli", "doctor", "--executor", executor, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert "Traceback" not in done.stderr
    return {one["check"]: one for one in json.loads(done.stdout)["checks"]}


def test_what_is_not_used(nodes: RayCluster, tmp_path: Path) -> None:
    without = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    assert "RAY_AUTH_MODE=token" in refusal(nodes.url, without)
    assert "ray://HOST:PORT" in refusal("127.0.0.1:1", nodes.environment)
    assert "basicaer work" in refusal(nodes.url, nodes.environment, "serve")
    wrong = tmp_path / "token"
    wrong.touch(0o600)
    wrong.write_text("0" * 64)
    assert "another one's" in refusal(nodes.url, {**nodes.environment, "RAY_AUTH_TOKEN_PATH": str(wrong)})
    sound = doctor(nodes.url, nodes.environment)
    assert [sound[check]["verdict"] for check in RAY_CHECKS] == ["ok"] * 4, sound
    refused = doctor(nodes.url, {**nodes.environment, "RAY_AUTH_TOKEN_PATH": str(wrong)})["Ray"]
    assert refused["verdict"] == "failed"
    assert "RAY_AUTH_TOKEN_PATH" in refused["remedy"], refused
    with RayCluster(nodes=1, token=False) as unsafe:
        assert "without RAY_AUTH_MODE=token" in refusal(unsafe.url, unsafe.environment)
        assert "without a token" in doctor(unsafe.url, unsafe.environment)["Ray nodes"]["seen"]
