"""The chaos run in short: no promise breaks, and defects that were planted are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.driver import Options, run
from tests.chaos.faults import PLANTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEARCHED = {
    "publish-before-commit": ("is lost", "is not the stored one", "made the jobs", "overtaken", "of nobody"),
    "drop-event-on-reconnect": ("came after event", "had the events"),
    "forget-request-id": ("made the jobs", "of nobody", "of its own", "in the store"),
}


async def test_no_promise_breaks(tmp_path: Path) -> None:
    report = await run(Options(tmp_path / "chaos", seconds=20, seed=1))
    assert report.violations == [], "\n".join(report.lines())
    assert report.faults
    assert report.counts["jobs"]


@pytest.mark.parametrize("plant", sorted(PLANTS))
async def test_a_planted_defect_is_found(tmp_path: Path, plant: str) -> None:
    report = await run(Options(tmp_path / "chaos", seconds=60, seed=2, plant=plant, impatient=True))
    found = "\n".join(report.violations)
    assert any(text in found for text in SEARCHED[plant]), "\n".join(report.lines())
