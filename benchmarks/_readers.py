"""Our reader of OpenQASM 3 beside others, each in a process of its own, round after round in turn."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks._report import Figure
from benchmarks.peers._reading import READERS

__all__ = ["beside_peers"]

_ROOT = Path(__file__).resolve().parents[1]
_OURS = "ours"
# Readers that are compiled, and stop at a tree of the program: by how much ours may be slower.
_SLACK = {"qdk.openqasm.analyze": 4.0}


class _Reader:
    """A reader's process."""

    def __init__(self, name: str, python: Path) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.peers._reading", name],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, file: Path) -> float | str:
        """Let it read a file; return how long that took, or why it can't."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(f"{file}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        answer = json.loads(line) if line else {"error": "its process ended"}
        return str(answer["error"]) if "error" in answer else float(answer["seconds"])

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        with contextlib.suppress(OSError), self._process:
            pass


def beside_peers(texts: Mapping[str, str], rounds: int) -> list[Figure]:
    """Compare reading texts, by what they are, with the peers' environment: `make bench-peers` sets it up.

    BASICAER_PEERS_PYTHON names its interpreter, where it isn't in .venv-peers.
    """
    python = Path(os.environ.get("BASICAER_PEERS_PYTHON", _ROOT / ".venv-peers" / "bin" / "python"))
    if not python.exists():
        return [Figure("readers of OpenQASM 3 beside each other", "not measured: no .venv-peers", "", True)]
    readers = [_Reader(name, Path(sys.executable) if name == _OURS else python) for name in READERS]
    try:
        with tempfile.TemporaryDirectory() as folder:
            return [
                figure
                for what, text in texts.items()
                for figure in _rows(readers, what, _written(Path(folder), text), rounds)
            ]
    finally:
        for reader in readers:
            reader.stop()


def _written(folder: Path, text: str) -> Path:
    file = folder / "text.qasm"
    file.write_text(text)
    return file


def _rows(readers: list[_Reader], what: str, file: Path, rounds: int) -> list[Figure]:
    for reader in readers:
        # The first time, each imports and warms up.
        reader.seconds(file)
    found: dict[str, list[float]] = {reader.name: [] for reader in readers}
    refused: dict[str, str] = {}
    for _ in range(rounds):
        for reader in readers:
            took = reader.seconds(file)
            if isinstance(took, str):
                refused[reader.name] = took
            else:
                found[reader.name].append(took)
    ours = statistics.median(found[_OURS])
    rows = []
    for name in READERS:
        if name == _OURS:
            continue
        if name in refused:
            rows.append(Figure(f"{what} beside {name}", f"refused: {refused[name]}", "", True))
            continue
        theirs = statistics.median(found[name])
        measured = f"{theirs / ours:.1f} times as fast ({ours * 1e3:,.1f} of {theirs * 1e3:,.1f} ms)"
        slack = _SLACK.get(name, 1.0)
        bound = "faster" if slack == 1.0 else f"{1 / slack:g} times as fast"
        rows.append(Figure(f"{what} beside {name}", measured, bound, ours < slack * theirs))
    return rows
