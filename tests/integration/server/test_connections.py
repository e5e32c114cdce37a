"""Sockets that somebody opens until there are none left: the server keeps what its work needs, answers those
who are connected, and takes new callers as soon as there is room.
"""

from __future__ import annotations

import contextlib
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from basicaer.service.descriptors import MOST_SCRAPES, connections, open_results
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import ServerProcess, StartServer
from tests.integration.conftest import BELL, Wire

FILES, SOCKETS = 320, 700
LIMITED = ("sh", "-c", f'ulimit -n {FILES} && exec "$@"', "sh")
# The client's preface and empty settings: such a connection is a caller's, and isn't closed for its silence.
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
# More than a server parses in its own threads.
TEXT = BELL + "h q[0];\n" * 20_000


@contextlib.contextmanager
def sockets(address: str, greeting: bytes) -> Iterator[list[socket.socket]]:
    """As many as the server accepts, and then some."""
    host, _, port = address.rpartition(":")
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(SOCKETS):
            # A full backlog of connections isn't waited for.
            with contextlib.suppress(OSError):
                one = stack.enter_context(socket.create_connection((host, int(port)), timeout=0.2))
                one.sendall(greeting)
                found.append(one)
        yield found


def opened(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def metrics_of(server: ServerProcess) -> str:
    """The address that its log tells."""
    return str(Wire.until(lambda: server.log.read_text().partition("metrics on ")[2].partition("\n")[0]))


def serves(channel: grpc.Channel) -> bool:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@pytest.mark.parametrize("greeting", [b"", HTTP2], ids=["silent", "greeting"])
def test_sockets_without_end_leave_files_for_the_work(
    start_server: StartServer, wire: Wire, greeting: bytes
) -> None:
    server = start_server("--metrics-listen", "127.0.0.1:0", prefix=LIMITED)
    metrics = metrics_of(server)
    with contextlib.ExitStack() as stack:
        # Connected before the others come.
        channel = stack.enter_context(server.channel())
        assert serves(channel)
        flood = stack.enter_context(sockets(server.address, greeting))
        assert len(flood) > FILES
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        assert serves(channel)
        assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
        done = wire.run(stub, wire.state(17))
        assert wire.statuses(done)[-1] == "DONE"
        request = pb.ReadResultRequest(job_id=done[0].job.job_id, part="0/statevector")
        assert sum(len(answer.chunk.data) for answer in stub.ReadResult(request, timeout=10)) == 16 << 17
        assert wire.statuses(wire.run(stub, wire.qasm(TEXT)))[-1] == "DONE"
        with urllib.request.urlopen(metrics, timeout=5) as answer:
            assert answer.status == 200
        assert opened(server) < FILES - 32
    with server.channel() as channel:
        grpc.channel_ready_future(channel).result(timeout=20)
        assert serves(channel)
    assert server.stop() == 0
    assert "Too many open files" not in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_a_silent_socket_is_closed(start_server: StartServer) -> None:
    server = start_server(prefix=LIMITED)
    before = opened(server)
    with sockets(server.address, b""):
        # It takes them one after the other.
        Wire.until(lambda: opened(server) > before + 50)
        # Somebody new doesn't wait for whoever holds them.
        with server.channel() as channel:
            grpc.channel_ready_future(channel).result(timeout=40)
            assert serves(channel)


def test_scrapes_without_end(start_server: StartServer) -> None:
    server = start_server("--metrics-listen", "127.0.0.1:0", prefix=LIMITED)
    metrics = metrics_of(server)
    before = opened(server)
    with sockets(metrics.split("/")[2], b"GET"):
        assert opened(server) <= before + MOST_SCRAPES + 2
        with server.channel() as channel:
            assert serves(channel)

    def scraped() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(metrics, timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    assert Wire.until(scraped)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("allowed", [64, 256, 1024, 65_536, 1 << 30])
def test_everybody_has_a_share(monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda kind: (allowed, allowed))
    most = connections(2, 8)
    assert most is not None
    assert most >= 8
    assert open_results() >= 4
    if allowed >= 256:
        assert most + open_results() + 64 < allowed
    if allowed >= 65_536:
        assert most > allowed * 0.98
    monkeypatch.setattr("resource.getrlimit", lambda kind: (-1, -1))
    assert connections(2, 8) is None
