"""A full server: thousands of waiting jobs, each watched, and other calls that must stay quick meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import bell_spec, endless_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, allow_files, real_server

_WATCHERS = 10_000
_JOBS = 5_000
_CONNECTIONS = 20
_SECONDS = 10.0
_BOUND_MS = 50.0
_BUSY_QUBITS = 22
# Nobody waits for that job at the end.
_OPTIONS = ("--workers", "1", "--drain-grace", "0s")


async def _watch(stub: rpc.JobServiceAsyncStub, job_id: str, opened: asyncio.Semaphore) -> None:
    async for message in stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
        if message.HasField("job"):
            opened.release()


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as data_dir, real_server(data_dir, *_OPTIONS) as (address, _):
        channels = [
            grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) for _ in range(_CONNECTIONS + 1)
        ]
        *stubs, unary = [rpc.JobServiceStub(channel) for channel in channels]
        await unary.SubmitJob(pb.SubmitJobRequest(spec=endless_spec(_BUSY_QUBITS)))
        jobs: list[str] = []
        gate = asyncio.Semaphore(64)

        async def submit() -> None:
            async with gate:
                jobs.append((await unary.SubmitJob(pb.SubmitJobRequest(spec=bell_spec()))).job.job_id)

        await asyncio.gather(*(submit() for _ in range(_JOBS)))
        opened = asyncio.Semaphore(0)
        watches = [
            asyncio.create_task(_watch(stubs[number % _CONNECTIONS], jobs[number % _JOBS], opened))
            for number in range(_WATCHERS)
        ]
        for _ in range(_WATCHERS):
            await opened.acquire()
        times: list[float] = []
        until = time.perf_counter() + _SECONDS
        number = 0
        while time.perf_counter() < until:
            # Reads, submissions and cancellations, which change the position of every waiting job.
            start = time.perf_counter()
            match number % 10:
                case 0:
                    await unary.SubmitJob(pb.SubmitJobRequest(spec=bell_spec()))
                case 5:
                    await unary.CancelJob(pb.CancelJobRequest(job_id=jobs[-1 - number // 10]))
                case _:
                    await unary.GetJob(pb.GetJobRequest(job_id=jobs[number % _JOBS]))
            times.append(time.perf_counter() - start)
            number += 1
            await asyncio.sleep(0.005)
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        for channel in channels:
            await channel.close()
    p50 = statistics.median(times) * 1e3
    p99 = statistics.quantiles(times, n=100)[98] * 1e3
    return [
        Figure(
            f"{_WATCHERS:,} watchers of {_JOBS:,} waiting jobs: unary p99",
            f"{p99:.1f} ms (p50 {p50:.1f} ms, {len(times)} calls)",
            f"< {_BOUND_MS:g} ms",
            p99 < _BOUND_MS,
        )
    ]


def measure() -> list[Figure]:
    """Run the server with 5,000 waiting jobs and 10,000 watchers."""
    allow_files()
    return asyncio.run(_measure())
