"""Servers for tests: real processes on port 0 with a data directory of their own, and the same within this
process.

    server         a process that all tests of a run share; assume nothing about the jobs that it holds
    start_server   makes processes that a test may stop, kill and start again
    service        a server on the test's own event loop, for tests that look inside
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import pytest
from basicaer.service.config import Config
from basicaer.service.main import Service
from basicaer.v1 import job_service_pb2_grpc

# Without the first, a channel to a restarted server waits for the backoff of the one before; the second is
# for machines whose environment names a proxy.
CHANNEL_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
START_LIMIT = 110.0
STOP_LIMIT = 30.0
PARSER = b"basicaer.service.parsing._process"


class ServerProcess:
    """`basicaer serve` as a process; its log is in `log`."""

    def __init__(self, data_dir: Path, log: Path, *options: str, listen: str = "127.0.0.1:0") -> None:
        self.data_dir = data_dir
        self.log = log
        command = [sys.executable, "-m", "basicaer.service.cli", "serve"]
        command += ["--listen", listen, "--data-dir", str(data_dir), *options]
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
        self.first_line = self._read_line()
        self.address = self.first_line.removeprefix("listening on ").strip()

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        line, until = b"", time.monotonic() + START_LIMIT
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(until - time.monotonic(), 0))
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                self.kill()
                raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")
            line += piece
        return line.decode()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.address.rpartition(":")[2])

    def parsers(self) -> list[int]:
        """The ids of its parser processes; they are found by their server, also after its end."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            # Processes may end while they are looked at.
            with contextlib.suppress(OSError):
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                if PARSER in arguments and str(self.process.pid).encode() in arguments:
                    found.append(int(folder.name))
        return found

    def channel(self) -> grpc.Channel:
        """A new channel to it; the caller closes it."""
        return grpc.insecure_channel(self.address, options=CHANNEL_OPTIONS)

    @contextlib.contextmanager
    def stub(self) -> Iterator[job_service_pb2_grpc.JobServiceStub]:
        """A stub on a channel of its own."""
        with self.channel() as channel:
            yield job_service_pb2_grpc.JobServiceStub(channel)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Waits for the end; returns the exit status."""
        status = self.process.wait(STOP_LIMIT)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL: what a crash looks like. Nothing happens to a process that has ended."""
        self.process.kill()
        self.wait()


StartServer = Callable[..., ServerProcess]


def _end(servers: list[ServerProcess]) -> None:
    for server in servers:
        server.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """`start_server(*options, data_dir=None, listen="127.0.0.1:0")`: a new server process, killed after the
    test.
    """
    servers: list[ServerProcess] = []

    def start(*options: str, data_dir: Path | None = None, listen: str = "127.0.0.1:0") -> ServerProcess:
        log = tmp_path / f"server-{len(servers)}.log"
        server = ServerProcess(data_dir or tmp_path / "data", log, *options, listen=listen)
        servers.append(server)
        return server

    yield start
    _end(servers)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server process with the default settings, shared by the whole run."""
    folder = tmp_path_factory.mktemp("server")
    process = ServerProcess(folder / "data", folder / "log")
    yield process
    _end([process])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The settings of `service`; a test module overrides this fixture for others."""
    return Config(listen="127.0.0.1:0", data_dir=tmp_path / "data", drain_grace=0.0)


@pytest.fixture
async def service(config: Config) -> AsyncIterator[Service]:
    """A server on the test's event loop; its address is `service.address`."""
    async with Service(config) as running:
        yield running
