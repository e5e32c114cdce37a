"""Flips bits of a store at rest, and asks a server what it says of the jobs that it held.

A damaged row belongs to a job that has ended, in the store that goes on: nobody may get a wrong answer for
it, and everybody else the right ones. Damaged pages may make a whole database unreadable, so they are played
to a copy: the server may refuse it, in words and without removing anything, and whatever it does answer must
be true.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

import grpc
from basicaer.v1 import error_reason_pb2, job_pb2, job_service_pb2_grpc, result_pb2
from basicaer.v1 import job_service_pb2 as pb

from tests.chaos.clients import OPTIONS, reason_of
from tests.chaos.hospital import Server
from tests.chaos.ledger import Known, Ledger
from tests.chaos.programs import essence

__all__ = ["DATABASE", "Audit", "damage"]

DATABASE = "jobs.sqlite3"
# Of the jobs that a copy holds, so many are asked for.
_SAMPLE = 150
_CALL_SECONDS = 20.0
# What may be said of a job whose pages are damaged. An index that lacks it hides it.
_HONEST = {"CHECKSUM_MISMATCH", "JOB_NOT_FOUND"}


def damage(directory: Path, random: Random, job_id: str | None = None) -> None:
    """Flips bits in the store of a server that is dead: of one job's row, or of any pages."""
    command = [sys.executable, "-m", "tests.chaos.bits", str(directory / DATABASE), str(random.random())]
    root = Path(__file__).parents[2]
    subprocess.run(command + ([job_id] if job_id else []), cwd=root, check=True)


class Audit:
    """A server of its own, for copies of the store."""

    def __init__(self, directory: Path, server: Server, ledger: Ledger) -> None:
        self._directory = directory
        self._server = server
        self._ledger = ledger

    def copy(self, data: Path) -> None:
        """Takes a copy of the store of a server that is dead."""
        shutil.rmtree(self._directory, ignore_errors=True)
        shutil.copytree(data, self._directory)

    async def run(self, jobs: Iterable[Known], random: Random) -> None:
        """Damages the copy's pages and compares what is said of `jobs`, which have ended in it."""
        damage(self._directory, random)
        files = {path.name for path in (self._directory / "results").glob("*")}
        address = await self._server.start()
        if address is None:
            self._ledger.counts["copies refused"] += 1
        else:
            chosen = list(jobs)
            random.shuffle(chosen)
            try:
                async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
                    stub = job_service_pb2_grpc.JobServiceStub(channel)
                    for known in chosen[:_SAMPLE]:
                        await self._ask(stub, known)
                    await self._list(stub, {known.job_id: known for known in chosen})
            finally:
                await self._server.kill()
            self._ledger.counts["copies answered"] += 1
        if address is None and files != {path.name for path in (self._directory / "results").glob("*")}:
            self._ledger.violation("a server that refuses a damaged store has removed files")

    async def _ask(self, stub: job_service_pb2_grpc.JobServiceAsyncStub, known: Known) -> None:
        told = max(known.told, default=0)
        try:
            job = (await stub.GetJob(pb.GetJobRequest(job_id=known.job_id), timeout=_CALL_SECONDS)).job
            if job.status != known.final or job.sequence < told or job.request_id != known.request_id:
                self._lie(known, "GetJob")
            watch = pb.WatchJobRequest(job_id=known.job_id, after_sequence=0)
            async for message in stub.WatchJob(watch, timeout=_CALL_SECONDS):
                event = message.event
                fact = (event.time.ToNanoseconds(), event.status.status, event.status.attempt)
                if message.HasField("event") and known.told.get(event.sequence, fact) != fact:
                    self._lie(known, "WatchJob")
            if known.final == job_pb2.JOB_STATUS_DONE and known.program is not None:
                data = b""
                read = pb.ReadResultRequest(job_id=known.job_id)
                async for part in stub.ReadResult(read, timeout=_CALL_SECONDS):
                    data += part.chunk.data
                if essence(result_pb2.Result.FromString(data)) != known.program.expected:
                    self._lie(known, "ReadResult")
        except grpc.aio.AioRpcError as error:
            self._failed(error)

    async def _list(self, stub: job_service_pb2_grpc.JobServiceAsyncStub, ended: dict[str, Known]) -> None:
        token = ""
        try:
            while True:
                request = pb.ListJobsRequest(page_size=500, page_token=token)
                page = await stub.ListJobs(request, timeout=_CALL_SECONDS)
                for job in page.jobs:
                    # A damaged job stands in a list as an error of this reason.
                    damaged = job.error.reason == error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH
                    if job.job_id in ended and not damaged and job.status != ended[job.job_id].final:
                        self._lie(ended[job.job_id], "ListJobs")
                token = page.next_page_token
                if not token:
                    return
        except grpc.aio.AioRpcError as error:
            self._failed(error)

    def _failed(self, error: grpc.aio.AioRpcError) -> None:
        reason = reason_of(error)
        self._ledger.counts["honest refusals"] += 1
        if reason not in _HONEST:
            self._ledger.violation(f"a damaged copy: {error.code().name} {reason}: {error.details()}")

    def _lie(self, known: Known, method: str) -> None:
        self._ledger.violation(f"job {known.job_id}: {method} is wrong about it in a damaged copy")
