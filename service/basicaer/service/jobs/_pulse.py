"""Whether the store can commit: learned from the writes that fail, then asked for until one succeeds.

Health depends on it, and a server that says it isn't healthy gets no calls that would show that it is again.
So while writes fail, one that changes nothing is tried each second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from basicaer.service.errors import StoreBusyError
from basicaer.service.store import Barrier, JobStore, Probe, Write

from ._tag import Tag

__all__ = ["Pulse"]

_log = logging.getLogger(__name__)

_PROBE_INTERVAL = 1.0


class Pulse:
    """Follows one store. `listen` is for the store's thread, the rest for the event loop."""

    def __init__(self, store: JobStore, tell: Callable[[bool], None]) -> None:
        """`tell` gets, on the loop, whether the store can commit, each time that this has changed."""
        self._store = store
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._failing = asyncio.Event()
        # The store's thread's: the last that it has said.
        self._heard_failing = False

    def listen(self, writes: Sequence[Write]) -> None:
        """Takes note of what became of a group."""
        failing = any(isinstance(write.error, StoreBusyError) for write in writes)
        if failing == self._heard_failing or all(type(write) is Barrier for write in writes):
            return
        self._heard_failing = failing
        self._loop.call_soon_threadsafe(self._turn, failing)

    async def run(self) -> None:
        """Asks for ever, while there is a reason to."""
        while True:
            await self._failing.wait()
            await asyncio.sleep(_PROBE_INTERVAL)
            if self._failing.is_set():
                self._store.write(Probe(tag=Tag()))

    def _turn(self, failing: bool) -> None:
        if failing:
            _log.error("the store can't commit; health is NOT_SERVING until it can")
            self._failing.set()
        else:
            _log.info("the store commits again")
            self._failing.clear()
        self._tell(not failing)
