"""Jobs as rows, and rows as jobs. Texts are bytes in the database, see migrations/0001_jobs.sql."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, overload

from basicaer.service.store._interface import (
    DamagedJob,
    ExistingJob,
    InsertJob,
    JobRecord,
    StagedResult,
    UpdateJob,
)
from basicaer.service.store._sums import existing_job, inserted_sums, read_record, staged_sum, updated_sum

__all__ = [
    "columns",
    "existing",
    "finish_row",
    "insert_row",
    "origin_row",
    "record",
    "text",
    "update_row",
]

# Of a record: the job's id, its principal, the reason of its cancellation, its request id, its backend.
_TEXTS = frozenset({0, 1, 6, 9, 11})


@overload
def text(data: bytes) -> str: ...
@overload
def text(data: bytes | None) -> str | None: ...
def text(data: bytes | None) -> str | None:
    """Return a stored text; one that is damaged differs from its checksum."""
    return None if data is None else data.decode(errors="surrogateescape")


def record(row: Sequence[Any]) -> JobRecord | DamagedJob:
    """Return a job of a row that is its id, RECORD, its fence and its owner."""
    *columns_, fence, owner = row
    found = read_record([text(value) if place in _TEXTS else value for place, value in enumerate(columns_)])
    if isinstance(found, JobRecord) and (fence or owner is not None):
        return replace(found, fence=fence, owned=owner is not None)
    return found


def existing(row: Sequence[Any]) -> ExistingJob:
    """Return a row of FIND_REQUEST.

    Raises:
        ServiceError: CHECKSUM_MISMATCH.
    """
    job_id, principal, request_id, request_hash, backend_name, create_time, its_sum = row
    texts = (text(job_id), text(principal), text(request_id), request_hash, text(backend_name))
    return existing_job((*texts, create_time, its_sum))


def columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Return a list for each column, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]


def origin_row(
    job_id: str,
    principal: str,
    request_id: str | None,
    request_hash: bytes,
    backend_name: str,
    create_time: int,
) -> tuple[object, ...]:
    """Return the columns of a job that never change, with which INSERT_JOBS begins."""
    its_request = None if request_id is None else request_id.encode()
    return job_id.encode(), principal.encode(), its_request, request_hash, backend_name.encode(), create_time


def insert_row(write: InsertJob) -> tuple[object, ...]:
    """Return what INSERT_JOBS takes."""
    return (
        *origin_row(
            write.job_id,
            write.principal,
            write.request_id,
            write.request_hash,
            write.backend_name,
            write.create_time,
        ),
        write.status,
        write.sequence,
        write.attempt,
        0,
        write.job,
        write.events,
        write.spec,
        *_result(write.result),
        write.sweep_time,
        *inserted_sums(write),
        write.required_bytes,
        write.nodes,
    )


def update_row(write: UpdateJob) -> tuple[object, ...]:
    """Return what UPDATE_JOBS takes."""
    return (
        write.job_id.encode(),
        write.status,
        write.sequence,
        write.attempt,
        write.crashes,
        None if write.cancel_reason is None else write.cancel_reason.encode(),
        write.job,
        write.events,
        updated_sum(write),
        write.fence,
        write.released,
    )


def finish_row(write: UpdateJob) -> tuple[object, ...]:
    """Return what FINISH_JOBS takes."""
    return (
        *update_row(write),
        *_result(write.result),
        write.sweep_time,
        staged_sum(write.job_id, write.result),
    )


def _result(result: StagedResult | None) -> tuple[object, ...]:
    if result is None:
        return (None, None, 0, None)
    file = None if result.file is None else result.file.encode()
    return (result.message, file, result.message_size, result.file_bytes)
