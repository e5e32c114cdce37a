"""Servers for tests: real processes on port 0 with a data directory of their own, and the same within this
process.

    server         a process that all tests of a run share; assume nothing about the jobs that it holds
    start_server   makes processes that a test may stop, kill and start again
    service        a server on the test's own event loop, for tests that look inside
    postgresql     a database that all tests of a run share, with a schema for each directory
    new_postgresql a database that a test may stop, kill and start again
    s3             an object store of the test's own, which it may stop, kill and start again
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest
from basicaer.client.transport._channel import ChannelOptions
from basicaer.client.transport._ends import close_channel
from basicaer.service.config import Config
from basicaer.service.main import Service
from basicaer.v1 import job_service_pb2_grpc

from tests.postgresql import PostgreSQL, running
from tests.s3 import BINARY, MISSING, S3Server
from tests.s3 import running as s3_running

# Without the first, a channel to a restarted server waits for the backoff of the one before; the second is
# for machines whose environment names a proxy.
# gRPC's own retries lose a call for good, deadline or not, that begins while its server stops.
CHANNEL_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
]
START_LIMIT = 110.0
STOP_LIMIT = 30.0
PARSER = b"basicaer.service.parsing._process"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the slow ones come first, so that one worker has them, with one Ray cluster for all, while others
    take what comes after them.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@contextlib.contextmanager
def open_channel(
    address: str,
    credentials: grpc.ChannelCredentials | None = None,
    options: ChannelOptions = CHANNEL_OPTIONS,
) -> Iterator[grpc.Channel]:
    """A channel to `address`. Its end has a bound: gRPC's own waits for ever for a call that it has lost."""
    if credentials is None:
        channel = grpc.insecure_channel(address, options)
    else:
        channel = grpc.secure_channel(address, credentials, options)
    try:
        yield channel
    finally:
        close_channel(channel)


class ServerProcess:
    """`basicaer serve` as a process; its log is in `log`."""

    def __init__(
        self,
        data_dir: Path,
        log: Path,
        *options: str,
        listen: str = "127.0.0.1:0",
        prefix: Sequence[str] = (),
    ) -> None:
        """`prefix` is a command that becomes the server."""
        self.data_dir = data_dir
        self.log = log
        command = [*prefix, sys.executable, "-m", "basicaer.service.cli", "serve"]
        command += ["--listen", listen, "--data-dir", str(data_dir), *options]
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
        self.first_line, *others = self._read_lines(1 if "none" in options else 2)
        self.address = self.first_line.removeprefix("listening on ").strip()
        self.http_url = others[0].removeprefix("page: ").strip() if others else ""

    def _read_lines(self, count: int) -> list[str]:
        assert self.process.stdout is not None
        lines, until = b"", time.monotonic() + START_LIMIT
        while lines.count(b"\n") < count:
            ready, _, _ = select.select([self.process.stdout], [], [], max(until - time.monotonic(), 0))
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                self.kill()
                raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")
            lines += piece
        return lines.decode().splitlines(keepends=True)

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

    def channel(self) -> AbstractContextManager[grpc.Channel]:
        """A new channel to it."""
        return open_channel(self.address)

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
    """`start_server(*options, data_dir=None, listen="127.0.0.1:0", prefix=())`: a new server process, killed
    after the test.
    """
    servers: list[ServerProcess] = []

    def start(
        *options: str,
        data_dir: Path | None = None,
        listen: str = "127.0.0.1:0",
        prefix: Sequence[str] = (),
    ) -> ServerProcess:
        log = tmp_path / f"server-{len(servers)}.log"
        server = ServerProcess(data_dir or tmp_path / "data", log, *options, listen=listen, prefix=prefix)
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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A database, shared by the whole run; `url(directory)` is a store's."""
    with running() as database:
        yield database


@pytest.fixture
def new_postgresql() -> Iterator[PostgreSQL]:
    """A database of the test's own."""
    with running() as database:
        yield database


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An object store of the test's own, whose variables are set."""
    if not BINARY.exists():
        pytest.skip(MISSING)
    with s3_running() as server:
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        yield server
