"""What can happen to a job, and what is then to be done: all that `JobMachine` takes and gives.

Times are in nanoseconds since the epoch, unless another clock is named.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

from basicaer.service.config import Config
from basicaer.service.execution._interface import ExecutionControl
from basicaer.service.jobs.model.clock import seconds_to_nanoseconds
from basicaer.service.store import StagedResult, UpdateJob
from basicaer.v1 import job_pb2
from basicaer.v1.job_pb2 import JobStatus

__all__ = [
    "Accepted",
    "CancelAsked",
    "CancelWon",
    "CheckStarted",
    "Crashed",
    "Ended",
    "HandedBack",
    "Interrupted",
    "KeepingTimes",
    "Queued",
    "Retired",
    "Staged",
    "Started",
    "Stimulus",
    "Stopped",
    "Stored",
    "TimePassed",
    "Todo",
    "WriteFailed",
]


class KeepingTimes(NamedTuple):
    """How long what a job leaves is kept, in nanoseconds; None for ever."""

    events: int | None
    result: int | None

    @classmethod
    def of(cls, config: Config) -> KeepingTimes:
        """Those of a server's configuration."""
        events, result = config.event_retention, config.result_retention
        return cls(
            None if events is None else seconds_to_nanoseconds(events),
            None if result is None else seconds_to_nanoseconds(result),
        )


class Staged(NamedTuple):
    """A result that was staged; `message` is None when it is too large to be sent along with an event."""

    result: StagedResult
    message: bytes | None
    message_bytes: int
    parts_bytes: int


class Accepted(NamedTuple):
    """It was checked, and is about to be stored for the first time."""

    time_ns: int


class Stored(NamedTuple):
    """All that has happened to it so far was handed to the store, in one insertion."""


class Crashed(NamedTuple):
    """The server died while it read or ran the job."""


class Queued(NamedTuple):
    """It is to wait again, since an earlier server was at it."""

    time_ns: int


class CheckStarted(NamedTuple):
    """Its programs, which aren't in memory any more, are about to be read again."""

    time_ns: int


class Started(NamedTuple):
    """An attempt is about to begin. `deadline` is on the monotonic clock, in seconds."""

    time_ns: int
    control: ExecutionControl | None = None
    deadline: float = math.inf


class Ended(NamedTuple):
    """It has come to an end: an attempt's, or one without."""

    status: JobStatus.ValueType
    time_ns: int
    keeping: KeepingTimes
    error: job_pb2.JobError | None = None
    staged: Staged | None = None


class Stopped(NamedTuple):
    """Its attempt has stopped as it was told to; `too_late` says so of one that took too long."""

    time_ns: int
    keeping: KeepingTimes
    too_late: job_pb2.JobError


class HandedBack(NamedTuple):
    """This server won't move it on: the next one has to, unless it was cancelled."""

    time_ns: int
    keeping: KeepingTimes


class CancelAsked(NamedTuple):
    """Its caller has asked for its end. `waiting`: it was just taken out of the queue, so nobody runs it."""

    reason: str
    time_ns: int
    keeping: KeepingTimes
    waiting: bool


class CancelWon(NamedTuple):
    """Another server has acknowledged its caller's wish for its end, which comes before whatever this server
    hasn't committed yet.
    """

    reason: str
    time_ns: int
    keeping: KeepingTimes


class Interrupted(NamedTuple):
    """The server is stopping, or isn't certain that the job is its own, and its attempt is to make room."""


class TimePassed(NamedTuple):
    """It is later now. `now` is on the monotonic clock, in seconds."""

    now: float


class WriteFailed(NamedTuple):
    """An update that it had asked for couldn't be committed."""

    update: UpdateJob


class Retired(NamedTuple):
    """Its end is committed, so what was kept for another try isn't needed."""


Stimulus: TypeAlias = (
    Accepted
    | Stored
    | Crashed
    | Queued
    | CheckStarted
    | Started
    | Ended
    | Stopped
    | HandedBack
    | CancelAsked
    | CancelWon
    | Interrupted
    | TimePassed
    | WriteFailed
    | Retired
)


class Todo(NamedTuple):
    """What a stimulus leads to. When there is nothing to do, the stimulus came too late to change anything,
    or what it has changed is still to be stored for the first time.
    """

    # To be handed to the store before the job gets its next stimulus, so that a newer state never comes
    # before an older one.
    update: UpdateJob | None = None
    # The attempt that is to be told to stop.
    stop: ExecutionControl | None = None
    # What was staged in vain.
    discard: StagedResult | None = None
