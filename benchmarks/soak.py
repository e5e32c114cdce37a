"""Very many small jobs on one server: `python -m benchmarks.soak [--jobs 100000]`.

Memory, latency and the store's size, tenth by tenth. They are flat when the last tenths are as the middle
ones: a server that expires what is old reaches its size, and stays there. (The p99 is shown without a bound,
since it tells more about what else the machine does.)
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path

import grpc
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._programs import bell_spec
from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, real_server

_CALLERS = 16
_TENTHS = 10
# So that the store reaches its bound in the first half of even a short run: about 2 KiB a job.
_BYTES_PER_JOB = 500
_GROWTH = 1.25


def _resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def _stored_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


async def _callers(address: str, numbers: itertools.count[int], end: int) -> list[float]:
    times: list[float] = []

    async def call() -> None:
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            stub = rpc.JobServiceStub(channel)
            while (number := next(numbers)) < end:
                start = time.perf_counter()
                request = pb.RunJobRequest(spec=bell_spec(), request_id=f"soak-{number}")
                async for _ in stub.RunJob(request):
                    pass
                times.append(time.perf_counter() - start)

    await asyncio.gather(*(call() for _ in range(_CALLERS)))
    return times


def _measure(jobs: int) -> list[Figure]:
    options = ("--max-stored-bytes", str(jobs * _BYTES_PER_JOB), "--sweep-interval", "1s")
    rows = []
    with tempfile.TemporaryDirectory() as folder, real_server(folder, *options) as (address, pid):
        print(f"{'jobs':>8} {'jobs/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'memory MiB':>11} {'store MiB':>10}")
        for tenth in range(1, _TENTHS + 1):
            start = time.perf_counter()
            first, end = jobs * (tenth - 1) // _TENTHS, jobs * tenth // _TENTHS
            times = asyncio.run(_callers(address, itertools.count(first), end))
            elapsed = time.perf_counter() - start
            row = (
                statistics.median(times) * 1e3,
                statistics.quantiles(times, n=100)[98] * 1e3,
                _resident_bytes(pid) / 2**20,
                _stored_bytes(Path(folder)) / 2**20,
            )
            rows.append(row)
            print(
                f"{end:8,} {len(times) / elapsed:7.0f} {row[0]:7.1f} {row[1]:7.1f}"
                f" {row[2]:11.1f} {row[3]:10.1f}",
                flush=True,
            )
    middle, late = rows[_TENTHS // 2 - 1 : _TENTHS // 2 + 1], rows[-2:]
    figures = []
    for column, name in ((0, "p50"), (2, "memory"), (3, "store size")):
        before = statistics.mean(row[column] for row in middle)
        after = statistics.mean(row[column] for row in late)
        figures.append(
            Figure(
                f"{jobs:,} jobs: {name}, the last fifth over the middle one",
                f"{after / before:.2f} times ({before:.1f} to {after:.1f})",
                f"< {_GROWTH:g}",
                after < _GROWTH * before,
            )
        )
    return figures


def main() -> int:
    """Run the soak; returns 1 when something grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="how many (default 100000)")
    figures = _measure(parser.parse_args().jobs)
    for figure in figures:
        print(figure.row())
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
