"""What ListJobs asks for, in the store's terms, and the tokens that lead from page to page.

A token holds the last id of its page and a digest of that and the filter: one that was made for another
filter, or by somebody else, is refused instead of skipping jobs silently.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

from basicaer.service.callers import Caller
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.jobs.model.clock import id_floor, nanoseconds
from basicaer.service.jobs.model.damage import DamagedJobError, read_job, shown
from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.store import DamagedJob, JobFilter, JobRecord
from basicaer.v1 import error_reason_pb2
from basicaer.v1.job_pb2 import JobStatus
from basicaer.v1.job_service_pb2 import ListJobsRequest, ListJobsResponse
from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["MOST_PAGE_BYTES", "first_page", "job_filter", "listed", "page_size", "page_token"]

MOST_PAGE_BYTES = 1 << 20
"""What the jobs of a page take together; but one job makes a page, whatever it takes."""

_DEFAULT_PAGE = 50
_MAX_PAGE = 1_000
_DIGEST_BYTES = 8
# What protobuf allows in a Timestamp, and the latest time that there is room for above (nanoseconds).
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_LATEST = 2**63 - 2_000_000


def page_size(request: ListJobsRequest) -> int:
    """How many jobs a page has at most.

    Raises:
        ServiceError: OPTION_INVALID.
    """
    if request.page_size < 0:
        raise option_invalid("page_size", f"page_size must not be negative, but is {request.page_size}.")
    return min(request.page_size or _DEFAULT_PAGE, _MAX_PAGE)


def first_page(records: Sequence[JobRecord | DamagedJob], size: int) -> Sequence[JobRecord | DamagedJob]:
    """Those of the records that make up a page: at most `size`, and as many as its bytes allow."""
    taken = 0
    for count, record in enumerate(records[:size]):
        taken += len(record.job) + len(record.principal.encode()) if isinstance(record, JobRecord) else 0
        if taken > MOST_PAGE_BYTES and count:
            return records[:count]
    return records[:size]


def page_token(request: ListJobsRequest, caller: Caller, last_job_id: str) -> str:
    """Return the token of the page after the job `last_job_id`."""
    return (
        base64.urlsafe_b64encode(_digest(request, caller, last_job_id) + last_job_id.encode())
        .decode()
        .rstrip("=")
    )


def job_filter(request: ListJobsRequest, caller: Caller) -> JobFilter:
    """Return the filter of a caller's request, from where its page begins.

    Raises:
        ServiceError: BAD_PAGE_TOKEN, OPTION_INVALID.
    """
    known = JobStatus.values()
    for status in request.statuses:
        if status not in known or status == 0:
            raise option_invalid("statuses", f"{status} is not a job status.")
    time_from, time_before = _time(request, "create_time_from"), _time(request, "create_time_before")
    # Ids begin with their time, so the index by id leads to the right jobs at once.
    before = id_floor(time_before + 1_000_000) if time_before is not None else None
    if request.page_token:
        last = _read_token(request, caller)
        before = last if before is None else min(before, last)
    return JobFilter(
        statuses=tuple(request.statuses),
        labels=dict(request.labels),
        backend_name=request.backend_name,
        principal=None if caller.admin else caller.principal,
        create_time_from=time_from,
        create_time_before=time_before,
        from_job_id=id_floor(time_from) if time_from is not None else None,
        before_job_id=before,
    )


def _time(request: ListJobsRequest, field: Literal["create_time_from", "create_time_before"]) -> int | None:
    """Return a bound in nanoseconds since the epoch; None when it isn't given.

    Raises:
        ServiceError: OPTION_INVALID: it is no time that protobuf has.
    """
    if not request.HasField(field):
        return None
    timestamp: Timestamp = getattr(request, field)
    if not (_FIRST_SECOND <= timestamp.seconds <= _LAST_SECOND and 0 <= timestamp.nanos < 1_000_000_000):
        raise option_invalid(field, f"{field} is not a time between the years 1 and 9999.")
    # The store has 64 bits, which end in 2262. No job is older than the service, or of a later year.
    return min(max(nanoseconds(timestamp), 0), _LATEST)


def _read_token(request: ListJobsRequest, caller: Caller) -> str:
    token = request.page_token
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        job_id = data[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        job_id = ""
        data = b""
    if not job_id or data[:_DIGEST_BYTES] != _digest(request, caller, job_id):
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_BAD_PAGE_TOKEN,
            "The page token wasn't given for this filter. Repeat the filter of the page before, or begin"
            " without a token.",
            metadata={"field": "page_token"},
            field="page_token",
        )
    return job_id


def _digest(request: ListJobsRequest, caller: Caller, job_id: str) -> bytes:
    of_filter = ListJobsRequest()
    of_filter.CopyFrom(request)
    of_filter.ClearField("page_size")
    of_filter.ClearField("page_token")
    data = of_filter.SerializeToString(deterministic=True) + f"\0{caller.principal}".encode()
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES, key=job_id.encode()[:64]).digest()


def listed(
    records: Sequence[JobRecord | DamagedJob],
    size: int,
    request: ListJobsRequest,
    caller: Caller,
    live: Mapping[str, JobEntry],
) -> ListJobsResponse:
    """Return the answer with a page of `size` jobs, from `records`, which has one more if there are more."""
    page = first_page(records, size)
    response = ListJobsResponse()
    for record in page:
        entry = live.get(record.job_id)
        try:
            if entry is None or (isinstance(record, JobRecord) and entry.committed != record.sequence):
                job = read_job(record)
                assert isinstance(record, JobRecord)
                job.principal = record.principal
                response.jobs.append(job)
            else:
                # The same state, and what passes besides.
                response.jobs.append(entry.snapshot())
        except DamagedJobError as error:
            # Whose it is, when that is damaged too, only admins needn't know.
            if caller.admin or error.principal is not None:
                response.jobs.append(shown(error))
    if len(records) > len(page):
        response.next_page_token = page_token(request, caller, page[-1].job_id)
    return response
