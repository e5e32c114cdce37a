"""Who needs a kernel that isn't there waits for the process that compiles it, and for no longer than that."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from basicaer.simulator import SimulationCancelled, compiling_apart, is_compiling
from basicaer.simulator.methods.statevector import _background as background
from basicaer.simulator.methods.statevector.engine._matrices import parametric
from basicaer.simulator.methods.statevector.engine.machine import _kept


@pytest.fixture(autouse=True)
def _sleeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that compiles nothing, for a second."""
    command = [sys.executable, "-c", "import time; time.sleep(1)"]
    monkeypatch.setattr(background, "_start", lambda more: subprocess.Popen(command))


def _wait(is_there: Callable[[], bool]) -> None:
    """As one does who calls a kernel that can't go the plain way."""
    assert _kept.awaited is not None
    assert _kept.awaited(parametric, (), is_there) is None


def test_a_kernel_that_is_there_starts_nothing() -> None:
    told: list[str] = []
    with compiling_apart(lambda: told.append("begins")):
        _wait(lambda: True)
        assert not is_compiling()
    assert told == []
    assert _kept.awaited is None


def test_the_process_starts_once_and_is_waited_for_until_it_ends() -> None:
    told: list[str] = []
    with compiling_apart(lambda: told.append("begins")):
        began = time.monotonic()
        _wait(lambda: time.monotonic() > began + 0.1)
        assert is_compiling()
        _wait(lambda: False)
        assert not is_compiling()
        _wait(lambda: False)
    assert told == ["begins"]


def test_who_waits_when_it_closes_is_cancelled() -> None:
    failures: list[BaseException] = []
    began = threading.Event()

    def wait() -> None:
        try:
            _wait(lambda: False)
        except SimulationCancelled as error:
            failures.append(error)

    with compiling_apart(began.set):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert began.wait(10)
    waiter.join(10)
    assert len(failures) == 1
    assert not is_compiling()


def test_after_its_close_nobody_compiles_by_himself() -> None:
    with compiling_apart(lambda: None) as compiling:
        compiling.close()
        compiling.close()
        # Neither who comes late, nor who would find what an ended process has half written.
        for is_there in (False, True):
            with pytest.raises(SimulationCancelled):
                _wait(partial(bool, is_there))
    assert _kept.awaited is None
