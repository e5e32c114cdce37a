"""`basicaer run FILE.stim`: how often detectors fire, as text, JSON and arrays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.integration.cli.conftest import Run
from tests.integration.conftest import EXAMPLES

TEXT = """X_ERROR(1) 0
M 0 1 0
DETECTOR rec[-1]
DETECTOR rec[-2]
DETECTOR rec[-3]
OBSERVABLE_INCLUDE(0) rec[-2]
"""
SHOWN = """\
detectors: 3, each of which is 1 in 66.7 % of the shots in the mean, and at least one in 100 %
number  count    share
     0     50     100 %  █████████████████████████████████████████████████████
     2     50     100 %  █████████████████████████████████████████████████████
… and 1 more

observables: 1, each of which is 1 in 0 % of the shots in the mean, and at least one in 0 %
number  count    share
     0      0       0 %
"""


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "memory.stim"
    path.write_text(TEXT)
    return str(path)


def test_rates_are_shown(run: Run, text: str) -> None:
    done = run("run", text, "--shots", "50", "--top", "2")
    assert done.returncode == 0, done.stderr
    assert SHOWN in done.stdout


def test_json_has_counts_and_rates(run: Run, text: str) -> None:
    (program,) = json.loads(run("run", text, "--shots", "50", "--json").stdout)["programs"]
    assert program["bits"] == {
        "detectors": {"counts": [50, 0, 50], "rates": [1.0, 0.0, 1.0]},
        "observables": {"counts": [0], "rates": [0.0]},
    }
    assert "counts" not in program
    (program,) = json.loads(run("run", text, "--shots", "5", "--memory", "--json").stdout)["programs"]
    assert program["counts"] == {"101": 5}
    assert program["memory"] == ["101"] * 5


def test_arrays_are_saved_packed(run: Run, text: str, tmp_path: Path) -> None:
    path = tmp_path / "found.npz"
    assert run("run", text, "--shots", "50", "--save", str(path)).returncode == 0
    with np.load(path) as found:
        assert found["0/detectors"].tolist() == [[0b101]] * 50
        assert found["0/detectors.bits"] == 3
        assert found["0/observables"].tolist() == [[0]] * 50


def test_the_example_runs_and_is_checked(run: Run) -> None:
    path = str(EXAMPLES / "repetition.stim")
    assert run("check", path).stdout == f"{path}: no mistakes\n"
    assert "detectors: 8, each" in run("run", path, "--shots", "1000").stdout


def test_the_name_of_a_file_tells_the_language_of_a_text_that_does_not(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.stim"
    path.write_text("H 0\nCX 0 0")
    done = run("check", str(path))
    assert done.returncode == 1
    assert f"{path}:2:6: error: CX takes two different qubits" in done.stdout
    path.write_text("NONSENSE 3")
    assert f"{path}:1:1: error: there is no instruction NONSENSE" in run("check", str(path)).stdout
