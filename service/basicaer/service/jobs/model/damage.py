"""Jobs of which the store doesn't have what was stored: nothing of them is answered, and no other suffers."""

from __future__ import annotations

import struct

from basicaer.service.callers import Caller
from basicaer.service.errors import JobNotFoundError, ServiceError
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.store import DamagedJob, JobRecord, damaged
from basicaer.v1 import job_pb2
from google.protobuf.message import DecodeError

__all__ = ["DamagedJobError", "check_visible", "read_entry", "read_job", "shown"]


class DamagedJobError(ServiceError):
    """CHECKSUM_MISMATCH: a job is damaged. `principal` is whose it is; None when that is damaged too."""

    def __init__(self, job_id: str, principal: str | None) -> None:
        error = damaged(job_id)
        super().__init__(error.reason, error.message, metadata=error.metadata)
        self.principal = principal


def check_visible(error: DamagedJobError, caller: Caller) -> None:
    """Hides a damaged job from those who may not see it, where that is still known.

    Raises:
        JobNotFoundError: The caller is one of them.
    """
    if error.principal is not None and not caller.may_see(error.principal):
        raise JobNotFoundError(error.metadata["job_id"])


def read_job(record: JobRecord | DamagedJob) -> job_pb2.Job:
    """Return the stored message of a job.

    Raises:
        DamagedJobError: It isn't what was stored, as the row's checksum says; or, of a row that was damaged
            before there were checksums, as the row's columns say.
    """
    if isinstance(record, JobRecord):
        try:
            job = job_pb2.Job.FromString(record.job)
        except DecodeError:
            raise DamagedJobError(record.job_id, record.principal) from None
        columns = (record.job_id, record.status, record.sequence, record.attempt)
        if (job.job_id, job.status, job.sequence, job.attempt) == columns:
            return job
    raise DamagedJobError(record.job_id, record.principal)


def read_entry(record: JobRecord | DamagedJob) -> JobEntry:
    """Return a stored job with its events.

    Raises:
        DamagedJobError: As `read_job`.
    """
    job = read_job(record)
    assert isinstance(record, JobRecord)
    try:
        entry = JobEntry.from_record(record, job)
    except (DecodeError, struct.error):
        raise DamagedJobError(record.job_id, record.principal) from None
    history = entry.machine.history
    if entry.compacted < 0 or (history and history[-1].event.sequence != record.sequence):
        raise DamagedJobError(record.job_id, record.principal)
    return entry


def shown(error: DamagedJobError) -> job_pb2.Job:
    """Return what a list has in a damaged job's place: its id, and what is wrong with it."""
    return job_pb2.Job(
        job_id=error.metadata["job_id"], status=job_pb2.JOB_STATUS_ERROR, error=error.to_job_error()
    )
