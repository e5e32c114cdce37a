"""The threads and tasks that a server can't do without: none of them ends without the server's noticing.

What goes wrong with one call is that call's. An exception that gets past this, to the end of a thread or of a
task, is a defect: it is logged, and whoever listens ends the server in order, so that its supervisor starts
another one. The alternative is a server that says SERVING and answers nobody.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine

__all__ = ["Vital"]

_log = logging.getLogger(__name__)

# Between two looks at threads that others have started, in seconds.
_INTERVAL = 1.0


class Vital:
    """Starts threads and tasks, and tells when one has ended that shouldn't have. Thread-safe, but for tasks,
    which belong to their event loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener: Callable[[str], object] | None = None
        self._failure = ""
        self._threads: list[threading.Thread] = []
        self._adopted: list[threading.Thread] = []
        self._tasks: dict[asyncio.Task[None], str] = {}

    def listen(self, listener: Callable[[str], object]) -> None:
        """Let `listener` be told, once and on any thread, what has ended."""
        with self._lock:
            self._listener = listener
            failure = self._failure
        if failure:
            listener(failure)

    def thread(self, name: str, run: Callable[[], None]) -> threading.Thread:
        """Start a daemon thread, which may return when it is told to, and must not raise."""

        def guarded() -> None:
            try:
                run()
            except BaseException:
                _log.critical("the thread %s has ended by a defect", name, exc_info=True)
                self._fail(f"the thread {name}")

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        with self._lock:
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
            thread.start()
        return thread

    def adopt(self, thread: threading.Thread) -> None:
        """Take note of a thread that somebody else has started, which `run` then looks at."""
        with self._lock:
            self._adopted.append(thread)

    def task(self, name: str, run: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start a task that goes on until `cancel`."""

        async def guarded() -> None:
            try:
                await run
            except asyncio.CancelledError:
                if task not in self._tasks:
                    raise
                _log.critical("the task %s was cancelled by a defect", name)
            except BaseException:
                _log.critical("the task %s has ended by a defect", name, exc_info=True)
            else:
                _log.critical("the task %s has ended", name)
            self._tasks.pop(task, None)
            self._fail(f"the task {name}")

        task = asyncio.create_task(guarded(), name=name)
        self._tasks[task] = name
        return task

    async def cancel(self, *tasks: asyncio.Task[None]) -> None:
        """End tasks that were started here."""
        for task in tasks:
            self._tasks.pop(task, None)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self) -> None:
        """Look after adopted threads, for ever."""
        while True:
            with self._lock:
                ended = [thread for thread in self._adopted if not thread.is_alive()]
                self._adopted = [thread for thread in self._adopted if thread.is_alive()]
            for thread in ended:
                _log.critical("the thread %s has ended", thread.name)
                self._fail(f"the thread {thread.name}")
            await asyncio.sleep(_INTERVAL)

    @property
    def names(self) -> list[str]:
        """What is looked after now: threads, then tasks."""
        with self._lock:
            threads = [thread.name for thread in (*self._threads, *self._adopted) if thread.is_alive()]
        return [*threads, *self._tasks.values()]

    def _fail(self, what: str) -> None:
        with self._lock:
            first, self._failure = not self._failure, self._failure or what
            listener = self._listener
        if first and listener is not None:
            listener(what)
