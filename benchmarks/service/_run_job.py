"""RunJob of a Bell circuit, durable, against the bare server's stream of the very same messages: briefly, as
the Python client asks for it, and step by step.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import bell_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, bare_server, real_server
from benchmarks.service._bare import write_recording

CALLERS = 16
ROUNDS = 7
JOBS_A_ROUND = 1600
LATENCIES_A_ROUND = 300
WARM_UP_JOBS = 320


async def _run_one(stub: rpc.JobServiceAsyncStub, brief: bool) -> list[pb.RunJobResponse]:
    request = pb.RunJobRequest(spec=bell_spec(), request_id=uuid.uuid4().hex, brief=brief)
    messages = [message async for message in stub.RunJob(request)]
    if not messages[-1].result.programs:
        raise RuntimeError(f"the job gave no result: {messages[-1]}")
    return messages


async def rate(stub: rpc.JobServiceAsyncStub, jobs: int, brief: bool = True) -> float:
    """Run jobs by all callers at once, and return how many a second."""

    async def caller() -> None:
        for _ in range(jobs // CALLERS):
            await _run_one(stub, brief)

    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return jobs // CALLERS * CALLERS / (time.perf_counter() - start)


async def _latency(stub: rpc.JobServiceAsyncStub, jobs: int, brief: bool) -> float:
    """Run jobs by one caller, and return the median of their times in seconds."""
    times = []
    for _ in range(jobs):
        start = time.perf_counter()
        await _run_one(stub, brief)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


class Turns(NamedTuple):
    """Medians of two servers that were measured by turns."""

    # Jobs a second.
    real_rate: float
    other_rate: float
    # One caller's time for a job, in seconds.
    real_latency: float
    other_latency: float
    # Of the turns' ratios of rates, and differences of times.
    ratio: float
    over: float


async def by_turns(
    real: rpc.JobServiceAsyncStub, other: rpc.JobServiceAsyncStub, brief: bool = True
) -> Turns:
    """Run jobs on a server and on another one, interleaved."""
    for stub in (other, real):
        await rate(stub, WARM_UP_JOBS, brief)
    rates, latencies = [], []
    for _ in range(ROUNDS):
        rates.append((await rate(other, JOBS_A_ROUND, brief), await rate(real, JOBS_A_ROUND, brief)))
        times = [await _latency(stub, LATENCIES_A_ROUND, brief) for stub in (other, real)]
        latencies.append((times[0], times[1]))
    other_rate, real_rate = (statistics.median(column) for column in zip(*rates, strict=True))
    other_latency, real_latency = (statistics.median(column) for column in zip(*latencies, strict=True))
    return Turns(
        real_rate,
        other_rate,
        real_latency,
        other_latency,
        statistics.median(ours / theirs for theirs, ours in rates),
        statistics.median(ours - theirs for theirs, ours in latencies),
    )


async def beside(
    real: rpc.JobServiceAsyncStub,
    other: rpc.JobServiceAsyncStub,
    name: str,
    what: str,
    its_call: str,
    brief: bool = True,
) -> list[Figure]:
    """Run jobs on a server and on another one, interleaved, and compare medians. `what` names the other one
    in the rate's figure, `its_call` in the latency's.
    """
    turns = await by_turns(real, other, brief)
    over, real_p50, other_p50 = (
        1e3 * seconds for seconds in (turns.over, turns.real_latency, turns.other_latency)
    )
    return [
        Figure(
            name,
            f"{turns.ratio:.0%} of {what} ({turns.real_rate:,.0f} of {turns.other_rate:,.0f} jobs/s)",
            "≥ 70 %",
            turns.ratio >= 0.70,
        ),
        Figure(
            f"the same, one caller: p50 over {its_call}",
            f"{over:.2f} ms ({real_p50:.2f} against {other_p50:.2f} ms)",
            "≤ 1.5 ms",
            over <= 1.5,
        ),
    ]


async def _measure() -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory() as folder, real_server(f"{folder}/data") as (address, _):
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            real = rpc.JobServiceStub(channel)
            for brief in (True, False):
                figures += await _beside_bare(real, Path(folder, f"recording-{brief}"), brief)
    return figures


async def _beside_bare(real: rpc.JobServiceAsyncStub, recording: Path, brief: bool) -> list[Figure]:
    # The first ones wait for what is compiled or loaded, and are told in more messages.
    await rate(real, WARM_UP_JOBS, brief)
    write_recording(recording, await _run_one(real, brief))
    with bare_server(str(recording)) as (address, _):
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            how = "in one message" if brief else "step by step"
            return await beside(
                real,
                rpc.JobServiceStub(channel),
                f"RunJob, Bell, 1,024 shots, durable, {CALLERS} callers, told {how}",
                "bare",
                "the bare call",
                brief,
            )


def measure() -> list[Figure]:
    """Run both servers, interleaved, and compare medians."""
    return asyncio.run(_measure())
