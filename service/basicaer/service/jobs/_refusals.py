"""Refusals that several parts of the jobs layer make."""

from __future__ import annotations

from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2

__all__ = ["RETRY_AFTER", "draining", "option_invalid"]

RETRY_AFTER = 1.0
"""When a call that was refused for a passing reason may be made again, in seconds."""


def option_invalid(field: str, message: str) -> ServiceError:
    """The refusal of a value in a request."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID, message, metadata={"field": field}, field=field
    )


def draining() -> ServiceError:
    """The refusal of what the next server has to do."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_DRAINING,
        "The server is stopping and takes no new jobs; call again.",
        retry_after=RETRY_AFTER,
    )
