"""A server over PostgreSQL: what callers see when either of them dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import grpc
import numpy as np
import pytest
from basicaer.client import BasicAerProvider, Circuit, ResultTooLargeError
from basicaer.client._wire_errors import error_from_rpc
from basicaer.service.config import Config
from basicaer.service.doctor import Finding, Verdict, _database
from basicaer.service.store.postgresql._tables import REVISIONS
from basicaer.v1 import job_pb2, job_service_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import Wire
from tests.postgresql import PostgreSQL
from tests.s3 import S3Server


def submit(
    server: ServerProcess, spec: job_pb2.JobSpec, request_id: str
) -> job_service_pb2.SubmitJobResponse:
    with server.stub() as stub:
        request = job_service_pb2.SubmitJobRequest(spec=spec, request_id=request_id)
        return stub.SubmitJob(request, timeout=60)


def until_health(server: ServerProcess, *wanted: health_pb2.HealthCheckResponse.ServingStatus) -> None:
    """Waits until the server's health was each of these, one after the other."""
    with server.channel() as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        left = list(wanted)
        for answer in watch:
            if answer.status == left[0]:
                left.pop(0)
            if not left:
                watch.cancel()
                return


def test_a_killed_servers_jobs_are_the_next_ones(
    start_server: StartServer, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    url = postgresql.url(tmp_path)
    server = start_server("--database", url, "--lease-time", "2")
    answers = [submit(server, Wire.bell(), f"{number}") for number in range(20)]
    endless = submit(server, Wire.endless(), "endless")
    server.kill()
    server = start_server("--database", url, data_dir=tmp_path / "other")
    with server.stub() as stub:
        for number, answer in enumerate(answers):
            again = submit(server, Wire.bell(), f"{number}")
            assert (again.duplicate, again.job.job_id) == (True, answer.job.job_id)
            events = list(
                stub.WatchJob(job_service_pb2.WatchJobRequest(job_id=answer.job.job_id, after_sequence=0))
            )
            assert events[-1].event.status.status == job_pb2.JOB_STATUS_DONE
        cancel = job_service_pb2.CancelJobRequest(job_id=endless.job.job_id)
        assert stub.CancelJob(cancel, timeout=60).job.cancel_requested
    assert server.stop() == 0


def test_two_servers_are_one_service(
    start_server: StartServer, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    url = postgresql.url(tmp_path)
    options = ("--database", url, "--lease-time", "2")
    first = start_server(*options, data_dir=tmp_path / "a")
    endless = submit(first, Wire.endless(), "endless").job.job_id
    second = start_server(*options, "--no-run-jobs", data_dir=tmp_path / "b")
    answer = submit(first, Wire.bell(), "one")
    assert submit(second, Wire.bell(), "one").job.job_id == answer.job.job_id
    with second.stub() as stub:
        request = job_service_pb2.WatchJobRequest(job_id=endless, after_sequence=0)
        events = (message.event for message in stub.WatchJob(request, timeout=100))
        attempts = (event.status.attempt for event in events if event.WhichOneof("kind") == "status")
        assert next(attempt for attempt in attempts if attempt) == 1
        first.kill()
        third = start_server(*options, data_dir=tmp_path / "c")
        assert next(attempt for attempt in attempts if attempt == 2)
        cancel = job_service_pb2.CancelJobRequest(job_id=endless)
        assert stub.CancelJob(cancel, timeout=60).job.cancel_requested
        # To the stream's end.
        assert set(attempts) == {2}
    assert third.stop() == 0
    assert second.stop() == 0


def test_a_database_that_is_away(start_server: StartServer, new_postgresql: PostgreSQL, wire: Wire) -> None:
    server = start_server("--database", new_postgresql.base_url)
    before = submit(server, Wire.bell(), "before")
    watched = submit(server, Wire.endless(), "watched")
    with server.stub() as stub:
        watch = stub.WatchJob(job_service_pb2.WatchJobRequest(job_id=watched.job.job_id), timeout=100)
        assert next(watch).job.job_id == watched.job.job_id
        new_postgresql.stop(signal.SIGQUIT)
        # Nobody has to write for it to be noticed.
        until_health(server, health_pb2.HealthCheckResponse.NOT_SERVING)
        with wire.fails() as failure:
            submit(server, Wire.bell(), "while away")
        assert failure.reason == "STORE_BUSY"
        assert failure.retry_after
        new_postgresql.start()
        until_health(server, health_pb2.HealthCheckResponse.SERVING)
        assert not submit(server, Wire.bell(), "while away").duplicate
        assert submit(server, Wire.bell(), "before").job.job_id == before.job.job_id
        stub.CancelJob(job_service_pb2.CancelJobRequest(job_id=watched.job.job_id), timeout=60)
        # It was open all the time.
        assert list(watch)[-1].event.status.status == job_pb2.JOB_STATUS_CANCELLED
    assert server.stop() == 0


def test_a_large_result(start_server: StartServer, postgresql: PostgreSQL, tmp_path: Path) -> None:
    server = start_server("--database", postgresql.url(tmp_path))
    answer = submit(server, Wire.state(18), uuid.uuid4().hex)
    with server.stub() as stub:
        list(stub.WatchJob(job_service_pb2.WatchJobRequest(job_id=answer.job.job_id, after_sequence=0)))
        request = job_service_pb2.ReadResultRequest(job_id=answer.job.job_id, part="0/statevector")
        data = b"".join(message.chunk.data for message in stub.ReadResult(request, timeout=60))
    assert len(data) == 16 << 18


def test_doctor(start_server: StartServer, postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.url(tmp_path)

    def examine(database: str) -> dict[str, Finding]:
        config = Config(data_dir=tmp_path, database=database)
        return {found.check: found for found in _database.database(config, lambda done, total: None)}

    assert examine(url)["store"].seen == "there is none yet"
    server = start_server("--database", url)
    submit(server, Wire.bell(), "one")
    found = examine(url)
    assert found["database"].verdict is Verdict.OK
    assert found["store"].seen == "1 jobs were compared with their checksums"
    assert found["clocks"].verdict is found["members"].verdict is Verdict.OK
    postgresql.run(f"UPDATE {url.rpartition('=')[2]}.store SET revision = '0001_jobs'")
    assert examine(url)["schema"].verdict is Verdict.WARNING
    postgresql.run(f"UPDATE {url.rpartition('=')[2]}.store SET revision = '{REVISIONS[-1]}'")
    postgresql.run(f"UPDATE {url.rpartition('=')[2]}.jobs SET events = 'x'")
    assert examine(url)["store"].verdict is Verdict.FAILED
    found = examine(f"postgresql://nobody:secret@/jobs?host={tmp_path}")
    assert found["database"].verdict is Verdict.FAILED
    assert "secret" not in str(found)


def test_the_embedded_store_needs_nothing_of_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from basicaer.service.config import Config;"
        " from basicaer.service.main import Service;"
        f" Service(Config(listen='127.0.0.1:0', data_dir=Path({str(tmp_path / 'data')!r})));"
        " sys.exit('asyncpg' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_results_beyond_the_database_need_an_object_store(
    start_server: StartServer, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    server = start_server("--database", postgresql.url(tmp_path))
    large = Wire.qasm('OPENQASM 2.0; include "qelib1.inc"; qreg q[23]; h q;')
    large.backend_name = "statevector_simulator"
    with server.stub() as stub:
        for only in (False, True):
            with pytest.raises(grpc.RpcError) as caught:
                stub.SubmitJob(job_service_pb2.SubmitJobRequest(spec=large, validate_only=only), timeout=60)
            error = error_from_rpc(caught.value)
            assert isinstance(error, ResultTooLargeError)
            assert error.result_bytes == 16 << 23
            assert (error.most_bytes, error.setting) == (64 << 20, "object_store")
            assert "--object-store" in str(error)
        # Of what is asked for, only what is certain counts.
        large.backend_name = "qasm_simulator"
        request = job_service_pb2.SubmitJobRequest(spec=large, validate_only=True)
        assert stub.SubmitJob(request, timeout=60).job.required_bytes


def test_a_result_in_the_object_store_is_read_from_another_server(
    start_server: StartServer, postgresql: PostgreSQL, s3: S3Server, tmp_path: Path
) -> None:
    options = ["--database", postgresql.url(tmp_path), "--object-store", "s3://results/lab"]
    options += ["--object-store-endpoint", s3.endpoint, "--sweep-interval", "0.2"]
    first = start_server(*options, data_dir=tmp_path / "a")
    second = start_server(*options, "--no-run-jobs", data_dir=tmp_path / "b")
    provider = BasicAerProvider(second.address)
    with provider:
        backend = provider.get_backend("statevector_simulator")
        circuit = Circuit(22)
        for qubit in range(3):
            circuit.h(qubit)
        # Beside the state, which the database would take.
        circuit.save_probabilities(range(16))
        job = backend.run(circuit)
        state = job.result(timeout=300).get_statevector()
        assert s3.objects()
        assert np.allclose(state[:8], 8**-0.5)
        assert np.count_nonzero(state) == 8
        with first.stub() as stub:
            stub.DeleteJob(job_service_pb2.DeleteJobRequest(job_id=job.job_id()), timeout=60)
        until = time.monotonic() + 60
        while s3.objects():
            assert time.monotonic() < until
            time.sleep(0.05)
