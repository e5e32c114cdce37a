"""The chaos run in short: no promise breaks, and defects that were planted are found."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.cluster.chaos import run
from tests.cluster.guardian import members
from tests.cluster.plants import PLANTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

# What is found of each defect: by the database, or by callers.
FOUND = {
    "renew-after-the-end": ("a lease that had ended",),
    "write-without-the-fence": (
        "a job that waits was written",
        "a job was written by who does not have it",
        "a written event was written anew",
    ),
    "notify-without-catch-up": ("a watch was not told what its server knows",),
}


def test_no_promise_breaks(tmp_path: Path) -> None:
    """It goes on until all kinds of faults were there. Those of Ray take minutes: tests/integration/nodes has
    a test of each, and `make chaos-cluster` all of them at once.
    """
    report = run(tmp_path, seconds=10, seed=1, ray=False)
    text = "\n".join(report.lines())
    assert report.violations == [], text
    assert not report.missing, text
    assert report.jobs, text


def test_nothing_outlives_an_interrupt(tmp_path: Path) -> None:
    """Ray's processes don't end with those that started them."""
    command = [sys.executable, "-m", "tests.cluster.chaos", "--seconds", "600", "--logs", str(tmp_path)]
    chaos = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sessions: dict[str, int] = {}
    try:
        until = time.monotonic() + 200
        while "raylet" not in sessions:
            assert chaos.poll() is None
            assert time.monotonic() < until
            for process in psutil.Process(chaos.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                    sessions[process.name()] = os.getsid(process.pid)
    finally:
        chaos.send_signal(signal.SIGINT)
        assert chaos.wait(120) != 0
    own = os.getsid(0)
    for session in {*sessions.values()} - {own}:
        assert not psutil.pid_exists(session)
        assert not list(members(session))
    assert "postgres" in sessions


@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_planted_defect_is_found(tmp_path: Path, plant: str) -> None:
    """It ends with the first that is found, long before this time. Ray has no part in them."""
    report = run(tmp_path, seconds=400, seed=2, plant=plant, impatient=True, ray=False)
    assert any(text in found for found in report.violations for text in FOUND[plant]), "\n".join(
        report.lines()
    )
