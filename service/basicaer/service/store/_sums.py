"""Checksums of rows: whatever an answer is made of is compared with one when it is read.

A row has four, since its parts are written at different times: where the job comes from, its state, its spec
and its result. Each holds the job's id, so that a part of another row isn't taken for this one's. The sweep
time has none: it says when to look at a job, and what is then done goes by the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import google_crc32c
from basicaer.service.errors import ServiceError
from basicaer.service.store._interface import (
    DamagedJob,
    ExistingJob,
    InsertJob,
    JobRecord,
    StagedResult,
    UpdateJob,
)
from basicaer.v1 import error_reason_pb2

__all__ = [
    "RECORD",
    "damaged",
    "database_damaged",
    "existing_job",
    "fits",
    "inserted_sums",
    "no_result_sum",
    "origin_sum",
    "read_record",
    "request_doubtful",
    "result_sum",
    "spec_sum",
    "staged_sum",
    "state_sum",
    "try_sum",
    "updated_sum",
]

# Bytes of a long text that are summed at once: a tenth of a millisecond.
_STEP = 1024 * 1024

# The columns that `read_record` takes, after the job's id.
RECORD = (
    "principal, status, sequence, attempt, crashes, cancel_reason, job, events, request_id, request_hash,"
    " backend_name, create_time, origin_sum, state_sum"
)


def origin_sum(
    job_id: str,
    principal: str,
    request_id: str | None,
    request_hash: bytes,
    backend_name: str,
    create_time: int,
) -> int:
    """Of what never changes."""
    return _sum(repr((job_id, principal, request_id, request_hash, backend_name, create_time)))


def state_sum(
    job_id: str,
    status: int,
    sequence: int,
    attempt: int,
    crashes: int,
    cancel_reason: str | None,
    job: bytes,
    events: bytes,
) -> int:
    """Of what each update writes."""
    head = f"{job_id!r},{status!r},{sequence!r},{attempt!r},{crashes!r},{cancel_reason!r},{len(job)}"
    return _sum(head, job, events)


def spec_sum(job_id: str, spec: bytes | memoryview) -> int:
    """Of a spec, wherever it lies."""
    return _sum(f"spec {job_id!r}", spec)


def result_sum(
    job_id: str, file: str | None, message_size: int, file_bytes: int | None, message: bytes | None
) -> int:
    """Of what is known of a result, and of its message unless that lies in its file; also when there is
    none.
    """
    there = message is not None
    return _sum(f"result {job_id!r},{file!r},{message_size!r},{file_bytes!r},{there}", message or b"")


def inserted_sums(write: InsertJob) -> tuple[int, int, int | None, int]:
    """Of a new row's origin, state, spec (None when it has none) and result."""
    origin = origin_sum(
        write.job_id,
        write.principal,
        write.request_id,
        write.request_hash,
        write.backend_name,
        write.create_time,
    )
    state = state_sum(
        write.job_id, write.status, write.sequence, write.attempt, 0, None, write.job, write.events
    )
    spec = None if write.spec is None else spec_sum(write.job_id, write.spec)
    return origin, state, spec, staged_sum(write.job_id, write.result)


def updated_sum(write: UpdateJob) -> int:
    """Of the state that an update writes."""
    return state_sum(
        write.job_id,
        write.status,
        write.sequence,
        write.attempt,
        write.crashes,
        write.cancel_reason,
        write.job,
        write.events,
    )


def staged_sum(job_id: str, result: StagedResult | None) -> int:
    """Of what is known of a result that is to be written, and of its message."""
    if result is None:
        return no_result_sum(job_id)
    return result_sum(job_id, result.file, result.message_size, result.file_bytes, result.message)


def no_result_sum(job_id: str) -> int:
    """Of a result that isn't there."""
    return result_sum(job_id, None, 0, None, None)


def _sum(head: str, *data: bytes | memoryview) -> int:
    if len(data) == 1 and len(data[0]) > _STEP:
        # Neither copied, nor read at once with the interpreter's lock held.
        total = google_crc32c.value(head.encode() + b"\0")
        view = memoryview(data[0])
        for start in range(0, len(view), _STEP):
            total = google_crc32c.extend(total, bytes(view[start : start + _STEP]))
        return int(total)
    return int(google_crc32c.value(b"\0".join((head.encode(), *data))))


def try_sum(function: Callable[..., int], values: Iterable[object]) -> int | None:
    """Return a checksum of values that were read; None when a damaged page gives one of another type."""
    try:
        return function(*values)
    except (TypeError, UnicodeError):
        return None


def fits(function: Callable[..., int], values: Iterable[object], its_sum: object) -> bool:
    """Whether values that were read have the checksum that was read with them."""
    return its_sum is not None and try_sum(function, values) == its_sum


def read_record(row: Sequence[Any]) -> JobRecord | DamagedJob:
    """Return a job of a row that begins with its id, and goes on with RECORD."""
    job_id, principal, *state, request_id, request_hash, backend_name, create_time, origin, its_state = row
    known = fits(origin_sum, (job_id, principal, request_id, request_hash, backend_name, create_time), origin)
    if known and fits(state_sum, (job_id, *state), its_state):
        return JobRecord(job_id, principal, *state)
    shown = str(job_id).encode(errors="replace").decode()
    return DamagedJob(shown, principal if known else None)


def existing_job(row: Sequence[Any]) -> ExistingJob:
    """Return a row of what `origin_sum` is of, and that sum.

    Raises:
        ServiceError: CHECKSUM_MISMATCH.
    """
    *origin, its_sum = row
    if not fits(origin_sum, origin, its_sum):
        raise damaged(str(origin[0]))
    return ExistingJob(origin[0], origin[3])


def damaged(job_id: str, part: str = "job") -> ServiceError:
    """Return the refusal to answer what isn't as it was stored."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
        f"What is stored of job {job_id} is damaged ({part}). Delete it, and submit it again.",
        metadata={"job_id": job_id[:128], "part": part, "offset": "0"},
    )


def request_doubtful() -> ServiceError:
    """Return the refusal to make a job that may be there: of a damaged one it isn't known who submitted
    it.
    """
    return ServiceError(
        error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
        "A job with this request id is damaged, and whose it is isn't known any more: it may be this one."
        " Submit with another request id if the job shall run again. For the server's operator: the log"
        " names the job; delete it.",
        metadata={"part": "request_id", "offset": "0"},
    )


def database_damaged(error: Exception) -> ServiceError:
    """Return the same when SQLite can't read what would tell more."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
        f"A part of the database is damaged ({error}). For the server's operator: 'basicaer doctor' tells"
        " more, and a backup helps.",
        metadata={"part": "database", "offset": "0"},
    )
