"""The chaos run in short: no promise breaks, and defects that were planted are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.chaos import run
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
    report = run(tmp_path, seconds=20, seed=1)
    assert report.violations == [], "\n".join(report.lines())
    assert report.faults
    assert report.jobs


@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_planted_defect_is_found(tmp_path: Path, plant: str) -> None:
    """It ends with the first that is found, long before this time."""
    report = run(tmp_path, seconds=600, seed=2, plant=plant, impatient=True)
    assert any(text in found for found in report.violations for text in FOUND[plant]), "\n".join(
        report.lines()
    )
