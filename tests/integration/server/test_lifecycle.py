"""A server's beginning and end: its first line, its port and directory, drain, crash, and start again."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from basicaer.client import BasicAerProvider
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import BELL, LONG, Wire

DONE = job_pb2.JOB_STATUS_DONE
QUEUED = job_pb2.JOB_STATUS_QUEUED


def _serve(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "basicaer.service.cli", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_first_line_tells_the_port(start_server: StartServer) -> None:
    server = start_server()
    assert server.first_line == f"listening on 127.0.0.1:{server.port}\n"
    assert server.port != 0
    with server.stub() as stub:
        assert stub.GetServerInfo(pb.GetServerInfoRequest()).version


def test_a_port_that_is_taken_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    done = _serve("--listen", server.address, "--data-dir", str(tmp_path / "other"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert [
        line for line in done.stderr.splitlines() if line.startswith("error: ")
    ] == done.stderr.splitlines()
    assert server.address in done.stderr


def test_a_directory_that_is_taken_is_refused(server: ServerProcess) -> None:
    done = _serve("--listen", "127.0.0.1:0", "--data-dir", str(server.data_dir))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "0"),
        ("--max-memory-bytes", "much"),
        ("--drain-grace", "none"),
        ("--listen", "nowhere"),
        ("--listen", "127.0.0.1:http"),
        ("--no-such-option",),
    ],
)
def test_wrong_settings_are_told_in_one_line(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = _serve("--data-dir", str(tmp_path), *options)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_settings_come_from_the_environment(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASICAER_MAX_SHOTS", "77")
    monkeypatch.setenv("BASICAER_RESULT_RETENTION", "none")
    monkeypatch.setenv("BASICAER_MAX_MEMORY_BYTES", "512MiB")
    with start_server().stub() as stub:
        limits = stub.GetServerInfo(pb.GetServerInfoRequest()).limits
    assert limits.max_shots == 77
    assert not limits.HasField("result_retention")
    assert limits.max_memory_bytes == 512 << 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once(start_server: StartServer, number: signal.Signals) -> None:
    server = start_server()
    server.signal(number)
    assert server.wait() == 0


def test_drain_lets_running_jobs_end_and_keeps_queued_ones(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--workers", "1", "--drain-grace", "60s")
    with server.channel() as channel, server.stub() as stub:
        running = wire.submit(stub, wire.endless())
        wire.wait_running(stub, running.job_id)
        queued = wire.submit(stub, wire.bell())
        watch = stub.WatchJob(pb.WatchJobRequest(job_id=queued.job_id))
        assert next(watch).job.status == QUEUED
        health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(health).status == health_pb2.HealthCheckResponse.SERVING
        server.signal(signal.SIGTERM)
        assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
        # The job that runs is seen to its end: here, to its cancellation. Then the server ends too.
        stub.CancelJob(pb.CancelJobRequest(job_id=running.job_id))
        # A watch of the other ends with OK, which tells its reader to come back.
        assert "DONE" not in wire.statuses(list(watch))
    assert server.wait() == 0
    with start_server().stub() as stub:
        assert wire.wait_final(stub, queued.job_id).status == DONE
        job = stub.GetJob(pb.GetJobRequest(job_id=running.job_id)).job
        assert job.status == job_pb2.JOB_STATUS_CANCELLED


def test_drain_interrupts_what_takes_too_long(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--drain-grace", "100ms")
    with server.stub() as stub:
        job = wire.submit(stub, wire.endless())
        wire.wait_running(stub, job.job_id)
        stream = stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id))
        next(stream)
        server.signal(signal.SIGTERM)
        assert not {"DONE", "ERROR", "CANCELLED"} & set(wire.statuses(list(stream)))
    assert server.wait() == 0
    with start_server().stub() as stub:
        again = wire.wait_running(stub, job.job_id)
        assert again.attempt == 2
        stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


def test_a_second_signal_ends_at_once(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--drain-grace", "600s")
    with server.stub() as stub:
        job = wire.submit(stub, wire.endless())
        wire.wait_running(stub, job.job_id)
        server.signal(signal.SIGTERM)
        # It has begun to drain once its health says so.
        with server.channel() as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            while next(watch).status == health_pb2.HealthCheckResponse.SERVING:
                pass
        server.signal(signal.SIGTERM)
        assert server.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("busy", [True, False])
def test_no_parser_process_outlives_a_server_that_is_killed(
    start_server: StartServer, wire: Wire, busy: bool
) -> None:
    server = start_server()
    with server.stub() as stub:
        wire.submit(stub, wire.qasm(BELL + "// " + "x" * 100_000))
        assert server.parsers()
        if busy:
            call = stub.SubmitJob.future(pb.SubmitJobRequest(spec=wire.qasm(LONG)))
            wire.wait_parsing(server)
        server.kill()
        wire.until(lambda: not server.parsers())
        if busy:
            assert call.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("busy", [True, False])
def test_ctrl_c_is_for_the_server_and_not_for_its_parsers(
    start_server: StartServer, wire: Wire, busy: bool
) -> None:
    server = start_server("--drain-grace", "0")
    with server.stub() as stub:
        wire.submit(stub, wire.qasm(BELL + "// " + "x" * 100_000))
        (process,) = server.parsers()
        # Not in the group that the terminal tells.
        assert os.getpgid(process) != os.getpgid(server.process.pid)
        if busy:
            call = stub.SubmitJob.future(pb.SubmitJobRequest(spec=wire.qasm(LONG)))
            wire.wait_parsing(server)
        for number in (process, server.process.pid):
            os.kill(number, signal.SIGINT)
        assert server.wait() == 0
        if busy:
            assert call.code() == grpc.StatusCode.UNAVAILABLE
    assert server.parsers() == []
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "WARNING" not in log


THREADS = """
import threading
from pathlib import Path
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_pb2

