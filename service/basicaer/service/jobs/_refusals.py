"""Refusals that several parts of the jobs layer make."""

from __future__ import annotations

from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2

__all__ = ["option_invalid"]


def option_invalid(field: str, message: str) -> ServiceError:
    """The refusal of a value in a request."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID, message, metadata={"field": field}, field=field
    )
