"""What goes wrong in a cluster that is broken on purpose."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.cluster.processes import Part
from tests.database_proxy import DatabaseProxy
from tests.postgresql import PostgreSQL

__all__ = ["FAULTS", "Breaker"]

# Each fault: how often it comes beside the others, and what is done to what.
FAULTS = {
    "kill a server": (4.0, "kill", "server"),
    "kill a worker": (6.0, "kill", "worker"),
    "freeze a server": (1.0, "freeze", "server"),
    "freeze a worker": (4.0, "freeze", "worker"),
    "cut a server off": (3.0, "cut", "server"),
    "cut a worker off": (2.0, "cut", "worker"),
    "swallow what goes to a server": (1.0, "hush", "server"),
    "swallow what goes to a worker": (1.0, "hush", "worker"),
    "end what listens": (2.0, "end", "listeners"),
    "crash the database": (0.5, "crash", "database"),
    "restart the database": (0.5, "restart", "database"),
}
# Parts that may be away at a time, of six: the others have to be able to go on.
MOST_AWAY = 3

_LISTENERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name LIKE 'basicaer %' AND (query LIKE 'LISTEN %' OR query LIKE 'SELECT pg_notify%unnest%')
"""
_RUNNERS = "SELECT name FROM basicaer.servers JOIN basicaer.jobs ON owner = number WHERE status = 4"


class Breaker:
    """Breaks one thing after the other, each on a thread of its own, and mends it."""

    def __init__(
        self,
        database: PostgreSQL,
        servers: Sequence[Part],
        workers: Sequence[Part],
        proxies: Mapping[str, DatabaseProxy],
        lease: float,
        seed: int,
    ) -> None:
        """`proxies` are those by which each part reaches the database; `lease` is in seconds."""
        self._database = database
        self._of = {"server": servers, "worker": workers}
        self._proxies = proxies
        self._lease = lease
        self._random = random.Random(seed)
        # The threads that mend what is broken now.
        self._mending: dict[Part, threading.Thread] = {}
        self.faults: Counter[str] = Counter()

    def break_something(self) -> None:
        """Begin with one fault; those of the database end before this returns."""
        (fault,) = self._random.choices(list(FAULTS), [weight for weight, *_ in FAULTS.values()])
        _, verb, what = FAULTS[fault]
        away = self._random.uniform(0, 2 * self._lease)
        if what == "database":
            self._database.stop(signal.SIGQUIT if verb == "crash" else signal.SIGINT)
            time.sleep(away / 4)
            self._database.start()
        elif what == "listeners":
            self._database.run(_LISTENERS)
        elif not self._begin(self._random.choice(self._candidates(verb, what)), verb, away):
            return
        self.faults[fault] += 1

    def _candidates(self, verb: str, what: str) -> Sequence[Part]:
        """Which parts it may hit; who is frozen is amid a run, when there is one."""
        parts = self._of[what]
        if verb != "freeze":
            return parts
        pids = {name.rpartition(":")[2] for name in self._database.run(_RUNNERS).splitlines()}
        return [part for part in parts if part.process is not None and str(part.process.pid) in pids] or parts

    def _begin(self, part: Part, verb: str, away: float) -> bool:
        """Whether a part is being broken: it isn't when it is broken already, or too much else is."""
        self._mending = {each: thread for each, thread in self._mending.items() if thread.is_alive()}
        if part in self._mending or len(self._mending) >= MOST_AWAY:
            return False
        break_ = {"kill": self._kill, "freeze": self._freeze, "cut": self._cut, "hush": self._hush}[verb]
        self._mending[part] = threading.Thread(target=break_, args=(part, away))
        self._mending[part].start()
        return True

    def settle(self) -> None:
        """Wait until all is mended."""
        for thread in self._mending.values():
            thread.join()

    def _kill(self, part: Part, away: float) -> None:
        """Until it is back, which it isn't while the database is away."""
        part.kill()
        while True:
            part.begin()
            try:
                part.ready()
            except RuntimeError:
                time.sleep(0.2)
            else:
                return

    def _freeze(self, part: Part, away: float) -> None:
        """For longer than its lease."""
        part.signal(signal.SIGSTOP)
        time.sleep(self._lease * 1.2 + away / 2)
        part.signal(signal.SIGCONT)

    def _cut(self, part: Part, away: float) -> None:
        """Its connections with the database break, and no others are made."""
        proxy = self._proxies[part.name]
        proxy.shut.set()
        proxy.cut()
        time.sleep(away)
        proxy.shut.clear()

    def _hush(self, part: Part, away: float) -> None:
        """Nothing arrives any more, and no connection breaks."""
        proxy = self._proxies[part.name]
        proxy.flowing.clear()
        time.sleep(away)
        proxy.flowing.set()
