"""A real S3 server for tests, on a folder of its own: s3s-fs, which `make s3-server` builds.

Its files are those of its buckets, so a test may look at what lies there, or spoil it.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BINARY = Path(__file__).parent.parent / "build" / "s3s-fs" / "bin" / "s3s-fs"
MISSING = f"{BINARY.name} isn't built: make s3-server"
ACCESS_KEY, SECRET_KEY = "basicaer", "basicaer-secret"
START_LIMIT = 60.0


class S3Server:
    """A server with one bucket, "results"; it may be killed and started again, at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self.bucket = folder / "root" / "results"
        self.bucket.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def variables(self) -> dict[str, str]:
        """By which its callers prove who they are."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def objects(self) -> list[str]:
        """The keys of all objects."""
        # Its own notes begin with a dot.
        paths = [path for path in self.bucket.rglob("*") if path.is_file() and not path.name.startswith(".")]
        return sorted(str(path.relative_to(self.bucket)) for path in paths)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        command = [str(BINARY), "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY, str(self.bucket.parent)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        until = time.monotonic() + START_LIMIT
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"s3s-fs did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_LIMIT)
            self._process = None


@contextlib.contextmanager
def running() -> Iterator[S3Server]:
    """A new one, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="basicaer-s3-") as folder:
        server = S3Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()