executor = ThreadExecutor(Config(data_dir=Path("unused")))
text = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; {} q[0]; measure q -> c;'

def prepare(gate):
    program = job_pb2.Program(openqasm2=text.format(gate))
    executor.prepare(job_pb2.JobSpec(backend_name="qasm_simulator", programs=[program]))

for action in [executor.warm_up, *(lambda gate=gate: prepare(gate) for gate in "xyzhst" * 10)]:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()
"""


def test_the_thread_that_warmed_the_parser_may_end() -> None:
    """Qiskit's native part crashes the process when the thread that loaded it has ended."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_acknowledged_survives_a_crash(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--workers", "1")
    with server.stub() as stub:
        done = wire.run(stub, wire.bell(seed_simulator=1))
        state = wire.run(stub, wire.state(17))[0].job.job_id
        running = wire.submit(stub, wire.endless())
        wire.wait_running(stub, running.job_id)
        queued = wire.submit(stub, wire.bell(seed_simulator=1))
        server.kill()
    with start_server("--workers", "1").stub() as stub:
        assert wire.wait_running(stub, running.job_id).attempt == 2
        assert stub.GetJob(pb.GetJobRequest(job_id=queued.job_id)).job.status == QUEUED
        stub.CancelJob(pb.CancelJobRequest(job_id=running.job_id))
        assert wire.wait_final(stub, queued.job_id).status == DONE
        assert stub.GetJob(pb.GetJobRequest(job_id=done[0].job.job_id)).job.status == DONE
        events = list(stub.WatchJob(pb.WatchJobRequest(job_id=running.job_id, after_sequence=0)))
        # RUNNING, then the crash, then all over again.
        assert wire.statuses(events)[:3] == ["QUEUED", "RUNNING", "QUEUED"]
        sequences = [message.event.sequence for message in events if message.event.HasField("status")]
        assert sequences == list(range(1, len(sequences) + 1))
        chunks = stub.ReadResult(pb.ReadResultRequest(job_id=state, part="0/statevector"))
        assert sum(len(message.chunk.data) for message in chunks) == 16 << 17
        again = wire.run(stub, wire.bell(seed_simulator=1))
        assert again[-1].result.programs[0].counts == done[-1].result.programs[0].counts


