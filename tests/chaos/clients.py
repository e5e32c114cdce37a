"""Clients that never give up: each repeats what failed, and writes down what it was told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import google_crc32c
import grpc
from basicaer.client import AsyncBasicAerJob, AsyncBasicAerProvider, BasicAerError, JobFailedError, JobStatus
from basicaer.service.jobs.model.states import FINAL
from basicaer.v1 import job_pb2, job_service_pb2_grpc, result_pb2
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1.error_reason_pb2 import ErrorReason
from google.rpc import error_details_pb2, status_pb2

from tests.chaos.ledger import Known, Ledger
from tests.chaos.programs import Program, endless
from tests.conftest import CHANNEL_OPTIONS

__all__ = ["OPTIONS", "Client", "LibraryClient", "reason_of"]

OPTIONS: list[tuple[str, int]] = [
    *CHANNEL_OPTIONS,
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 200),
]
_CALL_SECONDS = 10.0
_STREAM_SECONDS = 30.0
# Of the library: two long stops, on a machine on which a server starts slowly and is killed soon.
_PATIENCE = 600.0
_PAUSE = 0.2
# What the network and an absent server look like. With a reason it is the server that speaks.
_PASSING_CODES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
}
_PASSING_REASONS = {"", "DRAINING", "STORE_BUSY", "QUEUE_FULL"}


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason that the server gave; empty when it gave none."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    assert f"ERROR_REASON_{info.reason}" in ErrorReason.keys()  # noqa: SIM118 - no mapping
                    return str(info.reason)
    return ""


class _DamagedError(Exception):
    """The job that one was busy with has been damaged on purpose, and the server says so."""


class Client:
    """A caller of the bare contract. `work` goes on until `stopping`, then finishes what it has begun."""

    def __init__(
        self, number: int, channel: grpc.aio.Channel, ledger: Ledger, programs: list[Program], seed: int
    ) -> None:
        self._stub = job_service_pb2_grpc.JobServiceStub(channel)
        self._ledger = ledger
        self._programs = programs
        self._weights = [program.weight for program in programs]
        self._random = Random(f"{seed} {number}")
        self._number = number
        self._made = 0
        self._past: list[Known] = []
        self.doing = ""

    async def work(self, stopping: asyncio.Event) -> None:
        """Does one thing after another."""
        actions: tuple[tuple[Callable[[], Awaitable[None]], int], ...] = (
            (self._run_job, 50),
            (self._submit_and_watch, 20),
            (self._submit_twice_at_once, 8),
            (self._cancel_endless, 4),
            (self._cancel_anything, 4),
            (self._look_back, 8),
            (self._list, 2),
            (self._delete, 4),
        )
        while not stopping.is_set():
            (action,) = self._random.choices([each for each, _ in actions], [weight for _, weight in actions])
            self.doing = action.__name__
            with contextlib.suppress(_DamagedError):
                await action()
        self.doing = ""

    def _new(self, program: Program | None) -> Known:
        self._made += 1
        return self._ledger.attempt(f"{self._number}-{self._made}", program)

    def _choose(self) -> Program:
        return self._random.choices(self._programs, self._weights)[0]

    async def _call(
        self, method: Any, request: Any, known: Known | None = None, *, missing: bool = False
    ) -> Any:
        """Repeats a call until it is answered; None when there is no such job and that may be so."""
        while True:
            try:
                return await method(request, timeout=_CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                if missing and reason_of(error) == "JOB_NOT_FOUND":
                    return None
                await self._passing(error, known)

    async def _passing(self, error: grpc.aio.AioRpcError, known: Known | None = None) -> None:
        """Pauses after a failure that may be; writes down one that may not.

        Raises:
            _DamagedError: The job `known` is damaged.
        """
        reason = reason_of(error)
        if known is not None and known.damaged and reason == "CHECKSUM_MISMATCH":
            self._ledger.counts["damage told"] += 1
            raise _DamagedError
        self._ledger.counts["failed calls"] += 1
        allowed = reason in _PASSING_REASONS and (bool(reason) or error.code() in _PASSING_CODES)
        if not allowed:
            self._ledger.violation(f"{self.doing}: {error.code().name} {reason}: {error.details()}")
        await asyncio.sleep(_PAUSE)

    async def _run_job(self) -> None:
        known = self._new(self._choose())
        assert known.program is not None
        request = pb.RunJobRequest(spec=known.program.spec, request_id=known.request_id)
        cursor: int | None = None
        while not known.job_id:
            try:
                async for message in self._stub.RunJob(request, timeout=_STREAM_SECONDS):
                    if message.HasField("job"):
                        self._ledger.accepted(known, message.job)
                        # A duplicate's stream doesn't tell what was before.
                        cursor = 0 if message.duplicate else message.job.sequence
                        if message.duplicate:
                            break
                    if message.event.HasField("status"):
                        cursor = self._follow_up(known, message.event, cursor or 0)
                        if message.HasField("result"):
                            self._ledger.result(known, message.result)
            except grpc.aio.AioRpcError as error:
                await self._passing(error, known)
        if not known.final:
            await self._watch(known, cursor)
        await self._finish(known)

    async def _submit(self, known: Known, spec: job_pb2.JobSpec) -> None:
        request = pb.SubmitJobRequest(spec=spec, request_id=known.request_id)
        before = known.final
        response = await self._call(self._stub.SubmitJob, request, known)
        self._ledger.accepted(known, response.job, before)

    async def _submit_and_watch(self) -> None:
        known = self._new(self._choose())
        assert known.program is not None
        await self._submit(known, known.program.spec)
        if self._random.random() < 0.3:
            # As if the answer had been lost.
            await self._submit(known, known.program.spec)
        await self._watch(known, 0, drops=self._random.random() < 0.5)
        await self._finish(known)

    async def _submit_twice_at_once(self) -> None:
        known = self._new(self._choose())
        assert known.program is not None
        await asyncio.gather(*(self._submit(known, known.program.spec) for _ in range(2)))
        await asyncio.gather(*(self._watch(known, 0) for _ in range(2)))
        await self._finish(known)

    async def _cancel_endless(self) -> None:
        known = self._new(None)
        await self._submit(known, endless())
        if self._random.random() < 0.5:
            await asyncio.sleep(self._random.random() / 5)
        await self._cancel(known)
        await self._watch(known, 0)
        self._past.append(known)

    async def _cancel_anything(self) -> None:
        known = self._new(self._choose())
        assert known.program is not None
        await self._submit(known, known.program.spec)
        await self._cancel(known)
        await self._watch(known, None)
        self._past.append(known)

    async def _cancel(self, known: Known) -> None:
        known.cancel_tried = True
        before = known.final
        response = await self._call(
            self._stub.CancelJob, pb.CancelJobRequest(job_id=known.job_id, reason="chaos"), known
        )
        if response.job.status not in FINAL:
            if not response.job.cancel_requested:
                self._ledger.violation(
                    f"job {known.job_id}: CancelJob has done nothing, and said so to nobody"
                )
            known.cancel_acknowledged = True
        self._ledger.seen(known, response.job, before)

    async def _watch(self, known: Known, cursor: int | None, *, drops: bool = False) -> None:
        """Follows a job to its end, across whatever happens. With `drops` this side hangs up as well."""
        while not known.final:
            request = pb.WatchJobRequest(job_id=known.job_id)
            if cursor is not None:
                request.after_sequence = cursor
            before = known.final
            call = self._stub.WatchJob(request, timeout=_STREAM_SECONDS)
            try:
                async for message in call:
                    if message.HasField("job"):
                        if cursor is None:
                            cursor = message.job.sequence
                            self._ledger.seen(known, message.job, before)
                        elif message.job.sequence < cursor:
                            self._ledger.violation(
                                f"job {known.job_id}: at {message.job.sequence}, after event {cursor}"
                            )
                    if message.event.HasField("status"):
                        cursor = self._follow_up(known, message.event, cursor or 0)
                        if drops and self._random.random() < 0.5:
                            break
            except grpc.aio.AioRpcError as error:
                await self._passing(error, known)
            else:
                # It ended without the job's end: the server stops, or this side has hung up.
                await asyncio.sleep(_PAUSE / 20)
            finally:
                call.cancel()

    def _follow_up(self, known: Known, event: job_pb2.Event, cursor: int) -> int:
        if event.sequence != cursor + 1:
            self._ledger.violation(f"job {known.job_id}: event {event.sequence} came after event {cursor}")
        self._ledger.event(known, event)
        return event.sequence

    async def _finish(self, known: Known) -> None:
        """Now and then reads a result in full."""
        program = known.program
        if program is None or known.final != job_pb2.JOB_STATUS_DONE:
            return
        if program.parts or self._random.random() < 0.1:
            await self._read(known, program)
        self._past.append(known)
        del self._past[:-200]

    async def _read(self, known: Known, program: Program) -> None:
        for part in ("result", *program.parts):
            data, crc = b"", None
            while crc is None:
                data = b""
                call = self._stub.ReadResult(
                    pb.ReadResultRequest(job_id=known.job_id, part=part), timeout=_CALL_SECONDS
                )
                try:
                    async for message in call:
                        if message.HasField("header"):
                            crc = message.header.array.crc32c
                        data += message.chunk.data
                except grpc.aio.AioRpcError as error:
                    crc = None
                    await self._passing(error, known)
                else:
                    if google_crc32c.value(data) != crc:
                        self._ledger.violation(
                            f"job {known.job_id}: part {part} isn't what its checksum says"
                        )
                        return
            if part == "result":
                self._ledger.result(known, result_pb2.Result.FromString(data))

    async def _look_back(self) -> None:
        """What has ended stays what it was."""
        if not self._past:
            return
        known = self._random.choice(self._past)
        request = pb.GetJobRequest(job_id=known.job_id)
        response = await self._call(self._stub.GetJob, request, known, missing=known.delete_tried)
        if response is not None:
            self._ledger.seen(known, response.job, known.final)

    async def _list(self) -> None:
        response = await self._call(self._stub.ListJobs, pb.ListJobsRequest(page_size=50))
        for job in response.jobs:
            known = self._ledger.by_job.get(job.job_id)
            # A damaged one is listed as ERROR, without what isn't known of it.
            if known is not None and not known.damaged and job.status in FINAL:
                self._ledger.seen(known, job, known.final)
        ids = [job.job_id for job in response.jobs]
        if ids != sorted(ids, reverse=True):
            self._ledger.violation("ListJobs is out of order")

    async def _delete(self) -> None:
        if not self._past:
            return
        known = self._past.pop(self._random.randrange(len(self._past)))
        known.delete_tried = True
        request = pb.DeleteJobRequest(job_id=known.job_id)
        await self._call(self._stub.DeleteJob, request, known, missing=True)
        known.deleted = True


class LibraryClient:
    """A caller of `basicaer.client`, which has to hide all of this from its user."""

    def __init__(self, number: int, address: str, ledger: Ledger, programs: list[Program], seed: int) -> None:
        self._address = address
        self._ledger = ledger
        self._programs = [program for program in programs if program.name.startswith("ghz")]
        self._random = Random(f"{seed} {number}")
        self._number = number
        self._made = 0
        self.doing = ""

    async def work(self, stopping: asyncio.Event) -> None:
        """Runs jobs, reads their events and their results."""
        async with AsyncBasicAerProvider(
            self._address, timeout=_PATIENCE, max_outage=_PATIENCE, channel_options=OPTIONS
        ) as provider:
            self.doing = "get_backend"
            backend = await provider.get_backend("qasm_simulator")
            while not stopping.is_set():
                program = self._random.choice(self._programs)
                options = program.spec.options
                self.doing = "run"
                self._made += 1
                known = self._ledger.attempt(f"{self._number}-{self._made}", program)
                try:
                    job = await backend.run(
                        program.spec.programs[0].openqasm2,
                        shots=options.shots,
                        seed_simulator=options.seed_simulator,
                        request_id=known.request_id,
                    )
                    self._ledger.accepted(known, job_pb2.Job(job_id=job.job_id()))
                    await self._follow(known, job, program)
                except JobFailedError as error:
                    self._ledger.violation(f"basicaer.client: a job failed: {error}")
                except BasicAerError as error:
                    self._ledger.violation(f"basicaer.client, {self.doing}: {error!r}")
        self.doing = ""

    async def _follow(self, known: Known, job: AsyncBasicAerJob, program: Program) -> None:
        self.doing = "events"
        sequences = [event.sequence async for event in job.events() if event.status is not None]
        if sequences != list(range(1, len(sequences) + 1)):
            self._ledger.violation(f"basicaer.client: job {job.job_id()} had the events {sequences}")
        self.doing = "result"
        result = await job.result(timeout=_PATIENCE)
        counts = {int(key, 2): value for key, value in result.get_counts().items()}
        if counts != dict(program.expected[0][0]):
            self._ledger.violation(f"basicaer.client: job {job.job_id()} has another result")
        if await job.status() is not JobStatus.DONE:
            self._ledger.violation(f"basicaer.client: job {job.job_id()} is not DONE")
        self._ledger.ended(known, job_pb2.JOB_STATUS_DONE)
