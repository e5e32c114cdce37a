"""RunJob of a Bell circuit over PostgreSQL beside the embedded store."""

from __future__ import annotations

import asyncio
import tempfile

import grpc
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, real_server
from benchmarks.cluster._processes import cluster
from benchmarks.service._run_job import CALLERS, beside


async def _measure(embedded_address: str, shared_address: str) -> list[Figure]:
    async with (
        grpc.aio.insecure_channel(embedded_address, options=CHANNEL_OPTIONS) as embedded_channel,
        grpc.aio.insecure_channel(shared_address, options=CHANNEL_OPTIONS) as shared_channel,
    ):
        return await beside(
            rpc.JobServiceStub(shared_channel),
            rpc.JobServiceStub(embedded_channel),
            f"RunJob, Bell, over PostgreSQL, {CALLERS} callers",
            "embedded",
            "the embedded store's",
        )


def measure() -> list[Figure]:
    """Run both servers, interleaved, and compare medians."""
    with (
        tempfile.TemporaryDirectory() as data_dir,
        real_server(data_dir, "--http-listen", "none") as (embedded, _),
        cluster(()) as (_, (shared,)),
    ):
        return asyncio.run(_measure(embedded, shared))
