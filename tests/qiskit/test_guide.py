"""The code of docs/qiskit.md runs, as far as this version of Qiskit is the one that a section is about."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import qiskit
import qiskit.primitives

GUIDE = (Path(__file__).parents[2] / "docs" / "qiskit.md").read_text()
# The sections for some versions alone, by what their titles begin with.
WANTED = {
    "From BasicAer": qiskit.__version__.startswith("0."),
    "From IBM Runtime": hasattr(qiskit.primitives, "BaseSamplerV2"),
}


def _programs(section: str) -> list[str]:
    """The section's code; of a comparison, what is there after the change."""
    found = []
    for language, code in re.findall(r"^```(python|diff)\n(.*?)^```", section, flags=re.M | re.S):
        if language == "diff":
            code = "".join(line[1:] for line in code.splitlines(keepends=True) if not line.startswith("-"))
        found.append(code)
    return found


def test_the_guides_code_runs(address: str) -> None:
    names: dict[str, Any] = {}
    ran = 0
    for section in re.split(r"^## ", GUIDE, flags=re.M):
        if not all(wanted for title, wanted in WANTED.items() if section.startswith(title)):
            continue
        for program in _programs(section):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                exec(program.replace("127.0.0.1:50051", address), names)
            ran += 1
    assert ran >= 4
    assert set(names["counts"]) <= {"00", "11"}
