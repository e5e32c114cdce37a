"""HAProxy before several servers, with what `deploy/haproxy` ships but for their names.

It is Debian's (`make debian-packages` names it).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
LIMIT = 60.0


@dataclass(frozen=True)
class Backend:
    """A server: HOST:PORT of gRPC, and of HTTP."""

    address: str
    http_address: str


class Balancer:
    """A running HAProxy."""

    def __init__(self, address: str, http_url: str, statistics: Path) -> None:
        self.address = address
        self.http_url = http_url
        self._statistics = statistics

    def calls(self, frontend: str = "grpc") -> dict[str, int]:
        """How many requests each server of a front end has had."""
        return {row["svname"]: int(row["stot"]) for row in self._rows(frontend)}

    def ready(self, frontend: str = "grpc") -> int:
        """How many servers of a front end are ready."""
        return sum(row["status"] == "UP" for row in self._rows(frontend))

    def _rows(self, frontend: str) -> list[dict[str, str]]:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(LIMIT)
            admin.connect(str(self._statistics))
            admin.sendall(b"show stat\n")
            with admin.makefile() as answer:
                names, *lines = answer.read().removeprefix("# ").split("\n")
        rows = [dict(zip(names.split(","), line.split(","), strict=True)) for line in lines if line]
        return [row for row in rows if row["pxname"] == frontend and row["svname"].startswith("server")]


def haproxy() -> str:
    """Where its program is.

    Raises:
        RuntimeError: It isn't there.
    """
    # Debian has it where only root's PATH leads.
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("tests of several servers need HAProxy before them: apt-get install haproxy")
    return found


def _servers(backends: Sequence[Backend], statistics: Path) -> str:
    text = f"global\n    stats socket {statistics} mode 600\n"
    for name, options in (("grpc", " proto h2"), ("http", "")):
        text += f"backend {name}\n"
        for number, backend in enumerate(backends, start=1):
            address = backend.address if name == "grpc" else backend.http_address
            check = f"check port {backend.http_address.rpartition(':')[2]} check-proto h1 inter 100ms"
            text += f"    server server{number} {address}{options} {check}\n"
            text += f"    server unready{number} {address}{options} no-check backup\n"
    return text


@contextlib.contextmanager
def balancing(folder: Path, backends: Sequence[Backend]) -> Iterator[Balancer]:
    """Run one before these servers; it has found all of them ready when the block begins."""
    statistics = folder / "haproxy.sock"
    names = folder / "servers.cfg"
    names.write_text(_servers(backends, statistics))
    with socket.socket() as grpc, socket.socket() as http, (folder / "haproxy.log").open("wb") as log:
        for listener in (grpc, http):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        listen = {"GRPC_LISTEN": f"fd@{grpc.fileno()}", "HTTP_LISTEN": f"fd@{http.fileno()}"}
        process = subprocess.Popen(
            [haproxy(), "-db", "-f", str(SHIPPED), "-f", str(names)],
            env=os.environ | listen,
            pass_fds=(grpc.fileno(), http.fileno()),
            stdout=log,
            stderr=log,
        )
        ports = [listener.getsockname()[1] for listener in (grpc, http)]
        balancer = Balancer(f"127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", statistics)
        try:
            _wait(process, balancer, len(backends), Path(log.name))
            yield balancer
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], balancer: Balancer, count: int, log: Path) -> None:
    until = time.monotonic() + LIMIT
    while True:
        with contextlib.suppress(OSError):
            if balancer.ready() == balancer.ready("http") == count:
                return
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"HAProxy isn't ready: {log.read_text()}")
        time.sleep(0.05)
