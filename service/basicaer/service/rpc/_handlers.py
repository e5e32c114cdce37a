"""How a method of the service becomes a gRPC handler: bytes in, bytes out, and errors mapped on the way.

gRPC's own place for this is an interceptor, but grpc.aio runs interceptors anew for each call: one that maps
errors cost 8 % of the rate of a bare RunJob stream (2,090 to 1,915 a second). So each method is wrapped once,
here, when the server is built.

A handler takes and gives bytes. So the request is parsed here, where a broken message or one beyond the limit
becomes a typed error (gRPC would answer both with a bare status), and a streaming method can send messages
that were serialized once for all of their readers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn, TypeAlias, TypeVar

import grpc
from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.errors import ServiceError
from basicaer.service.rpc._status import CODES, abort, unexpected
from basicaer.service.telemetry import CallSpan, MethodMetrics, Telemetry, bind, event
from basicaer.v1 import error_reason_pb2 as reasons
from google.protobuf.message import DecodeError, Message

__all__ = ["Binder", "Context", "Handler", "Stream", "refusal", "stream_handler", "unary_handler"]

_log = logging.getLogger(__name__)

# As strings, since these classes have type parameters in their stubs alone.
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
# Makes a method's handler for a caller; for None the handler asks the connection's certificate who calls.
Binder: TypeAlias = Callable[[Caller | None], Handler]

# Of an id in a log line; ours have 32 characters.
_MOST_ID = 64
_RIGHTS = (reasons.ERROR_REASON_UNAUTHENTICATED, reasons.ERROR_REASON_PERMISSION_DENIED)

_Request = TypeVar("_Request", bound=Message)


def _parse(kind: type[_Request], data: bytes, limit: int) -> _Request:
    if len(data) > limit:
        raise ServiceError(
            reasons.ERROR_REASON_PROGRAM_TOO_LARGE,
            f"The request has {len(data):,} bytes, and this server takes at most {limit:,}. "
            "Split the job, or define repeated parts of a program once as a gate.",
            metadata={"limit": "max_message_bytes", "max": str(limit), "actual": str(len(data))},
        )
    try:
        return kind.FromString(data)
    except DecodeError:
        raise ServiceError(
            reasons.ERROR_REASON_OPTION_INVALID,
            f"The request is not a valid {kind.DESCRIPTOR.full_name} message: its bytes are damaged, "
            "its text is not UTF-8, or it is nested more than 100 levels deep.",
            metadata={"field": ""},
        ) from None


class _Call:
    """One call, as the metrics and the trace see it: begun with `_Call`, and ended once."""

    __slots__ = ("_began", "_method", "_span", "code")

    def __init__(self, method: MethodMetrics, telemetry: Telemetry, context: Context) -> None:
        self._method = method
        self._began = time.perf_counter()
        self._span: CallSpan | None = None
        if telemetry.tracing is not None:
            self._span = telemetry.tracing.call(method.name, context.invocation_metadata() or ())
        self.code = "OK"
        # Last, since what ends it is sure to be called from here on.
        method.open += 1

    def answered(self) -> None:
        """The answer is there, or its first message."""
        self._method.answered(self._began)

    def failed(self, error: ServiceError) -> None:
        """The call is about to be refused."""
        self.code = CODES[error.reason].name

    def end(self) -> None:
        """The call is over."""
        self._method.open -= 1
        self._method.ended(self.code)
        if self._span is not None:
            self._span.end(self.code)


class Stream:
    """Where a method writes its messages, serialized."""

    __slots__ = ("_call", "_context", "write")

    def __init__(self, context: Context, call: _Call) -> None:
        self._context = context
        self._call = call
        self.write: Callable[[bytes], Awaitable[None]] = self._write_first

    def _write_first(self, message: bytes) -> Awaitable[None]:
        # From the second one on, nothing lies between.
        self.write = self._context.write
        self._call.answered()
        return self._context.write(message)


def unary_handler(
    name: str,
    kind: type[_Request],
    limit: int,
    callers: Callers,
    telemetry: Telemetry,
    method: Callable[[_Request, Caller], Awaitable[Message]],
) -> Binder:
    """Return what makes the handler of a method with one response. `limit` is a request's greatest size
    in bytes.
    """
    metrics = telemetry.metrics.method(name)

    async def handle(bearer: Caller | None, data: bytes, context: Context) -> bytes:
        call = _Call(metrics, telemetry, context)
        try:
            caller = bearer or callers.certificate_holder(context.auth_context())
            async with callers.session(caller):
                request = _parse(kind, data, limit)
                bind(caller.principal, _job_id(request))
                answer = (await method(request, caller)).SerializeToString()
                call.answered()
                return answer
        except asyncio.CancelledError:
            call.code = "CANCELLED"
            raise
        except ServiceError as error:
            call.failed(error)
            await _refuse(metrics, context, callers, telemetry, error)
        except Exception as error:
            defect = unexpected(name, error)
            call.failed(defect)
            await abort(context, defect)
        finally:
            call.end()

    return lambda bearer: grpc.unary_unary_rpc_method_handler(partial(handle, bearer))


def stream_handler(
    name: str,
    kind: type[_Request],
    limit: int,
    callers: Callers,
    telemetry: Telemetry,
    method: Callable[[_Request, Caller, Stream], Awaitable[None]],
) -> Binder:
    """Return what makes the handler of a method that writes its responses, serialized, to a stream.

    Writing to a stream (instead of being an async generator) lets a method free what it holds in its own
    ``finally`` the moment its client vanishes; a generator would wait for the garbage collector to close it.
    """

    metrics = telemetry.metrics.method(name)

    async def handle(bearer: Caller | None, data: bytes, context: Context) -> None:
        call = _Call(metrics, telemetry, context)
        try:
            caller = bearer or callers.certificate_holder(context.auth_context())
            async with callers.session(caller):
                request = _parse(kind, data, limit)
                bind(caller.principal, _job_id(request))
                await method(request, caller, Stream(context, call))
        except asyncio.CancelledError:
            call.code = "CANCELLED"
            raise
        except ServiceError as error:
            call.failed(error)
            await _refuse(metrics, context, callers, telemetry, error)
        except Exception as error:
            if context.done() or isinstance(error, grpc.aio.InternalError):
                # The client vanished between two writes, or in the middle of one: gRPC then refuses it before
                # it cancels this task, and sometimes before it says that the call is done.
                _log.debug("%s: the client is gone (%s)", name, error)
                call.code = "CANCELLED"
                return
            defect = unexpected(name, error)
            call.failed(defect)
            await abort(context, defect)
        finally:
            call.end()

    return lambda bearer: grpc.unary_stream_rpc_method_handler(partial(handle, bearer))


def refusal(name: str, callers: Callers, telemetry: Telemetry, error: ServiceError) -> Handler:
    """Return a handler that refuses a call without reading its request, however large that is.

    As a stream it needn't wait for the request's end, whatever the method really is; callers can't tell.
    """

    metrics = telemetry.metrics.method(name)

    async def handle(_requests: object, context: Context) -> None:
        metrics.ended(CODES[error.reason].name)
        await _refuse(metrics, context, callers, telemetry, error)

    return grpc.stream_stream_rpc_method_handler(handle)


def _job_id(request: Message) -> str:
    """Return which job a request is about, if it is about one; whatever was written there."""
    return str(getattr(request, "job_id", ""))[:_MOST_ID]


async def _refuse(
    metrics: MethodMetrics, context: Context, callers: Callers, telemetry: Telemetry, error: ServiceError
) -> NoReturn:
    # Its text may quote a program.
    event(_log, logging.DEBUG, "call refused", method=metrics.name, reason=error.reason_name)
    if error.reason in _RIGHTS:
        cause = error.metadata.get("cause", error.reason_name.lower())
        telemetry.metrics.access_refusals.labels(cause).inc()
        callers.refused(context.peer(), error)
    await abort(context, error)
