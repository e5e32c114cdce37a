"""The example of a memory experiment: curves of two distances, which cross."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ServerProcess

SCRIPT = Path(__file__).parents[3] / "examples" / "python" / "memory_experiment.py"


def test_the_larger_code_is_better_below_threshold_and_worse_above(
    server: ServerProcess, tmp_path: Path
) -> None:
    for package in ("pymatching", "matplotlib"):
        pytest.importorskip(package)
    picture = tmp_path / "curves.png"
    options = ["--shots", "20000", "--plot", str(picture), "--rates", "0.003", "0.012"]
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), server.address, *options],
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = {
        float(rate): (float(small), float(large))
        for rate, small, large in re.findall(r"^ *([\d.]+) +([\d.]+) +([\d.]+)$", run.stdout, re.M)
    }
    assert set(found) == {0.003, 0.012}
    assert found[0.003][1] < found[0.003][0] < 0.02
    assert 0.05 < found[0.012][0] < found[0.012][1] < 0.3
    assert "distance 5 keeps the bit better up to 0.003" in run.stdout
