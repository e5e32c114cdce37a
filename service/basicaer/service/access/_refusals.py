"""How a caller learns that it isn't let in, without learning anything else."""

from __future__ import annotations

from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons

__all__ = ["permission_denied", "unauthenticated"]


def unauthenticated(cause: str, message: str) -> ServiceError:
    """Return the refusal of a caller who doesn't prove who it is. `cause` is one word for programs."""
    return ServiceError(reasons.ERROR_REASON_UNAUTHENTICATED, message, metadata={"cause": cause})


def permission_denied(message: str) -> ServiceError:
    """Return the refusal of a caller who is known, and not allowed to use the service."""
    return ServiceError(reasons.ERROR_REASON_PERMISSION_DENIED, message)
