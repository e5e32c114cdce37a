"""Long walks rest while others are served, and end with their callers."""

from __future__ import annotations

import threading
import time

import pytest
from basicaer.service.parsing import GivenUpError, Patience, pause_of


def walk(patience: Patience, seconds: float) -> float:
    """Works for so long; returns the share of the time in which another could have had the processor."""
    pause = pause_of(patience)
    began, busy = time.monotonic(), time.thread_time()
    while time.monotonic() - began < seconds:
        pause()
    return 1 - (time.thread_time() - busy) / (time.monotonic() - began)


def test_a_walk_rests_half_the_time_while_others_are_served() -> None:
    assert walk(Patience(others=lambda: True), 0.3) > 0.3


def test_a_walk_asks_each_millisecond_whether_others_are_served_and_anybody_waits() -> None:
    asked: list[str] = []

    def note(what: str) -> bool:
        asked.append(what)
        return False

    walk(Patience(lambda: note("caller"), others=lambda: note("others")), 0.5)
    # As often where the machine is busy with something else.
    assert asked.count("caller") >= 50
    assert asked.count("others") == asked.count("caller")


def test_a_walk_is_left_soon_after_its_caller() -> None:
    left = threading.Event()
    times = []

    def work() -> None:
        with pytest.raises(GivenUpError):
            walk(Patience(left.is_set, others=lambda: True), 10.0)
        times.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.1)
    went = time.monotonic()
    left.set()
    thread.join()
    assert times[0] - went < 0.1
