"""What a caller learns when a call fails.

Every layer below raises `ServiceError` with a reason; this module alone knows how a reason looks on the wire:
the gRPC code, the text, and a `google.rpc.Status` in the trailer "grpc-status-details-bin" that holds

    ErrorInfo    always: the reason, the domain "basicaer.dev" and the facts of the reason
    BadRequest   for INVALID_ARGUMENT: which field, and what is wrong with it
    RetryInfo    where calling again helps: after how long
    Diagnostics  for a program that is a text: all its mistakes, as far as there is room

Trailers are limited (many HTTP/2 stacks drop a call's whole status above 8 KiB, and gRPC sends the text
twice, once percent-encoded), so texts are cut here, whatever a program's author managed to put into an error
message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, Protocol
from urllib.parse import quote

import grpc
from basicaer.service.doors.codes import CODE_NAMES
from basicaer.service.errors import MOST_MESSAGE_BYTES, ServiceError, shorten
from basicaer.v1 import error_reason_pb2 as reasons
from basicaer.v1.diagnostic_pb2 import Diagnostics
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
]

DOMAIN = "basicaer.dev"
DETAILS_KEY = "grpc-status-details-bin"
# Bytes. Base64 makes 4,000 of 3,000, and percent-encoding at worst 3,000 of 1,000: together below 8 KiB. What
# a shorter text leaves of that is for diagnostics.
DETAILS_LIMIT = 5000
FACTS_LIMIT = 3000
TRAILER_LIMIT = 7000
MESSAGE_LIMIT = MOST_MESSAGE_BYTES
VALUE_LIMIT = 128
FEWEST_FACTS = 8

_INVALID = grpc.StatusCode.INVALID_ARGUMENT

CODES: Mapping[reasons.ErrorReason.ValueType, grpc.StatusCode] = {
    reason: grpc.StatusCode[name] for reason, name in CODE_NAMES.items()
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
    last are left out, as are diagnostics. `error` is not changed.
    """
    code = CODES[error.reason]
    message = shorten(error.message, MESSAGE_LIMIT)
    metadata = {key[:64]: shorten(value, VALUE_LIMIT) for key, value in error.metadata.items()}
    while True:
        status = _status(code, message, metadata, error)
        if status.ByteSize() <= FACTS_LIMIT:
            _add_diagnostics(status, error.diagnostics)
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


def _add_diagnostics(status: status_pb2.Status, found: Diagnostics | None) -> None:
    """Add as many diagnostics as there is room for."""
    if found is None:
        return
    room = min(DETAILS_LIMIT, (TRAILER_LIMIT - len(quote(status.message))) * 3 // 4)
    told = Diagnostics()
    told.CopyFrom(found)
    while told.diagnostics:
        _pack(status, told)
        if status.ByteSize() <= room:
            return
        del status.details[-1]
        del told.diagnostics[-1]
        told.left_out += 1


def _pack(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo
    | Diagnostics,
) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


async def abort(context: Abortable, error: ServiceError) -> NoReturn:
    """End the call with the error's status. What this raises belongs to gRPC and must go on up."""
    status = status_of(error)
    await context.abort(
        CODES[error.reason], status.message, trailing_metadata=((DETAILS_KEY, status.SerializeToString()),)
    )
