"""A real Ray cluster on this machine: a head and further nodes, as processes, with a token of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psutil

from tests.cluster.guardian import guarded, members

START_LIMIT = 120.0
INSTALLED = find_spec("ray") is not None
_RAY = str(Path(sys.executable).parent / "ray")
MEMORY = 1536 * 1024**2
"""What each node has for jobs, in bytes."""
_OBJECTS = 128 * 1024**2
_SIMULATORS = ("ray::Simulator", "ray::Rank")


class RayCluster:
    """Enter it to start it. Its nodes may be killed, and what runs on them; nothing outlives the block."""

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
        # The head's is the first.
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._over = False

    @property
    def url(self) -> str:
        """As --executor takes it."""
        return f"ray://127.0.0.1:{self._port}"

    def __enter__(self) -> RayCluster:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        self._folder.cleanup()

    def end(self) -> None:
        """End all of it for good, also when a thread is about to start something."""
        with self._lock:
            self._over = True
        self.kill()

    def start(self) -> None:
        """Start the head, and the others."""
        self._start("--head", "--port", str(self._port), "--include-dashboard", "false")
        for _ in range(self._count - 1):
            self.add_node()

    def kill(self) -> None:
        """End all nodes, the head's last."""
        while self._nodes:
            self.kill_node()

    def add_node(self) -> None:
        """Start another one."""
        self._start("--address", f"127.0.0.1:{self._port}")

    def kill_node(self) -> None:
        """End the one that was started last, with all its processes, as a crash of a machine does."""
        # Another thread may end all of them.
        with self._lock:
            if not self._nodes:
                return
            node = self._nodes.pop()
        assert node.stdin is not None
        node.stdin.close()
        node.wait()

    def kill_head(self) -> None:
        """Kill the head's own process, and its node's; what belongs to the node ends then."""
        for node in self._nodes[:1]:
            self._kill(node, ("gcs_server", "raylet"))
            node.wait(START_LIMIT)

    def kill_raylet(self) -> None:
        """Kill the process that is the node that was started last; what belongs to the node ends then."""
        for node in self._nodes[-1:]:
            self._kill(node, ("raylet",))
            node.wait(START_LIMIT)
            self.kill_node()

    def simulators(self) -> list[psutil.Process]:
        """Return the processes that simulate, on all nodes."""
        return [each for node in list(self._nodes) for each in _named(node, *_SIMULATORS)]

    def _kill(self, node: subprocess.Popen[bytes], names: tuple[str, ...]) -> None:
        for process in _named(node, *names):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _start(self, *arguments: str) -> None:
        command = [_RAY, "start", *arguments, "--node-ip-address", "127.0.0.1", "--num-cpus", "2"]
        number = len(self._nodes)
        memory = self._memory[number] if number < len(self._memory) else MEMORY
        command += ["--memory", str(memory), "--object-store-memory", str(self._objects), "--block"]
        if "--head" in arguments:
            command += ["--temp-dir", str(Path(self._folder.name) / "ray"), "--disable-usage-stats"]
        log = Path(self._folder.name) / f"node-{number}.log"
        until = time.monotonic() + START_LIMIT
        while True:
            node = self._launch(command, log)
            while node.poll() is None and time.monotonic() < until:
                if b"Ray runtime started" in log.read_bytes():
                    return
                time.sleep(0.1)
            self.kill_node()
            # Ray itself gives up after 30 s, too soon where the processors are busy.
            if time.monotonic() > until:
                raise RuntimeError(f"a Ray node did not start: {log.read_text()[-2000:]}")

    def _launch(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        with self._lock, log.open("wb") as out:
            if self._over:
                raise RuntimeError("the Ray cluster has ended")
            node = subprocess.Popen(
                guarded(command),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=self._of_nodes,
                start_new_session=True,
            )
            self._nodes.append(node)
        return node


def _named(node: subprocess.Popen[bytes], *beginnings: str) -> list[psutil.Process]:
    found = []
    for pid in members(node.pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.name().startswith(beginnings):
                found.append(process)
    return found
