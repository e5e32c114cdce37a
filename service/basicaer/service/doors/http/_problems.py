"""What a caller learns when a call fails: a problem (RFC 9457) with the contract's reason.

It holds what gRPC's callers get as google.rpc's error details: the reason and its facts, which field was
wrong, when to call again, and the mistakes of a program's text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from basicaer.service.doors.codes import CODE_NAMES
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons
from google.protobuf import json_format

__all__ = ["PROBLEM", "problem", "refusal_headers", "status_of", "untyped"]

PROBLEM = "application/problem+json"
_TYPE = "tag:basicaer.dev,2026:reason:"

# As google.rpc.Code's comments have it.
_STATUSES = {
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "FAILED_PRECONDITION": HTTPStatus.CONFLICT,
    "OUT_OF_RANGE": HTTPStatus.BAD_REQUEST,
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
    "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "DATA_LOSS": HTTPStatus.INTERNAL_SERVER_ERROR,
    "INTERNAL": HTTPStatus.INTERNAL_SERVER_ERROR,
}
# Where HTTP has a better word than for the kind of failure.
_BETTER: Mapping[reasons.ErrorReason.ValueType, HTTPStatus] = {
    reasons.ERROR_REASON_PROGRAM_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    # It will never fit, so calling again doesn't help.
    reasons.ERROR_REASON_JOB_EXCEEDS_MEMORY: HTTPStatus.UNPROCESSABLE_ENTITY,
    reasons.ERROR_REASON_RESULT_TOO_LARGE: HTTPStatus.UNPROCESSABLE_ENTITY,
    reasons.ERROR_REASON_ETAG_MISMATCH: HTTPStatus.PRECONDITION_FAILED,
    reasons.ERROR_REASON_READ_OFFSET_OUT_OF_RANGE: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    reasons.ERROR_REASON_RESULT_EXPIRED: HTTPStatus.GONE,
    reasons.ERROR_REASON_EVENTS_COMPACTED: HTTPStatus.GONE,
}


def status_of(error: ServiceError) -> HTTPStatus:
    """Return the status of a response that tells of an error."""
    return _BETTER.get(error.reason) or _STATUSES[CODE_NAMES[error.reason]]


def problem(error: ServiceError, status: HTTPStatus | None = None) -> bytes:
    """Return the problem that tells of an error; `status` is what the response says, if that is another."""
    told = status or status_of(error)
    made: dict[str, Any] = {
        "type": _TYPE + error.reason_name,
        "title": told.phrase,
        "status": told.value,
        "detail": error.message,
        "reason": error.reason_name,
        "metadata": error.metadata,
    }
    if CODE_NAMES[error.reason] == "INVALID_ARGUMENT":
        made["fieldViolations"] = [
            {"field": error.field or "", "description": error.message, "reason": error.reason_name}
        ]
    if error.retry_after is not None:
        made["retryDelay"] = f"{error.retry_after:g}s"
    if error.diagnostics is not None:
        made["diagnostics"] = json_format.MessageToDict(error.diagnostics)
    # Escaped, so that half a surrogate pair in what a caller wrote has a form too.
    return json.dumps(made).encode()


def refusal_headers(error: ServiceError) -> list[tuple[str, str]]:
    """Return the headers that tell of an error what has a header of its own."""
    headers = []
    if error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    if error.reason == reasons.ERROR_REASON_UNAUTHENTICATED:
        headers.append(("www-authenticate", "Bearer"))
    return headers


def untyped(status: HTTPStatus, detail: str) -> bytes:
    """Return a problem that is HTTP's own, for which the contract has no reason."""
    made = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return json.dumps(made).encode()
