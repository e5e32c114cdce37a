"""How fast workers take up jobs that wait: as many claims as there are jobs, by processes that run none.

    python -m benchmarks.cluster._claims DATABASE MOST

claims up to MOST jobs at a time, when a line comes, until there are none; says how many, and ends when
another line comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import grpc
from basicaer.service.store import Capacity, Load, Member
from basicaer.service.store.postgresql import PostgreSQLStore
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import endless_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS
from benchmarks.cluster._processes import cluster

WORKERS = 4
JOBS = 5000
ROUNDS = 3
# What a worker of that many threads asks for at a time.
BATCHES = (1, 8)
_CALLERS = 32
_MEMORY = 1 << 40
# No lease ends meanwhile, however busy the machine is (seconds).
_LEASE = 3600.0


class _Deaf:
    """Hears no news but that it is there."""

    def __init__(self) -> None:
        self.there = threading.Event()

    def changed(self, job_ids: Sequence[str]) -> None: ...

    def passing(self, job_id: str, progress: bytes) -> None: ...

    def waiting(self) -> None: ...

    def missed(self) -> None: ...

    def joined(self, number: int) -> None:
        self.there.set()

    def lost(self) -> None: ...


async def _claim_all(store: PostgreSQLStore, most: int) -> int:
    count = 0
    while claims := await store.shared.claim(Capacity(_MEMORY, 1, _MEMORY), _MEMORY, most):
        count += len(claims)
    return count


async def _claimer(database: str, most: int) -> None:
    store = PostgreSQLStore(database, lease=_LEASE)
    await asyncio.to_thread(store.open, lambda writes: None)
    who = Member(role="work", name="claimer", address="", version="", workers=most, memory_bytes=_MEMORY)
    news = _Deaf()
    store.shared.join(who, lambda: Load(0, 0), news)
    await asyncio.to_thread(news.there.wait)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(await _claim_all(store, most), flush=True)
    # Who leaves gives back what it has, and others would claim that too.
    await asyncio.to_thread(sys.stdin.readline)
    await store.shared.leave()
    await asyncio.to_thread(store.close)


async def _submit(address: str) -> None:
    async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        stub = rpc.JobServiceStub(channel)

        async def caller(jobs: int) -> None:
            for _ in range(jobs):
                await stub.SubmitJob(pb.SubmitJobRequest(spec=endless_spec()))

        shares = [JOBS // _CALLERS + (number < JOBS % _CALLERS) for number in range(_CALLERS)]
        await asyncio.gather(*map(caller, shares))


def _rate(most: int) -> float:
    """Return the claims a second, of all together."""
    with cluster(("--no-run-jobs",)) as (database, (address,)), contextlib.ExitStack() as stack:
        asyncio.run(_submit(address))
        command = [sys.executable, "-m", __spec__.name, database, str(most)]
        claimers = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(WORKERS)
        ]
        _answers(claimers)
        began = time.perf_counter()
        _tell(claimers)
        claimed = sum(map(int, _answers(claimers)))
        seconds = time.perf_counter() - began
        _tell(claimers)
    if claimed != JOBS:
        raise RuntimeError(f"{claimed} of {JOBS} jobs were claimed")
    return claimed / seconds


def _tell(claimers: Sequence[subprocess.Popen[str]]) -> None:
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go on\n")
        claimer.stdin.flush()


def _answers(claimers: Sequence[subprocess.Popen[str]]) -> list[str]:
    answers = []
    for claimer in claimers:
        assert claimer.stdout is not None
        answers.append(claimer.stdout.readline())
    return answers


def measure() -> list[Figure]:
    """Claim all jobs of a new database, again and again, one by one and several at a time."""
    rates: dict[int, list[float]] = {most: [] for most in BATCHES}
    for _ in range(ROUNDS):
        for most in BATCHES:
            rates[most].append(_rate(most))
    return [
        Figure(
            f"{JOBS:,} waiting jobs, {WORKERS} claimers, up to {most} at a time",
            f"{statistics.median(rates[most]):,.0f} claims/s",
            "≥ 2,000",
            statistics.median(rates[most]) >= 2000,
        )
        for most in BATCHES
    ]


if __name__ == "__main__":
    asyncio.run(_claimer(sys.argv[1], int(sys.argv[2])))
