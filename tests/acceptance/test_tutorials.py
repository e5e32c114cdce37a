"""The tutorials are followed to the letter: their Python and their commands run, one after another."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ServerProcess

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
ADDRESS = "127.0.0.1:50051"
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _blocks(tutorial: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", tutorial.read_text(), flags=re.M | re.S)


def _run(command: list[str], folder: Path) -> str:
    run = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
    return run.stdout


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda tutorial: tutorial.stem)
def test_its_python_and_its_commands_run(tutorial: Path, server: ServerProcess) -> None:
    program = "\n".join(_blocks(tutorial, "python"))
    commands = [
        line.removeprefix("$ ") for block in _blocks(tutorial, "console") for line in block.splitlines()
    ]
    if program:
        _run([sys.executable, "-c", program.replace(ADDRESS, server.address)], ROOT)
    for command in commands:
        assert _run(shlex.split(command.replace(ADDRESS, server.address)), ROOT)
    # The others have a test of their own: below, and in tests/browser/test_newcomer.py.
    assert program or commands or tutorial.stem in ("browser", "cluster", "go", "lab-server")


def test_the_lines_of_go_are_the_examples() -> None:
    (tutorial,) = (each for each in TUTORIALS if each.stem == "go")
    sources = (ROOT / "examples" / "go").rglob("*.go")
    own = {line.strip() for source in sources for line in source.read_text().splitlines()}
    (block,) = _blocks(tutorial, "go")
    assert [line for line in block.splitlines() if line.strip() not in own] == []


def test_the_server_for_a_lab(tmp_path: Path) -> None:
    (tutorial,) = (each for each in TUTORIALS if each.stem == "lab-server")
    certificate, tokens, serve, use, revoke, doctor = _blocks(tutorial, "sh")
    shutil.copy(ROOT / "examples" / "shell" / "bell.qasm", tmp_path)
    for block in (certificate, tokens):
        listed = _run(["bash", "-euo", "pipefail", "-c", block], tmp_path)
    assert "ada" in listed
    assert "ben" in listed
    start = shlex.split(serve.replace(":50051", ":0"))
    with subprocess.Popen(
        start, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().rpartition(":")[2].strip()
            ran, hers, his = (
                _run(["bash", "-c", line], tmp_path)
                for line in use.replace("localhost:50051", f"localhost:{port}").splitlines()
            )
            assert "100 shots" in ran
            assert "DONE" in hers
            assert "DONE" not in his
            checked = doctor.replace("localhost:50051", f"localhost:{port}")
            assert "localhost" in _run(["bash", "-c", checked], tmp_path)
            _run(["bash", "-c", revoke], tmp_path)
        finally:
            server.kill()
