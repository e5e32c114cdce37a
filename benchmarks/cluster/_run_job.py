"""RunJob of a Bell circuit over PostgreSQL beside the embedded store."""

from __future__ import annotations

import asyncio
import statistics
import tempfile

import grpc
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, real_server
from benchmarks.cluster._processes import cluster
from benchmarks.service._run_job import CALLERS, latency, rate

ROUNDS = 7
JOBS_A_ROUND = 1600
LATENCIES_A_ROUND = 300
WARM_UP_JOBS = 320


async def _measure(embedded_address: str, shared_address: str) -> list[Figure]:
    async with (
        grpc.aio.insecure_channel(embedded_address, options=CHANNEL_OPTIONS) as embedded_channel,
        grpc.aio.insecure_channel(shared_address, options=CHANNEL_OPTIONS) as shared_channel,
    ):
        embedded, shared = rpc.JobServiceStub(embedded_channel), rpc.JobServiceStub(shared_channel)
        rates, latencies = [], []
        for stub in (embedded, shared):
            await rate(stub, WARM_UP_JOBS)
        for _ in range(ROUNDS):
            rates.append((await rate(embedded, JOBS_A_ROUND), await rate(shared, JOBS_A_ROUND)))
            latencies.append(
                (await latency(embedded, LATENCIES_A_ROUND), await latency(shared, LATENCIES_A_ROUND))
            )
    ratio = statistics.median(shared / embedded for embedded, shared in rates)
    embedded_rate, shared_rate = (statistics.median(column) for column in zip(*rates, strict=True))
    over = statistics.median(shared - embedded for embedded, shared in latencies) * 1e3
    embedded_p50, shared_p50 = (statistics.median(column) * 1e3 for column in zip(*latencies, strict=True))
    return [
        Figure(
            f"RunJob, Bell, over PostgreSQL, {CALLERS} callers",
            f"{ratio:.0%} of embedded ({shared_rate:,.0f} of {embedded_rate:,.0f} jobs/s)",
            "≥ 70 %",
            ratio >= 0.70,
        ),
        Figure(
            "the same, one caller: p50 over the embedded store's",
            f"{over:.2f} ms ({shared_p50:.2f} against {embedded_p50:.2f} ms)",
            "≤ 1.5 ms",
            over <= 1.5,
        ),
    ]


def measure() -> list[Figure]:
    """Run both servers, interleaved, and compare medians."""
    with (
        tempfile.TemporaryDirectory() as data_dir,
        real_server(data_dir, "--http-listen", "none") as (embedded, _),
        cluster(()) as (_, (shared,)),
    ):
        return asyncio.run(_measure(embedded, shared))
