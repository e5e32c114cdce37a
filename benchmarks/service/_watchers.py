"""Thousands of watchers on one server: all open, one event reaches all, other calls stay quick meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import grpc
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import bell_spec, endless_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, allow_files, real_server

# Many clients make many connections, and a connection carries a hundred streams by default on many stacks.
CONNECTIONS = 20
COUNTS = (1_000, 10_000)
# How long other calls are timed (seconds), and how large the job is that runs meanwhile.
SECONDS = 3.0
BUSY_QUBITS = 22
# Nobody waits for that job at the end.
_OPTIONS = ("--workers", "1", "--drain-grace", "0s")


def _resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


class _Watchers:
    """Counts how many watches are open and how many have seen the final event."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.open = 0
        self.finished = 0
        self.all_open = asyncio.Event()

    async def watch(self, stub: rpc.JobServiceAsyncStub, job_id: str) -> None:
        final = None
        async for message in stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
            if message.HasField("job"):
                self.open += 1
                if self.open == self.count:
                    self.all_open.set()
            elif message.event.HasField("status"):
                final = message.event.status.status
        if final == job_pb2.JOB_STATUS_CANCELLED:
            self.finished += 1


async def _unary(
    stub: rpc.JobServiceAsyncStub, job_id: str, until: asyncio.Event, times: list[float]
) -> None:
    while not until.is_set():
        start = time.perf_counter()
        await stub.GetJob(pb.GetJobRequest(job_id=job_id))
        times.append(time.perf_counter() - start)
        await asyncio.sleep(0.002)


async def _measure_one(count: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as data_dir, real_server(data_dir, *_OPTIONS) as (address, pid):
        channels = [
            grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) for _ in range(CONNECTIONS + 1)
        ]
        stubs = [rpc.JobServiceStub(channel) for channel in channels]
        unary_stub = stubs.pop()
        # A simulation keeps the one worker busy, so that the watched job waits as jobs on a busy server do.
        await unary_stub.SubmitJob(pb.SubmitJobRequest(spec=endless_spec(BUSY_QUBITS)))
        waiting = (await unary_stub.SubmitJob(pb.SubmitJobRequest(spec=bell_spec()))).job
        before = _resident_bytes(pid)
        watchers = _Watchers(count)
        start = time.perf_counter()
        tasks = [
            asyncio.create_task(watchers.watch(stubs[index % CONNECTIONS], waiting.job_id))
            for index in range(count)
        ]
        await watchers.all_open.wait()
        opened = time.perf_counter() - start
        each = (_resident_bytes(pid) - before) / count
        times: list[float] = []
        stop = asyncio.Event()
        unary = asyncio.create_task(_unary(unary_stub, waiting.job_id, stop, times))
        await asyncio.sleep(SECONDS)
        start = time.perf_counter()
        await unary_stub.CancelJob(pb.CancelJobRequest(job_id=waiting.job_id))
        await asyncio.gather(*tasks)
        reached = time.perf_counter() - start
        stop.set()
        await unary
        p50 = statistics.median(times) * 1e3
        for channel in channels:
            await channel.close()
    return [
        Figure(
            f"{count:,} watchers: open, and reached by one event",
            f"{watchers.open:,} open in {opened:.1f} s, {watchers.finished:,} reached in {reached:.2f} s",
            "all",
            watchers.open == watchers.finished == count,
        ),
        Figure(
            f"{count:,} watchers: unary p50 meanwhile",
            f"{p50:.2f} ms ({len(times)} calls); {each / 1024:.0f} KiB a watcher",
            "< 3 ms",
            p50 < 3,
        ),
    ]


def measure() -> list[Figure]:
    """Run the server with 1,000 and with 10,000 watchers of one job."""
    allow_files()
    return [figure for count in COUNTS for figure in asyncio.run(_measure_one(count))]