def test_a_rolling_restart_loses_no_call(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--drain-grace", "200ms")
    results: list[int] = []
    restarted = threading.Event()
    failures: list[BaseException] = []

    def call() -> None:
        try:
            with BasicAerProvider(server.address, timeout=110) as provider:
                backend = provider.get_backend("qasm_simulator")
                while not restarted.is_set():
                    results.append(backend.run(BELL, shots=100).result(timeout=110).get_counts().shots())
                results.append(backend.run(BELL, shots=100).result(timeout=110).get_counts().shots())
        except BaseException as error:
            failures.append(error)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    current = server
    for _ in range(2):
        assert current.stop() == 0
        current = start_server("--drain-grace", "200ms", listen=server.address)
    restarted.set()
    for caller in callers:
        caller.join(110)
    assert not failures
    assert len(results) >= len(callers)
    assert set(results) == {100}


def test_a_draining_server_takes_no_new_jobs(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--workers", "1", "--drain-grace", "60s")
    with server.channel() as channel, server.stub() as stub:
        running = wire.submit(stub, wire.endless())
        wire.wait_running(stub, running.job_id)
        health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(health).status == health_pb2.HealthCheckResponse.SERVING
        server.signal(signal.SIGTERM)
        assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with wire.fails() as failure:
            while True:
                wire.submit(stub, wire.bell())
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert failure.retry_after
        stub.CancelJob(pb.CancelJobRequest(job_id=running.job_id))
    assert server.wait() == 0


def test_a_full_disk_refuses_new_jobs_and_harms_no_old_ones(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--workers", "1")
    with server.stub() as stub:
        done = wire.run(stub, wire.bell(seed_simulator=1))
        running = wire.submit(stub, wire.endless())
        wire.wait_running(stub, running.job_id)
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        # No file may grow any more; the small ones are the lock and the log's index.
        largest = max(path.stat().st_size for path in server.data_dir.glob("jobs.sqlite3-wal"))
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (largest, hard))
        with wire.fails() as failure:
            while True:
                wire.submit(stub, wire.bell())
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_BUSY")
        assert failure.retry_after
        chunks = list(stub.ReadResult(pb.ReadResultRequest(job_id=done[0].job.job_id)))
        assert chunks[-1].chunk.data
        assert wire.wait_running(stub, running.job_id).attempt == 1
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        stub.CancelJob(pb.CancelJobRequest(job_id=running.job_id))
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
    assert server.stop() == 0


def test_a_backup_of_a_running_server_can_be_brought_back(
    start_server: StartServer, wire: Wire, tmp_path: Path
) -> None:
    """As docs/operations.md tells: the database by its own means first, then the files."""
    server = start_server("--workers", "1")
    backup = tmp_path / "backup"
    backup.mkdir()
    with server.stub() as stub:
        state = wire.run(stub, wire.state(17))[0].job.job_id
        running = wire.submit(stub, wire.endless())
        wire.wait_running(stub, running.job_id)
        connection = sqlite3.connect(server.data_dir / "jobs.sqlite3")
        connection.execute("VACUUM INTO ?", (str(backup / "jobs.sqlite3"),))
        connection.close()
        shutil.copytree(server.data_dir / "results", backup / "results")
    with start_server("--workers", "1", data_dir=backup).stub() as stub:
        chunks = stub.ReadResult(pb.ReadResultRequest(job_id=state, part="0/statevector"))
        assert sum(len(message.chunk.data) for message in chunks) == 16 << 17
        wire.wait_running(stub, running.job_id)
        stub.CancelJob(pb.CancelJobRequest(job_id=running.job_id))
