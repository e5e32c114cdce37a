"""Requests in which one thing is blown up: refused or checked, in bounded memory, and left with their caller.

The short form of `python -m benchmarks blown_up`, which plays them at the size of the largest message.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import grpc
import pytest
from basicaer.service.wire import MOST_MADE
from basicaer.v1 import job_service_pb2 as pb

from tests.conftest import ServerProcess, StartServer
from tests.fuzz.inputs.blown_up import BlownUp, blown_up
from tests.fuzz.server.live import reason_of
from tests.fuzz.wire import allowed_of
from tests.integration.conftest import Wire

ROOM = 100_000
MOST_MEMORY = 512 << 20
CASES = {case.name: case for case in blown_up()}


def answer(channel: grpc.Channel, case: BlownUp, request: bytes) -> str:
    """Returns "OK", or the code and the reason."""
    path = f"/basicaer.v1.JobService/{case.method}"
    try:
        if case.method in ("RunJob", "WatchJob", "ReadResult"):
            open_stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
            list(open_stream(request, timeout=100.0))
        else:
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            ask(request, timeout=100.0)
    except grpc.RpcError as error:
        return f"{error.code().name} {reason_of(error)}"
    return "OK"


def peak(server: ServerProcess) -> int:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def test_one_thing_blown_up_hurts_nobody(server: ServerProcess, wire: Wire) -> None:
    before = peak(server)
    with server.channel() as channel, server.stub() as stub:
        for case in CASES.values():
            told = answer(channel, case, case.make(ROOM))
            assert told in {"OK", *allowed_of(case.method)}, case.name
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
    assert peak(server) - before < MOST_MEMORY
    assert "Traceback" not in server.log.read_text()


def test_a_job_of_very_many_messages_runs(server: ServerProcess, wire: Wire) -> None:
    spec = wire.bell()
    circuit = spec.programs[0].circuit
    for _ in range(MOST_MADE):
        circuit.operations.add(name="h")
    spec.labels["a"] = "b"
    spec.metadata["c"] = "d"
    with server.stub() as stub:
        checked = stub.SubmitJob(pb.SubmitJobRequest(spec=spec, validate_only=True)).job
        first = stub.SubmitJob(pb.SubmitJobRequest(spec=spec, request_id="many"))
        again = stub.SubmitJob(pb.SubmitJobRequest(spec=spec, request_id="many"))
        messages = wire.run(stub, spec)
        with wire.fails() as failure:
            spec.programs[0].circuit.operations[-1].name = "unknown"
            stub.SubmitJob(pb.SubmitJobRequest(spec=spec))
    assert (checked.labels["a"], checked.metadata["c"], checked.num_programs) == ("b", "d", 1)
    assert (first.job.labels["a"], first.duplicate) == ("b", False)
    assert (again.job.job_id, again.duplicate) == (first.job.job_id, True)
    assert wire.statuses(messages)[-1] == "DONE"
    assert failure.reason == "PROGRAM_INVALID"
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    "name",
    [
        "45,000 conditions",
        "as many ifs as there may be",
        "a switch of 16,384 cases",
        "as many saves as there may be",
    ],
)
def test_a_check_ends_when_its_caller_leaves(start_server: StartServer, wire: Wire, name: str) -> None:
    server = start_server("--validation-workers", "1")
    request = CASES[name].make(60 << 20)
    large = pb.SubmitJobRequest(spec=wire.bell(), validate_only=True)
    large.spec.programs[0].circuit.body.parameters.extend([0.0] * 10_000)
    with server.channel() as channel, server.stub() as stub:
        submit: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/basicaer.v1.JobService/SubmitJob"
        )
        for patience in (0.3, 1.0, 2.0):
            # A fast machine has checked it by then.
            with contextlib.suppress(grpc.RpcError):
                submit(request, timeout=patience)
        # The one thread that checks what is large is free: those before would each take many seconds.
        with wire.fails() as failure:
            stub.SubmitJob(large, timeout=5.0)
        assert failure.reason == "PROGRAM_INVALID"
    assert "Traceback" not in server.log.read_text()
