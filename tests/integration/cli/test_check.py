"""`basicaer check`, and what `basicaer run` says of mistakes and warnings."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from basicaer.service.cli import _private

from tests.integration.cli.conftest import Run
from tests.integration.conftest import COMMAND


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A program with two mistakes, and something doubtful."""
    path = tmp_path / "wrong.qasm"
    path.write_text(
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q; bit[2] c;\n'
        "rx(1/2) q[0];\nh q[5];\nc = measure q\n"
    )
    return path


TOLD = """\
{path}:4:5: warning: 1 / 2 divides integers, which gives 0
    4 | rx(1/2) q[0];
      |     ^
  hint: write 1.0 / 2
{path}:5:5: error: index 5 is out of range
    5 | h q[5];
      |     ^
  hint: there are 2, from 0 on
{path}:6:14: error: expected ';' behind an assignment, not the end of the program
    6 | c = measure q
      |              ^
"""


def test_check_tells_all_mistakes(run: Run, wrong: Path) -> None:
    done = run("check", str(wrong))
    counts = f"error: {wrong}: 2 errors, 1 warning\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, TOLD.format(path=wrong), counts)
    ran = run("run", str(wrong))
    assert (ran.returncode, ran.stderr) == (1, TOLD.format(path=wrong) + counts)


def test_check_has_json(run: Run, wrong: Path) -> None:
    done = run("check", str(wrong), "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert (document["file"], document["errors"], document["warnings"]) == (str(wrong), 2, 1)
    assert document["diagnostics"][1] == {
        "severity": "error",
        "message": "index 5 is out of range",
        "line": 5,
        "column": 5,
        "end_column": 6,
        "hint": "there are 2, from 0 on",
    }


def test_warnings_are_no_mistakes(run: Run, wrong: Path) -> None:
    wrong.write_text(wrong.read_text().replace("h q[5];\n", "").replace("measure q", "measure q;"))
    for command in (("check",), ("run", "--shots", "5"), ("run", "--json"), ("run", "--detach")):
        done = run(*command, str(wrong))
        assert done.returncode == 0
        told = done.stdout if command == ("check",) else done.stderr
        assert told.startswith(f"{wrong}:4:5: warning: ")
    assert run("check", str(wrong)).stdout.endswith(f"{wrong}: 1 warning\n")


def test_check_needs_no_server(bell: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BASICAER_")}
    done = subprocess.run(
        [*COMMAND, "check", bell], capture_output=True, text=True, timeout=90, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{bell}: no mistakes\n", "")


def test_a_slow_start_is_told_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_private, "_PATIENCE", 0.001)
    with _private.private_server():
        assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with _private.private_server():
        assert capsys.readouterr() == ("", "the private server isn't ready yet: waiting up to 600 s …\n")
