"""Every error that the client raises, as one tree: a caller catches as much or as little as it means to.

    BasicAerError
    ├── CircuitError                  a circuit that the builder or the converter refuses (also a ValueError)
    ├── ResultError                   a result has no such experiment, or no such data in it
    ├── ClientClosedError             the provider was closed (also a RuntimeError)
    ├── EventLoopError                a provider of asyncio used in a second event loop (also a RuntimeError)
    ├── ProtocolError                 an answer that the contract doesn't allow, such as an unknown status
    ├── TransportError                the call didn't get through; it says nothing about the job
    │   ├── ServerUnavailableError    no connection, or the server is stopping (DRAINING) or busy (STORE_BUSY)
    │   ├── CallTimeoutError          no answer in time
    │   └── CallCancelledError        something on the way cancelled the call
    ├── RequestError                  the server refused the call
    │   ├── InvalidRequestError
    │   │   ├── ProgramInvalidError   with the program, line and column
    │   │   ├── OptionInvalidError    with the field
    │   │   └── PageTokenError
    │   ├── RequestIdReusedError
    │   ├── UnauthenticatedError      without a token, or with one that isn't (or is no longer) valid
    │   ├── PermissionDeniedError
    │   ├── NotFoundError
    │   │   ├── JobNotFoundError
    │   │   ├── BackendNotFoundError
    │   │   └── PartNotFoundError
    │   ├── PreconditionError
    │   │   ├── ResultNotReadyError
    │   │   ├── ResultExpiredError
    │   │   ├── ResultUnavailableError
    │   │   ├── ETagMismatchError
    │   │   └── JobNotFinalError
    │   ├── RangeError
    │   │   ├── EventsCompactedError
    │   │   └── ReadOffsetError
    │   └── ResourceExhaustedError
    │       ├── QueueFullError
    │       ├── JobExceedsMemoryError
    │       ├── ProgramTooLargeError
    │       └── ResultTooLargeError
    ├── ServerError                   a defect of the server
    ├── ChecksumError                 bytes arrived or were stored damaged
    └── JobError                      the job itself; never raised for a call that failed
        ├── JobTimeoutError           it wasn't final in time; it goes on
        ├── JobFailedError            it ended in ERROR
        └── JobCancelledError         it was CANCELLED

An error that came over the wire keeps the `grpc.RpcError` as its `__cause__`, its reason (a name of
`basicaer.v1.ErrorReason` without the prefix) and the reason's metadata.
"""

from __future__ import annotations

from collections.abc import Mapping

from basicaer.client._diagnostics import Diagnostics
from basicaer.client._printable import printable

__all__ = [
    "BackendNotFoundError",
    "BasicAerError",
    "CallCancelledError",
    "CallTimeoutError",
    "ChecksumError",
    "CircuitError",
    "ClientClosedError",
    "ETagMismatchError",
    "EventLoopError",
    "EventsCompactedError",
    "InvalidRequestError",
    "JobCancelledError",
    "JobError",
    "JobExceedsMemoryError",
    "JobFailedError",
    "JobNotFinalError",
    "JobNotFoundError",
    "JobTimeoutError",
    "NotFoundError",
    "OptionInvalidError",
    "PageTokenError",
    "PartNotFoundError",
    "PermissionDeniedError",
    "PreconditionError",
    "ProgramInvalidError",
    "ProgramTooLargeError",
    "ProtocolError",
    "QueueFullError",
    "RangeError",
    "ReadOffsetError",
    "RequestError",
    "RequestIdReusedError",
    "ResourceExhaustedError",
    "ResultError",
    "ResultExpiredError",
    "ResultNotReadyError",
    "ResultTooLargeError",
    "ResultUnavailableError",
    "ServerError",
    "ServerUnavailableError",
    "TransportError",
    "UnauthenticatedError",
]


class BasicAerError(Exception):
    """The root of the tree.

    `message` is the text without more; `reason` is a name of `ErrorReason` without its prefix, or "" when
    there is none; `metadata` holds the facts that `error_reason.proto` lists for the reason; `retry_after` is
    how many seconds the server asks to wait before another try, or None; `diagnostics` are all mistakes of a
    program's text, and what is doubtful in it.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        diagnostics: Diagnostics | None = None,
    ) -> None:
        # It may quote a server or another user, and goes to a terminal or a log, in a traceback at least.
        self.message = printable(message, keep="\n")
        super().__init__(self.message)
        self.reason = reason
        self.metadata: dict[str, str] = dict(metadata or {})
        self.retry_after = retry_after
        self.diagnostics = Diagnostics() if diagnostics is None else diagnostics

    def _number(self, key: str) -> int | None:
        """Return a fact as an int; None when it's absent or isn't one."""
        try:
            return int(self.metadata[key])
        except (KeyError, ValueError):
            return None

    @property
    def program_index(self) -> int | None:
        """Which program of the job is meant, from 0; None when the error isn't about one."""
        return self._number("program_index")

    @property
    def line(self) -> int | None:
        """The line of the program's text, from 1; None when there is none."""
        return self._number("line")

    @property
    def column(self) -> int | None:
        """The column of the program's text, from 1; None when there is none."""
        return self._number("column")


