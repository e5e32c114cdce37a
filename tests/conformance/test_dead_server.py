"""What a person sees who starts a program before its server: what is tried, and one line at the end."""

from __future__ import annotations

import shlex
import socket
import subprocess

# Of all tries together, with what a busy machine adds.
LIMIT = 100.0


def test_a_program_tells_that_nobody_answers(program_command: str) -> None:
    with socket.socket() as unheard:
        # Bound and not listening: connections are refused, and nobody else gets the port.
        unheard.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unheard.getsockname()[1]}"
        command = [*shlex.split(program_command), address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            first = process.stderr.readline()
            ended = process.poll()
            output, rest = process.communicate(timeout=LIMIT)
    assert address in first
    assert process.returncode not in (0, None)
    assert output == ""
    if "again" in first:
        assert ended is None, "it tells of another try only after the last one"
        assert len(rest.splitlines()) == 1, rest
    else:
        assert rest == ""
