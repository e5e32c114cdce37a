"""The bare peer: grpc.aio and protobuf, the same calls with the same messages, and no work behind them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

STATE_BYTES = 512 << 20
CHUNK_BYTES = 1 << 20


class BareService(rpc.JobServiceServicer):
    """Answers from a recording of the real service's messages."""

    def __init__(self, messages: list[pb.RunJobResponse]) -> None:
        self._messages = messages
        self._data = bytes(CHUNK_BYTES)

    async def RunJob(  # noqa: N802 - the contract's name
        self,
        request: pb.RunJobRequest,
        context: grpc.aio.ServicerContext[pb.RunJobRequest, pb.RunJobResponse],
    ) -> AsyncIterator[pb.RunJobResponse]:
        for message in self._messages:
            yield message

    async def GetJob(  # noqa: N802 - the contract's name
        self,
        request: pb.GetJobRequest,
        context: grpc.aio.ServicerContext[pb.GetJobRequest, pb.GetJobResponse],
    ) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=job_pb2.Job(job_id=request.job_id))

    async def ReadResult(  # noqa: N802 - the contract's name
        self,
        request: pb.ReadResultRequest,
        context: grpc.aio.ServicerContext[pb.ReadResultRequest, pb.ReadResultResponse],
    ) -> AsyncIterator[pb.ReadResultResponse]:
        header = pb.ResultHeader()
        header.array.size_bytes = STATE_BYTES
        yield pb.ReadResultResponse(header=header)
        for offset in range(0, STATE_BYTES, CHUNK_BYTES):
            yield pb.ReadResultResponse(chunk=pb.ResultChunk(offset=offset, data=self._data))


def read_recording(path: Path) -> list[pb.RunJobResponse]:
    """The messages of one RunJob stream, as `write_recording` left them."""
    data, messages = path.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "little")
        messages.append(pb.RunJobResponse.FromString(data[4 : 4 + size]))
        data = data[4 + size :]
    return messages


def write_recording(path: Path, messages: list[pb.RunJobResponse]) -> None:
    """Stores the messages of one RunJob stream, each after its size."""
    parts = (message.SerializeToString() for message in messages)
    path.write_bytes(b"".join(len(part).to_bytes(4, "little") + part for part in parts))


async def _serve(recording: Path) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    rpc.add_JobServiceServicer_to_server(BareService(read_recording(recording)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
