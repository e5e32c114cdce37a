"""What becomes of the jobs that a store holds when a server starts on it.

A job that was being read or run when the last server died is queued again, in its old place; unless it was so
too often, since it may be what kills the server. One whose cancellation was acknowledged is CANCELLED.
"""

from __future__ import annotations

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, exceeds_memory
from basicaer.service.store import JobRecord
from basicaer.v1 import error_reason_pb2

from . import _states
from ._entry import JobEntry
from ._runner import Runner

__all__ = ["recover"]


def recover(record: JobRecord, runner: Runner, config: Config) -> JobEntry:
    """Takes up a live job, and hands what has become of it to the store. Unless it is settled, it is to be
    queued.
    """
    entry = JobEntry.from_record(record)
    interrupted = record.status in (_states.VALIDATING, _states.RUNNING)
    if interrupted:
        entry.crashes += 1
    if entry.cancel_reason is not None:
        runner.end(entry, _states.CANCELLED)
    elif interrupted and entry.crashes >= config.max_attempts:
        runner.end(entry, _states.ERROR, error=_too_many_attempts(entry).to_job_error())
    elif entry.required_bytes > config.max_memory_bytes:
        error = exceeds_memory(entry.required_bytes, config.max_memory_bytes)
        runner.end(entry, _states.ERROR, error=error.to_job_error())
    elif interrupted:
        runner.queue_again(entry)
    return entry


def _too_many_attempts(entry: JobEntry) -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_TOO_MANY_ATTEMPTS,
        f"The server stopped during each of {entry.crashes} attempts at the job, which may be what stops it."
        " Its log tells more.",
        metadata={"attempt": str(entry.head.attempt)},
    )
