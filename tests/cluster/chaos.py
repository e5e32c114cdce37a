"""`make chaos-cluster`: breaks servers, workers, their database and Ray on purpose, and counts what broke.

Callers submit, submit again, watch, cancel and delete through any server, while processes are killed, frozen
beyond their leases and cut off from PostgreSQL, and that crashes. One worker runs its jobs on Ray's nodes,
some of which no other has the memory for; its processes there, its nodes and their head are killed as well.
What callers are told is compared; what is written, the database itself looks at (`audit`).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.cluster import audit
from tests.cluster.breaking import Breaker, Mender
from tests.cluster.breaking_ray import RayBreaker
from tests.cluster.callers import WEIGHTS, WEIGHTS_WITH_RAY, WORKER_MEMORY, Callers
from tests.cluster.plants import PLANTS, REACHED_BY
from tests.cluster.processes import Part, nursery, parts
from tests.cluster.ray import INSTALLED, RayCluster
from tests.database_proxy import DatabaseProxy
from tests.postgresql import running

LEASE = 2.0
SERVERS = WORKERS = 3
CALLERS = 8
# Of the worker on Ray.
AT_ONCE = 2
# Between two steps, at most (seconds).
STEP = 0.6
# How often what nobody will commit is removed, and until when that must be done at the end (seconds).
SWEEP, SWEPT = 5.0, 120.0
# How much longer it may go on until all kinds of faults were there (seconds).
LONGER = 300.0
_SAYS_IT_RAN = "job finished"


@dataclass
class Report:
    """What happened."""

    faults: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    # Those that were run on Ray's nodes to their end.
    jobs_on_ray: int = 0
    # The kinds of faults that there was no occasion for.
    missing: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many kills there were; that of all of a database's processes, or of a node's, is one."""
        return sum(count for kind, count in self.faults.items() if kind.startswith("kill"))

    def lines(self) -> Iterator[str]:
        """For people."""
        for kind, count in self.faults.most_common():
            yield f"{count:5}  {kind}"
        for kind in sorted(self.missing):
            yield f"    0  {kind}"
        yield f"{self.kills:5}  kills in all"
        yield f"{self.jobs:5}  jobs, {self.jobs_on_ray} of them on Ray"
        for text, count in Counter(self.violations).most_common(30):
            yield f"BROKEN {count:5}  {text}"
        yield f"{len(self.violations)} promises broke"


