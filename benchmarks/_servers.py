"""Server processes for a benchmark: the real one, and a bare one that does the same calls with no work."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

# The bursts of a benchmark and its long streams must not meet the client's own defaults.
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def memory_of(pid: int, field: str) -> int:
    """Return a process' memory now (VmRSS), or the most that it had (VmHWM), in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def allow_files() -> None:
    """Let this process, and those that it starts, hold as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


@contextlib.contextmanager
def _process(*command: str, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, int]]:
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"{command} did not start; it said {line!r}")
        yield line.split()[-1], process.pid
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def real_server(
    data_dir: str,
    *options: str,
    checkout: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> contextlib.AbstractContextManager[tuple[str, int]]:
    """Run the service itself, with a durable store in ``data_dir``; yield its address and process id. It is
    another checkout's when that is given, with the packages that are installed here; `environment` takes the
    place of this process' own.
    """
    command = ["-m", "basicaer.service.cli", "serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir]
    if checkout is not None:
        folders = (checkout / part for part in ("protos", "client", "simulator", "service"))
        environment = {**(environment or os.environ), "PYTHONPATH": os.pathsep.join(map(str, folders))}
    return _process(*command, "--log-level", "warning", *options, environment=environment)


def bare_server(recording: str, state_bytes: int = 0) -> contextlib.AbstractContextManager[tuple[str, int]]:
    """Return a grpc.aio server that replays the messages in the file ``recording`` and does nothing else.

    A result that is read from it has ``state_bytes`` bytes.
    """
    return _process("-m", "benchmarks.service._bare", recording, str(state_bytes))
