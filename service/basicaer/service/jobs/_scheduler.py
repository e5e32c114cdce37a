"""Which job runs next, and the threads that run them.

Principals take turns, and each one's jobs are first come, first served: who submits a thousand jobs makes
others wait for one of them. All running jobs share the memory. A job that doesn't fit now waits at the front;
smaller ones behind it may start meanwhile, but only a bounded number of them: then nothing starts until
enough memory has come free. So a large job's wait is bounded, and the machine doesn't idle for it at once.

A thread that has finished a job takes the next one itself, without the event loop: under load a pass through
the loop takes longer than a small job.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from ._entry import JobEntry

__all__ = ["Scheduler"]

# How far behind the front a job that fits is looked for.
_WINDOW = 128


class Scheduler:
    """The queue of waiting jobs and the threads that empty it. Thread-safe."""

    def __init__(
        self,
        run: Callable[[JobEntry], None],
        *,
        workers: int,
        max_memory_bytes: int,
        max_overtakes: int,
        prepared_cache_bytes: int,
    ) -> None:
        """Starts the threads. `run` runs one job to its end, and must not raise."""
        self._run = run
        self._free_bytes = max_memory_bytes
        self._max_overtakes = max_overtakes
        self._free_cache_bytes = prepared_cache_bytes
        self._lock = threading.Lock()
        self._ready: dict[str, JobEntry] = {}
        # The same jobs by their principals; the principal whose turn it is comes first.
        self._queues: OrderedDict[str, OrderedDict[str, JobEntry]] = OrderedDict()
        self._cached: dict[str, int] = {}
        self._running: dict[str, JobEntry] = {}
        self._idle: list[queue.SimpleQueue[JobEntry | None]] = []
        self._stopped = False
        self._when_idle: Callable[[], None] | None = None
        # Counts the changes of the queue's order, so that positions are only told when they may have changed.
        self.version = 0
        for number in range(workers):
            threading.Thread(target=self._work, name=f"simulation-{number}", daemon=True).start()

    def add(self, entries: Sequence[JobEntry]) -> None:
        """Puts jobs at the end of the queue, and starts those that can start."""
        with self._lock:
            for entry in entries:
                own = self._queues.setdefault(entry.principal, OrderedDict())
                # Ahead are all of its principal's, and as many of each other's, with one for the turn.
                entry.position = len(own) + sum(
                    min(len(waiting), len(own) + 1)
                    for principal, waiting in self._queues.items()
                    if principal != entry.principal
                )
                own[entry.job_id] = entry
                self._ready[entry.job_id] = entry
            self._hand_out()
            for entry in entries:
                prepared = entry.prepared
                if prepared is not None and entry.job_id in self._ready:
                    size = prepared.size_bytes
                    if size <= self._free_cache_bytes:
                        self._free_cache_bytes -= size
                        self._cached[entry.job_id] = size
                    else:
                        # It will be the last of those here to run, so it is the one to be read again.
                        entry.prepared = None

    def remove(self, entry: JobEntry) -> bool:
        """Takes a job out of the queue; False when it isn't in it (any more)."""
        with self._lock:
            if entry.job_id not in self._ready:
                return False
            self._take(entry)
            # The next one may fit where this one didn't.
            self._hand_out()
            return True

    def waiting(self) -> list[JobEntry]:
        """The jobs that wait, in their order."""
        with self._lock:
            return list(self._in_order())

    def waiting_of(self, principal: str) -> int:
        """How many jobs of a principal wait."""
        return len(self._queues.get(principal, ()))

    def running(self) -> list[JobEntry]:
        """The jobs that run."""
        with self._lock:
            return list(self._running.values())

    @property
    def has_room(self) -> bool:
        """Whether a small job that came now would start at once."""
        return bool(self._idle) and not self._ready and not self._stopped

    @property
    def waiting_count(self) -> int:
        """How many jobs wait."""
        return len(self._ready)

    @property
    def running_count(self) -> int:
        """How many jobs run."""
        return len(self._running)

    def stop(self, when_idle: Callable[[], None]) -> None:
        """Starts no more jobs, and ends each thread after its job. `when_idle` is called once none runs."""
        with self._lock:
            self._stopped = True
            self._when_idle = when_idle
            for inbox in self._idle:
                inbox.put(None)
            self._idle.clear()
            self._tell_idle()

    def _work(self) -> None:
        inbox: queue.SimpleQueue[JobEntry | None] = queue.SimpleQueue()
        entry: JobEntry | None = None
        while True:
            with self._lock:
                if entry is not None:
                    del self._running[entry.job_id]
                    self._free_bytes += entry.required_bytes
                    self._tell_idle()
                if self._stopped:
                    return
                entry = self._next()
                if entry is None:
                    self._idle.append(inbox)
                else:
                    self._hand_out()
            if entry is None:
                entry = inbox.get()
                if entry is None:
                    return
            self._run(entry)

    def _hand_out(self) -> None:
        """Starts what can start on threads that have nothing to do."""
        while self._idle and self._ready:
            entry = self._next()
            if entry is None:
                return
            # The thread that became idle last: its caches are the warmest.
            self._idle.pop().put(entry)

    def _next(self) -> JobEntry | None:
        """Takes the job that starts next; None when none can."""
        if self._stopped or not self._ready:
            return None
        first = next(self._in_order())
        chosen: JobEntry | None = first
        if first.required_bytes > self._free_bytes:
            if first.overtaken >= self._max_overtakes:
                return None
            behind = itertools.islice(self._in_order(), 1, _WINDOW)
            chosen = next((entry for entry in behind if entry.required_bytes <= self._free_bytes), None)
            if chosen is None:
                return None
            first.overtaken += 1
        assert chosen is not None
        self._take(chosen)
        if chosen.principal in self._queues:
            self._queues.move_to_end(chosen.principal)
        self._running[chosen.job_id] = chosen
        self._free_bytes -= chosen.required_bytes
        return chosen

    def _in_order(self) -> Iterator[JobEntry]:
        """The jobs that wait, in the order in which they would start if all fitted."""
        turns = [iter(queue.values()) for queue in self._queues.values()]
        while turns:
            still = []
            for turn in turns:
                entry = next(turn, None)
                if entry is not None:
                    yield entry
                    still.append(turn)
            turns = still

    def _take(self, entry: JobEntry) -> None:
        del self._ready[entry.job_id]
        own = self._queues[entry.principal]
        del own[entry.job_id]
        if not own:
            del self._queues[entry.principal]
        self._free_cache_bytes += self._cached.pop(entry.job_id, 0)
        entry.position = 0
        self.version += 1

    def _tell_idle(self) -> None:
        if self._when_idle is not None and not self._running:
            self._when_idle()
            self._when_idle = None
