"""`make chaos-cluster`: breaks servers, workers and their database on purpose, and counts what broke.

Callers submit, watch, cancel and submit again through any server, while processes are killed, frozen beyond
their leases and cut off from PostgreSQL, and that crashes. What callers are told is compared; what is
written, the database itself looks at (`audit`).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import audit
from tests.cluster.breaking import Breaker
from tests.cluster.callers import Callers
from tests.cluster.plants import PLANTS
from tests.cluster.processes import nursery, parts
from tests.database_proxy import DatabaseProxy
from tests.postgresql import PostgreSQL, running

LEASE = 2.0
SERVERS = WORKERS = 3
CALLERS = 6
# How often what nobody will commit is removed, and until when that must be done at the end (seconds).
SWEEP, SWEPT = 5.0, 120.0


@dataclass
class Report:
    """What happened."""

    faults: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For people."""
        for kind, count in self.faults.most_common():
            yield f"{count:5}  {kind}"
        yield f"{self.jobs:5}  jobs"
        for text, count in Counter(self.violations).most_common(30):
            yield f"BROKEN {count:5}  {text}"
        yield f"{len(self.violations)} promises broke"


def run(folder: Path, seconds: float, seed: int, plant: str = "", *, impatient: bool = False) -> Report:
    """Break things for as long as asked; `impatient` ends with the first promise that breaks."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(running())
        proxies: dict[str, DatabaseProxy] = {}

        def url(name: str) -> str:
            proxies[name] = proxy = DatabaseProxy(database.folder)
            stack.callback(proxy.close)
            return proxy.url(database.base_url)

        options = ("--lease-time", f"{LEASE:g}", "--max-attempts", "1000", "--sweep-interval", f"{SWEEP:g}")
        bear = stack.enter_context(nursery(folder / "nursery.log", plant))
        servers, workers = parts(folder, url, SERVERS, WORKERS, options, bear)
        everything = [*servers, *workers]
        for part in everything:
            stack.callback(part.kill)
            part.begin()
        for part in everything:
            part.ready()
        audit.install(database)
        callers = Callers(servers, CALLERS)
        breaker = Breaker(database, servers, workers, proxies, LEASE, seed)
        callers.start()
        chance = random.Random(seed)
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                breaker.break_something()
                time.sleep(chance.uniform(0.1, 1.0))
                if impatient and (callers.violations or audit.findings(database)):
                    break
        finally:
            breaker.settle()
            callers.stop()
        if not (impatient and callers.violations):
            callers.compare()
            _look_for_strays(database, callers)
        violations = callers.violations + audit.findings(database)
        return Report(breaker.faults, len(callers.stories), violations)


def _look_for_strays(database: PostgreSQL, callers: Callers) -> None:
    until = time.monotonic() + SWEPT
    while strays := audit.strays(database):
        if time.monotonic() > until:
            callers.violate(f"{strays} chunks are no job's")
            return
        time.sleep(0.5)


def main() -> int:
    """Break things for as long as asked; 1 if a promise broke."""
    parser = argparse.ArgumentParser(prog="make chaos-cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=sorted(PLANTS), default="", help="a defect to be found")
    parser.add_argument("--logs", type=Path, help="a folder that keeps the processes' logs")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        made = chosen.logs or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basicaer-chaos-")))
        made.mkdir(parents=True, exist_ok=True)
        report = run(made, chosen.seconds, chosen.seed, chosen.plant)
    for line in report.lines():
        print(line)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
