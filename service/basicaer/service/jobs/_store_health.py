"""Whether the store can commit: learned from the writes that fail, then asked for until one succeeds.

Health depends on it, and a server that says it isn't healthy gets no calls that would show that it is again.
So while writes fail, one that changes nothing is tried each second. A store that may go away by itself is
asked now and then while nothing is written, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from basicaer.service.errors import StoreBusyError
from basicaer.service.jobs.model.recipients import Recipients
from basicaer.service.store import Barrier, JobStore, Probe, Write

__all__ = ["StoreHealth"]

_log = logging.getLogger(__name__)

_PROBE_INTERVAL = 1.0
# While all is well, of a store elsewhere.
_PULSE_INTERVAL = 2.0


class StoreHealth:
    """Follows one store, on the event loop."""

    def __init__(self, store: JobStore, tell: Callable[[bool], None]) -> None:
        """`tell` gets, on the loop, whether the store can commit, each time that this has changed."""
        self._store = store
        self._tell = tell
        self._failing = asyncio.Event()

    def listen(self, writes: Sequence[Write]) -> None:
        """Take note of what became of a group."""
        failing = any(isinstance(write.error, StoreBusyError) for write in writes)
        if failing == self._failing.is_set() or all(type(write) is Barrier for write in writes):
            return
        if failing:
            _log.error("the store can't commit; health is NOT_SERVING until it can")
            self._failing.set()
        else:
            _log.info("the store commits again")
            self._failing.clear()
        self._tell(not failing)

    async def run(self) -> None:
        """Asks for ever, while there is a reason to."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PULSE_INTERVAL if self._store.remote else None):
                    await self._failing.wait()
            if self._failing.is_set():
                await asyncio.sleep(_PROBE_INTERVAL)
            if self._failing.is_set() or self._store.remote:
                self._store.write(Probe(tag=Recipients()))
