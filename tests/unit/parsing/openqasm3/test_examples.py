"""The specification's own examples, which lie beside a checkout, and what they give by its rules."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.unit.parsing.openqasm3.outcomes import outcomes

EXAMPLES = Path(__file__).parents[5] / "shared" / "circuits" / "openqasm3"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the specification's examples aren't here")

# Of a register, the share of each value.
EXPECTED = {
    "adder": {"ans=10000": 1.0},
    "rb": {"c=00": 1.0},
    "qft": {f"c={number:04b}": 1 / 16 for number in range(16)},
    "teleport": {"c2=0": math.cos(0.15) ** 2, "c2=1": math.sin(0.15) ** 2},
    # arccos(3 / 5) divides integers.
    "rus": {"output_qubit=0": 0.9, "output_qubit=1": 0.1},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_has_its_distribution(name: str) -> None:
    wanted = EXPECTED[name]
    register = next(iter(wanted)).partition("=")[0]
    found: dict[str, float] = {}
    for outcome, share in outcomes((EXAMPLES / f"{name}.qasm").read_text(), shots=4000).items():
        shown = next(part for part in outcome.split() if part.startswith(f"{register}="))
        found[shown] = found.get(shown, 0.0) + share
    assert found == pytest.approx(wanted, abs=0.03)


def test_iterative_phase_estimation_finds_the_phase_that_is_zero() -> None:
    found = outcomes((EXAMPLES / "ipe.qasm").read_text(), shots=2000)
    assert found["c=0000000000"] == pytest.approx(0.5, abs=0.05)
