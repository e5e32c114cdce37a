"""The errors that every layer of the service raises, and the one place where their shape is decided.

Each failure that a caller can act upon is a `ServiceError` with an `ErrorReason` of the contract. The edge
turns it into a gRPC status; the jobs layer stores the same facts in `Job.error`. Nothing below the edge knows
gRPC's codes.

    Exception
    ├── ServiceError              a refusal or a failure, with its reason
    │   ├── JobNotFoundError      JOB_NOT_FOUND
    │   └── StoreBusyError        STORE_BUSY: the store can't commit now
    ├── CredentialsFileError      a certificate, a key or a key set can't be used
    ├── DataDirectoryError        the server can't start on this data directory
    └── SettingError              a setting has a value that makes no sense (also a ValueError)
"""

from __future__ import annotations

from collections.abc import Mapping

from basicaer.v1 import error_reason_pb2, job_pb2
from basicaer.v1.error_reason_pb2 import ErrorReason

__all__ = [
    "CredentialsFileError",
    "DataDirectoryError",
    "JobNotFoundError",
    "ServiceError",
    "SettingError",
    "StoreBusyError",
    "exceeds_memory",
    "internal_error",
]


class ServiceError(Exception):
    """A failure with a reason for programs and a message for people.

    `metadata` holds the facts that error_reason.proto shows for the reason. `retry_after` is in seconds, for
    reasons that pass by themselves. `field` is the path of the offending field in the request (for
    `google.rpc.BadRequest`).
    """

    def __init__(
        self,
        reason: ErrorReason.ValueType,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata: dict[str, str] = dict(metadata or {})
        self.retry_after = retry_after
        self.field = field

    @property
    def reason_name(self) -> str:
        """The reason as `google.rpc.ErrorInfo` carries it, such as ``"QUEUE_FULL"``."""
        return ErrorReason.Name(self.reason).removeprefix("ERROR_REASON_")

    def to_job_error(self) -> job_pb2.JobError:
        """The same failure as data of a job; `metadata["program_index"]` becomes the field of that name."""
        metadata = dict(self.metadata)
        index = metadata.pop("program_index", None)
        error = job_pb2.JobError(reason=self.reason, message=self.message, metadata=metadata)
        if index is not None:
            error.program_index = int(index)
        return error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason_name}, {self.message!r})"


class JobNotFoundError(ServiceError):
    """No job has this id; it may have been deleted."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            error_reason_pb2.ERROR_REASON_JOB_NOT_FOUND,
            "There is no job with this id that you may see. It may have been deleted; ListJobs shows those "
            "that are there.",
            metadata={"job_id": job_id[:128]},
        )


class StoreBusyError(ServiceError):
    """The store can't commit now: its disk is full or another process holds its lock."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            error_reason_pb2.ERROR_REASON_STORE_BUSY,
            f"The store can't commit now ({cause}). Nothing was changed; call again.",
            retry_after=1.0,
        )


class DataDirectoryError(Exception):
    """The data directory can't be used: it is locked, not a directory, corrupt, or not of this version."""


class CredentialsFileError(Exception):
    """A file with a certificate, a key or a key set can't be used; names the file, and never shows it."""


class SettingError(ValueError):
    """A setting's value makes no sense. `origin` says where the value is from, when that is known."""

    def __init__(self, setting: str, message: str, origin: str = "") -> None:
        super().__init__(f"{origin}: {setting} {message}" if origin else f"{setting}: {message}")
        self.setting = setting
        self.message = message
        self.origin = origin


def exceeds_memory(required: int, available: int) -> ServiceError:
    """The refusal of a job that can never run here."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_JOB_EXCEEDS_MEMORY,
        f"The job needs {required:,} bytes of memory, and the server may use {available:,}."
        " Use fewer qubits, or single precision, which halves the need.",
        metadata={"required_bytes": str(required), "available_bytes": str(available)},
    )


def internal_error(job_id: str = "") -> ServiceError:
    """The error that stands for a defect. What happened belongs into the log, under the job's id."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_INTERNAL,
        "The server failed at this by a defect of its own; its log holds the cause.",
        metadata={"job_id": job_id} if job_id else {},
    )
