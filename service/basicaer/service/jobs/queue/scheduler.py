"""The threads that run jobs, and the memory that all running jobs share. Which job is next, the queue says.

A thread that has finished a job takes the next one itself, without the event loop: under load a pass through
the loop takes longer than a small job.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.queue.interface import JobQueue
from basicaer.service.jobs.queue.programs import KeptPrograms
from basicaer.service.vital import Vital

__all__ = ["Room", "Scheduler"]


class Room(NamedTuple):
    """What could start now beside the jobs that wait: so many jobs, with so much memory together."""

    jobs: int
    bytes: int


class Scheduler:
    """Empties a queue of waiting jobs by threads. Thread-safe."""

    def __init__(
        self,
        run: Callable[[JobEntry], None],
        waiting: JobQueue,
        *,
        workers: int,
        max_memory_bytes: int,
        prepared_cache_bytes: int,
        vital: Vital | None = None,
    ) -> None:
        """`run` runs one job to its end, and must not raise."""
        self._run = run
        self._waiting = waiting
        self._free_bytes = max_memory_bytes
        self._programs = KeptPrograms(prepared_cache_bytes)
        self._lock = threading.Lock()
        # The keys alone count. By the object, not by the job: an attempt that can't be stopped may still run
        # when the next one begins.
        self._running: dict[JobEntry, None] = {}
        self._idle: list[queue.SimpleQueue[JobEntry | None]] = []
        self._stopped = False
        self._when_idle: Callable[[], None] | None = None
        # Of a queue that has to be filled from elsewhere: called when a thread has nothing to do.
        self.when_free: Callable[[], None] | None = None
        self._workers = workers
        self._vital = vital or Vital()

    def start(self) -> None:
        """Start the threads."""
        for number in range(self._workers):
            self._vital.thread(f"simulation-{number}", self._work)

    def add(self, entries: Sequence[JobEntry]) -> None:
        """Put jobs at the end of the queue, and start those that can start."""
        with self._lock:
            self._waiting.add(entries)
            self._hand_out()
            for entry in entries:
                if entry in self._waiting:
                    self._programs.keep(entry)

    def remove(self, entry: JobEntry) -> bool:
        """Take a job out of the queue; False when it isn't in it (any more)."""
        with self._lock:
            if not self._waiting.remove(entry):
                return False
            self._programs.forget(entry.job_id)
            # The next one may fit where this one didn't.
            self._hand_out()
            return True

    def waiting(self) -> list[JobEntry]:
        """Return the jobs that wait, in their order."""
        with self._lock:
            return list(self._waiting.in_order())

    def waiting_of(self, principal: str) -> int:
        """How many jobs of a principal wait."""
        return self._waiting.waiting_of(principal)

    def waiting_by_principal(self) -> Mapping[str, int]:
        """How many jobs of each principal wait, of those who have some."""
        with self._lock:
            return self._waiting.waiting_by_principal()

    def running(self) -> list[JobEntry]:
        """Return the jobs that run."""
        with self._lock:
            return list(self._running)

    def room(self) -> Room:
        """Return what else could start now."""
        with self._lock:
            if self._stopped:
                return Room(0, 0)
            waiting = list(self._waiting.in_order())
            free = self._free_bytes - sum(entry.required_bytes for entry in waiting)
            return Room(len(self._idle) - len(waiting), free)

    @property
    def has_room(self) -> bool:
        """Whether a small job that came now would start at once."""
        return bool(self._idle) and not len(self._waiting) and not self._stopped

    @property
    def waiting_count(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    @property
    def version(self) -> int:
        """Another number whenever jobs' positions may have changed."""
        return self._waiting.version

    @property
    def running_count(self) -> int:
        """How many jobs run."""
        return len(self._running)

    def stop(self, when_idle: Callable[[], None]) -> None:
        """Start no more jobs, and end each thread after its job. `when_idle` is called once none runs."""
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
                    del self._running[entry]
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
                if self.when_free is not None:
                    self.when_free()
                entry = inbox.get()
                if entry is None:
                    return
            self._run(entry)

    def _hand_out(self) -> None:
        """Start what can start on threads that have nothing to do."""
        while self._idle and len(self._waiting):
            entry = self._next()
            if entry is None:
                return
            # The thread that became idle last: its caches are the warmest.
            self._idle.pop().put(entry)

    def _next(self) -> JobEntry | None:
        """Take the job that starts next; None when none can."""
        if self._stopped:
            return None
        entry = self._waiting.take(self._free_bytes)
        if entry is not None:
            self._programs.forget(entry.job_id)
            self._running[entry] = None
            self._free_bytes -= entry.required_bytes
        return entry

    def _tell_idle(self) -> None:
        if self._when_idle is not None and not self._running:
            self._when_idle()
            self._when_idle = None
