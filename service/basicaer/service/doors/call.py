"""What a call is, however it came: who calls, until when it may go on, what is told of it, and what its
caller learns when it fails.

A door makes a `Method` for each of the contract's, begins a `Call` for each that comes, and has its own way
to give the answer, or the error that `Call.failed` returns.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.doors.codes import CODE_NAMES
from basicaer.service.errors import ServiceError
from basicaer.service.telemetry import CallSpan, MethodMetrics, Telemetry, bind, event
from basicaer.v1 import error_reason_pb2 as reasons

__all__ = ["Call", "Method", "unexpected"]

_log = logging.getLogger(__name__)

Headers: TypeAlias = Iterable[tuple[str, str | bytes]]

# Of an id in a log line; ours have 32 characters.
_MOST_ID = 64
_RIGHTS = (reasons.ERROR_REASON_UNAUTHENTICATED, reasons.ERROR_REASON_PERMISSION_DENIED)


class Method:
    """One of the contract's methods, as all of its calls share it."""

    def __init__(self, name: str, callers: Callers, telemetry: Telemetry) -> None:
        self.name = name
        self.callers = callers
        self.telemetry = telemetry
        self.metrics: MethodMetrics = telemetry.metrics.method(name)

    def turned_away(self, error: ServiceError, peer: Callable[[], str]) -> None:
        """Note a call that is refused before anything of it is read; `peer` tells where it came from."""
        self.metrics.ended(CODE_NAMES[error.reason])
        self.note_refusal(error, peer)

    def note_refusal(self, error: ServiceError, peer: Callable[[], str]) -> None:
        """Tell of a call that its caller had no right to make, or that can't be done."""
        # The error's text may quote a program.
        event(_log, logging.DEBUG, "call refused", method=self.name, reason=error.reason_name)
        if error.reason in _RIGHTS:
            cause = error.metadata.get("cause", error.reason_name.lower())
            self.telemetry.metrics.access_refusals.labels(cause).inc()
            self.callers.refused(peer(), error)


class Call:
    """One call, as rights, metrics and the trace see it: begun with `Call`, and ended once."""

    __slots__ = ("_began", "_code", "_method", "_span")

    def __init__(self, method: Method, headers: Callable[[], Headers | None]) -> None:
        """`headers` gives those that came with it: the caller's trace is among them, if there is one."""
        self._method = method
        self._began = time.perf_counter()
        self._span: CallSpan | None = None
        tracing = method.telemetry.tracing
        if tracing is not None:
            self._span = tracing.call(method.name, headers() or ())
        self._code = "OK"
        # Last, since what ends it is sure to be called from here on.
        method.metrics.open += 1

    def session(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Surround what is done for a caller: it ends when the right to it does.

        Raises:
            ServiceError: UNAUTHENTICATED: the token was revoked, or has expired.
        """
        return self._method.callers.session(caller)

    def is_about(self, caller: Caller, request: object) -> None:
        """Let log lines name the caller, and the job that a request is about, whatever was written there."""
        bind(caller.principal, str(getattr(request, "job_id", ""))[:_MOST_ID])

    def answered(self) -> None:
        """Note that the answer is there, or its first message."""
        self._method.metrics.answered(self._began)

    def cancelled(self) -> None:
        """Note that the caller has gone."""
        self._code = "CANCELLED"

    def failed(self, error: Exception, peer: Callable[[], str]) -> ServiceError:
        """Return what the caller learns of an error, and tell of it; `peer` tells where the call is from."""
        if isinstance(error, ServiceError):
            self._code = CODE_NAMES[error.reason]
            self._method.note_refusal(error, peer)
            return error
        defect = unexpected(self._method.name, error)
        self._code = CODE_NAMES[defect.reason]
        return defect

    def end(self) -> None:
        """Note that the call is over."""
        self._method.metrics.open -= 1
        self._method.metrics.ended(self._code)
        if self._span is not None:
            self._span.end(self._code)


def unexpected(call: str, error: Exception) -> ServiceError:
    """Log a defect with its traceback under a new id, and return the error that tells a caller the id."""
    error_id = uuid.uuid4().hex
    _log.error("defect %s in %s", error_id, call, exc_info=error)
    return ServiceError(
        reasons.ERROR_REASON_INTERNAL,
        f"The server failed to handle {call}. Its log holds the cause under the id {error_id}.",
        metadata={"error_id": error_id},
    )
