"""The HTTP door beside gRPC: the rate of whole jobs, and calls while a thousand event streams hang open.

The client is sockets alone, since any library's own work would be part of what is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import tempfile
import time
import uuid

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc
from google.protobuf import json_format

from benchmarks._programs import bell_spec, endless_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, allow_files, free_port, real_server
from benchmarks.service._run_job import CALLERS, rate

ROUNDS = 7
JOBS_A_ROUND = 480
STREAMS = 1_000
# How often gRPC is timed without and with the streams, and how many calls each time.
TURNS, CALLS = 5, 500
BUSY_QUBITS = 22
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Connection:
    """A connection that is kept alive, for one request after another."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        self._writer.close()

    async def begin(self, verb: str, path: str, body: bytes = b"", *headers: str) -> bytes:
        """Send a request, and return the head of the answer."""
        told = [
            f"{verb} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        self._writer.write("\r\n".join(told).encode() + b"\r\n\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(head.decode())
        return head

    async def body(self, head: bytes) -> bytes:
        """Return the body whose length a head tells."""
        length = _LENGTH.search(head)
        if length is None:
            raise RuntimeError(head.decode())
        return await self._reader.readexactly(int(length[1]))

    async def first_event(self) -> None:
        """Wait for the first event of a stream."""
        await self._reader.readuntil(b"data: ")


async def _rate_of(call: list[asyncio.Task[None]], jobs: int) -> float:
    start = time.perf_counter()
    await asyncio.gather(*call)
    return jobs / (time.perf_counter() - start)


async def _http_rate(port: int, jobs: int) -> float:
    spec = json.dumps(json_format.MessageToDict(bell_spec())).encode()
    connections = [_Connection(port) for _ in range(CALLERS)]
    for connection in connections:
        await connection.open()

    async def caller(connection: _Connection) -> None:
        for _ in range(jobs // CALLERS):
            key = f"Idempotency-Key: {uuid.uuid4().hex}"
            answer = await connection.body(await connection.begin("POST", "/v1/jobs:run", spec, key))
            if b'"counts"' not in answer:
                raise RuntimeError(answer.decode())

    rate = await _rate_of([asyncio.create_task(caller(one)) for one in connections], jobs)
    for connection in connections:
        connection.close()
    return rate


async def _rates() -> Figure:
    port = free_port()
    options = ("--http-listen", f"127.0.0.1:{port}")
    with tempfile.TemporaryDirectory() as folder, real_server(folder, *options) as (address, _):
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            stub = rpc.JobServiceStub(channel)
            await _http_rate(port, JOBS_A_ROUND // 2)
            await rate(stub, JOBS_A_ROUND // 2)
            rates = [
                (await _http_rate(port, JOBS_A_ROUND), await rate(stub, JOBS_A_ROUND)) for _ in range(ROUNDS)
            ]
    by_http, by_grpc = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(slow / fast for slow, fast in rates)
    return Figure(
        f"POST /v1/jobs:run, Bell, durable, {CALLERS} callers",
        f"{ratio:.0%} of RunJob ({by_http:,.0f} of {by_grpc:,.0f} jobs/s)",
        "≥ 50 %",
        ratio >= 0.5,
    )


async def _unary(stub: rpc.JobServiceAsyncStub, job_id: str) -> float:
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        await stub.GetJob(pb.GetJobRequest(job_id=job_id))
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


async def _open_streams(port: int, job_id: str) -> list[_Connection]:
    streams = [_Connection(port) for _ in range(STREAMS)]
    for stream in streams:
        await stream.open()
        await stream.begin("GET", f"/v1/jobs/{job_id}:watch", b"", "Accept: text/event-stream")
        await stream.first_event()
    return streams


async def _streams() -> list[Figure]:
    port = free_port()
    options = ("--http-listen", f"127.0.0.1:{port}", "--workers", "1", "--drain-grace", "0s")
    with tempfile.TemporaryDirectory() as folder, real_server(folder, *options) as (address, _):
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            stub = rpc.JobServiceStub(channel)
            await stub.SubmitJob(pb.SubmitJobRequest(spec=endless_spec(BUSY_QUBITS)))
            waiting = (await stub.SubmitJob(pb.SubmitJobRequest(spec=bell_spec()))).job.job_id
            await _unary(stub, waiting)
            turns = []
            for _ in range(TURNS):
                without = await _unary(stub, waiting)
                streams = await _open_streams(port, waiting)
                turns.append((without, await _unary(stub, waiting)))
                for stream in streams:
                    stream.close()
                await asyncio.sleep(1)
    without, beside = (statistics.median(column) for column in zip(*turns, strict=True))
    slower = statistics.median(after / before for before, after in turns) - 1
    return [
        Figure(
            f"{STREAMS:,} event streams over HTTP: gRPC's unary p50 meanwhile",
            f"{beside:.2f} ms",
            "< 3 ms",
            beside < 3,
        ),
        Figure(
            "the same, over the p50 without them",
            f"{slower:+.0%} ({without:.2f} ms)",
            "≤ 10 %",
            slower <= 0.1,
        ),
    ]


def measure() -> list[Figure]:
    """Run a server with both doors, and call them in turns."""
    allow_files()
    return [asyncio.run(_rates()), *asyncio.run(_streams())]
