"""The end of a server's process, which comes whatever hangs.

Signals are taken by a thread of their own, since the event loop, which does all else, may be what hangs. From
the first signal on, or from when a part has failed, there is a deadline: what hasn't ended in order by then
(a disk that doesn't answer, say) is left as a crash would leave it, which loses nothing that was
acknowledged.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from basicaer.service.telemetry import Logs

__all__ = ["Ending"]

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# What an end in order takes beside the grace of those jobs that run: interrupted jobs, calls in flight, the
# store (seconds).
_MARGIN = 12.0
_FAILED = 1


class Ending:
    """A context manager around the life of a server's process. Enter it on the main thread."""

    def __init__(self, logs: Logs, grace: float, stop: Callable[[], object]) -> None:
        """`grace` is what running jobs get, in seconds. `stop` is called at the first signal, on a thread of
        its own, and must not block.
        """
        self._logs = logs
        self._grace = grace
        self._stop = stop
        self._deadline: float | None = None

    def __enter__(self) -> Self:
        self._inbox, self._outbox = socket.socketpair()
        self._outbox.setblocking(False)
        self._handlers = [(number, signal.signal(number, _ignore)) for number in _SIGNALS]
        self._wakeup = signal.set_wakeup_fd(self._outbox.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The deadline stays: the interpreter, too, waits for threads at its end. The handlers stay with it.
        if self._deadline is None:
            signal.set_wakeup_fd(self._wakeup)
            for number, handler in self._handlers:
                signal.signal(number, handler)
            self._outbox.close()
            self._thread.join()
            self._inbox.close()

    @property
    def thread(self) -> threading.Thread:
        """The thread that takes signals."""
        return self._thread

    def begin(self, grace: float) -> None:
        """Set the deadline, since the process is about to end."""
        if self._deadline is None:
            self._deadline = time.monotonic() + grace + _MARGIN
            # Lets the thread look at it.
            self._outbox.send(b"\0")

    def _run(self) -> None:
        while True:
            deadline = self._deadline
            self._inbox.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))
            try:
                numbers = self._inbox.recv(64)
            except TimeoutError:
                _log.critical("not stopped in time; leaving what still runs as a crash would")
                self._leave(_FAILED)
            if not numbers:
                return
            for number in numbers:
                if number in _SIGNALS:
                    self._take(number)

    def _take(self, number: int) -> None:
        name = signal.Signals(number).name
        if self._deadline is not None:
            _log.warning("%s again: leaving at once", name)
            # What was acknowledged is on the disk; nothing else is worth waiting for.
            self._leave(128 + number)
        _log.info("%s: draining for up to %g s", name, self._grace)
        self._deadline = time.monotonic() + self._grace + _MARGIN
        with contextlib.suppress(RuntimeError):
            # The loop is closed already.
            self._stop()

    def _leave(self, status: int) -> None:
        try:
            self._logs.close()
        finally:
            os._exit(status)


def _ignore(number: int, frame: object) -> None:
    """Do nothing: the signal is on its way to the thread already."""
