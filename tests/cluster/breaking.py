"""What goes wrong in a cluster that is broken on purpose: with its servers, its workers and its database."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from tests.cluster.processes import Part
from tests.database_proxy import DatabaseProxy
from tests.postgresql import PostgreSQL

__all__ = ["FAULTS", "Breaker", "Deck", "Mender"]

# Each fault: how often it comes beside the others, and what is done to what.
FAULTS = {
    "kill a server": (12, "kill", "server"),
    "kill a worker": (16, "kill", "worker"),
    "freeze a server": (1, "freeze", "server"),
    "freeze a worker": (3, "freeze", "worker"),
    "cut a server off": (3, "cut", "server"),
    "cut a worker off": (3, "cut", "worker"),
    "swallow what goes to a server": (1, "hush", "server"),
    "swallow what goes to a worker": (1, "hush", "worker"),
    "end what listens": (4, "end", "listeners"),
    "kill the database": (1, "kill", "database"),
    "kill a connection's process in the database": (1, "kill", "backend"),
    "stop the database at once": (1, "crash", "database"),
    "restart the database": (1, "restart", "database"),
}
# Parts that may be away at a time, of six: one has to be able to go on. So many may be killed in one step.
MOST_AWAY, MOST_AT_ONCE = 5, 3
# How many times as often a fault comes that is favoured.
FAVOUR = 8
# For so long one server, in turn, is left alone (seconds): what a server forgets to tell, only a watch that
# lasts finds out.
SPARED = 40.0

_LISTENERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name LIKE 'basicaer %' AND (query LIKE 'LISTEN %' OR query LIKE 'SELECT pg_notify%unnest%')
"""
_RUNNERS = "SELECT name FROM basicaer.servers JOIN basicaer.jobs ON owner = number WHERE status = 4"


class Deck:
    """What comes next: kinds in an order by chance, each as often as it shall come beside the others."""

    def __init__(self, weights: Mapping[str, int], chance: random.Random) -> None:
        """Each comes once before any comes again."""
        self._weights = weights
        self._chance = chance
        self._cards = list(weights)
        chance.shuffle(self._cards)

    def next(self) -> str:
        """Return the next."""
        if not self._cards:
            self._cards = [kind for kind, weight in self._weights.items() for _ in range(weight)]
            self._chance.shuffle(self._cards)
        return self._cards.pop()

    def put_back(self, kind: str) -> None:
        """It couldn't be played, and comes some time later."""
        self._cards.insert(self._chance.randint(0, len(self._cards)), kind)


class Mender:
    """Does to a part what breaks it, and mends it; nothing is mended once this is `over`."""

    def __init__(self, proxies: Mapping[str, DatabaseProxy], lease: float) -> None:
        """`proxies` are those by which each part reaches the database; `lease` is in seconds."""
        self._proxies = proxies
        self._lease = lease
        self.over = threading.Event()

    def how(self, verb: str) -> Callable[[Part, float], None]:
        """What to call with a part, and about how long it is to be away, in seconds."""
        return {"kill": self._kill, "freeze": self._freeze, "cut": self._cut, "hush": self._hush}[verb]

    def revive(self, part: Part) -> None:
        """Start it until it is ready, which it isn't while what it needs is away."""
        while not self.over.is_set():
            part.begin()
            try:
                part.ready()
            except RuntimeError:
                time.sleep(0.2)
            else:
                return

    def _kill(self, part: Part, away: float) -> None:
        part.kill()
        self.revive(part)

    def _freeze(self, part: Part, away: float) -> None:
        """For longer than its lease."""
        part.signal(signal.SIGSTOP)
        self.over.wait(self._lease * 1.2 + away / 2)
        part.signal(signal.SIGCONT)

    def _cut(self, part: Part, away: float) -> None:
        """Its connections with the database break, and no others are made."""
        proxy = self._proxies[part.name]
        proxy.shut.set()
        proxy.cut()
        self.over.wait(away)
        proxy.shut.clear()

    def _hush(self, part: Part, away: float) -> None:
        """Nothing arrives any more, and no connection breaks."""
        proxy = self._proxies[part.name]
        proxy.flowing.clear()
        self.over.wait(away)
        proxy.flowing.set()


