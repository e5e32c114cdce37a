"""What a network does to a server: noise on the port, clients that vanish, many of them at once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from functools import partial
from typing import Any

import grpc
import pytest
from basicaer.service.main import Service
from basicaer.v1 import job_pb2, job_service_pb2_grpc
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import CHANNEL_OPTIONS, ServerProcess, StartServer
from tests.integration.conftest import BELL, LONG, Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\n\r\n", PREFACE], ids=["noise", "http1", "http2"])
def test_noise_on_the_port_hurts_nobody(server: ServerProcess, wire: Wire, start: bytes) -> None:
    numbers = random.Random(0)
    with server.stub() as stub:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(start + numbers.randbytes(numbers.randrange(5000)))
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
    assert "Traceback" not in server.log.read_text()


def test_a_slow_connection_hurts_nobody(server: ServerProcess, wire: Wire) -> None:
    halves = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for half in halves:
        half.sendall(PREFACE[:10])
    with server.stub() as stub:
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
    for half in halves:
        half.close()


VANISH = """
import os, sys, grpc
from basicaer.v1 import job_service_pb2 as pb, job_service_pb2_grpc
stub = job_service_pb2_grpc.JobServiceStub(grpc.insecure_channel(sys.argv[1]))
next(stub.WatchJob(pb.WatchJobRequest(job_id=sys.argv[2])))
read = stub.ReadResult(pb.ReadResultRequest(job_id=sys.argv[3], part="0/statevector", chunk_size=1000))
next(read), next(read)
spec = pb.RunJobRequest.FromString(sys.stdin.buffer.read())
print(next(stub.RunJob(spec)).job.job_id, flush=True)
os._exit(1)
"""


def test_a_client_that_dies_leaves_its_jobs_alone(server: ServerProcess, wire: Wire) -> None:
    with server.stub() as stub:
        endless = wire.submit(stub, wire.endless())
        wire.wait_running(stub, endless.job_id)
        state = wire.run(stub, wire.state(18))[0].job.job_id
        run = pb.RunJobRequest(spec=wire.bell(shots=100_000))
        command = [sys.executable, "-c", VANISH, server.address, endless.job_id, state]
        done = subprocess.run(command, input=run.SerializeToString(), capture_output=True, timeout=60)
        job_id = done.stdout.decode().strip()
        assert job_id, done.stderr.decode()
        assert wire.wait_final(stub, job_id).status == job_pb2.JOB_STATUS_DONE
        found = stub.GetJob(pb.GetJobRequest(job_id=endless.job_id)).job
        assert found.status == job_pb2.JOB_STATUS_RUNNING
        stub.CancelJob(pb.CancelJobRequest(job_id=endless.job_id))
        stub.DeleteJob(pb.DeleteJobRequest(job_id=state))
    assert "Traceback" not in server.log.read_text()


HEADER = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\n'
DEEP = 10_000
# Each gate is two of the one before.
BOMB = "gate g0 a { x a; }\n" + "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }}\n" for n in range(1, 40))
# Each is one of the one before.
CHAIN = "gate g0 a { x a; }\n" + "".join(f"gate g{n} a {{ g{n - 1} a; }}\n" for n in range(1, DEEP))

HOSTILE = {
    "parse bomb": HEADER + BOMB + "g39 q[0];",
    "deep definitions": HEADER + CHAIN + f"g{DEEP - 1} q[0];",
    "deep brackets": HEADER + "rx(" + "(" * DEEP + "1" + ")" * DEEP + ") q[0];",
    "deep signs": HEADER + "rx(" + "-" * DEEP + "1) q[0];",
    "long identifier": HEADER + "x " + "a" * (100 << 20) + ";",
    "identifier within the limits": HEADER + "x " + "a" * (15 << 20) + ";",
    "huge register": "OPENQASM 2.0; qreg q[999999999];",
    "unclosed": HEADER + "gate g a {" * DEEP,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_is_refused_while_others_go_on(
    stub: job_service_pb2_grpc.JobServiceStub, wire: Wire, name: str
) -> None:
    options = {"max_parallel_threads": 1}
    refused = stub.SubmitJob.future(pb.SubmitJobRequest(spec=wire.qasm(HOSTILE[name], **options)))
    assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
    with wire.fails() as failure:
        refused.result()
    assert failure.reason in ("PROGRAM_INVALID", "PROGRAM_TOO_LARGE", "OPTION_INVALID")
    assert wire.statuses(wire.run(stub, wire.qasm()))[-1] == "DONE"


def test_a_valid_program_of_16_mib_holds_up_nobody(
    stub: job_service_pb2_grpc.JobServiceStub, wire: Wire
) -> None:
    statement = f"rz(0.{'1234567890' * 8}) q[0];\n"
    text = HEADER + statement * (((16 << 20) - len(HEADER)) // len(statement))
    calls = [
        stub.SubmitJob.future(pb.SubmitJobRequest(spec=wire.qasm(text, shots=shots), validate_only=True))
        for shots in range(1, 5)
    ]
    assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
    assert wire.statuses(wire.run(stub, wire.qasm()))[-1] == "DONE"
    for call in calls:
        assert call.result().job.required_bytes > len(text) // len(statement)


@pytest.mark.parametrize("how", ["cancelled", "deadline"])
def test_a_text_whose_caller_goes_away_is_left(start_server: StartServer, wire: Wire, how: str) -> None:
    server = start_server("--validation-workers", "1")
    with server.stub() as stub:
        request = pb.RunJobRequest(spec=wire.qasm(LONG), request_id="again")
        call = stub.RunJob(request, timeout=15.0 if how == "deadline" else None)
        process = wire.wait_parsing(server)
        if how == "cancelled":
            call.cancel()
        wire.until(lambda: process not in server.parsers())
        # The thread is free, and nothing was accepted.
        assert wire.submit(stub, wire.qasm(BELL + "// " + "x" * 100_000))
        assert len(stub.ListJobs(pb.ListJobsRequest()).jobs) == 1
        assert call.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)
    assert "Traceback" not in server.log.read_text()


def test_a_text_that_takes_too_long_is_refused(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--max-check-time", "500ms")
    with server.stub() as stub:
        with wire.fails() as failure:
            wire.submit(stub, wire.qasm(LONG))
        assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "PROGRAM_TOO_LARGE")
        assert failure.metadata is not None
        assert (failure.metadata["limit"], failure.metadata["max"]) == ("max_check_time", "0.5")
        assert wire.statuses(wire.run(stub, wire.qasm()))[-1] == "DONE"
    assert server.parsers() == []


def _is_gone(server: ServerProcess, process: int) -> bool:
    return process not in server.parsers()


def test_a_text_that_crashes_its_parser_is_refused(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--validation-workers", "1")
    with server.stub() as stub:
        call = stub.SubmitJob.future(pb.SubmitJobRequest(spec=wire.qasm(LONG)))
        for _ in range(2):
            process = wire.wait_parsing(server)
            os.kill(process, signal.SIGSEGV)
            wire.until(partial(_is_gone, server, process))
        with wire.fails() as failure:
            call.result()
        assert failure.reason == "PROGRAM_TOO_LARGE"
        assert "SIGSEGV" in failure.message
        assert wire.submit(stub, wire.qasm(BELL + "// " + "x" * 100_000))
    assert "Traceback" not in server.log.read_text()


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - pathlib would open the directory twice


async def test_streams_that_are_cut_free_what_they_held(service: Service, wire: Wire) -> None:
    """Looks inside: no task, no watcher and no file is left over from streams that were cut."""
    async with grpc.aio.insecure_channel(service.address, options=CHANNEL_OPTIONS) as channel:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        messages = [message async for message in stub.RunJob(pb.RunJobRequest(spec=wire.state(18)))]
        state = messages[0].job.job_id
        job = (await stub.SubmitJob(pb.SubmitJobRequest(spec=wire.endless()))).job
        while (await stub.GetJob(pb.GetJobRequest(job_id=job.job_id))).job.sequence < 2:
            await stub.GetJob(pb.GetJobRequest(job_id=job.job_id, wait=wire.seconds(5), if_sequence_after=1))
        tasks, files = len(asyncio.all_tasks()), _open_files()
        for _ in range(20):
            calls: list[Any] = [
                stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)),
                stub.ReadResult(pb.ReadResultRequest(job_id=state, part="0/statevector", chunk_size=1000)),
            ]
            for call in calls:
                await call.read()
                call.cancel()
        # A cut stream is noticed when the loop next hears from the network: calls make it hear.
        for _ in range(200):
            if len(asyncio.all_tasks()) <= tasks and _open_files() <= files:
                break
            await stub.GetServerInfo(pb.GetServerInfoRequest())
        assert len(asyncio.all_tasks()) <= tasks
        assert _open_files() <= files
        entry = service._manager._registry.live[job.job_id]
        assert not entry.watchers
        found = (await stub.GetJob(pb.GetJobRequest(job_id=job.job_id))).job
        assert found.status == job_pb2.JOB_STATUS_RUNNING
        await stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


async def test_submissions_that_are_cut_leave_no_half_jobs(service: Service, wire: Wire) -> None:
    """Whenever a client vanishes during RunJob, the job was accepted as a whole, or not at all."""
    async with grpc.aio.insecure_channel(service.address, options=CHANNEL_OPTIONS) as channel:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        for turn in range(100):
            call = stub.RunJob(pb.RunJobRequest(spec=wire.bell(shots=10)))
            for _ in range(turn % 10):
                await asyncio.sleep(0)
            call.cancel()
        messages = [message async for message in stub.RunJob(pb.RunJobRequest(spec=wire.bell(shots=10)))]
        assert wire.statuses(messages)[-1] == "DONE"
        listed = (await stub.ListJobs(pb.ListJobsRequest(page_size=1000))).jobs
        for job in listed:
            while job.status != job_pb2.JOB_STATUS_DONE:
                request = pb.GetJobRequest(
                    job_id=job.job_id, wait=wire.seconds(20), if_sequence_after=job.sequence
                )
                job = (await stub.GetJob(request)).job
        assert len(listed) <= 101


@pytest.mark.slow
async def test_a_burst_of_watchers_is_served(server: ServerProcess, wire: Wire) -> None:
    """2,000 at once are more than gRPC's default lets in. Each of them sees the end."""
    number = 2000
    options = [*CHANNEL_OPTIONS, ("grpc.max_concurrent_streams", number)]
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        job_id = (await stub.SubmitJob(pb.SubmitJobRequest(spec=wire.endless()))).job.job_id
        opened = asyncio.Semaphore(0)

        async def watch() -> list[str]:
            messages = []
            async for message in stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
                if message.HasField("job"):
                    opened.release()
                messages.append(message)
            return wire.statuses(messages)

        watchers = [asyncio.create_task(watch()) for _ in range(number)]
        for _ in range(number):
            await opened.acquire()
        await stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
        ends = await asyncio.gather(*watchers)
        assert {statuses[-1] for statuses in ends} == {"CANCELLED"}
