"""What goes wrong with a Ray cluster that is broken on purpose, and with the worker that drives it."""

from __future__ import annotations

import contextlib
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable

import psutil

from tests.cluster.breaking import Deck, Mender
from tests.cluster.processes import Part
from tests.cluster.ray import RayCluster

__all__ = ["FAULTS", "RayBreaker"]

# How often each comes beside the others. One comes at a time: Ray takes seconds to be there again.
FAULTS = {
    "kill a process on a node": 4,
    "kill the Ray driver": 3,
    "kill a raylet": 2,
    "kill the Ray head": 1,
    "freeze the Ray driver": 1,
    "cut the Ray driver off": 1,
}
# Until a driver must have ended whose cluster has (seconds): Ray ends it after a minute.
END_LIMIT = 90.0
# Between two of them, at most (seconds).
_PAUSE = 1.0
# Until another one comes although no job has ended there meanwhile (seconds).
_WORKING = 20.0


class RayBreaker:
    """Breaks one thing after the other, on a thread of its own, and is the driver's supervisor."""

    def __init__(
        self,
        cluster: RayCluster,
        driver: Part,
        mender: Mender,
        lease: float,
        seed: int,
        finished: Callable[[], int],
    ) -> None:
        """`lease` is in seconds; `finished` says how many jobs the driver has finished."""
        self._finished = finished
        self._cluster = cluster
        self._driver = driver
        self._mender = mender
        self._lease = lease
        self._random = random.Random(seed)
        self._deck = Deck(FAULTS, self._random)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.faults: Counter[str] = Counter()
        self.violations: list[str] = []

    @property
    def missing(self) -> set[str]:
        """What hasn't been yet."""
        return set(FAULTS) - set(self.faults)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def settle(self) -> None:
        """Break nothing more, and wait until the cluster and its driver are there again."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._random.uniform(0, _PAUSE)):
            fault = self._deck.next()
            try:
                done = self._break(fault)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                if not self._mender.over.is_set():
                    self.violations.append(f"{fault}: {error}")
                return
            if done:
                self.faults[fault] += 1
                self._await_a_job()
            else:
                self._deck.put_back(fault)

    def _await_a_job(self) -> None:
        """Let the cluster do something, which takes longer to be there again than faults take to come."""
        before, until = self._finished(), time.monotonic() + _WORKING
        while not self._stopping.wait(0.2) and time.monotonic() < until:
            if self._finished() > before:
                return

    def _break(self, fault: str) -> bool:
        """Whether it could be done; all is there again when this returns.

        Raises:
            RuntimeError: A node doesn't start.
            TimeoutExpired: One that was killed doesn't end.
        """
        away = self._random.uniform(0, 2 * self._lease)
        if fault == "kill a process on a node":
            return self._kill_simulator()
        if fault == "kill a raylet":
            self._cluster.kill_raylet()
            self._cluster.add_node()
        elif fault == "kill the Ray head":
            self._cluster.kill_head()
            self._cluster.kill()
            self._cluster.start()
            # It belongs to a cluster that is no more.
            self._await_end()
        else:
            self._mender.how(fault.split()[0])(self._driver, away)
        if not self._driver.alive:
            self._mender.revive(self._driver)
        return True

    def _kill_simulator(self) -> bool:
        found = self._cluster.simulators()
        if not found:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            self._random.choice(found).kill()
            return True
        return False

    def _await_end(self) -> None:
        try:
            self._driver.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self.violations.append("a driver whose cluster has ended goes on")
            self._driver.kill()
