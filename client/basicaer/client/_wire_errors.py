"""From a failed call or job to the tree of `_errors`: the one place that knows gRPC's status codes."""

from __future__ import annotations

from typing import Any

import grpc
from basicaer.client import _errors as errors
from basicaer.client._diagnostics import Diagnostics, diagnostics_from_message
from basicaer.client._times import seconds_from_message
from basicaer.v1 import diagnostic_pb2, error_reason_pb2, job_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

__all__ = ["REASONS", "error_from_job", "error_from_rpc", "reason_name"]

DOMAIN = "basicaer.dev"
# Whatever a server says, after so many seconds it is worth another try.
LONGEST_DELAY = 600.0
_PREFIX = "ERROR_REASON_"

# Every reason that a call's status may carry. Those that only a job has map to JobError's children.
REASONS: dict[str, type[errors.BasicAerError]] = {
    "PROGRAM_INVALID": errors.ProgramInvalidError,
    "OPTION_INVALID": errors.OptionInvalidError,
    "BAD_PAGE_TOKEN": errors.PageTokenError,
    "REQUEST_ID_REUSED": errors.RequestIdReusedError,
    "JOB_NOT_FOUND": errors.JobNotFoundError,
    "BACKEND_NOT_FOUND": errors.BackendNotFoundError,
    "PART_NOT_FOUND": errors.PartNotFoundError,
    "RESULT_NOT_READY": errors.ResultNotReadyError,
    "RESULT_EXPIRED": errors.ResultExpiredError,
    "RESULT_UNAVAILABLE": errors.ResultUnavailableError,
    "ETAG_MISMATCH": errors.ETagMismatchError,
    "JOB_NOT_FINAL": errors.JobNotFinalError,
    "EVENTS_COMPACTED": errors.EventsCompactedError,
    "READ_OFFSET_OUT_OF_RANGE": errors.ReadOffsetError,
    "QUEUE_FULL": errors.QueueFullError,
    "JOB_EXCEEDS_MEMORY": errors.JobExceedsMemoryError,
    "PROGRAM_TOO_LARGE": errors.ProgramTooLargeError,
    "DRAINING": errors.ServerUnavailableError,
    "STORE_BUSY": errors.ServerUnavailableError,
    "CHECKSUM_MISMATCH": errors.ChecksumError,
    "SIMULATION_FAILED": errors.JobFailedError,
    "CANCELLED_BY_USER": errors.JobCancelledError,
    "TOO_MANY_ATTEMPTS": errors.JobFailedError,
    "INTERNAL": errors.ServerError,
    "UNAUTHENTICATED": errors.UnauthenticatedError,
    "PERMISSION_DENIED": errors.PermissionDeniedError,
    "TIME_LIMIT_EXCEEDED": errors.JobFailedError,
    "RESULT_TOO_LARGE": errors.ResultTooLargeError,
}

# For a status without a reason: one made by gRPC itself or by a proxy.
_CODES: dict[grpc.StatusCode, type[errors.BasicAerError]] = {
    grpc.StatusCode.CANCELLED: errors.CallCancelledError,
    grpc.StatusCode.UNKNOWN: errors.TransportError,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequestError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.CallTimeoutError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.RequestError,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhaustedError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.PreconditionError,
    grpc.StatusCode.ABORTED: errors.TransportError,
    grpc.StatusCode.OUT_OF_RANGE: errors.RangeError,
    grpc.StatusCode.UNIMPLEMENTED: errors.ProtocolError,
    grpc.StatusCode.INTERNAL: errors.TransportError,
    grpc.StatusCode.UNAVAILABLE: errors.ServerUnavailableError,
    grpc.StatusCode.DATA_LOSS: errors.ChecksumError,
    grpc.StatusCode.UNAUTHENTICATED: errors.UnauthenticatedError,
}


def reason_name(reason: int) -> str:
    """Return a reason's name without the prefix: "" when unset, its number when it isn't known here."""
    if reason == error_reason_pb2.ERROR_REASON_UNSPECIFIED:
        return ""
    known = error_reason_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"].values_by_number.get(reason)
    return str(reason) if known is None else known.name.removeprefix(_PREFIX)


def error_from_rpc(error: grpc.RpcError) -> errors.BasicAerError:
    """Return the typed error for a failed call, with the call's own error as its cause.

    Sync and asyncio calls fail with different classes that both have `code()`, `details()` and
    `trailing_metadata()`.
    """
    code: grpc.StatusCode = error.code()
    message: str = error.details() or code.name
    reason, metadata, retry_after, diagnostics = _details(error)
    kind = REASONS.get(reason) or _CODES.get(code, errors.TransportError)
    if not reason and code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in message:
        # gRPC's own limit on a message stands before the server's code, which would have given the reason.
        kind, reason = errors.ProgramTooLargeError, "PROGRAM_TOO_LARGE"
    made = kind(message, reason=reason, metadata=metadata, retry_after=retry_after, diagnostics=diagnostics)
    made.__cause__ = error
    return made


def error_from_job(job_id: str, status: int, error: job_pb2.JobError | None) -> errors.JobError:
    """Return the error for a job that ended in ERROR or CANCELLED; its message is the server's cause."""
    cancelled = status == job_pb2.JOB_STATUS_CANCELLED
    kind = errors.JobCancelledError if cancelled else errors.JobFailedError
    default = f"Job {job_id} was cancelled." if cancelled else f"Job {job_id} failed."
    if error is None:
        return kind(default)
    metadata = dict(error.metadata)
    if error.HasField("program_index"):
        metadata["program_index"] = str(error.program_index)
    return kind(error.message or default, reason=reason_name(error.reason), metadata=metadata)


def _details(error: grpc.RpcError) -> tuple[str, dict[str, str], float | None, Diagnostics]:
    """Return reason, metadata, delay and diagnostics from the status details; blanks where they are absent or
    damaged.
    """
    reason, metadata, retry_after, diagnostics = "", dict[str, str](), None, Diagnostics()
    trailers: Any = error.trailing_metadata() or ()  # pairs, of one class here and another in grpc.aio
    for key, value in trailers:
        if key != "grpc-status-details-bin":
            continue
        try:
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                retry = error_details_pb2.RetryInfo()
                told = diagnostic_pb2.Diagnostics()
                if detail.Unpack(info) and info.domain == DOMAIN:
                    reason, metadata = info.reason, dict(info.metadata)
                elif detail.Unpack(retry):
                    retry_after = seconds_from_message(retry.retry_delay, LONGEST_DELAY)
                elif detail.Unpack(told):
                    diagnostics = diagnostics_from_message(told.diagnostics, told.left_out)
        except DecodeError:
            continue
    return reason, metadata, retry_after, diagnostics
