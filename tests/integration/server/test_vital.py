"""Threads and tasks that a server can't do without: when one ends, so does the server, and never in silence.

The planted server raises, at SIGUSR1, an exception in the thread, or cancels the task, whose name stands in
the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from basicaer.service.access import TokenStore
from basicaer.service.config import Config
from basicaer.service.main import Service
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import CHANNEL_OPTIONS, ServerProcess
from tests.integration.conftest import BELL, Wire

THREADS = (
    "log",
    "signals",
    "store-writer",
    "simulation-0",
    "validation-small-0",
    "validation-0",
    "validation-long-0",
    "metrics",
)
TASKS = ("news", "sweeper", "timelimit", "pulse", "calls under way", "vital")
# Threads of pools, whose exceptions are their callers'; and gRPC's, which run nothing of Python's.
POOLS = (
    "MainThread",
    "store-reader",
    "result-reader",
    "request-reader",
    "asyncio_",
    "basicaer-engine",
    "ThreadPoolExecutor",
)
SETTINGS = (
    *("--workers", "1", "--validation-workers", "1", "--metrics-listen", "127.0.0.1:0"),
    *("--auth", "token", "--drain-grace", "2s"),
)

PLANTED = """
import asyncio, ctypes, os, signal, sys, threading

def plant(number, frame):
    name = os.environ["PLANT"]
    if name == "hanging loop":
        threading.Event().wait()
    for thread in threading.enumerate():
        if thread.name == name:
            ident, error = ctypes.c_ulong(thread.ident), ctypes.py_object(SystemError)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, error)
    for task in asyncio.all_tasks(asyncio.get_running_loop()):
        if task.get_name() == name:
            task.cancel()

signal.signal(signal.SIGUSR1, plant)
exec(os.environ.get("PATCH", ""))
from basicaer.service.cli import main
sys.argv[:1] = ["basicaer", "serve"]
main()
"""
# Waits for ever, as on a disk that doesn't answer.
HANGING_WRITER = """
import threading
from basicaer.service.store.sqlite._writer import Writer
Writer._commit_group = lambda self, group: threading.Event().wait()
"""
LONGER = BELL + "h q[0];\n" * 10_000


class Planted(ServerProcess):
    """A server in which something goes wrong."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.data_dir, self.log = folder / "data", folder / "planted.log"
        with TokenStore(self.data_dir) as tokens:
            self.token = tokens.create("tester", "admin", None)[1]
        command = [sys.executable, "-c", PLANTED, "--listen", "127.0.0.1:0", "--data-dir", str(self.data_dir)]
        with self.log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [*command, *SETTINGS],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **environment},
            )
        self.first_line = self._read_lines(1)[0]
        self.address = self.first_line.removeprefix("listening on ").strip()

    def run(self, spec: Any) -> None:
        """Runs a job, unless that can't be done any more."""
        metadata = (("authorization", f"Bearer {self.token}"),)
        with contextlib.suppress(grpc.RpcError), self.stub() as stub:
            list(stub.RunJob(pb.RunJobRequest(spec=spec), metadata=metadata, timeout=5))


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Callable[..., Planted]]:
    made: list[Planted] = []

    def start(**environment: str) -> Planted:
        made.append(Planted(tmp_path, **environment))
        return made[-1]

    yield start
    for one in made:
        one.kill()


async def test_everything_that_runs_is_looked_after(tmp_path: Path) -> None:
    config = Config(
        listen="127.0.0.1:0",
        metrics_listen="127.0.0.1:0",
        data_dir=tmp_path / "data",
        auth=("token",),
        workers=1,
        validation_workers=1,
    )
    others, tasks = set(threading.enumerate()), asyncio.all_tasks()
    async with Service(config) as service:
        expected = {*THREADS, *TASKS} - {"log", "signals"}
        assert sorted(service.vital.names) == sorted(expected)
        # It ends by itself, and tells what it couldn't do.
        expected.add("warm-up")
        left = {thread.name for thread in threading.enumerate() if thread not in others}
        left |= {task.get_name() for task in asyncio.all_tasks() - tasks if "Server" not in repr(task)}
        unknown = {
            name for name in left - expected if not name.startswith(POOLS) and "_poll_wrapper" not in name
        }
        assert unknown == set()


@pytest.mark.parametrize("name", [*THREADS, *TASKS])
def test_the_end_of_one_is_the_servers(planted: Callable[..., Planted], wire: Wire, name: str) -> None:
    server = planted(PLANT=name)
    server.signal(signal.SIGUSR1)
    if name == "signals":
        # It needs a signal to go on at all.
        time.sleep(0.3)
        server.signal(signal.SIGUSR1)
    until = time.monotonic() + 30
    while server.process.poll() is None and time.monotonic() < until:
        # Each of them goes on only when there is something to do.
        for spec in (wire.bell(), wire.qasm(), wire.qasm(LONGER), wire.state(16)):
            server.run(spec)
    assert server.wait() == 1
    log = server.log.read_text()
    assert "has ended" in log
    if name not in ("log", "signals"):
        assert name in log


async def test_health_turns_and_readers_get_an_answer(tmp_path: Path, wire: Wire) -> None:
    service = Service(Config(listen="127.0.0.1:0", data_dir=tmp_path / "data"))
    await service.start()

    def fail(*_: Any) -> None:
        raise SystemError("planted")

    service._manager._store._writer._observe = fail  # type: ignore[attr-defined]  # it is SQLite's
    async with grpc.aio.insecure_channel(service.address, options=CHANNEL_OPTIONS) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.SubmitJob(pb.SubmitJobRequest(spec=wire.bell()), timeout=20)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert await asyncio.wait_for(service.failed(), 10) == "the thread store-writer"
        status = (await health.Check(health_pb2.HealthCheckRequest())).status
        assert status == health_pb2.HealthCheckResponse.NOT_SERVING
    await asyncio.wait_for(service.stop(0.0), 20)


@pytest.mark.parametrize("what", ["hanging loop", "hanging writer"])
def test_sigterm_ends_a_server_that_hangs(planted: Callable[..., Planted], wire: Wire, what: str) -> None:
    patch = HANGING_WRITER if what == "hanging writer" else ""
    server = planted(PLANT=what, PATCH=patch + "\nfrom basicaer.service import ending\nending._MARGIN = 2.0")
    threading.Thread(target=server.run, args=(wire.bell(),), daemon=True).start()
    server.signal(signal.SIGUSR1)
    time.sleep(0.5)
    server.signal(signal.SIGTERM)
    assert server.wait() == 1
    assert "not stopped in time" in server.log.read_text()
