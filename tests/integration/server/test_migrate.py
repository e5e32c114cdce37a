"""From one machine to a database: what callers had goes on, also when the move is killed on its way."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from basicaer.v1 import job_pb2, job_service_pb2

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire
from tests.postgresql import PostgreSQL

JOBS = 300
LABELS = {"of": "old"}


def migrate(source: Path, url: str, *arguments: str, errors: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "basicaer.service.cli", "migrate", "--data-dir", str(source)]
    return subprocess.Popen(
        [*command, "--database", url, *arguments],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("BASICAER_")},
    )


def read_terminal(terminal: int, shown: list[bytes]) -> None:
    # It ends by an error when the other side is closed.
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 4096):
            shown.append(data)
    os.close(terminal)


def state(number: int) -> job_pb2.JobSpec:
    """A job whose result lies in a file."""
    spec = Wire.qasm(f'OPENQASM 2.0; include "qelib1.inc"; qreg q[16]; rx({number}) q[3]; h q;')
    spec.backend_name = "statevector_simulator"
    return spec


def submit(server: ServerProcess, spec: job_pb2.JobSpec, request_id: str) -> Any:
    with server.stub() as stub:
        request = job_service_pb2.SubmitJobRequest(spec=spec, request_id=request_id)
        return stub.SubmitJob(request, timeout=60)


def everything(server: ServerProcess, job_ids: list[str]) -> list[bytes]:
    """All that callers see of jobs that are done: their events, and their results' bytes."""
    told = []
    with server.stub() as stub:
        for job_id in job_ids:
            watch = stub.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job_id, after_sequence=0), timeout=100
            )
            told += [message.event.SerializeToString(deterministic=True) for message in watch]
            parts = stub.ReadResult(job_service_pb2.ReadResultRequest(job_id=job_id), timeout=100)
            told += [message.chunk.data for message in parts]
            if job_id in job_ids[:10]:
                request = job_service_pb2.ReadResultRequest(job_id=job_id, part="0/statevector")
                told += [message.chunk.data for message in stub.ReadResult(request, timeout=100)]
    return told


def test_a_move_that_is_killed_is_begun_again(
    start_server: StartServer, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    source, url = tmp_path / "old", postgresql.url(tmp_path)
    schema = url.rpartition("=")[2]
    server = start_server(data_dir=source)
    job_ids = [submit(server, state(number), f"state {number}").job.job_id for number in range(10)]
    for number in range(JOBS):
        spec = Wire.bell()
        spec.labels.update(LABELS)
        job_ids.append(submit(server, spec, f"{number}").job.job_id)
    before = everything(server, job_ids)
    running = submit(server, Wire.endless(), "endless").job.job_id
    # A server that uses it stands in the way.
    refused = migrate(source, url)
    assert "Another server" in refused.communicate()[1]
    assert refused.returncode == 1
    server.kill()

    for least in (1, 150):
        moving = migrate(source, url)
        while moving.poll() is None:
            there = postgresql.run(f"SELECT to_regclass('{schema}.jobs') IS NOT NULL")
            if there == "t" and int(postgresql.run(f"SELECT count(*) FROM {schema}.jobs")) >= least:
                break
            time.sleep(0.005)
        moving.kill()
        moving.communicate()
    # On a terminal it shows how far it is, and nothing of that stays.
    terminal, its_end = pty.openpty()
    shown: list[bytes] = []
    reading = threading.Thread(target=read_terminal, args=(terminal, shown))
    reading.start()
    output, _ = migrate(source, url, "--json", errors=its_end).communicate()
    os.close(its_end)
    reading.join()
    lines = b"".join(shown).decode().split("\r")
    assert f"migrate  {'#' * 30} 100% of {len(job_ids) + 1} jobs" in lines
    assert lines[-2:] == [" " * len(lines[-3]), ""]
    told = json.loads(output)
    assert told["moved"] + told["there"] == len(job_ids) + 1
    assert (told["skipped"], told["tokens"]) == ([], 0)

    server = start_server("--database", url, data_dir=tmp_path / "new")
    assert everything(server, job_ids) == before
    again = submit(server, Wire.endless(), "endless")
    assert (again.duplicate, again.job.job_id) == (True, running)
    with server.stub() as stub:
        listed = stub.ListJobs(job_service_pb2.ListJobsRequest(labels=LABELS, page_size=1000), timeout=60)
        assert len(listed.jobs) == JOBS
        # What ran when its server was killed runs here.
        watch = stub.WatchJob(job_service_pb2.WatchJobRequest(job_id=running, after_sequence=0), timeout=100)
        events = (message.event for message in watch)
        attempts = (event.status.attempt for event in events if event.WhichOneof("kind") == "status")
        assert next(attempt for attempt in attempts if attempt == 2) == 2
        stub.CancelJob(job_service_pb2.CancelJobRequest(job_id=running), timeout=60)
    assert server.stop() == 0
