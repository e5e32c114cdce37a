"""docs/extending.md: each of its examples is short, and its tests pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = dict(
    re.findall(
        r"^## (.*?)\n.*?^```python\n(.*?)^```",
        (ROOT / "docs" / "extending.md").read_text(),
        flags=re.M | re.S,
    )
)
MOST_LINES = 40


def test_there_is_an_example_of_each() -> None:
    assert set(SECTIONS) == {
        "A gate",
        "A method",
        "A store",
        "A queue",
        "A door",
        "A language",
        "A setting",
    }


@pytest.mark.parametrize("title", SECTIONS)
def test_an_example_passes(title: str, tmp_path: Path) -> None:
    code = SECTIONS[title]
    assert len([line for line in code.splitlines() if line.strip()]) <= MOST_LINES
    module = tmp_path / "test_example.py"
    module.write_text(code)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *("-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(module)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert re.search(r"^\d+ passed", run.stdout.splitlines()[-1]), run.stdout


def test_the_places_that_it_names_are_there() -> None:
    text = (ROOT / "docs" / "extending.md").read_text()
    places = set(re.findall(r"`((?:tests|simulator|service)/[\w/.]+)`", text))
    assert len(places) >= 14
    assert [place for place in places if not (ROOT / place).exists()] == []
