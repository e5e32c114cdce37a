"""Where a job stands, under Qiskit's names and values, and the events that it goes through."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from basicaer.client._errors import JobError, ProtocolError
from basicaer.client._times import time_from_message
from basicaer.client._wire_errors import error_from_job
from basicaer.v1 import job_pb2

__all__ = ["JobEvent", "JobStatus", "Progress", "event_from_message", "status_from_message"]


class JobStatus(enum.Enum):
    """A job's status. CANCELLED, DONE and ERROR are final."""

    INITIALIZING = "job is being initialized"
    QUEUED = "job is queued"
    VALIDATING = "job is being validated"
    RUNNING = "job is actively running"
    CANCELLED = "job has been cancelled"
    DONE = "job has successfully run"
    ERROR = "job incurred error"

    @property
    def final(self) -> bool:
        """Whether a job stays in this status for ever."""
        return self in (JobStatus.CANCELLED, JobStatus.DONE, JobStatus.ERROR)


# The wire's enums are open: any int may arrive.
_STATUSES: dict[int, JobStatus] = {
    job_pb2.JOB_STATUS_INITIALIZING: JobStatus.INITIALIZING,
    job_pb2.JOB_STATUS_QUEUED: JobStatus.QUEUED,
    job_pb2.JOB_STATUS_VALIDATING: JobStatus.VALIDATING,
    job_pb2.JOB_STATUS_RUNNING: JobStatus.RUNNING,
    job_pb2.JOB_STATUS_CANCELLED: JobStatus.CANCELLED,
    job_pb2.JOB_STATUS_DONE: JobStatus.DONE,
    job_pb2.JOB_STATUS_ERROR: JobStatus.ERROR,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is.

    `fraction` goes from 0 to 1 by the estimated work; shots are counted over all programs.
    """

    fraction: float
    shots_done: int
    shots_total: int
    programs_done: int
    programs_total: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job: exactly one of `status`, `progress` and `queue_position` is set.

    A change of status is durable, and `sequence` numbers it: 1, 2, 3, … without gaps. The others are passing
    and repeat the number of the last durable event. `error` says why, for ERROR and CANCELLED.
    """

    sequence: int
    time: datetime | None
    status: JobStatus | None = None
    progress: Progress | None = None
    queue_position: int | None = None
    attempt: int = 0
    error: JobError | None = None


def status_from_message(status: int) -> JobStatus:
    """Return the status for a value of the wire's enum.

    Raises:
        ProtocolError: This client doesn't know it, since waiting for the end of an unknown status has none.
    """
    try:
        return _STATUSES[status]
    except KeyError:
        raise ProtocolError(
            f"The server sent the job status {status}, which this client does not know; upgrade the client."
        ) from None


def progress_from_message(progress: job_pb2.Progress) -> Progress:
    """Return the same numbers in the client's own type."""
    return Progress(
        progress.fraction,
        progress.shots_done,
        progress.shots_total,
        progress.programs_done,
        progress.programs_total,
    )


def event_from_message(job_id: str, event: job_pb2.Event) -> JobEvent | None:
    """Return the event, or None for a heartbeat and for kinds that a later server may add."""
    time = time_from_message(event.time) if event.HasField("time") else None
    match event.WhichOneof("kind"):
        case "status":
            status = status_from_message(event.status.status)
            error = None
            if status in (JobStatus.ERROR, JobStatus.CANCELLED):
                cause = event.status.error if event.status.HasField("error") else None
                error = error_from_job(job_id, event.status.status, cause)
            return JobEvent(event.sequence, time, status=status, attempt=event.status.attempt, error=error)
        case "progress":
            return JobEvent(event.sequence, time, progress=progress_from_message(event.progress))
        case "queue_position":
            return JobEvent(event.sequence, time, queue_position=event.queue_position.ahead)
        case _:
            return None


def event_from_job(job: job_pb2.Job) -> JobEvent:
    """Return the status event that tells where a job stands, for when the true event can't be had."""
    status = status_from_message(job.status)
    moment = (
        job.end_time if status.final else job.start_time if job.HasField("start_time") else job.create_time
    )
    error = None
    if status in (JobStatus.ERROR, JobStatus.CANCELLED):
        error = error_from_job(job.job_id, job.status, job.error if job.HasField("error") else None)
    return JobEvent(job.sequence, time_from_message(moment), status=status, attempt=job.attempt, error=error)
