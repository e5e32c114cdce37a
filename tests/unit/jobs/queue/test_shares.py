"""Whose jobs a server is busy with, and who may know."""

from __future__ import annotations

import pytest
from basicaer.service.callers import ANYONE, Caller
from basicaer.service.jobs._shares import MOST_SHARES, Share, shares

from tests.unit.jobs.queue.queue_contract import entry

ADA, BEN, ROOT = Caller("token:ada", False), Caller("token:ben", False), Caller("token:root", True)
WAITING = {"token:ada": 2, "jwt:ada": 1, "": 7}
RUNNING = [entry("1", principal="token:ada"), entry("2", principal="cert:eve"), entry("3")]


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (ADA, [Share("token:ada", 2, 1)]),
        # Somebody else of the same name has none of hers.
        (Caller("jwt:ada", False), [Share("jwt:ada", 1, 0)]),
        (BEN, []),
        (ROOT, [Share("token:ada", 2, 1), Share("cert:eve", 0, 1), Share("jwt:ada", 1, 0)]),
        (ANYONE, [Share("token:ada", 2, 1), Share("cert:eve", 0, 1), Share("jwt:ada", 1, 0)]),
    ],
)
def test_an_admin_sees_all_and_others_themselves(caller: Caller, seen: list[Share]) -> None:
    assert shares(caller, WAITING, RUNNING) == seen


def test_nobody_in_particular_has_no_share() -> None:
    assert shares(ANYONE, {"": 5}, [entry("1")]) == []


def test_of_very_many_the_largest_are_told() -> None:
    waiting = {f"token:{number:04}": 1 for number in range(MOST_SHARES + 10)} | {"token:last": 2}
    found = shares(ROOT, waiting, [])
    assert len(found) == MOST_SHARES
    assert found[0] == Share("token:last", 2, 0)
