"""A gRPC proxy that breaks calls in planned ways, and keeps what it was asked.

It forwards bytes, so it needs no stub of a method. A unary call is a stream of one message to it: the fault
"drop after 0" lets a submission reach the server and loses the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from basicaer.client.transport._ends import close_channel
from basicaer.v1 import job_pb2, job_service_pb2
from google.protobuf import json_format, message_factory

from tests.conformance.faults import Fault, Journal
from tests.conftest import CHANNEL_OPTIONS

SERVICE = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
# Field 1000 with the value 1, which no message of the contract has.
UNKNOWN = b"\xc0\x3e\x01"


class Proxy(grpc.GenericRpcHandler):
    """Use it in a `with`; then clients find it at `address`."""

    def __init__(self, target: str, faults: Sequence[Fault] = ()) -> None:
        self.journal = Journal(faults)
        self._channel = grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
        self._server = grpc.server(
            ThreadPoolExecutor(16), handlers=[self], options=[("grpc.so_reuseport", 0)]
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait(10)
        close_channel(self._channel)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Takes every call; the request and the answer stay bytes."""
        path = details.method
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._forward(path, request, context)
        )

    def _forward(self, path: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        fault = self._note(path.rpartition("/")[2], request)
        begin: Any = self._channel.unary_stream(path)
        call = begin(request)
        context.add_callback(call.cancel)
        try:
            for index, message in enumerate(call):
                if fault is None or index != fault.after:
                    yield message
                    continue
                match fault.action:
                    case "drop":
                        context.abort(grpc.StatusCode.UNAVAILABLE, "The proxy dropped the call, as planned.")
                    case "end":
                        return
                    case "corrupt":
                        yield _corrupt(message)
                    case "extend":
                        event = job_pb2.Event.FromString(UNKNOWN)
                        yield job_service_pb2.WatchJobResponse(event=event).SerializeToString()
                        yield message + UNKNOWN
        except grpc.RpcError:
            context.set_trailing_metadata(call.trailing_metadata() or ())
            context.abort(call.code(), call.details())
        finally:
            call.cancel()

    def _note(self, method: str, request: bytes) -> Fault | None:
        message = message_factory.GetMessageClass(SERVICE.methods_by_name[method].input_type)()
        message.ParseFromString(request)
        return self.journal.note(method, json_format.MessageToDict(message))


def _corrupt(message: bytes) -> bytes:
    response = job_service_pb2.ReadResultResponse.FromString(message)
    data = response.chunk.data
    response.chunk.data = bytes([data[0] ^ 0xFF]) + data[1:]
    return response.SerializeToString()
