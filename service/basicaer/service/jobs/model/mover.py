"""The one place where a job is moved on: a stimulus goes in, and what it leads to is carried out."""

from __future__ import annotations

import asyncio
import queue

from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.jobs.model.stimuli import Stimulus, Todo
from basicaer.service.store import JobStore, Write

__all__ = ["Mover"]


class Mover:
    """Gives stimuli to the jobs of one store. Thread-safe."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def move(
        self,
        entry: JobEntry,
        stimulus: Stimulus,
        *,
        future: asyncio.Future[None] | None = None,
        signal: queue.SimpleQueue[Write] | None = None,
    ) -> Todo:
        """Tells a job what has happened, and does what that leads to; what it was. `future` or `signal` gets
        to know what becomes of its update, see `Recipients`.
        """
        with entry.lock:
            todo = entry.machine.handle(stimulus)
            update = todo.update
            if update is not None:
                # One that failed comes again with its own.
                update.tag = update.tag or Recipients(entry, future, signal)
                self._store.write(update)
        if todo.stop is not None:
            todo.stop.cancel()
        if todo.discard is not None:
            self._store.discard_result(todo.discard)
        return todo
