"""A peer that misbehaves on purpose: what a real server doesn't do, but networks and crashes do to it.

`peer` is a gRPC server whose answers a test scripts, one function for each RPC. It stands in for broken
connections only; how the client and the real server work together is tested in tests/acceptance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any, NoReturn, TypeAlias

import google_crc32c
import grpc
import pytest
from basicaer.client import BasicAerProvider
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

Status: TypeAlias = job_pb2.JobStatus.ValueType
Handler = Callable[[Any, grpc.ServicerContext], Any]
JOB_ID = "0199-job"


class Peer(job_service_pb2_grpc.JobServiceServicer):
    """A scripted server on one port. `requests` has what arrived, by the name of the RPC."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {"GetServerInfo": self._info, "ListBackends": self._backends}
        self.requests: dict[str, list[Any]] = {}
        self.released = threading.Event()  # set at the end of the test, so that hanging handlers return
        self.port = 0
        self._server: grpc.Server | None = None
        self.start()

    @staticmethod
    def job(status: Status = job_pb2.JOB_STATUS_QUEUED, sequence: int = 1, **fields: Any) -> job_pb2.Job:
        """A job as the server would send it."""
        fields = {"job_id": JOB_ID, "backend_name": "qasm_simulator", **fields}
        return job_pb2.Job(status=status, sequence=sequence, **fields)

    @staticmethod
    def first(status: Status, sequence: int, **fields: Any) -> job_service_pb2.WatchJobResponse:
        """A stream's first message."""
        return job_service_pb2.WatchJobResponse(job=Peer.job(status, sequence, **fields))

    @staticmethod
    def event(
        status: Status, sequence: int, error: job_pb2.JobError | None = None
    ) -> job_service_pb2.WatchJobResponse:
        """A stream's message of a durable event."""
        change = job_pb2.StatusChange(status=status, attempt=1, error=error)
        return job_service_pb2.WatchJobResponse(event=job_pb2.Event(sequence=sequence, status=change))

    @staticmethod
    def abort(
        context: grpc.ServicerContext,
        code: grpc.StatusCode,
        message: str = "scripted",
        reason: str = "",
        retry_after: float | None = None,
        **metadata: str,
    ) -> NoReturn:
        """Ends a call with a status and its details, as the real edge does."""
        status = status_pb2.Status(code=code.value[0], message=message)
        if reason:
            info = error_details_pb2.ErrorInfo(reason=reason, domain="basicaer.dev", metadata=metadata)
            status.details.add().Pack(info)
        if retry_after is not None:
            delay = duration_pb2.Duration()
            delay.FromNanoseconds(int(retry_after * 1e9))
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        if status.details:
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, message)
        raise AssertionError("abort() raises")

    @staticmethod
    def part(
        data: bytes, dtype: str = "|u1", *, offset: int = 0, etag: str = "etag", chunk: int = 1 << 16
    ) -> Iterator[job_service_pb2.ReadResultResponse]:
        """ReadResult's stream of a part, from an offset."""
        array = result_pb2.Array(dtype=dtype, size_bytes=len(data), crc32c=google_crc32c.value(data))
        yield job_service_pb2.ReadResultResponse(header=job_service_pb2.ResultHeader(array=array, etag=etag))
        for start in range(offset, len(data), chunk):
            piece = data[start : start + chunk]
            yield job_service_pb2.ReadResultResponse(
                chunk=job_service_pb2.ResultChunk(offset=start, data=piece, crc32c=google_crc32c.value(piece))
            )

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listens, on the same port as before."""
        server = grpc.server(
            futures.ThreadPoolExecutor(16),
            options=[("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1)],
        )
        job_service_pb2_grpc.add_JobServiceServicer_to_server(self, server)
        self.port = server.add_insecure_port(f"127.0.0.1:{self.port}")
        server.start()
        self._server = server

    def stop(self) -> None:
        """Cuts every connection."""
        assert self._server is not None
        self._server.stop(None).wait()

    def on(self, name: str, handler: Handler) -> None:
        """Scripts an RPC: a function of request and context, or a generator of them for a stream."""
        self.handlers[name] = handler

    def hang(self, context: grpc.ServicerContext) -> None:
        """Says nothing until the call or the test is over."""
        while context.is_active() and not self.released.wait(0.01):
            pass

    def _handle(self, name: str, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.setdefault(name, []).append(request)
        if name not in self.handlers:
            self.abort(context, grpc.StatusCode.UNIMPLEMENTED)
        return self.handlers[name](request, context)

    def _info(self, request: Any, context: grpc.ServicerContext) -> job_service_pb2.GetServerInfoResponse:
        return job_service_pb2.GetServerInfoResponse(
            version="1", limits=job_service_pb2.Limits(max_shots=1000)
        )

    def _backends(self, request: Any, context: grpc.ServicerContext) -> job_service_pb2.ListBackendsResponse:
        gates = [job_service_pb2.GateInfo(name="h", num_qubits=1)]
        info = job_service_pb2.BackendInfo(name="qasm_simulator", version="1", max_qubits=29, gates=gates)
        return job_service_pb2.ListBackendsResponse(backends=[info])


def _route(name: str) -> Callable[[Peer, Any, grpc.ServicerContext], Any]:
    return lambda self, request, context: self._handle(name, request, context)


for _method in job_service_pb2.DESCRIPTOR.services_by_name["JobService"].methods:
    setattr(Peer, _method.name, _route(_method.name))


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A scripted server."""
    made = Peer()  # type: ignore[abstract]  # its methods are set above
    yield made
    made.released.set()
    made.stop()


@pytest.fixture
def provider(peer: Peer) -> Iterator[BasicAerProvider]:
    """A client of `peer`."""
    with BasicAerProvider(peer.address, timeout=10.0, max_outage=20.0) as made:
        yield made


@pytest.fixture
def result() -> result_pb2.Result:
    """A result without arrays."""
    counts = result_pb2.Counts(words_per_outcome=1, outcomes=[3], counts=[7])
    program = result_pb2.ProgramResult(status=job_pb2.JOB_STATUS_DONE, shots=7, counts=counts)
    program.header.num_clbits = 2
    return result_pb2.Result(job_id="0199-job", success=True, programs=[program])
