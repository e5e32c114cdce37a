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
    ├── ServerFailedError         a part that a server can't do without has ended
    └── SettingError              a setting has a value that makes no sense (also a ValueError)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from basicaer.service.printable import printable
from basicaer.v1 import diagnostic_pb2, error_reason_pb2, job_pb2
from basicaer.v1.error_reason_pb2 import ErrorReason

__all__ = [
    "MOST_MESSAGE_BYTES",
    "RETRY_AFTER",
    "CredentialsFileError",
    "DataDirectoryError",
    "JobNotFoundError",
    "ServerFailedError",
    "ServiceError",
    "SettingError",
    "StoreBusyError",
    "exceeds_memory",
    "installed",
    "internal_error",
    "option_invalid",
    "queue_full",
    "result_too_large",
    "shorten",
    "size_text",
]

MOST_MESSAGE_BYTES = 1_000
"""Of an error's text, wherever it is told or kept: it may quote what a caller has written."""

RETRY_AFTER = 1.0
"""When a call that was refused for a passing reason may be made again, in seconds."""

_MOST_FACT_BYTES = 256


def shorten(text: str, limit: int) -> str:
    """Return `text`, cut to at most `limit` bytes of UTF-8; a cut text ends in "…"."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"


_ADVICE = "Use fewer qubits, or single precision, which halves the need."
# What is said to be needed at least where it is more.
_LARGEST_NUMBER = 2**100


class ServiceError(Exception):
    """A failure with a reason for programs and a message for people.

    `metadata` holds the facts that error_reason.proto shows for the reason. `retry_after` is in seconds, for
    reasons that pass by themselves. `field` is the path of the offending field in the request (for
    `google.rpc.BadRequest`). `diagnostics` are the mistakes of a program's text. What isn't printable in the
    message is shown as an escape.
    """

    def __init__(
        self,
        reason: ErrorReason.ValueType,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        field: str | None = None,
        diagnostics: diagnostic_pb2.Diagnostics | None = None,
    ) -> None:
        # It may quote what callers give; the line that a message about a program shows stays one of its own.
        self.message = printable(message, keep="\n")
        super().__init__(self.message)
        self.reason = reason
        self.metadata: dict[str, str] = dict(metadata or {})
        self.retry_after = retry_after
        self.field = field
        self.diagnostics = diagnostics

    @property
    def reason_name(self) -> str:
        """The reason as `google.rpc.ErrorInfo` carries it, such as ``"QUEUE_FULL"``."""
        return ErrorReason.Name(self.reason).removeprefix("ERROR_REASON_")

    def to_job_error(self) -> job_pb2.JobError:
        """Return the same failure as data of a job; `metadata["program_index"]` becomes the field of that
        name.
        """
        metadata = {key: shorten(value, _MOST_FACT_BYTES) for key, value in self.metadata.items()}
        index = metadata.pop("program_index", None)
        message = shorten(self.message, MOST_MESSAGE_BYTES)
        error = job_pb2.JobError(reason=self.reason, message=message, metadata=metadata)
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
            retry_after=RETRY_AFTER,
        )


class DataDirectoryError(Exception):
    """The data directory can't be used: it is locked, not a directory, corrupt, or not of this version."""


class CredentialsFileError(Exception):
    """A file with a certificate, a key or a key set can't be used; names the file, and never shows it."""


class ServerFailedError(Exception):
    """A part that a server can't do without has ended by a defect; the log says why."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has ended by a defect; the log says why. Start the server again.")
        self.what = what


class SettingError(ValueError):
    """A setting's value makes no sense. `origin` says where the value is from, when that is known."""

    def __init__(self, setting: str, message: str, origin: str = "") -> None:
        super().__init__(f"{origin}: {setting} {message}" if origin else f"{setting}: {message}")
        self.setting = setting
        self.message = message
        self.origin = origin


@contextmanager
def installed(setting: str, extra: str) -> Iterator[None]:
    """Within it, a package that can't be imported is `setting`'s lack of `basicaer[extra]`.

    Raises:
        SettingError: It isn't installed.
    """
    try:
        yield
    except ImportError as error:
        why = f"needs {error.name}; install it with pip install 'basicaer[{extra}]'"
        raise SettingError(setting, why) from None


def exceeds_memory(required: int, available: int, advice: str = _ADVICE) -> ServiceError:
    """Return the refusal of a job that can never run here. `advice` says what needs the memory, and what
    to do.
    """
    return ServiceError(
        error_reason_pb2.ERROR_REASON_JOB_EXCEEDS_MEMORY,
        f"The job needs at least {size_text(required)} of memory, and the server has {size_text(available)}"
        f" for all jobs. {advice}",
        # A number of thousands of digits would be longer than a status may be.
        metadata={
            "required_bytes": str(min(required, _LARGEST_NUMBER)),
            "available_bytes": str(available),
        },
    )


def result_too_large(size: int, most: int) -> ServiceError:
    """Return the refusal of a job whose result takes `size` bytes at least, where the database takes no more
    than `most` of one.
    """
    return ServiceError(
        error_reason_pb2.ERROR_REASON_RESULT_TOO_LARGE,
        f"The job's result takes at least {size_text(size)}, and the servers' database keeps at most"
        f" {size_text(most)} of one. Ask for less (counts, probabilities of some qubits, expectation values);"
        " or have the servers started with --object-store, where larger results are kept.",
        metadata={
            "result_bytes": str(min(size, _LARGEST_NUMBER)),
            "most_bytes": str(most),
            "setting": "object_store",
        },
    )


def option_invalid(field: str, message: str) -> ServiceError:
    """Return the refusal of a value in a request."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID, message, metadata={"field": field}, field=field
    )


def queue_full(message: str, **limit: int) -> ServiceError:
    """Return the refusal of what a limit of the server leaves no room for now; `limit` is its name and
    value.
    """
    return ServiceError(
        error_reason_pb2.ERROR_REASON_QUEUE_FULL,
        message,
        metadata={name: str(value) for name, value in limit.items()},
        retry_after=RETRY_AFTER,
    )


def size_text(count: int) -> str:
    """Return a number of bytes in the unit that suits it, rounded down; as a power of 2 when no unit does."""
    power = max(count.bit_length() - 1, 0)
    if power >= 70:
        return f"2^{power} bytes"
    unit = power // 10
    if not unit:
        return f"{count} bytes"
    tenths = count * 10 >> 10 * unit
    number = f"{tenths // 10}" if tenths % 10 == 0 or tenths >= 100 else f"{tenths / 10:.1f}"
    return f"{number} {'KMGTPE'[unit - 1]}iB"


def internal_error(job_id: str = "") -> ServiceError:
    """Return the error that stands for a defect. What happened belongs into the log, under the job's id."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_INTERNAL,
        "The server failed at this by a defect of its own; its log holds the cause.",
        metadata={"job_id": job_id} if job_id else {},
    )
