"""How a method of the service becomes a gRPC handler: bytes in, bytes out, and errors mapped on the way.

gRPC's own place for this is an interceptor, but grpc.aio runs interceptors anew for each call: one that maps
errors cost 8 % of the rate of a bare RunJob stream (2,090 to 1,915 a second). So each method is wrapped once,
here, when the server is built.

A handler takes and gives bytes. So the request is parsed here, where a broken message or one beyond the limit
becomes a typed error (gRPC would answer both with a bare status), and a streaming method can send messages
that were serialized once for all of their readers.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn, TypeAlias, TypeVar

import grpc
from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.errors import ServiceError
from basicaer.service.rpc._status import abort, unexpected
from basicaer.v1 import error_reason_pb2 as reasons
from google.protobuf.message import DecodeError, Message

__all__ = ["Binder", "Context", "Handler", "refusal", "stream_handler", "unary_handler"]

_log = logging.getLogger(__name__)

# As strings, since these classes have type parameters in their stubs alone.
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
# Makes a method's handler for a caller; for None the handler asks the connection's certificate who calls.
Binder: TypeAlias = Callable[[Caller | None], Handler]

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


def unary_handler(
    name: str,
    kind: type[_Request],
    limit: int,
    callers: Callers,
    method: Callable[[_Request, Caller], Awaitable[Message]],
) -> Binder:
    """Return what makes the handler of a method with one response. `limit` is a request's greatest size
    in bytes.
    """

    async def handle(bearer: Caller | None, data: bytes, context: Context) -> bytes:
        try:
            caller = bearer or callers.certificate_holder(context.auth_context())
            async with callers.session(caller):
                return (await method(_parse(kind, data, limit), caller)).SerializeToString()
        except ServiceError as error:
            await _refuse(name, context, callers, error)
        except Exception as error:
            await abort(context, unexpected(name, error))

    return lambda bearer: grpc.unary_unary_rpc_method_handler(partial(handle, bearer))


def stream_handler(
    name: str,
    kind: type[_Request],
    limit: int,
    callers: Callers,
    method: Callable[[_Request, Caller, Context], Awaitable[None]],
) -> Binder:
    """Return what makes the handler of a method that writes its responses, serialized, to the context.

    Writing to a context (instead of being an async generator) lets a method free what it holds in its own
    ``finally`` the moment its client vanishes; a generator would wait for the garbage collector to close it.
    """

    async def handle(bearer: Caller | None, data: bytes, context: Context) -> None:
        try:
            caller = bearer or callers.certificate_holder(context.auth_context())
            async with callers.session(caller):
                await method(_parse(kind, data, limit), caller, context)
        except ServiceError as error:
            await _refuse(name, context, callers, error)
        except Exception as error:
            if context.done():
                # The client vanished between two writes: gRPC then refuses the next one before it cancels
                # this task.
                _log.debug("%s: the client is gone (%s)", name, error)
                return
            await abort(context, unexpected(name, error))

    return lambda bearer: grpc.unary_stream_rpc_method_handler(partial(handle, bearer))


def refusal(name: str, callers: Callers, error: ServiceError) -> Handler:
    """Return a handler that refuses a call without reading its request, however large that is.

    As a stream it needn't wait for the request's end, whatever the method really is; callers can't tell.
    """

    async def handle(_requests: object, context: Context) -> None:
        await _refuse(name, context, callers, error)

    return grpc.stream_stream_rpc_method_handler(handle)


async def _refuse(name: str, context: Context, callers: Callers, error: ServiceError) -> NoReturn:
    _log.debug("%s refused: %r", name, error)
    if error.reason in _RIGHTS:
        callers.refused(context.peer(), error)
    await abort(context, error)
