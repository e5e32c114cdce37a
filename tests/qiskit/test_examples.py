"""The example of this version of Qiskit, from circuit to histogram."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import qiskit

MAJOR = qiskit.__version__.split(".")[0]
EXAMPLES = Path(__file__).parents[2] / "examples" / "qiskit"
SCRIPT = EXAMPLES / {"0": "qiskit_046.py", "1": "qiskit_1.py", "2": "qiskit_2.py"}[MAJOR]


def test_the_example_runs(address: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "histogram.png"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), address, str(picture)],
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "Job Status: job has successfully run" in run.stdout
    if MAJOR == "0":
        assert set(re.findall(r"'(.) ..'", run.stdout)) == {"0"}
        assert "0.707+0.j" in run.stdout
    elif MAJOR == "1":
        assert "0.00 {'0000': 1000}" in run.stdout
        assert "3.14 {'1111': 1000}" in run.stdout
    else:
        assert set(re.findall(r"'(\d\d)': (?:9|10)\d\d", run.stdout)) == {"00", "01", "10"}
        found, exact = map(float, re.findall(r"(?:found|exact) (-[\d.]+)", run.stdout))
        assert exact - 1e-3 < found < exact + 0.05
