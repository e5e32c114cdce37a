"""The processes of a service of several: servers and workers, with a folder and a log each."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

# Of a message to a nursery.
MOST_BYTES = 65_536
START_LIMIT = 110.0
STOP_LIMIT = 40.0
_READY = (b"listening on ", b"working as ")
_CLI = [sys.executable, "-m", "basicaer.service.cli"]


class Process(Protocol):
    """What is used of a `Popen`."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Launch(Protocol):
    """Starts `basicaer` with these arguments, and descriptors for its standard output and error."""

    def __call__(self, arguments: Sequence[str], output: int, errors: int, /) -> Process: ...


def launch(
    arguments: Sequence[str], output: int, errors: int, environment: Mapping[str, str] | None = None
) -> Process:
    """Start a process from nothing; with this process' environment when that is None."""
    command = [*_CLI, *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment)


class _Child:
    """A nursery's child, whose status nobody gets to know but it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None
        with contextlib.suppress(ProcessLookupError):
            self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        if self._handle is None:
            return 0
        if select.select([self._handle], [], [], 0)[0]:
            os.close(self._handle)
            self._handle = None
            return 0
        return None

    def send_signal(self, sig: int) -> None:
        if self.poll() is None and self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if self._handle is not None and not select.select([self._handle], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("basicaer", timeout or 0.0)
        self.poll()
        return 0


@contextlib.contextmanager
def nursery(
    log: Path, plant: str = "", environment: Mapping[str, str] | None = None, ray: bool = False
) -> Iterator[Launch]:
    """Give something that starts processes in a moment, with a defect that is named by `plant`; they end with
    the block. `ray` says whether some will drive a cluster.
    """
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lock = threading.Lock()
    command = [sys.executable, "-m", "tests.cluster.nursery", str(its.fileno())]
    command += ["--plant", plant, *(["--ray"] if ray else [])]

    def bear(arguments: Sequence[str], output: int, errors: int) -> Process:
        with lock:
            socket.send_fds(ours, [json.dumps(list(arguments)).encode()], [output, errors])
            answer = ours.recv(MOST_BYTES)
        if not answer:
            raise RuntimeError(f"the nursery has ended: {log.read_text()[-2000:]}")
        return _Child(int(answer))

    with ours, log.open("ab") as errors:
        with its:
            # A terminal's Ctrl-C is for who waits for them, and ends them.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=[its.fileno()],
                env=environment,
                start_new_session=True,
            )
        try:
            yield bear
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            process.wait()


class Part:
    """`basicaer serve` or `basicaer work`, which may be frozen, killed and started again."""

    def __init__(self, folder: Path, name: str, *arguments: str, launch: Launch = launch) -> None:
        """It isn't started yet. `arguments` begin with "serve" or "work"."""
        self.name = name
        self.log = folder / f"{name}.log"
        self._launch = launch
        self.arguments = arguments
        self._output: int | None = None
        self.process: Process | None = None
        self.address = ""

    @property
    def alive(self) -> bool:
        """Whether it was started, and hasn't ended."""
        return self.process is not None and self.process.poll() is None

    def begin(self) -> None:
        """Start it, without waiting until it is ready."""
        self._output, its = os.pipe()
        try:
            with self.log.open("ab") as log:
                self.process = self._launch(self.arguments, its, log.fileno())
        finally:
            os.close(its)

    def ready(self) -> None:
        """Wait until it says that it is ready.

        Raises:
            RuntimeError: It doesn't, and was killed.
        """
        assert self._output is not None
        line, until = b"", time.monotonic() + START_LIMIT
        while not (line.startswith(_READY) and line.endswith(b"\n")):
            # Ray may say something before.
            line = b"" if line.endswith(b"\n") else line
            found, _, _ = select.select([self._output], [], [], max(until - time.monotonic(), 0))
            piece = os.read(self._output, 1) if found else b""
            if not piece:
                self.kill()
                raise RuntimeError(f"{self.name} did not start: {self.log.read_text()[-2000:]}")
            line += piece
        self.address = line.decode().removeprefix("listening on ").strip() if b"listening" in line else ""

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, limit: float = STOP_LIMIT) -> int:
        """Wait for its end; its exit status.

        Raises:
            TimeoutExpired: It hasn't ended after `limit` seconds.
        """
        assert self.process is not None
        status = self.process.wait(limit)
        if self._output is not None:
            os.close(self._output)
            self._output = None
        return status

    def kill(self) -> None:
        """End it as a crash does, also when it is frozen."""
        if self.process is not None:
            self.process.kill()
            self.wait()


def parts(
    folder: Path,
    database: Callable[[str], str],
    servers: int,
    workers: int,
    options: Sequence[str] = (),
    launch: Launch = launch,
    worker_memory: str = "1GiB",
) -> tuple[list[Part], list[Part]]:
    """Return servers that run only quick jobs, and workers that run the others; not started yet. `database`
    gives its URL for a part's name; `worker_memory` is what the jobs of a worker may take.
    """
    serve = [
        Part(
            folder,
            f"server-{number}",
            *("serve", "--listen", "127.0.0.1:0", "--http-listen", "none"),
            *("--data-dir", str(folder / f"server-{number}"), "--no-run-jobs"),
            *("--database", database(f"server-{number}")),
            *("--max-memory-bytes", "1GiB", *options),
            launch=launch,
        )
        for number in range(1, servers + 1)
    ]
    work = [
        Part(
            folder,
            f"worker-{number}",
            *("work", "--database", database(f"worker-{number}"), "--workers", "1"),
            *("--max-memory-bytes", worker_memory, *options),
            launch=launch,
        )
        for number in range(1, workers + 1)
    ]
    return serve, work
