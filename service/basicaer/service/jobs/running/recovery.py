"""What becomes of the jobs that a store holds when a server starts on it.

A job that was being read or run when the last server died is queued again, in its old place; unless it was so
too often, since it may be what kills the server. One whose cancellation was acknowledged is CANCELLED.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, exceeds_memory
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.damage import DamagedJobError, read_entry
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.model.mover import Mover
from basicaer.service.jobs.model.stimuli import Crashed, Ended, KeepingTimes, Queued
from basicaer.service.store import DamagedJob, JobRecord
from basicaer.v1 import error_reason_pb2

__all__ = ["recovered", "too_many_attempts"]

_log = logging.getLogger(__name__)


def recovered(records: Sequence[JobRecord | DamagedJob], mover: Mover, config: Config) -> list[JobEntry]:
    """Take up live jobs, and hand what has become of them to the store. Those that aren't settled are to be
    queued.
    """
    entries = []
    for record in records:
        try:
            entries.append(_take_up(record, mover, config))
        except DamagedJobError as error:
            _log.error("not taken up: %s", error.message)
    return entries


def _take_up(record: JobRecord | DamagedJob, mover: Mover, config: Config) -> JobEntry:
    """One of them.

    Raises:
        DamagedJobError: It can't be taken up.
    """
    entry = read_entry(record)
    machine, now, keeping = entry.machine, time.time_ns(), KeepingTimes.of(config)
    interrupted = entry.status in (states.VALIDATING, states.RUNNING)
    if interrupted:
        mover.move(entry, Crashed())
    error: ServiceError | None = None
    if interrupted and machine.crashes >= config.max_attempts:
        error = too_many_attempts(entry)
    elif entry.required_bytes > config.max_memory_bytes:
        error = exceeds_memory(entry.required_bytes, config.max_memory_bytes)
    if machine.cancel_reason is not None:
        mover.move(entry, Ended(states.CANCELLED, now, keeping))
    elif error is not None:
        mover.move(entry, Ended(states.ERROR, now, keeping, error.to_job_error()))
    elif interrupted:
        mover.move(entry, Queued(now))
    return entry


def too_many_attempts(entry: JobEntry) -> ServiceError:
    """Return why a job ends that was the end of too many servers."""
    crashes = entry.machine.crashes
    return ServiceError(
        error_reason_pb2.ERROR_REASON_TOO_MANY_ATTEMPTS,
        f"The server, or its process on the cluster, stopped during each of {crashes} attempts at the job,"
        " which may be what stops it. The log tells more.",
        metadata={"attempt": str(entry.machine.head.attempt)},
    )
