"""How gRPC carries calls: each method of the service becomes a handler, bytes in, bytes out.

gRPC's own place for this is an interceptor, but grpc.aio runs interceptors anew for each call: one that maps
errors cost 8 % of the rate of a bare RunJob stream (2,090 to 1,915 a second). So each method is wrapped once,
here, when the server is built.

A handler takes and gives bytes. So the request is read by `requests`, which bounds what it may hold, and a
streaming method can send messages that were serialized once for all of their readers.

gRPC takes streaming methods for ones with one response here. Nothing of that is on the wire; but the message
that such a handler returns goes out together with the call's end, and not with one more turn through gRPC,
which is a good part of what a short call costs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

import grpc
from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.doors.call import Call, Method
from basicaer.service.doors.grpc._status import abort
from basicaer.service.doors.requests import Reader
from basicaer.service.errors import ServiceError
from basicaer.service.telemetry import Telemetry
from google.protobuf.message import Message

__all__ = ["Binder", "Context", "Handler", "Stream", "refusal", "stream_handler", "unary_handler"]

_log = logging.getLogger(__name__)

# As strings, since these classes have type parameters in their stubs alone.
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
# Makes a method's handler for a caller; for None the handler asks the connection's certificate who calls.
Binder: TypeAlias = Callable[[Caller | None], Handler]


# What a method takes: a message, or one with its spec by itself.
_Request = TypeVar("_Request")


class Stream:
    """Where a method writes its messages, serialized."""

    __slots__ = ("_begun", "_call", "_context")

    def __init__(self, context: Context, call: Call) -> None:
        self._context = context
        self._call = call
        self._begun = False

    @property
    def peer(self) -> str:
        """The connection that the call came by."""
        return str(self._context.peer())

    def write(self, message: bytes) -> Awaitable[None]:
        """Send a message; waits while the caller is slow."""
        self.answered()
        return self._context.write(message)

    def answered(self) -> None:
        """Note that there is a message, if none was before."""
        if not self._begun:
            self._begun = True
            self._call.answered()


def unary_handler(
    name: str,
    reader: Reader[Any, _Request],
    callers: Callers,
    telemetry: Telemetry,
    answer: Callable[[_Request, Caller], Awaitable[Message]],
) -> Binder:
    """Return what makes the handler of a method with one response."""
    method = Method(name, callers, telemetry)

    async def handle(bearer: Caller | None, data: bytes, context: Context) -> bytes:
        call = Call(method, context.invocation_metadata)
        try:
            caller = bearer or callers.certificate_holder(context.auth_context())
            async with call.session(caller):
                request = await reader.read(data)
                call.is_about(caller, request)
                message = (await answer(request, caller)).SerializeToString()
                call.answered()
                return message
        except asyncio.CancelledError:
            call.cancelled()
            raise
        except Exception as error:
            await abort(context, call.failed(error, context.peer))
        finally:
            call.end()

    return lambda bearer: grpc.unary_unary_rpc_method_handler(partial(handle, bearer))


def stream_handler(
    name: str,
    reader: Reader[Any, _Request],
    callers: Callers,
    telemetry: Telemetry,
    answer: Callable[[_Request, Caller, Stream], Awaitable[bytes]],
) -> Binder:
    """Return what makes the handler of a method that writes its responses, serialized, to a stream, and
    returns the last.

    Writing to a stream (instead of being an async generator) lets a method free what it holds in its own
    ``finally`` the moment its client vanishes; a generator would wait for the garbage collector to close it.
    """
    method = Method(name, callers, telemetry)

    async def handle(bearer: Caller | None, data: bytes, context: Context) -> bytes:
        call = Call(method, context.invocation_metadata)
        try:
            caller = bearer or callers.certificate_holder(context.auth_context())
            async with call.session(caller):
                request = await reader.read(data)
                call.is_about(caller, request)
                stream = Stream(context, call)
                message = await answer(request, caller, stream)
                stream.answered()
                return message
        except asyncio.CancelledError:
            call.cancelled()
            raise
        except Exception as error:
            gone = context.done() or isinstance(error, grpc.aio.InternalError)
            if gone and not isinstance(error, ServiceError):
                # The client vanished between two writes, or in the middle of one: gRPC then refuses it before
                # it cancels this task, and sometimes before it says that the call is done.
                _log.debug("%s: the client is gone (%s)", name, error)
                call.cancelled()
                if context.done():
                    raise asyncio.CancelledError from error
                await context.abort(grpc.StatusCode.CANCELLED, "the caller has gone")
            await abort(context, call.failed(error, context.peer))
        finally:
            call.end()

    return lambda bearer: grpc.unary_unary_rpc_method_handler(partial(handle, bearer))


def refusal(name: str, callers: Callers, telemetry: Telemetry, error: ServiceError) -> Handler:
    """Return a handler that refuses a call without reading its request, however large that is.

    As a stream it needn't wait for the request's end, whatever the method really is; callers can't tell.
    """
    method = Method(name, callers, telemetry)

    async def handle(_requests: object, context: Context) -> None:
        method.turned_away(error, context.peer)
        await abort(context, error)

    return grpc.stream_stream_rpc_method_handler(handle)
