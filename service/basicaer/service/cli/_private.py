"""A server of the command's own, for `run` and `check` without --server: nothing to set up or clean up."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from basicaer.service.cli._connection import Connection, Server, connect
from basicaer.service.cli._errors import CommandError
from basicaer.service.cli._say import say

__all__ = ["connect_or_start", "private_server"]

# A start takes a second, and many of them on a machine that is busy or starved of memory.
_START_LIMIT = 600.0
_NOT_READY = f"the private server isn't ready yet: waiting up to {_START_LIMIT:g} s …"
_PATIENCE = 10.0
_STOP_LIMIT = 10.0


@contextlib.contextmanager
def connect_or_start(
    server: Server | None, tell: Callable[[str], object] | None = None
) -> Iterator[Connection]:
    """Connect to a server, or to a private one when none is named; `tell` is told that one starts.

    Raises:
        BasicAerError, CommandError: As `connect` and `private_server`.
    """
    if server is not None:
        with connect(server) as connection:
            yield connection
        return
    if tell is not None:
        tell("starting a private server (--server HOST:PORT takes a running one)")
    with contextlib.ExitStack() as stack:
        own = Server(stack.enter_context(private_server()), private=True)
        # When it is away it has died, for want of memory perhaps, and nobody will start it again.
        yield stack.enter_context(connect(own, max_outage=2.0))


@contextlib.contextmanager
def private_server() -> Iterator[str]:
    """Run a server on a free port with a temporary data directory; yield its HOST:PORT.

    It runs in a session of its own, so that Ctrl-C reaches this command alone and the command can still
    cancel the job; and it ends by itself when this process does, however that happens, because its standard
    input closes.

    Raises:
        CommandError: It did not start; with the last line of its log.
    """
    with tempfile.TemporaryDirectory(prefix="basicaer-") as folder:
        log = Path(folder, "log")
        command = [sys.executable, "-m", "basicaer.service.cli", "serve", "--listen", "127.0.0.1:0"]
        command += ["--data-dir", str(Path(folder, "data")), "--drain-grace", "0", "--http-listen", "none"]
        command += ["--until-stdin-closes"]
        # A person's BASICAER_* settings are for their real server.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                start_new_session=True,
            )
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    assert process.stdout is not None
    until = time.monotonic() + _START_LIMIT
    line, told = b"", False
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
        if not ready and time.monotonic() < until:
            # For who looks on; in a file it would be a line that is there or not as the machine pleases.
            if not told and sys.stderr.isatty():
                say(_NOT_READY, stream=sys.stderr)
                told = True
            continue
        piece = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not piece:
            lines = log.read_text(errors="replace").splitlines()
            cause = (
                lines[-1]
                if lines
                else ("it ended silently" if ready else f"not ready after {_START_LIMIT:g} s")
            )
            raise CommandError(f"the private server did not start: {cause}", status=1)
        line += piece
    return line.decode().removeprefix("listening on ").strip()
