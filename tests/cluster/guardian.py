"""Runs a command, and ends all that it has started: when it ends, and when whoever waits for it is gone.

    python -m tests.cluster.guardian COMMAND …

Ray's processes outlive those that started them. Whoever starts this has it begin a session of its own, in
which they all stay, and holds its standard input: the end of that, also by `kill -9`, ends them.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["guarded", "members"]


def guarded(command: Sequence[str]) -> list[str]:
    """What runs a command so; give it `start_new_session`, and a pipe for its standard input."""
    return [sys.executable, "-m", "tests.cluster.guardian", *command]


def members(session: int) -> Iterator[int]:
    """The processes of a session that haven't ended, without its first."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != session:
            with contextlib.suppress(OSError):
                # Behind the name, which may hold anything: state, parent, group, session.
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == session and fields[0] not in b"ZX":
                    yield int(entry.name)


def _guard(command: Sequence[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    ended = os.pidfd_open(child.pid)
    select.select([sys.stdin, ended], [], [])
    # Those that are being started meanwhile are found the next time.
    while rest := list(members(os.getpid())):
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return child.wait()


if __name__ == "__main__":
    sys.exit(_guard(sys.argv[1:]) != 0)
