"""The bare peer: grpc.aio and protobuf, the same calls with the same messages, and no work behind them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb

CHUNK_BYTES = 1 << 20


class BareService:
    """Answers from a recording of the real service's messages."""

    def __init__(self, messages: list[pb.RunJobResponse], state_bytes: int) -> None:
        """`state_bytes` is the size of every result that is read."""
        self._messages = messages
        self._state_bytes = state_bytes
        self._data = bytes(CHUNK_BYTES)

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """Return the methods that there are, as the generated code would register them."""
        return {
            "RunJob": grpc.unary_stream_rpc_method_handler(
                self._run_job, pb.RunJobRequest.FromString, pb.RunJobResponse.SerializeToString
            ),
            "GetJob": grpc.unary_unary_rpc_method_handler(
                self._get_job, pb.GetJobRequest.FromString, pb.GetJobResponse.SerializeToString
            ),
            "ReadResult": grpc.unary_stream_rpc_method_handler(
                self._read_result, pb.ReadResultRequest.FromString, pb.ReadResultResponse.SerializeToString
            ),
        }

    async def _run_job(
        self,
        request: pb.RunJobRequest,
        context: grpc.aio.ServicerContext[pb.RunJobRequest, pb.RunJobResponse],
    ) -> AsyncIterator[pb.RunJobResponse]:
        for message in self._messages:
            yield message

    async def _get_job(
        self,
        request: pb.GetJobRequest,
        context: grpc.aio.ServicerContext[pb.GetJobRequest, pb.GetJobResponse],
    ) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=job_pb2.Job(job_id=request.job_id))

    async def _read_result(
        self,
        request: pb.ReadResultRequest,
        context: grpc.aio.ServicerContext[pb.ReadResultRequest, pb.ReadResultResponse],
    ) -> AsyncIterator[pb.ReadResultResponse]:
        header = pb.ResultHeader()
        header.array.size_bytes = self._state_bytes
        yield pb.ReadResultResponse(header=header)
        for offset in range(0, self._state_bytes, CHUNK_BYTES):
            data = self._data[: self._state_bytes - offset]
            yield pb.ReadResultResponse(chunk=pb.ResultChunk(offset=offset, data=data))


def read_recording(path: Path) -> list[pb.RunJobResponse]:
    """Return the messages of one RunJob stream, as `write_recording` left them."""
    data, messages = path.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "little")
        messages.append(pb.RunJobResponse.FromString(data[4 : 4 + size]))
        data = data[4 + size :]
    return messages


def write_recording(path: Path, messages: list[pb.RunJobResponse]) -> None:
    """Store the messages of one RunJob stream, each after its size."""
    parts = (message.SerializeToString() for message in messages)
    path.write_bytes(b"".join(len(part).to_bytes(4, "little") + part for part in parts))


async def _serve(recording: Path, state_bytes: int) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    service = BareService(read_recording(recording), state_bytes)
    name = pb.DESCRIPTOR.services_by_name["JobService"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, service.handlers()),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
