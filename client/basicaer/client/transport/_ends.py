"""Ends that have a bound, for what gRPC would wait for without one.

A channel's `close` waits until gRPC's own thread has heard of the end of each call, and so does the garbage
collection of a channel that was left open. When the interpreter ends, that thread runs no more, and the
wait has no end (grpc issues 5084 and 20026). So a channel is closed before that, by somebody who needn't be
waited for.

And a call is never cancelled by the garbage collector itself: it runs wherever a thread happens to be,
perhaps inside of gRPC or of a lock's own code, whose locks the cancellation wants.
"""

from __future__ import annotations

import atexit
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

import grpc

__all__ = ["CLOSE_LIMIT", "Closable", "close_at_exit", "close_channel", "soon"]

# So long the end of a channel is waited for (seconds); it takes less than a millisecond.
CLOSE_LIMIT = 2.0


class Closable(Protocol):
    """What is to be closed before the interpreter ends."""

    def close(self) -> None:
        """Close it; may be called more than once."""


_open: weakref.WeakSet[Closable] = weakref.WeakSet()
# What the garbage collector leaves to be done; its `put` may be called from anywhere, even from inside of
# itself.
_left: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
_worker_lock = threading.Lock()
_worker: threading.Thread | None = None


def close_channel(channel: grpc.Channel, limit: float = CLOSE_LIMIT) -> None:
    """Close a channel, and return after `limit` seconds even if gRPC doesn't."""
    thread = threading.Thread(target=channel.close, name="basicaer-close", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # At its end, the interpreter starts no threads (from Python 3.12 on); gRPC's still runs then.
        channel.close()
    else:
        thread.join(limit)


def close_at_exit(closable: Closable) -> None:
    """Has something closed before the interpreter ends, if it's still there."""
    _open.add(closable)


def soon() -> Callable[[Callable[[], object]], None]:
    """Return a function that may be called by the garbage collector, and has another thread do what it's
    given.
    """
    global _worker
    with _worker_lock:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_work, name="basicaer-janitor", daemon=True)
            _worker.start()
    return _left.put


def _work() -> None:
    while True:
        _left.get()()


@atexit.register
def _close_all() -> None:
    for closable in list(_open):
        closable.close()