class Chaos:
    """A service of several processes, its callers, and what breaks it. Enter it to start it."""

    def __init__(self, folder: Path, seed: int, plant: str, ray: bool) -> None:
        """What the processes write lies in `folder`."""
        self._folder = folder
        self._seed = seed
        self._plant = plant
        self._ray = ray
        self._stack = contextlib.ExitStack()
        self._proxies: dict[str, DatabaseProxy] = {}
        self._violations: list[str] = []
        self._nodes: RayCluster | None = None
        self._ray_breaker: RayBreaker | None = None

    def __enter__(self) -> Chaos:
        with self._stack:
            self._start()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        enter = self._stack.enter_context
        self._database = enter(running())
        if self._ray:
            self._nodes = enter(RayCluster())
        environment = None if self._nodes is None else self._nodes.environment
        bear = enter(nursery(self._folder / "nursery.log", self._plant, environment, self._ray))
        options = ("--lease-time", f"{LEASE:g}", "--max-attempts", "1000", "--sweep-interval", f"{SWEEP:g}")
        servers, workers = parts(
            self._folder, self._url, SERVERS, WORKERS, options, bear, worker_memory=WORKER_MEMORY
        )
        self._parts = [*servers, *workers]
        mender = self._mender = Mender(self._proxies, LEASE)
        if self._nodes is not None:
            name = "worker-ray"
            command = ("work", "--database", self._url(name), "--executor", self._nodes.url)
            self._driver = Part(
                self._folder, name, *command, "--workers", str(AT_ONCE), *options, launch=bear
            )
            self._parts.append(self._driver)
            self._ray_breaker = RayBreaker(
                *(self._nodes, self._driver, mender, LEASE, self._seed, self._ran_on_ray)
            )
        favoured = REACHED_BY.get(self._plant, frozenset())
        self._breaker = Breaker(self._database, servers, workers, mender, LEASE, self._seed, favoured)
        self._callers = Callers(servers, CALLERS, WEIGHTS_WITH_RAY if self._ray else WEIGHTS)
        self._stack.callback(self._kill)
        for part in self._parts:
            part.begin()
        for part in self._parts:
            part.ready()
        audit.install(self._database)

    def _url(self, name: str) -> str:
        self._proxies[name] = proxy = DatabaseProxy(self._database.folder)
        self._stack.callback(proxy.close)
        return proxy.url(self._database.base_url)

    @property
    def missing(self) -> set[str]:
        """The kinds of faults that haven't been yet."""
        return self._breaker.missing | (set() if self._ray_breaker is None else self._ray_breaker.missing)

    def play(self, seconds: float, impatient: bool) -> Report:
        """Break things for as long as asked, and until each kind was there; `impatient` ends with the first
        promise that breaks.
        """
        self._callers.start()
        if self._ray_breaker is not None:
            self._ray_breaker.start()
        chance = random.Random(self._seed)
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until or (self.missing and not impatient and now < until + LONGER):
            self._breaker.break_something()
            time.sleep(chance.uniform(0, STEP))
            self._violations += [f"{name} has ended by itself" for name in self._breaker.parts_that_ended()]
            if impatient and self._found():
                # What a defect has done to a job may be that it never ends.
                self._callers.abandon()
                break
        self._breaker.settle()
        if self._ray_breaker is not None:
            self._ray_breaker.settle()
        self._callers.stop()
        if not (impatient and self._found()):
            self._callers.compare()
            self._look_for_strays()
        return self._report()

    def _report(self) -> Report:
        faults = Counter(self._breaker.faults)
        ran = 0
        if self._ray_breaker is not None:
            faults += self._ray_breaker.faults
            ran = self._ran_on_ray()
        return Report(faults, len(self._callers.stories), ran, self.missing, self._found())

    def _ran_on_ray(self) -> int:
        return self._driver.log.read_text().count(_SAYS_IT_RAN)

    def _found(self) -> list[str]:
        own = [] if self._ray_breaker is None else self._ray_breaker.violations
        return [*self._violations, *own, *self._callers.violations, *audit.findings(self._database)]

    def _look_for_strays(self) -> None:
        """Whatever belongs to nobody has an end."""
        until = time.monotonic() + SWEPT
        while strays := self._strays():
            if time.monotonic() > until:
                self._violations += strays
                return
            time.sleep(0.5)

    def _strays(self) -> list[str]:
        found = []
        if chunks := audit.strays(self._database):
            found.append(f"{chunks} chunks are no job's")
        if self._nodes is not None and (more := len(self._nodes.simulators()) - AT_ONCE) > 0:
            found.append(f"{more} processes on the nodes are no driver's")
        return found

    def _kill(self) -> None:
        """End whatever runs, also in the middle of something."""
        self._mender.over.set()
        self._callers.abandon()
        settling = [threading.Thread(target=self._breaker.settle)]
        if self._ray_breaker is not None:
            settling.append(threading.Thread(target=self._ray_breaker.settle))
        for thread in settling:
            thread.start()
        if self._nodes is not None:
            self._nodes.end()
        # One that is being started isn't waited for any more when it is killed.
        while any(thread.is_alive() for thread in settling):
            for part in self._parts:
                part.signal(signal.SIGKILL)
            time.sleep(0.05)
        for part in self._parts:
            part.kill()
        self._callers.stop()


def run(
    folder: Path,
    seconds: float,
    seed: int,
    plant: str = "",
    *,
    impatient: bool = False,
    ray: bool = True,
) -> Report:
    """Play for as long as asked, and until each kind of fault was there; `impatient` ends with the first
    promise that breaks. `plant` names a defect that all processes have; `ray`: with a cluster of it.
    """
    with Chaos(folder, seed, plant, ray) as chaos:
        print(f"{SERVERS} servers and {WORKERS} workers run{', and one on Ray' if ray else ''}", flush=True)
        return chaos.play(seconds, impatient)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Break things for as long as asked; 1 if a promise broke."""
    parser = argparse.ArgumentParser(prog="make chaos-cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=sorted(PLANTS), default="", help="a defect to be found")
    parser.add_argument("--logs", type=Path, help="a folder that keeps the processes' logs")
    parser.add_argument("--without-ray", action="store_true", help="break no Ray cluster")
    chosen = parser.parse_args()
    if chosen.without_ray:
        print("without Ray: nothing of it is shown", flush=True)
    elif not INSTALLED:
        parser.error(
            "Ray isn't there: pip install 'basicaer[ray]', or --without-ray (CHAOS_ARGS=--without-ray)"
        )
    signal.signal(signal.SIGTERM, _interrupt)
    with contextlib.ExitStack() as stack:
        made = chosen.logs or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basicaer-chaos-")))
        made.mkdir(parents=True, exist_ok=True)
        report = run(made, chosen.seconds, chosen.seed, chosen.plant, ray=not chosen.without_ray)
    for line in report.lines():
        print(line)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