class Breaker:
    """Breaks one thing after the other, each on a thread of its own, and mends it."""

    def __init__(
        self,
        database: PostgreSQL,
        servers: Sequence[Part],
        workers: Sequence[Part],
        mender: Mender,
        lease: float,
        seed: int,
        favoured: Collection[str] = (),
    ) -> None:
        """`lease` is in seconds; faults that are `favoured` come more often than else."""
        self._database = database
        self._of = {"server": servers, "worker": workers}
        self._mender = mender
        self._lease = lease
        self._random = random.Random(seed)
        weights = {
            fault: weight * (FAVOUR if fault in favoured else 1) for fault, (weight, *_) in FAULTS.items()
        }
        self._deck = Deck(weights, self._random)
        # The threads that mend what is broken now.
        self._mending: dict[Part, threading.Thread] = {}
        self.faults: Counter[str] = Counter()

    def break_something(self) -> None:
        """Begin with one fault, or several kills; those of the database end before this returns."""
        fault = self._deck.next()
        _, verb, what = FAULTS[fault]
        away = self._random.uniform(0, 2 * self._lease)
        done = 1
        if what == "database":
            self._break_database(verb, away / 4)
        elif what == "backend":
            done = self._database.kill_connection()
        elif what == "listeners":
            self._end_listeners(away / 4)
        else:
            count = self._random.randint(1, MOST_AT_ONCE) if verb == "kill" else 1
            parts = self._candidates(verb, what)
            done = sum(
                self._begin(part, verb, away) for part in self._random.sample(parts, min(count, len(parts)))
            )
        if done:
            self.faults[fault] += done
        else:
            self._deck.put_back(fault)

    @property
    def missing(self) -> set[str]:
        """What hasn't been yet."""
        return set(FAULTS) - set(self.faults)

    def parts_that_ended(self) -> list[str]:
        """Return the parts that have ended by themselves, which none may."""
        every = [part for parts in self._of.values() for part in parts]
        return [part.name for part in every if not self._is_away(part) and not part.alive]

    def settle(self) -> None:
        """Wait until all is mended, or, when the mender's work is over, until nobody tries to."""
        for thread in self._mending.values():
            thread.join()

    def _break_database(self, verb: str, away: float) -> None:
        if verb == "kill":
            self._database.kill()
        else:
            self._database.stop(signal.SIGQUIT if verb == "crash" else signal.SIGINT)
        time.sleep(away)
        self._database.start()

    def _end_listeners(self, away: float) -> None:
        """Again and again for so long: what is committed meanwhile nobody is told of."""
        until = time.monotonic() + away
        while True:
            self._database.run(_LISTENERS)
            if time.monotonic() > until:
                return
            time.sleep(0.05)

    def _candidates(self, verb: str, what: str) -> Sequence[Part]:
        """Which parts it may hit; who is frozen is amid a run, when there is one."""
        spared = self._of["server"][int(time.monotonic() / SPARED) % len(self._of["server"])]
        parts = [part for part in self._of[what] if part is not spared and not self._is_away(part)]
        if verb != "freeze":
            return parts
        pids = {name.rpartition(":")[2] for name in self._database.run(_RUNNERS).splitlines()}
        return [part for part in parts if part.process is not None and str(part.process.pid) in pids] or parts

    def _is_away(self, part: Part) -> bool:
        return part in self._mending and self._mending[part].is_alive()

    def _begin(self, part: Part, verb: str, away: float) -> bool:
        """Whether a part is being broken: it isn't when too much else is."""
        if sum(thread.is_alive() for thread in self._mending.values()) >= MOST_AWAY:
            return False
        self._mending[part] = threading.Thread(target=self._mender.how(verb), args=(part, away))
        self._mending[part].start()
        return True
