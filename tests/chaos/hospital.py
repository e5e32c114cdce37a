"""A server that is killed again and again: where its children come from, and the disk that they live on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["Clock", "Disk", "Server"]

# The first start on a machine compiles the kernels.
_READY_SECONDS = 600.0
_START_SECONDS = 60.0
_DISK_MIB = 1024
# Servers in a row that end before they listen. Some do by a fault, but then the next one listens.
_MOST_STILLBORN = 5


class Disk:
    """Where the data lies: a small file system of its own if we may mount one, else a folder.

    On the first the disk can be filled up; on the second no file may grow.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m", "basicaer-chaos", str(directory)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            self.mounted = False
        else:
            self.mounted = done.returncode == 0
        self._ballast = directory / "ballast"

    def fill(self, pid: int) -> None:
        """Leaves no room."""
        if self.mounted:
            with self._ballast.open("wb") as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
        else:
            largest = max((path.stat().st_size for path in self.directory.glob("jobs.sqlite3*")), default=0)
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))

    def free(self, pid: int | None) -> None:
        """Leaves room again."""
        if self.mounted:
            self._ballast.unlink(missing_ok=True)
        elif pid is not None:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    def used(self) -> int:
        """The bytes of all files."""
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())

    def remove(self) -> None:
        """Unmounts it."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.directory)], check=True)


class Clock:
    """The wall clock of the servers of a nursery, by libfaketime; their monotonic clock is left alone.

    Where libfaketime isn't installed it can't be set.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
        self.environment: dict[str, str] = {}
        if library is not None:
            self.environment = {
                "LD_PRELOAD": str(library),
                "FAKETIME_TIMESTAMP_FILE": str(file),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # It looks at the file once a second.
                "FAKETIME_CACHE_DURATION": "1",
            }
            self.jump(0)

    @property
    def can_jump(self) -> bool:
        """Whether it can be set."""
        return bool(self.environment)

    def jump(self, seconds: int) -> None:
        """Sets it to so many seconds from the true time."""
        scratch = self._file.with_suffix(".new")
        scratch.write_text(f"{seconds:+d}\n")
        scratch.rename(self._file)


class Server:
    """At most one server at a time, born by a nursery."""

    def __init__(
        self, log: Path, config: dict[str, Any], plant: str | None = None, *, may_refuse: bool = False
    ) -> None:
        """With `may_refuse` it may end before it listens as often as it likes."""
        self._log = log
        self._may_refuse = may_refuse
        self.clock = Clock(log.with_suffix(".clock"))
        self._config = config
        self._plant = plant
        self.pid: int | None = None
        self._stillborn = 0
        self._ended: asyncio.Future[int] | None = None
        self._listening: asyncio.Future[str] | None = None

    async def open(self) -> None:
        """Starts the nursery, which takes seconds."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.chaos.nursery",
                cwd=Path(__file__).parents[2],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | self.clock.environment,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            line = await self._process.stdout.readline()
        if line != b"ready\n":
            raise RuntimeError(f"the nursery did not open: {self._log.read_text()[-2000:]}")
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Ends the nursery, and whatever it has borne."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            what, pid, text = line.decode().split()
            if what == "listening":
                self.pid = int(pid)
                if self._listening is not None and not self._listening.done():
                    self._listening.set_result(text)
            elif self._ended is not None and not self._ended.done():
                self.pid = None
                self._ended.set_result(int(text))
                if self._listening is not None and not self._listening.done():
                    self._listening.set_exception(ChildProcessError(f"ended with {text}"))

    async def start(self, *, die_after: int | None = None) -> str | None:
        """Returns the address, or None when it died on its way.

        Raises:
            RuntimeError: One after another does.
        """
        assert self._process.stdin is not None
        loop = asyncio.get_running_loop()
        self._listening, self._ended = loop.create_future(), loop.create_future()
        order = {"config": self._config, "die_after": die_after, "plant": self._plant}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        try:
            async with asyncio.timeout(_START_SECONDS):
                address = await self._listening
        except ChildProcessError:
            self._stillborn += 1
            if self._stillborn == _MOST_STILLBORN and not self._may_refuse:
                raise RuntimeError(f"no server listens any more: {self._log.read_text()[-2000:]}") from None
            return None
        self._stillborn = 0
        return address

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if there is anybody."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """Ends it the hard way."""
        if self.pid is not None:
            self.signal(signal.SIGKILL)
            await self.ended()

    async def ended(self) -> int:
        """Waits for the end; the exit status, negative for a signal."""
        assert self._ended is not None
        return await self._ended
