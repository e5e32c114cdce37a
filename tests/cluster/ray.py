"""A real Ray cluster on this machine: a head and further nodes, as processes, with a token of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

START_LIMIT = 120.0
_RAY = str(Path(sys.executable).parent / "ray")
MEMORY = 1536 * 1024**2
"""What each node has for jobs, in bytes."""
_OBJECTS = 128 * 1024**2


class RayCluster:
    """Enter it to start it. Its nodes may be killed."""

    def __init__(
        self, nodes: int = 2, token: bool = True, memory: Sequence[int] = (), objects: int = _OBJECTS
    ) -> None:
        """With so many nodes, the head's among them; `token` says whether it asks for one. `memory` is what
        each has for jobs, the head first, where that isn't MEMORY, and `objects` what each has for results,
        in bytes.
        """
        self._memory, self._objects = memory, objects
        # Ray's sockets have paths of at most 107 bytes, which pytest's folders are too long for.
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        secret = folder / "token"
        secret.touch(0o600)
        secret.write_text(secrets.token_hex(32))
        self.environment = {
            **os.environ,
            "RAY_AUTH_TOKEN_PATH": str(secret),
            "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        self._of_nodes = self.environment if token else {**self.environment, "RAY_AUTH_MODE": "disabled"}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._count = nodes
        self._nodes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """As --executor takes it."""
        return f"ray://127.0.0.1:{self._port}"

    def __enter__(self) -> RayCluster:
        try:
            self._start("--head", "--port", str(self._port), "--include-dashboard", "false")
            for _ in range(self._count - 1):
                self.add_node()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        while self._nodes:
            self.kill_node()
        self._folder.cleanup()

    def add_node(self) -> None:
        """Start another one."""
        self._start("--address", f"127.0.0.1:{self._port}")

    def kill_node(self) -> None:
        """End the one that was started last, with all its processes, as a crash of a machine does."""
        node = self._nodes.pop()
        if node.poll() is None:
            for process in psutil.Process(node.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            node.kill()
        node.wait()

    def simulators(self) -> list[psutil.Process]:
        """Return the processes that simulate, on all nodes."""
        found = []
        for node in self._nodes:
            for process in psutil.Process(node.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    # The name is cut to 15 characters.
                    if process.name().startswith(("ray::Simulator", "ray::Rank")):
                        found.append(process)
        return found

    def _start(self, *arguments: str) -> None:
        command = [_RAY, "start", *arguments, "--node-ip-address", "127.0.0.1", "--num-cpus", "2"]
        number = len(self._nodes)
        memory = self._memory[number] if number < len(self._memory) else MEMORY
        command += ["--memory", str(memory), "--object-store-memory", str(self._objects), "--block"]
        if "--head" in arguments:
            command += ["--temp-dir", str(Path(self._folder.name) / "ray"), "--disable-usage-stats"]
        log = Path(self._folder.name) / f"node-{number}.log"
        with log.open("wb") as out:
            node = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._of_nodes
            )
        self._nodes.append(node)
        until = time.monotonic() + START_LIMIT
        while b"Ray runtime started" not in log.read_bytes():
            if node.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"a Ray node did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
