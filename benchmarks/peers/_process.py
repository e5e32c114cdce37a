"""The leader's end of a worker: start it, command it, give up on it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SETTLE_SECONDS = 0.02
"""OpenMP threads spin after a region before they sleep, for 5 ms at most in these programs.
The next program starts later than that, so that none needs OMP_WAIT_POLICY=passive, which might slow it."""


class ProgramError(Exception):
    """A program raised, died or took too long; the text says which."""


class Program:
    """A program in a process of its own, started at the first command and again after a failure."""

    def __init__(
        self, name: str, python: Path, precision: str, threads: int, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self._argv = [str(python), "-m", "benchmarks.peers._worker", name, precision, str(threads)]
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[str] | None = None

    def ask(self, do: str, *, seconds: float, **fields: Any) -> dict[str, Any]:
        """Send one command and return its answer.

        Raises `ProgramError` when the program raised, ended, or took more than `seconds`; in the last two
        cases it is stopped, and the next command starts it anew.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._lost(process) from None
        if not select.select([process.stdout], [], [], seconds)[0]:
            self.stop()
            raise ProgramError(f"over {seconds:.0f} s")
        line = process.stdout.readline()
        if not line:
            raise self._lost(process)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ProgramError(str(answer["error"]).splitlines()[0][:160])
        time.sleep(SETTLE_SECONDS)
        return answer

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            # What it didn't read any more can't be written either.
            with contextlib.suppress(OSError), process:
                pass

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._argv,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process

    def _lost(self, process: subprocess.Popen[str]) -> ProgramError:
        code = process.wait()
        self.stop()
        return ProgramError(f"its process ended with {code}")


def stop_all(programs: Sequence[Program]) -> None:
    """End every process."""
    for program in programs:
        program.stop()
