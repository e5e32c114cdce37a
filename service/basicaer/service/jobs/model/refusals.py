"""Refusals that several parts of the jobs layer make, and what a cancelled job says of its end."""

from __future__ import annotations

from basicaer.service.errors import RETRY_AFTER, ServiceError
from basicaer.service.jobs.model import states
from basicaer.service.printable import printable
from basicaer.v1 import error_reason_pb2, job_pb2

__all__ = ["cancelled_error", "draining", "not_final"]


def draining() -> ServiceError:
    """Return the refusal of what the next server has to do."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_DRAINING,
        "The server is stopping and takes no new jobs; call again.",
        retry_after=RETRY_AFTER,
    )


def not_final(job_id: str, status: job_pb2.JobStatus.ValueType) -> ServiceError:
    """Return the refusal to delete a job that hasn't ended."""
    name = states.name_of(status)
    return ServiceError(
        error_reason_pb2.ERROR_REASON_JOB_NOT_FINAL,
        f"The job is {name}; only a final one can be deleted. Cancel it first.",
        metadata={"job_id": job_id, "status": name},
    )


def cancelled_error(reason: str) -> job_pb2.JobError:
    """Return what a cancelled job says about why it ended."""
    return job_pb2.JobError(
        reason=error_reason_pb2.ERROR_REASON_CANCELLED_BY_USER,
        message=f"The job was cancelled by a call of CancelJob{f': {printable(reason)}' if reason else '.'}",
        metadata={"reason": reason} if reason else {},
    )
