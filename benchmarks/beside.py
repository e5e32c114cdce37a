"""RunJob of a Bell circuit by this checkout, beside another one, in one run:

    git worktree add ../before COMMIT
    python -m benchmarks.beside ../before

Both servers are embedded ones with the packages that are installed here; only their own code differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import grpc
from basicaer.v1 import job_service_pb2_grpc as rpc

from benchmarks._report import Figure
from benchmarks._servers import CHANNEL_OPTIONS, real_server
from benchmarks.service._run_job import CALLERS, by_turns

# What two runs of one server differ by.
NOISE = 0.03


async def _measure(here: str, there: str) -> list[Figure]:
    async with (
        grpc.aio.insecure_channel(here, options=CHANNEL_OPTIONS) as ours,
        grpc.aio.insecure_channel(there, options=CHANNEL_OPTIONS) as theirs,
    ):
        real, other = rpc.JobServiceStub(ours), rpc.JobServiceStub(theirs)
        return [*await _figures(real, other, brief=True), *await _figures(real, other, brief=False)]


async def _figures(
    real: rpc.JobServiceAsyncStub, other: rpc.JobServiceAsyncStub, brief: bool
) -> list[Figure]:
    turns = await by_turns(real, other, brief)
    latency = turns.real_latency / turns.other_latency
    how = "as the Python client asks for it" if brief else "step by step"
    return [
        Figure(
            f"RunJob, Bell, embedded, {CALLERS} callers, {how}, beside the other checkout",
            f"{turns.ratio:.1%} ({turns.real_rate:,.0f} of {turns.other_rate:,.0f} jobs/s)",
            f"≥ {1 - NOISE:.0%}",
            turns.ratio >= 1 - NOISE,
        ),
        Figure(
            "the same, one caller: p50",
            f"{latency:.1%} ({turns.real_latency * 1e3:.2f}, {turns.other_latency * 1e3:.2f} ms)",
            f"≤ {1 + NOISE:.0%}",
            latency <= 1 + NOISE,
        ),
    ]


def main() -> int:
    """Measure and print; returns 1 when this checkout is slower."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.beside",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkout", type=Path, help="the folder of the other one")
    other: Path = parser.parse_args().checkout.resolve()
    with (
        tempfile.TemporaryDirectory() as folder,
        real_server(f"{folder}/here") as (here, _),
        real_server(f"{folder}/there", checkout=other) as (there, _),
    ):
        figures = asyncio.run(_measure(here, there))
    for figure in figures:
        print(figure.row(), flush=True)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
