"""What becomes of the jobs of a server whose lease has ended: this one takes them, and puts them back where
they waited; or ends them, when they were cancelled or have been the end of too many servers.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.damage import DamagedJobError
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import Crashed, Ended, HandedBack, KeepingTimes
from basicaer.service.jobs.running.recovery import too_many_attempts
from basicaer.service.jobs.sharing.registry import SharedRegistry
from basicaer.service.store import Claim, SharedStore

__all__ = ["Orphans"]

_log = logging.getLogger(__name__)

_INTERVAL = 0.5
_BATCH = 64
# At every so many looks, what this server has itself.
_OWN_EVERY = 8


class Orphans:
    """Looks for them, on the event loop."""

    def __init__(self, shared: SharedStore, registry: SharedRegistry, mover: Mover, config: Config) -> None:
        self._shared = shared
        self._registry = registry
        self._mover = mover
        self._max_attempts = config.max_attempts
        self._keeping = KeepingTimes.of(config)
        # Jobs that the store took for this server's when it was last asked, and nobody here knows; and those
        # of them that can't be taken up.
        self._unknown: set[tuple[str, int]] = set()
        self._damaged: set[str] = set()

    async def run(self) -> None:
        """Look for ever."""
        for round_ in itertools.count(1):
            await asyncio.sleep(_INTERVAL)
            # After the database was away no server has a lease. Each gets the time to hand back what it ran:
            # that was no fault of the jobs.
            if self._shared.doubtful:
                continue
            try:
                while claims := await self._shared.orphans(_BATCH):
                    await self._shared.release([kept for claim in claims for kept in self._take_up(claim)])
                if round_ % _OWN_EVERY == 0:
                    await self._find_own()
            except ServiceError as error:
                _log.debug("jobs of servers that are gone can't be taken up: %s", error.message)

    async def _find_own(self) -> None:
        """Take up what was given to this server by an answer that was lost."""
        claims = {(claim.job_id, claim.fence): claim for claim in await self._shared.mine()}
        known = {(entry.job_id, entry.machine.fence) for entry in self._registry.held()}
        # Not those whose answer may still come.
        lost = (claims.keys() - known) & self._unknown
        self._unknown = claims.keys() - known
        found = [claim for key, claim in claims.items() if key in lost and claim.job_id not in self._damaged]
        await self._shared.release([kept for claim in found for kept in self._take_up(claim)])

    def _take_up(self, claim: Claim) -> list[tuple[str, int]]:
        """Hand what has become of one to the store; or return it, when nothing has."""
        try:
            entry = self._registry.hold(claim)
        except DamagedJobError as error:
            _log.error("not taken up: %s", error.message)
            self._damaged.add(claim.job_id)
            return []
        machine, now = entry.machine, time.time_ns()
        begun = machine.head.status in (states.VALIDATING, states.RUNNING)
        if begun:
            self._mover.move(entry, Crashed())
            _log.warning("job %s starts anew: its server is gone", entry.job_id)
        if begun and machine.crashes >= self._max_attempts and machine.cancel_reason is None:
            why = too_many_attempts(entry).to_job_error()
            self._mover.move(entry, Ended(states.ERROR, now, self._keeping, why))
        elif self._mover.move(entry, HandedBack(now, self._keeping)).update is None:
            self._registry.let_go(entry)
            return [(claim.job_id, claim.fence)]
        return []
