"""Talks to a runner: a program that puts one client behind JSON lines, as `README.md` describes."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any, Self

__all__ = ["Runner"]


class Runner:
    """A running runner. Use it in a `with`."""

    def __init__(self, command: str, address: str) -> None:
        self._command = command
        self._process = subprocess.Popen(
            [*shlex.split(command), address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Sends one request and returns the reply to it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{self._command} ended at {request}; its stderr says why"
        reply: dict[str, Any] = json.loads(line)
        return reply
