"""Each section of the language's reference, by programs that tell what they give."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.parsing.openqasm3.outcomes import Section, circuit, sections, values

PROGRAMS = Path(__file__).parent / "programs"
SECTIONS = [section for path in sorted(PROGRAMS.glob("*.txt")) for section in sections(path)]
# Programs of others, beside a checkout.
SHARED = Path(__file__).parents[5] / "shared" / "circuits" / "openqasm3" / "probes"
PROBES = [section for path in sorted(SHARED.glob("*.qasm")) for section in sections(path)]


def test_there_are_programs() -> None:
    assert len(SECTIONS) > 130
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


@pytest.mark.parametrize("section", [*SECTIONS, *PROBES], ids=lambda section: section.name)
def test_a_program_gives_what_it_tells(section: Section) -> None:
    is_certain = len(section.expected) == 1
    assert values(section.text, shots=20 if is_certain else 4000) == pytest.approx(section.expected, abs=0.04)


@pytest.mark.parametrize("section", [*SECTIONS, *PROBES], ids=lambda section: section.name)
@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_lines_may_end_in_other_ways(section: Section, end: str) -> None:
    assert circuit(section.text.replace("\n", end)) == circuit(section.text)
