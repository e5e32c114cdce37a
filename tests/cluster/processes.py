"""The processes of a service of several: servers and workers, with a folder and a log each."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

START_LIMIT = 110.0
STOP_LIMIT = 40.0
_CLI = [sys.executable, "-m", "basicaer.service.cli"]


class Part:
    """`basicaer serve` or `basicaer work`, which may be frozen, killed and started again."""

    def __init__(self, folder: Path, name: str, *command: str, plant: str = "") -> None:
        """It isn't started yet. `command` begins with "serve" or "work"; `plant` is a defect's name."""
        self.name = name
        self.log = folder / f"{name}.log"
        program = [sys.executable, "-m", "tests.cluster.nursery", plant] if plant else _CLI
        self._command = [*program, *command]
        self.process: subprocess.Popen[bytes] | None = None
        self.address = ""

    @property
    def alive(self) -> bool:
        """Whether it was started, and hasn't ended."""
        return self.process is not None and self.process.poll() is None

    def begin(self) -> None:
        """Start it, without waiting until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )

    def ready(self) -> None:
        """Wait until it says that it is ready."""
        assert self.process is not None
        assert self.process.stdout is not None
        line, until = b"", time.monotonic() + START_LIMIT
        while not line.endswith(b"\n"):
            found, _, _ = select.select([self.process.stdout], [], [], max(until - time.monotonic(), 0))
            piece = os.read(self.process.stdout.fileno(), 1) if found else b""
            if not piece:
                self.kill()
                raise RuntimeError(f"{self.name} did not start: {self.log.read_text()[-2000:]}")
            line += piece
        self.address = line.decode().removeprefix("listening on ").strip() if b"listening" in line else ""

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; its exit status."""
        assert self.process is not None
        status = self.process.wait(STOP_LIMIT)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def kill(self) -> None:
        """End it as a crash does, also when it is frozen."""
        if self.process is not None:
            self.process.kill()
            self.wait()


def parts(
    folder: Path, database: str, servers: int, workers: int, options: Sequence[str] = (), plant: str = ""
) -> tuple[list[Part], list[Part]]:
    """Return servers that run only quick jobs, and workers that run the others; not started yet. `plant`
    names a defect of `nursery`.
    """
    serve = [
        Part(
            folder,
            f"server-{number}",
            *("serve", "--listen", "127.0.0.1:0", "--http-listen", "none"),
            *("--data-dir", str(folder / f"server-{number}"), "--database", database, "--no-run-jobs"),
            *("--max-memory-bytes", "1GiB", *options),
            plant=plant,
        )
        for number in range(1, servers + 1)
    ]
    work = [
        Part(
            folder,
            f"worker-{number}",
            *("work", "--database", database, "--workers", "1", "--max-memory-bytes", "1GiB", *options),
            plant=plant,
        )
        for number in range(1, workers + 1)
    ]
    return serve, work
