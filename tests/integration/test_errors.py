"""Every reason that a call can fail for, with its code and its details, from a live server."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from pathlib import Path

import grpc
import pytest
from basicaer.service.jobs import Watch
from basicaer.service.main import Service
from basicaer.v1 import job_pb2, job_service_pb2_grpc
from basicaer.v1 import job_service_pb2 as pb
from grpc._cython.cygrpc import ExecuteBatchError

from tests.conftest import CHANNEL_OPTIONS, ServerProcess, StartServer
from tests.integration.conftest import Wire

Stub = job_service_pb2_grpc.JobServiceStub
Code = grpc.StatusCode
HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'
# 10 levels, each ten times the one below: 10^10 gates in ten lines.
NESTED = (
    HEAD
    + "gate g0 a { x a; }\n"
    + "".join(f"gate g{level} a {{ {f'g{level - 1} a; ' * 10}}}\n" for level in range(1, 11))
    + "g10 q[0];\n"
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "h q[0]\n", "5"),
        (HEAD + "frobnicate q[0];\n", "5"),
        (HEAD + "h q[2];\n", "5"),
        (HEAD + "cx q[0], q[0];\n", "5"),
        (HEAD + "rx(1/0) q[0];\n", "5"),
        (HEAD + "rx(theta) q[0];\n", "5"),
        ("qreg q[", "1"),
    ],
)
def test_a_bad_program_is_refused_with_its_place(stub: Stub, wire: Wire, text: str, line: str) -> None:
    with wire.fails() as failure:
        wire.submit(stub, wire.qasm(text))
    assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, "PROGRAM_INVALID")
    assert failure.metadata is not None
    assert failure.metadata["program_index"] == "0"
    assert failure.metadata["line"] == line
    assert int(failure.metadata["column"]) >= 1
    assert len(failure.fields) == 1
    assert failure.message


def test_a_bad_program_among_good_ones_is_named(stub: Stub, wire: Wire) -> None:
    spec = wire.bell()
    spec.programs.add(openqasm2="nonsense")
    with wire.fails() as failure:
        list(stub.RunJob(pb.RunJobRequest(spec=spec)))
    assert failure.reason == "PROGRAM_INVALID"
    assert failure.metadata is not None
    assert failure.metadata["program_index"] == "1"


@pytest.mark.parametrize("shots", [0, -1, 2**63 - 1])
def test_shots_out_of_range(stub: Stub, wire: Wire, shots: int) -> None:
    with wire.fails() as failure:
        wire.submit(stub, wire.bell(shots=shots))
    assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, "OPTION_INVALID")
    assert failure.fields
    assert "shots" in failure.fields[0]
    assert "shots" in failure.message


def test_a_job_without_programs(stub: Stub, wire: Wire) -> None:
    with wire.fails() as failure:
        wire.submit(stub, job_pb2.JobSpec(backend_name="qasm_simulator"))
    assert failure.code == Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("GetJob", pb.GetJobRequest(job_id="x", wait=Wire.seconds(61))),
        ("GetJob", pb.GetJobRequest(job_id="x", wait=Wire.seconds(-1))),
        ("WatchJob", pb.WatchJobRequest(job_id="x", heartbeat_interval=Wire.seconds(0.01))),
        ("RunJob", pb.RunJobRequest(spec=Wire.bell(), heartbeat_interval=Wire.seconds(0.01))),
        ("SubmitJob", pb.SubmitJobRequest(spec=Wire.bell(), request_id="x" * 129)),
        ("ListJobs", pb.ListJobsRequest(page_size=-1)),
        ("CancelJob", pb.CancelJobRequest(job_id="x", reason="y" * 257)),
        ("ReadResult", pb.ReadResultRequest(job_id="x", chunk_size=4 << 20)),
    ],
)
def test_fields_out_of_range(stub: Stub, wire: Wire, method: str, request_: object) -> None:
    with wire.fails() as failure:
        answer = getattr(stub, method)(request_)
        list(answer) if hasattr(answer, "__next__") else None
    assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, "OPTION_INVALID")
    assert failure.fields
    assert failure.fields[0]


@pytest.mark.parametrize("token", ["garbage", "AAAA", "é" * 50])
def test_a_bad_page_token(stub: Stub, wire: Wire, token: str) -> None:
    with wire.fails() as failure:
        stub.ListJobs(pb.ListJobsRequest(page_token=token))
    assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, "BAD_PAGE_TOKEN")


def test_a_page_token_of_another_filter(stub: Stub, wire: Wire) -> None:
    for _ in range(2):
        wire.run(stub, wire.bell())
    token = stub.ListJobs(pb.ListJobsRequest(page_size=1)).next_page_token
    with wire.fails() as failure:
        stub.ListJobs(pb.ListJobsRequest(page_size=1, page_token=token, backend_name="qasm_simulator"))
    assert failure.reason == "BAD_PAGE_TOKEN"


def test_a_request_id_with_another_body(stub: Stub, wire: Wire) -> None:
    request_id = str(uuid.uuid4())
    job_id = wire.run(stub, wire.bell(shots=10), request_id)[0].job.job_id
    with wire.fails() as failure:
        wire.run(stub, wire.bell(shots=11), request_id)
    assert (failure.code, failure.reason) == (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert failure.metadata is not None
    assert failure.metadata["job_id"] == job_id


@pytest.mark.parametrize("method", ["GetJob", "CancelJob", "DeleteJob", "WatchJob", "ReadResult"])
@pytest.mark.parametrize("job_id", ["", "nobody", "x" * 100_000, "'; drop table jobs; --"])
def test_an_unknown_job(stub: Stub, wire: Wire, method: str, job_id: str) -> None:
    with wire.fails() as failure:
        answer = getattr(stub, method)(getattr(pb, f"{method}Request")(job_id=job_id))
        list(answer) if hasattr(answer, "__next__") else None
    assert (failure.code, failure.reason) == (Code.NOT_FOUND, "JOB_NOT_FOUND")


def test_an_unknown_backend(stub: Stub, wire: Wire) -> None:
    spec = wire.bell()
    spec.backend_name = "qasm"
    with wire.fails() as failure:
        wire.submit(stub, spec)
    assert (failure.code, failure.reason) == (Code.NOT_FOUND, "BACKEND_NOT_FOUND")
    assert failure.metadata is not None
    assert "qasm_simulator" in failure.metadata["available"]


def test_an_unknown_part_and_a_stale_etag_and_an_offset_past_the_end(stub: Stub, wire: Wire) -> None:
    job_id = wire.run(stub, wire.bell())[0].job.job_id
    with wire.fails() as failure:
        list(stub.ReadResult(pb.ReadResultRequest(job_id=job_id, part="0/unitary")))
    assert (failure.code, failure.reason) == (Code.NOT_FOUND, "PART_NOT_FOUND")
    with wire.fails() as failure:
        list(stub.ReadResult(pb.ReadResultRequest(job_id=job_id, etag="stale")))
    assert (failure.code, failure.reason) == (Code.FAILED_PRECONDITION, "ETAG_MISMATCH")
    with wire.fails() as failure:
        list(stub.ReadResult(pb.ReadResultRequest(job_id=job_id, read_offset=10**6)))
    assert (failure.code, failure.reason) == (Code.OUT_OF_RANGE, "READ_OFFSET_OUT_OF_RANGE")


def test_a_running_job_has_no_result_and_is_not_deleted(stub: Stub, wire: Wire) -> None:
    job = wire.submit(stub, wire.endless())
    wire.wait_running(stub, job.job_id)
    with wire.fails() as failure:
        list(stub.ReadResult(pb.ReadResultRequest(job_id=job.job_id)))
    assert (failure.code, failure.reason) == (Code.FAILED_PRECONDITION, "RESULT_NOT_READY")
    with wire.fails() as failure:
        stub.DeleteJob(pb.DeleteJobRequest(job_id=job.job_id))
    assert (failure.code, failure.reason) == (Code.FAILED_PRECONDITION, "JOB_NOT_FINAL")
    stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    wire.wait_final(stub, job.job_id)
    with wire.fails() as failure:
        list(stub.ReadResult(pb.ReadResultRequest(job_id=job.job_id)))
    assert (failure.code, failure.reason) == (Code.FAILED_PRECONDITION, "RESULT_UNAVAILABLE")


def test_a_cursor_that_was_never_reached(stub: Stub, wire: Wire) -> None:
    job_id = wire.run(stub, wire.bell())[0].job.job_id
    with wire.fails() as failure:
        list(stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_sequence=2**63)))
    assert (failure.code, failure.reason) == (Code.OUT_OF_RANGE, "EVENTS_COMPACTED")


def test_a_job_that_can_never_fit(stub: Stub, wire: Wire) -> None:
    spec = wire.state(10)
    spec.programs[0].circuit.num_qubits = 10_000
    with wire.fails() as failure:
        wire.submit(stub, spec)
    assert (failure.code, failure.reason) == (Code.RESOURCE_EXHAUSTED, "JOB_EXCEEDS_MEMORY")
    assert failure.metadata is not None
    assert failure.metadata["required_bytes"]
    assert int(failure.metadata["available_bytes"]) > 0
    assert failure.details_size < 4096


def test_a_program_that_expands_without_end(stub: Stub, wire: Wire) -> None:
    with wire.fails() as failure:
        wire.submit(stub, wire.qasm(NESTED))
    assert (failure.code, failure.reason) == (Code.RESOURCE_EXHAUSTED, "PROGRAM_TOO_LARGE")


def test_a_full_queue(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--workers", "1", "--max-queued-jobs", "1")
    with server.stub() as stub:
        running = wire.submit(stub, wire.endless())
        wire.wait_running(stub, running.job_id)
        waiting = wire.submit(stub, wire.endless())
        assert waiting.status == job_pb2.JOB_STATUS_QUEUED
        with wire.fails() as failure:
            wire.submit(stub, wire.bell())
        assert (failure.code, failure.reason) == (Code.RESOURCE_EXHAUSTED, "QUEUE_FULL")
        assert failure.retry_after is not None
        assert failure.retry_after > 0
        for job in (waiting, running):
            stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
        wire.wait_final(stub, running.job_id)
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"


def test_an_expired_result(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--result-retention", "0s", "--sweep-interval", "50ms")
    with server.stub() as stub:
        job = wire.submit(stub, wire.bell())
        wire.wait_final(stub, job.job_id)
        with wire.fails() as failure:
            list(stub.ReadResult(pb.ReadResultRequest(job_id=job.job_id)))
        assert (failure.code, failure.reason) == (Code.FAILED_PRECONDITION, "RESULT_EXPIRED")


def test_a_damaged_result_file(start_server: StartServer, wire: Wire, tmp_path: Path) -> None:
    server = start_server()
    with server.stub() as stub:
        job_id = wire.run(stub, wire.state(17))[0].job.job_id
        (file,) = (path for path in (tmp_path / "data" / "results").iterdir() if path.is_file())
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        with wire.fails() as failure:
            list(stub.ReadResult(pb.ReadResultRequest(job_id=job_id, part="0/statevector")))
        assert (failure.code, failure.reason) == (Code.DATA_LOSS, "CHECKSUM_MISMATCH")


def test_a_store_that_can_not_commit(start_server: StartServer, wire: Wire, tmp_path: Path) -> None:
    server = start_server()
    with server.stub() as stub:
        with contextlib.closing(sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")) as other:
            other.execute("BEGIN IMMEDIATE")
            with wire.fails() as failure:
                wire.submit(stub, wire.bell())
            other.rollback()
        assert (failure.code, failure.reason) == (Code.UNAVAILABLE, "STORE_BUSY")
        assert failure.retry_after is not None
        assert failure.retry_after > 0
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"


async def test_a_defect_is_logged_under_the_id_that_the_caller_gets(
    service: Service, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> job_pb2.Job:
        raise ZeroDivisionError("a secret of the server's")

    service._manager.get = broken  # type: ignore[method-assign]  # no request can cause a defect
    async with grpc.aio.insecure_channel(service.address, options=CHANNEL_OPTIONS) as channel:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        with wire.fails() as failure:
            await stub.GetJob(pb.GetJobRequest(job_id="x"))
    assert (failure.code, failure.reason) == (Code.INTERNAL, "INTERNAL")
    assert failure.metadata is not None
    assert failure.metadata["error_id"] in failure.message
    assert failure.metadata["error_id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in failure.message


async def test_a_caller_who_leaves_amid_a_write_is_no_defect(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> Watch:
        # What a write then raises, one time in fifty thousand, before gRPC says that the call is done.
        raise ExecuteBatchError("Failed execute_batch")

    service._manager.watch = broken  # type: ignore[method-assign]  # no request can cause it
    async with grpc.aio.insecure_channel(service.address, options=CHANNEL_OPTIONS) as channel:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(stub.WatchJob(pb.WatchJobRequest(job_id="x"))))
        assert caught.value.code() is Code.CANCELLED
    assert "defect" not in caplog.text


@pytest.mark.parametrize("method", ["SubmitJob", "RunJob", "GetJob", "ReadResult"])
def test_bytes_that_are_no_message(stub: Stub, wire: Wire, server: ServerProcess, method: str) -> None:
    path, broken = f"/basicaer.v1.JobService/{method}", b"\xff\xff\xff\xff"
    with server.channel() as channel, wire.fails() as failure:
        if method in ("RunJob", "ReadResult"):
            open_stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
            list(open_stream(broken))
        else:
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            ask(broken)
    assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, "OPTION_INVALID")
    stub.GetServerInfo(pb.GetServerInfoRequest())


def test_a_message_beyond_the_limit(stub: Stub, wire: Wire) -> None:
    with wire.fails() as failure:
        wire.submit(stub, wire.qasm("/" * (100 << 20)))
    assert (failure.code, failure.reason) == (Code.RESOURCE_EXHAUSTED, "PROGRAM_TOO_LARGE")
    assert failure.metadata is not None
    assert failure.metadata["limit"] == "max_message_bytes"
    stub.GetServerInfo(pb.GetServerInfoRequest())


def test_text_beyond_the_limit(stub: Stub, wire: Wire) -> None:
    with wire.fails() as failure:
        wire.submit(stub, wire.qasm("/" * (20 << 20)))
    assert (failure.code, failure.reason) == (Code.RESOURCE_EXHAUSTED, "PROGRAM_TOO_LARGE")
    assert failure.metadata is not None
    assert failure.metadata["limit"] == "max_program_bytes"
