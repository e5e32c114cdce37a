"""What a user could see at commit 2631156 is still there, as it was; see `describe`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.surface.describe import PACKAGES, everything

LISTED = (Path(__file__).parent / "surface.txt").read_text().splitlines()
# A call's parameter: what is called, and how the parameter is given.
PARAMETER = re.compile(r"(\S+)\((\w+)\): [^,]*, (required|default|any number)")


def gone(listed: Iterable[str], found: Iterable[str]) -> list[str]:
    """Return the facts that hold no more; a change is one that is gone, and another that is new."""
    kept = set(found)
    return [line for line in listed if line not in kept]


def demanded(listed: Iterable[str], found: Iterable[str]) -> list[str]:
    """Return the parameters that older calls don't give and newer ones must."""
    known = set(listed)
    called = {match[1] for line in known if (match := PARAMETER.match(line))}
    called |= {line.partition("() -> ")[0] for line in known if "() -> " in line}
    new = [match for line in found if line not in known and (match := PARAMETER.match(line))]
    return [match.string for match in new if match[1] in called and match[3] == "required"]


@pytest.fixture(scope="module")
def found() -> list[str]:
    return everything()


def test_nothing_is_gone_and_nothing_is_changed(found: list[str]) -> None:
    assert gone(LISTED, found) == []


def test_what_could_be_called_can_be_called_as_before(found: list[str]) -> None:
    assert demanded(LISTED, found) == []


def test_the_list_is_whole(found: list[str]) -> None:
    kinds = ("setting ", "command ", "metric ", "message ", "field ", "enum ", "value ", "method ")
    for kind in (*kinds, *(f"{package}." for package in PACKAGES)):
        assert any(line.startswith(kind) for line in LISTED), kind
    assert sorted(set(LISTED)) == LISTED
    assert len(found) >= len(LISTED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("basicaer.client.Circuit: class", "basicaer.client.Circuit: function"),
        ("m.f(x): keyword-only, default None, int", "m.f(x): keyword-only, default 0, int"),
        ("m.f(x): keyword-only, default None, int", "m.f(x): positional or keyword 1, default None, int"),
        ("m.f() -> int", "m.f() -> str"),
        ("metric basicaer_x: counter, labels (a)", "metric basicaer_x: counter, labels (a, b)"),
        ("field v1.A.b = 1: string, b", "field v1.A.b = 2: string, b"),
    ],
)
def test_a_change_is_seen(before: str, after: str) -> None:
    assert gone([before], [after]) == [before]
    assert gone([before], [before, after]) == []


def test_a_new_parameter_needs_a_default() -> None:
    listed = ["m.f() -> int", "m.f: function"]
    required = "m.f(x): keyword-only, required, int"
    assert demanded(listed, [*listed, required]) == [required]
    assert demanded(listed, [*listed, "m.f(x): keyword-only, default 1, int"]) == []
    assert demanded(listed, [*listed, "m.g(x): keyword-only, required, int", "m.g() -> int"]) == []
