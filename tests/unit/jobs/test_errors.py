"""Errors carry what the contract says of their reasons."""

from __future__ import annotations

from basicaer.service.errors import JobNotFoundError, ServiceError, StoreBusyError, internal_error
from basicaer.v1 import error_reason_pb2 as reasons


def test_reasons_by_name() -> None:
    assert ServiceError(reasons.ERROR_REASON_QUEUE_FULL, "").reason_name == "QUEUE_FULL"
    assert "QUEUE_FULL" in repr(ServiceError(reasons.ERROR_REASON_QUEUE_FULL, "words"))
    assert JobNotFoundError("x" * 999).metadata == {"job_id": "x" * 128}
    assert StoreBusyError("full").retry_after == 1.0
    assert internal_error().metadata == {}


def test_as_data_of_a_job() -> None:
    error = ServiceError(
        reasons.ERROR_REASON_PROGRAM_INVALID, "words", metadata={"program_index": "3", "line": "1"}
    )
    job_error = error.to_job_error()
    assert (job_error.reason, job_error.message) == (reasons.ERROR_REASON_PROGRAM_INVALID, "words")
    assert job_error.program_index == 3
    assert job_error.metadata == {"line": "1"}
    assert not internal_error().to_job_error().HasField("program_index")
    assert error.metadata["program_index"] == "3"
