"""A gRPC proxy that breaks calls in planned ways, and keeps what it was asked.

It forwards bytes, so it needs no stub of a method. A unary call is a stream of one message to it: the fault
"drop after 0" lets a submission reach the server and loses the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import grpc
from basicaer.v1 import job_pb2, job_service_pb2
from google.protobuf import json_format, message_factory

from tests.conftest import CHANNEL_OPTIONS

SERVICE = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
# Field 1000 with the value 1, which no message of the contract has.
UNKNOWN = b"\xc0\x3e\x01"


def _is(method: str, wanted: str) -> bool:
    """Whether a method is the wanted one; RunJob submits too, and watches besides."""
    return method == wanted or (method, wanted) == ("RunJob", "SubmitJob")


@dataclass(frozen=True)
class Fault:
    """What happens in place of passing on message number `after` (from 0) of an answer.

    drop     the call fails with UNAVAILABLE, as when a connection is cut
    end      the stream ends with OK
    swallow  the message is lost and the stream goes on
    corrupt  the first byte of a chunk's data is changed
    extend   an event of a kind yet to be invented comes first, and the message has a field yet to be invented

    `call` numbers the method's calls from 1, counting only those whose requests have the values of `where`;
    None stands for every second call, beginning with the first.
    """

    method: str
    after: int
    action: Literal["drop", "end", "swallow", "corrupt", "extend"]
    call: int | None = None
    where: dict[str, Any] = field(default_factory=dict)

    def matches(self, method: str, request: dict[str, Any]) -> bool:
        """Whether a call is one that `call` counts."""
        return _is(method, self.method) and self.where.items() <= request.items()

    def hits(self, number: int) -> bool:
        """Whether the call of that number breaks."""
        return number % 2 == 1 if self.call is None else number == self.call


class Proxy(grpc.GenericRpcHandler):
    """Use it in a `with`; then clients find it at `address`."""

    def __init__(self, target: str, faults: Sequence[Fault] = ()) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._faults = faults
        self._lock = threading.Lock()
        self._channel = grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
        self._server = grpc.server(
            ThreadPoolExecutor(16), handlers=[self], options=[("grpc.so_reuseport", 0)]
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
        self._channel.close()

    def fields(self, method: str, field: str, where: dict[str, Any] | None = None) -> list[Any]:
        """The values of a field in all requests of a method that have the values of `where`."""
        wanted = (where or {}).items()
        return [
            request.get(field)
            for name, request in self.requests
            if _is(name, method) and wanted <= request.items()
        ]

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
        made = json_format.MessageToDict(message)
        with self._lock:
            self.requests.append((method, made))
            for fault in self._faults:
                number = sum(fault.matches(*earlier) for earlier in self.requests)
                if fault.matches(method, made) and fault.hits(number):
                    return fault
        return None


def _corrupt(message: bytes) -> bytes:
    response = job_service_pb2.ReadResultResponse.FromString(message)
    data = response.chunk.data
    response.chunk.data = bytes([data[0] ^ 0xFF]) + data[1:]
    return response.SerializeToString()
