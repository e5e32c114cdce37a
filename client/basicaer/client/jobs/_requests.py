"""What the sync and the asyncio client ask, as messages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from basicaer.client import _errors as errors
from basicaer.client._numbers import whole
from basicaer.client._status import JobStatus
from basicaer.client._texts import Encoded
from basicaer.v1 import job_pb2, job_service_pb2
from google.protobuf import timestamp_pb2

__all__ = ["cancel_request", "get_request", "list_request", "submit_request"]


@Encoded(errors.OptionInvalidError)
def submit_request(spec: job_pb2.JobSpec, request_id: str | None) -> job_service_pb2.SubmitJobRequest:
    """Return a request whose id, made now, is the same for every try."""
    return job_service_pb2.SubmitJobRequest(spec=spec, request_id=request_id or str(uuid.uuid4()))


@Encoded(errors.OptionInvalidError)
def get_request(job_id: str) -> job_service_pb2.GetJobRequest:
    """Return the request for a job as it is."""
    return job_service_pb2.GetJobRequest(job_id=job_id)


@Encoded(errors.OptionInvalidError)
def cancel_request(job_id: str, reason: str) -> job_service_pb2.CancelJobRequest:
    """Return the request to stop a job."""
    return job_service_pb2.CancelJobRequest(job_id=job_id, reason=reason)


@Encoded(errors.OptionInvalidError)
def list_request(
    status: JobStatus | Sequence[JobStatus] | None,
    labels: Mapping[str, str] | None,
    backend_name: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    page_size: int,
) -> job_service_pb2.ListJobsRequest:
    """Return the request for the first page. A time without a zone is local."""
    statuses = [] if status is None else [status] if isinstance(status, JobStatus) else list(status)
    return job_service_pb2.ListJobsRequest(
        page_size=whole(page_size),
        statuses=[job_pb2.JobStatus.Value(f"JOB_STATUS_{one.name}") for one in statuses],
        labels=labels or {},
        backend_name=backend_name or "",
        create_time_from=_timestamp(created_after),
        create_time_before=_timestamp(created_before),
    )


def _timestamp(time: datetime | None) -> timestamp_pb2.Timestamp | None:
    if time is None:
        return None
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(time.astimezone(UTC))
    return stamp
