"""What a caller learns when a call fails.

Every layer below raises `ServiceError` with a reason; this module alone knows how a reason looks on the wire:
the gRPC code, the text, and a `google.rpc.Status` in the trailer "grpc-status-details-bin" that holds

    ErrorInfo    always: the reason, the domain "basicaer.dev" and the facts of the reason
    BadRequest   for INVALID_ARGUMENT: which field, and what is wrong with it
    RetryInfo    where calling again helps: after how long

Trailers are limited (many HTTP/2 stacks drop a call's whole status above 8 KiB, and gRPC sends the text
twice, once percent-encoded), so texts are cut here, whatever a program's author managed to put into an error
message.
"""

from __future__ import annotations

import logging
import uuid
from typing import NoReturn, Protocol

import grpc
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

__all__ = [
    "CODES",
    "DETAILS_LIMIT",
    "DOMAIN",
    "MESSAGE_LIMIT",
    "Abortable",
    "abort",
    "status_of",
    "unexpected",
]

DOMAIN = "basicaer.dev"
DETAILS_KEY = "grpc-status-details-bin"
# Bytes. Base64 makes 4,000 of 3,000, and percent-encoding at worst 3,000 of 1,000: together below 8 KiB.
DETAILS_LIMIT = 3000
MESSAGE_LIMIT = 1000
VALUE_LIMIT = 128
FEWEST_FACTS = 8

_log = logging.getLogger(__name__)

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_MISSING = grpc.StatusCode.NOT_FOUND
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
_RANGE = grpc.StatusCode.OUT_OF_RANGE
_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
_UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
_INTERNAL = grpc.StatusCode.INTERNAL

# Reasons that belong to a job's failure alone reach a call only by a defect: they are INTERNAL there.
CODES: dict[reasons.ErrorReason.ValueType, grpc.StatusCode] = {
    reasons.ERROR_REASON_UNSPECIFIED: _INTERNAL,
    reasons.ERROR_REASON_PROGRAM_INVALID: _INVALID,
    reasons.ERROR_REASON_OPTION_INVALID: _INVALID,
    reasons.ERROR_REASON_BAD_PAGE_TOKEN: _INVALID,
    reasons.ERROR_REASON_REQUEST_ID_REUSED: grpc.StatusCode.ALREADY_EXISTS,
    reasons.ERROR_REASON_JOB_NOT_FOUND: _MISSING,
    reasons.ERROR_REASON_BACKEND_NOT_FOUND: _MISSING,
    reasons.ERROR_REASON_PART_NOT_FOUND: _MISSING,
    reasons.ERROR_REASON_RESULT_NOT_READY: _PRECONDITION,
    reasons.ERROR_REASON_RESULT_EXPIRED: _PRECONDITION,
    reasons.ERROR_REASON_RESULT_UNAVAILABLE: _PRECONDITION,
    reasons.ERROR_REASON_ETAG_MISMATCH: _PRECONDITION,
    reasons.ERROR_REASON_JOB_NOT_FINAL: _PRECONDITION,
    reasons.ERROR_REASON_EVENTS_COMPACTED: _RANGE,
    reasons.ERROR_REASON_READ_OFFSET_OUT_OF_RANGE: _RANGE,
    reasons.ERROR_REASON_QUEUE_FULL: _EXHAUSTED,
    reasons.ERROR_REASON_JOB_EXCEEDS_MEMORY: _EXHAUSTED,
    reasons.ERROR_REASON_PROGRAM_TOO_LARGE: _EXHAUSTED,
    reasons.ERROR_REASON_DRAINING: _UNAVAILABLE,
    reasons.ERROR_REASON_STORE_BUSY: _UNAVAILABLE,
    reasons.ERROR_REASON_CHECKSUM_MISMATCH: grpc.StatusCode.DATA_LOSS,
    reasons.ERROR_REASON_SIMULATION_FAILED: _INTERNAL,
    reasons.ERROR_REASON_CANCELLED_BY_USER: _INTERNAL,
    reasons.ERROR_REASON_TOO_MANY_ATTEMPTS: _INTERNAL,
    reasons.ERROR_REASON_INTERNAL: _INTERNAL,
    reasons.ERROR_REASON_UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    reasons.ERROR_REASON_PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    reasons.ERROR_REASON_TIME_LIMIT_EXCEEDED: _INTERNAL,
}


class Abortable(Protocol):
    """The part of a call's context that this module uses."""

    async def abort(
        self,
        code: grpc.StatusCode,
        details: str = ...,
        trailing_metadata: tuple[tuple[str, str | bytes], ...] = ...,
    ) -> NoReturn:
        """End the call with a status; raises."""


def status_of(error: ServiceError) -> status_pb2.Status:
    """Return the `google.rpc.Status` of an error, at most `DETAILS_LIMIT` bytes long.

    The text keeps its beginning. Facts keep their order; long values are cut, and when there are too many the
    last are left out. `error` is not changed.
    """
    code = CODES[error.reason]
    message = shorten(error.message, MESSAGE_LIMIT)
    metadata = {key[:64]: shorten(value, VALUE_LIMIT) for key, value in error.metadata.items()}
    while True:
        status = _status(code, message, metadata, error)
        if status.ByteSize() <= DETAILS_LIMIT:
            return status
        if len(metadata) > FEWEST_FACTS:
            metadata.popitem()
        else:
            message = shorten(message, len(message.encode()) * 3 // 4)


def _status(
    code: grpc.StatusCode, message: str, metadata: dict[str, str], error: ServiceError
) -> status_pb2.Status:
    name = reasons.ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_")
    status = status_pb2.Status(code=code.value[0], message=message)
    _pack(status, error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN, metadata=metadata))
    if code is _INVALID:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=shorten(error.field or "", VALUE_LIMIT), description=message, reason=name
        )
        _pack(status, error_details_pb2.BadRequest(field_violations=[violation]))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(error.retry_after * 1e9))
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _pack(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def shorten(text: str, limit: int) -> str:
    """Return `text`, cut to at most `limit` bytes of UTF-8; a cut text ends in "…"."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"


async def abort(context: Abortable, error: ServiceError) -> NoReturn:
    """End the call with the error's status. What this raises belongs to gRPC and must go on up."""
    status = status_of(error)
    await context.abort(
        CODES[error.reason], status.message, trailing_metadata=((DETAILS_KEY, status.SerializeToString()),)
    )


def unexpected(call: str, error: Exception) -> ServiceError:
    """Log a defect with its traceback under a new id, and return the error that tells a caller the id."""
    error_id = uuid.uuid4().hex
    _log.error("defect %s in %s", error_id, call, exc_info=error)
    return ServiceError(
        reasons.ERROR_REASON_INTERNAL,
        f"The server failed to handle {call}. Its log holds the cause under the id {error_id}.",
        metadata={"error_id": error_id},
    )
