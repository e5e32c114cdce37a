"""Metrics as Prometheus reads them, after calls whose numbers are known."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire
from tests.integration.telemetry.conftest import Scrape, metrics_address, scrape_counted, until


@pytest.fixture
def server(start_server: StartServer) -> ServerProcess:
    return start_server("--metrics-listen", "127.0.0.1:0", "--workers", "1", "--max-queued-jobs", "1")


def test_calls_and_jobs_are_counted(server: ServerProcess, wire: Wire) -> None:
    address = metrics_address(server)
    before = Scrape(address)
    assert before.value("basicaer_serving") == 1
    assert before.value("basicaer_workers") == 1
    assert before.value("basicaer_submissions_total", outcome="accepted") == 0
    with server.stub() as stub:
        first = wire.run(stub, wire.bell(shots=10), "once")[0].job
        wire.run(stub, wire.bell(shots=10), "once")
        stub.SubmitJob(pb.SubmitJobRequest(spec=wire.bell(), validate_only=True))
        with wire.fails() as failure:
            wire.submit(stub, wire.qasm("nonsense"))
        assert failure.reason == "PROGRAM_INVALID"
        read = list(stub.ReadResult(pb.ReadResultRequest(job_id=first.job_id)))
        with wire.fails():
            stub.GetJob(pb.GetJobRequest(job_id="none"))
    calls = {
        ("RunJob", "OK"): 2,
        ("SubmitJob", "OK"): 1,
        ("SubmitJob", "INVALID_ARGUMENT"): 1,
        ("GetJob", "NOT_FOUND"): 1,
        ("ReadResult", "OK"): 1,
    }
    found = scrape_counted(address, calls)
    assert found.value("basicaer_submissions_total", outcome="accepted") == 1
    assert found.value("basicaer_submissions_total", outcome="duplicate") == 1
    assert found.value("basicaer_submissions_total", outcome="validated") == 1
    assert found.value("basicaer_submissions_total", outcome="program_invalid") == 1
    assert found.value("basicaer_jobs_finished_total", status="DONE") == 1
    assert found.value("basicaer_job_run_seconds_count") == 1
    assert found.value("basicaer_job_run_seconds_sum") > 0
    assert found.value("basicaer_job_wait_seconds_count") == 1
    size = sum(len(message.chunk.data) for message in read)
    assert found.value("basicaer_result_bytes_total") == size
    assert found.value("basicaer_result_read_bytes_total") == size
    assert found.value("basicaer_rpc_seconds_count", method="RunJob") == 2
    commits = found.value("basicaer_store_commit_seconds_count")
    assert commits >= 1
    assert found.value("basicaer_store_group_writes_count") == commits
    assert found.value("basicaer_store_failed_writes_total") == 0


def test_gauges_tell_how_things_stand(server: ServerProcess, wire: Wire) -> None:
    address = metrics_address(server)
    with server.stub() as stub:
        running = wire.submit(stub, wire.endless())
        required = wire.wait_running(stub, running.job_id).required_bytes
        waiting = wire.submit(stub, wire.endless())
        watch = stub.WatchJob(pb.WatchJobRequest(job_id=waiting.job_id))
        next(watch)
        with wire.fails() as failure:
            wire.submit(stub, wire.endless())
        assert failure.reason == "QUEUE_FULL"
        found = Scrape(address)
        assert found.value("basicaer_running_jobs") == 1
        assert found.value("basicaer_queued_jobs") == 1
        assert found.value("basicaer_max_queued_jobs") == 1
        assert found.value("basicaer_watchers") == 1
        assert found.value("basicaer_admitted_bytes") == required > 0
        assert found.value("basicaer_memory_budget_bytes") > required
        assert found.value("basicaer_submissions_total", outcome="queue_full") == 1
        watch.cancel()
        for job in (waiting, running):
            stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
            wire.wait_final(stub, job.job_id)
    until(lambda: Scrape(address).value("basicaer_watchers") == 0)
    found = scrape_counted(address, {("WatchJob", "CANCELLED"): 1})
    assert found.value("basicaer_running_jobs") == 0
    assert found.value("basicaer_admitted_bytes") == 0
    assert found.value("basicaer_jobs_finished_total", status="CANCELLED") == 2
    assert found.value("basicaer_job_wait_seconds_count") == 1


def test_refusals_of_access_are_counted(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--metrics-listen", "127.0.0.1:0", "--auth", "token")
    with server.stub() as stub:
        with wire.fails() as failure:
            stub.GetServerInfo(pb.GetServerInfoRequest())
        assert failure.code is grpc.StatusCode.UNAUTHENTICATED
        with wire.fails():
            stub.GetServerInfo(
                pb.GetServerInfoRequest(), metadata=(("authorization", "Bearer basicaer_a_b"),)
            )
    found = scrape_counted(metrics_address(server), {("GetServerInfo", "UNAUTHENTICATED"): 2})
    assert found.value("basicaer_access_refusals_total", cause="missing") == 1
    assert found.value("basicaer_access_refusals_total", cause="unknown") == 1


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "basicaer.service.cli", "serve", "--listen", "127.0.0.1:0"]
        command += ["--data-dir", str(tmp_path / "data"), "--metrics-listen", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: can't serve metrics on {address}")
