"""How soon an event of one server reaches a watcher at another, which has thousands of other watchers."""

from __future__ import annotations

import asyncio
import statistics
import time

import grpc
from basicaer.v1 import job_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc
from google.protobuf.duration_pb2 import Duration

from benchmarks._programs import endless_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, allow_files
from benchmarks.cluster._processes import cluster

COUNTS = (0, 10_000)
CONNECTIONS = 20
EVENTS = 300
WARM_UP_EVENTS = 20
_QUIET = Duration(seconds=600)


class _Crowd:
    """Watchers of a job that goes on waiting."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.all_open = asyncio.Event()

    async def watch(self, stub: rpc.JobServiceAsyncStub, job_id: str) -> None:
        request = pb.WatchJobRequest(job_id=job_id, heartbeat_interval=_QUIET)
        async for message in stub.WatchJob(request):
            if message.HasField("job"):
                self._left -= 1
                if not self._left:
                    self.all_open.set()


async def _delay(there: rpc.JobServiceAsyncStub, here: rpc.JobServiceAsyncStub) -> float:
    """Return how long after an event's time, which is a moment before its commit, its watcher has it; in
    seconds.
    """
    job = (await there.SubmitJob(pb.SubmitJobRequest(spec=endless_spec()))).job
    watch = here.WatchJob(pb.WatchJobRequest(job_id=job.job_id, heartbeat_interval=_QUIET))
    cancelled: asyncio.Task[object] | None = None
    async for message in watch:
        if message.HasField("job"):
            # It is open.
            cancelled = asyncio.ensure_future(there.CancelJob(pb.CancelJobRequest(job_id=job.job_id)))
        elif message.event.status.status == job_pb2.JOB_STATUS_CANCELLED:
            heard = time.time()
            assert cancelled is not None
            await cancelled
            return heard - message.event.time.ToNanoseconds() / 1e9
    raise RuntimeError("the watch has ended without the job's end")


async def _measure(addresses: list[str], count: int) -> Figure:
    there_channel, *channels = [
        grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        for address in (addresses[0], *[addresses[1]] * (CONNECTIONS + 1))
    ]
    there = rpc.JobServiceStub(there_channel)
    here, *others = [rpc.JobServiceStub(channel) for channel in channels]
    # Nobody runs jobs, so all of them wait, and the first one remains the first.
    first = (await there.SubmitJob(pb.SubmitJobRequest(spec=endless_spec()))).job
    crowd = _Crowd(count)
    tasks = [
        asyncio.create_task(crowd.watch(others[index % CONNECTIONS], first.job_id)) for index in range(count)
    ]
    if count:
        await crowd.all_open.wait()
    for _ in range(WARM_UP_EVENTS):
        await _delay(there, here)
    delays = sorted([await _delay(there, here) for _ in range(EVENTS)])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for channel in (there_channel, *channels):
        await channel.close()
    p50, p99 = statistics.median(delays) * 1e3, delays[len(delays) * 99 // 100] * 1e3
    return Figure(
        f"an event to a watcher at another server, {count:,} others",
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
        "p50 < 5 ms, p99 < 20 ms",
        p50 < 5 and p99 < 20,
    )


def measure() -> list[Figure]:
    """Run two servers, without and with 10,000 watchers."""
    allow_files()
    figures = []
    for count in COUNTS:
        with cluster(("--no-run-jobs",), ("--no-run-jobs",)) as (_, addresses):
            figures.append(asyncio.run(_measure(addresses, count)))
    return figures
