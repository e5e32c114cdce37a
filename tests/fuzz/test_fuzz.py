"""The fuzzing in short: by hypothesis, whose inputs are the same each time, and by atheris where it is."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.inputs.coverage import hunt
from tests.fuzz.targets import TARGETS, Target, find

# So many inputs take a second or two.
EXAMPLES = {
    **dict.fromkeys(("openqasm2", "openqasm3", "specs"), 400),
    "wire": 150,
    "headers": 300,
    "responses": 200,
    "settings": 200,
    "web": 200,
}
# A hunt ends by its inputs, the same ones on any machine, or when it takes too long (seconds).
RUNS, SECONDS = 300, 60
SEED = 1


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Each target, with what it needs around it."""
    found = find(request.param)
    with found.around():
        yield found


def test_every_seed_is_handled(target: Target) -> None:
    for seed in target.seeds():
        target.run(seed)


def test_damaged_inputs_are_handled(target: Target) -> None:
    seeds = target.seeds()

    @settings(
        max_examples=EXAMPLES.get(target.name, 100),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(seeds), st.integers(1, 4), st.randoms(use_true_random=False))
    def damage(data: bytes, times: int, random: Random) -> None:
        for _ in range(times):
            data = target.mutate(data, random)
        target.run(data)

    damage()


@pytest.mark.parametrize("name", ["openqasm2", "openqasm3", "specs", "responses", "settings"])
def test_any_bytes_are_handled(name: str) -> None:
    target = find(name)

    @settings(max_examples=100, derandomize=True, database=None, deadline=None)
    @given(st.binary())
    def run(data: bytes) -> None:
        target.run(data)

    with target.around():
        run()


# atheris has no wheels for some versions of Python, and then isn't installed.
HUNTED = TARGETS if importlib.util.find_spec("atheris") else ()


@pytest.mark.parametrize("name", HUNTED)
@pytest.mark.timeout(300)
def test_a_short_hunt_finds_nothing(name: str) -> None:
    found = hunt(name, SECONDS, SEED, RUNS)
    assert found.finding is None, f"{found.finding!r}\n{found.text}"
    assert found.runs > 0
