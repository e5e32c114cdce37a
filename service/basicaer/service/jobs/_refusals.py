"""Refusals that several parts of the jobs layer make."""

from __future__ import annotations

from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2

__all__ = ["exceeds_memory", "option_invalid"]


def exceeds_memory(required: int, available: int) -> ServiceError:
    """The refusal of a job that can never run here."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_JOB_EXCEEDS_MEMORY,
        f"The job needs {required:,} bytes of memory, and the server may use {available:,}."
        " Use fewer qubits, or single precision, which halves the need.",
        metadata={"required_bytes": str(required), "available_bytes": str(available)},
    )


def option_invalid(field: str, message: str) -> ServiceError:
    """The refusal of a value in a request."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID, message, metadata={"field": field}, field=field
    )