class CircuitError(BasicAerError, ValueError):
    """A circuit, or an operand of one of its gates, isn't valid."""


class ResultError(BasicAerError):
    """A result has no such experiment, or the experiment no such data."""


class ClientClosedError(BasicAerError, RuntimeError):
    """The provider was closed before or during the call."""


class EventLoopError(BasicAerError, RuntimeError):
    """A provider of asyncio, or a job of it, was used in another event loop than the first."""


class ProtocolError(BasicAerError):
    """The server's answer breaks the contract; it may be of another version than the client."""


class TransportError(BasicAerError):
    """A call didn't get through. The job, if there is one, isn't touched by that."""


class ServerUnavailableError(TransportError):
    """No connection, or the server takes no calls now."""


class CallTimeoutError(TransportError):
    """A call got no answer in time."""


class CallCancelledError(TransportError):
    """Something other than the caller cancelled the call; it may be repeated."""


class RequestError(BasicAerError):
    """The server refused a call; repeating it unchanged won't help."""


class InvalidRequestError(RequestError):
    """A part of the request isn't valid."""


class ProgramInvalidError(InvalidRequestError):
    """A program can't be parsed or breaks a rule; see `program_index`, `line` and `column`, and `diagnostics`
    for all that is wrong with its text.
    """


class OptionInvalidError(InvalidRequestError):
    """An option has a value that isn't allowed; see `field`."""

    @property
    def field(self) -> str:
        """The option's path in the request, such as "options.shots"; "" when unknown."""
        return self.metadata.get("field", "")


class PageTokenError(InvalidRequestError):
    """A page token isn't one that the server gave for the same filter."""


class RequestIdReusedError(RequestError):
    """The request id belongs to a job with another body."""


class UnauthenticatedError(RequestError):
    """The server wants to know who calls: there is no token, or it was revoked, has expired, or isn't its."""


class PermissionDeniedError(RequestError):
    """The server knows the caller, who may not use it."""


class NotFoundError(RequestError):
    """What the request names doesn't exist."""


class JobNotFoundError(NotFoundError):
    """No job has this id; it may have been deleted."""


class BackendNotFoundError(NotFoundError):
    """No backend, or more than one, fits."""


class PartNotFoundError(NotFoundError):
    """The result has no part of this name."""


class PreconditionError(RequestError):
    """The job isn't in a state that allows the call."""


class ResultNotReadyError(PreconditionError):
    """The job isn't final yet."""


class ResultExpiredError(PreconditionError):
    """The result was kept for the configured time and is gone."""


class ResultUnavailableError(PreconditionError):
    """The job ended without a result."""


class ETagMismatchError(PreconditionError):
    """The result has changed since its first bytes were read."""


class JobNotFinalError(PreconditionError):
    """Only a final job can be deleted."""


class RangeError(RequestError):
    """A position lies outside of what there is."""


class EventsCompactedError(RangeError):
    """The events after the given sequence are no longer kept, or were never made."""


class ReadOffsetError(RangeError):
    """A read offset lies past the end of the part."""


class ResourceExhaustedError(RequestError):
    """The request exceeds a limit of the server."""


class QueueFullError(ResourceExhaustedError):
    """As many jobs wait as the server allows; try again after `retry_after` seconds."""


class JobExceedsMemoryError(ResourceExhaustedError):
    """The job can never fit in the server's memory; see `required_bytes` and `available_bytes`."""

    @property
    def required_bytes(self) -> int | None:
        """What the job would need."""
        return self._number("required_bytes")

    @property
    def available_bytes(self) -> int | None:
        """What the server may use."""
        return self._number("available_bytes")


class ProgramTooLargeError(ResourceExhaustedError):
    """A program exceeds a limit on its text, its nesting or its number of instructions."""


class ResultTooLargeError(ResourceExhaustedError):
    """The job's result is larger than the server keeps; see `result_bytes`, `most_bytes` and `setting`."""

    @property
    def result_bytes(self) -> int | None:
        """What the result takes, at least."""
        return self._number("result_bytes")

    @property
    def most_bytes(self) -> int | None:
        """What the server keeps of a result."""
        return self._number("most_bytes")

    @property
    def setting(self) -> str:
        """What the server's operator has to set, so that it keeps larger ones."""
        return self.metadata.get("setting", "")


class ServerError(BasicAerError):
    """A defect of the server; its log holds the cause."""


class ChecksumError(BasicAerError):
    """Bytes differ from their checksum, on the way or in the server's store."""


class JobError(BasicAerError):
    """The job, not a call about it, went wrong, or a job's method was used where it can't be."""


class JobTimeoutError(JobError):
    """The job wasn't final in time. It goes on, and may be waited for again."""


class JobFailedError(JobError):
    """The job ended in ERROR; the message, `reason` and `metadata` are the server's cause."""


class JobCancelledError(JobError):
    """The job was CANCELLED, so that it has no result."""
