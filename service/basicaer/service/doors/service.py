"""The contract's RPCs over `JobManager`: what crosses the wire, and nothing else.

Each method takes a parsed request and its caller and calls the manager; whatever fails is a `ServiceError`,
which the doors map. Streams write bytes (see `encoding`): an event is serialized once for all of its readers.
What a streaming method returns is its stream's last message, which a door can send with the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from basicaer.service.callers import Caller
from basicaer.service.config import Config
from basicaer.service.doors.encoding import read_result_response, run_job_response, watch_job_response
from basicaer.service.doors.readings import Readings
from basicaer.service.doors.requests import JobRequest, Requests
from basicaer.service.doors.watches import Watches
from basicaer.service.errors import ServiceError
from basicaer.service.jobs import DEFAULT_HEARTBEAT, JobManager, ResultReading
from basicaer.service.telemetry import Telemetry
from basicaer.service.wire import DEEPEST, MOST_PARTS, Scanner
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf import duration_pb2, timestamp_pb2

__all__ = ["JobService", "Stream"]


class Stream(Protocol):
    """Where a method writes its messages, serialized."""

    @property
    def peer(self) -> str:
        """Where the call came from, for callers that have no name."""

    @property
    def write(self) -> Callable[[bytes], Awaitable[None]]:
        """Takes a message; waits while the caller is slow."""


class JobService:
    """The service `basicaer.v1.JobService`."""

    def __init__(
        self,
        manager: JobManager,
        config: Config,
        backends: Sequence[pb.BackendInfo],
        version: str,
        telemetry: Telemetry,
        is_compiling: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_compiling` tells whether kernels are missing that a process compiles."""
        self._manager = manager
        self._is_compiling = is_compiling
        self.telemetry = telemetry
        self._backends = pb.ListBackendsResponse(backends=sorted(backends, key=lambda info: info.name))
        start_time = timestamp_pb2.Timestamp()
        start_time.GetCurrentTime()
        kinds = [method.input_type for method in pb.DESCRIPTOR.services_by_name["JobService"].methods]
        self.requests = Requests(kinds, config)
        self._readings = Readings(config.max_reads_per_caller)
        self._watches = Watches(config.max_watches_per_caller)
        self._info = pb.GetServerInfoResponse(
            version=version,
            start_time=start_time,
            limits=_limits(config, self.requests.scanner),
            workers=config.workers,
        )

    def warm_up(self) -> None:
        """Load the compiled code that reads requests, before the loop would have to wait for it."""
        self.requests.warm_up()

    @property
    def last_large_request(self) -> float:
        """When a request of more than a mebibyte came last, by the monotonic clock."""
        return self.requests.last_large

    @property
    def load(self) -> dict[str, int]:
        """What the server does now, beside what GetServerInfo tells."""
        return {
            "admittedBytes": self._manager.admitted_bytes,
            "longChecks": self._manager.long_checks,
            "openCalls": self.telemetry.metrics.open_calls,
        }

    def close(self) -> None:
        """Read no more long requests."""
        self.requests.close()

    async def submit_job(
        self, asked: JobRequest[pb.SubmitJobRequest], caller: Caller
    ) -> pb.SubmitJobResponse:
        """Accept a job, or check it only."""
        if asked.message.validate_only:
            return pb.SubmitJobResponse(job=await self._manager.validate(asked.spec))
        job, duplicate = await self._manager.submit(asked.spec, asked.message.request_id, caller=caller)
        return pb.SubmitJobResponse(job=job, duplicate=duplicate)

    async def run_job(self, asked: JobRequest[pb.RunJobRequest], caller: Caller, stream: Stream) -> bytes:
        """Accept a job and stream what becomes of it, up to its result."""
        interval = _heartbeat_interval(asked.message)
        with self._watches.one(caller.principal or stream.peer, interval):
            return await self._run_job(asked, interval, caller, stream)

    async def _run_job(
        self, asked: JobRequest[pb.RunJobRequest], interval: float, caller: Caller, stream: Stream
    ) -> bytes:
        request = asked.message
        watch = await self._manager.run(
            asked.spec, request.request_id, heartbeat_interval=interval, caller=caller, brief=request.brief
        )
        try:
            message = pb.RunJobResponse(job=watch.job, duplicate=watch.duplicate).SerializeToString()
            if request.brief and watch.entry.final and (event := await watch.next()) is not None:
                # Messages one behind the other are one with the fields of all.
                return message + run_job_response(event, watch.result)
            while not watch.over:
                await stream.write(message)
                event = await watch.next() or watch.farewell()
                message = run_job_response(event, watch.result if event.final else None)
            return message
        finally:
            watch.close()

    async def watch_job(self, request: pb.WatchJobRequest, caller: Caller, stream: Stream) -> bytes:
        """Stream a job's events. That the stream ends, for whatever reason, never touches the job."""
        interval = _heartbeat_interval(request)
        with self._watches.one(caller.principal or stream.peer, interval):
            return await self._watch_job(request, interval, caller, stream)

    async def _watch_job(
        self, request: pb.WatchJobRequest, interval: float, caller: Caller, stream: Stream
    ) -> bytes:
        after = request.after_sequence if request.HasField("after_sequence") else None
        watch = await self._manager.watch(request.job_id, after, heartbeat_interval=interval, caller=caller)
        try:
            message = pb.WatchJobResponse(job=watch.job).SerializeToString()
            while not watch.over:
                await stream.write(message)
                message = watch_job_response(await watch.next() or watch.farewell())
            return message
        finally:
            watch.close()

    async def get_job(self, request: pb.GetJobRequest, caller: Caller) -> pb.GetJobResponse:
        """Return a job, at once or when it has moved on."""
        job = await self._manager.get(
            request.job_id,
            wait=_seconds(request.wait),
            if_sequence_after=request.if_sequence_after,
            caller=caller,
        )
        return pb.GetJobResponse(job=job)

    async def list_jobs(self, request: pb.ListJobsRequest, caller: Caller) -> pb.ListJobsResponse:
        """Return a page of jobs."""
        return await self._manager.list_jobs(request, caller=caller)

    async def cancel_job(self, request: pb.CancelJobRequest, caller: Caller) -> pb.CancelJobResponse:
        """Ask for a job to be stopped."""
        return pb.CancelJobResponse(
            job=await self._manager.cancel(request.job_id, request.reason, caller=caller)
        )

    async def delete_job(self, request: pb.DeleteJobRequest, caller: Caller) -> pb.DeleteJobResponse:
        """Remove a final job."""
        await self._manager.delete(request.job_id, caller=caller)
        return pb.DeleteJobResponse()

    async def read_result(self, request: pb.ReadResultRequest, caller: Caller, stream: Stream) -> bytes:
        """Stream one part of a result."""
        async with self.reading(request, caller, stream.peer) as (reading, may_send):
            message, size = pb.ReadResultResponse(header=reading.header).SerializeToString(), 0
            while (chunk := await reading.next()) is not None:
                await stream.write(message)
                self.sent(size)
                await may_send()
                message = read_result_response(chunk.offset, chunk.data, chunk.crc32c)
                size = len(chunk.data)
            self.sent(size)
            return message

    @asynccontextmanager
    async def reading(
        self, request: pb.ReadResultRequest, caller: Caller, peer: str
    ) -> AsyncIterator[tuple[ResultReading, Callable[[], Awaitable[None]]]]:
        """Hold a part of a result open; beside it what is to be awaited before each chunk is sent."""
        # Callers without a name aren't one caller.
        async with self._readings.one(caller.principal or peer) as may_send:
            reading = await self._manager.read_result(request, caller=caller)
            try:
                yield reading, may_send
            finally:
                reading.close()

    def sent(self, size: int) -> None:
        """Count bytes of a result that a caller has got."""
        self.telemetry.metrics.result_read_bytes.inc(size)

    async def get_server_info(
        self, request: pb.GetServerInfoRequest, caller: Caller
    ) -> pb.GetServerInfoResponse:
        """Return the version, the limits and the load."""
        info = pb.GetServerInfoResponse()
        info.CopyFrom(self._info)
        info.queued_jobs = self._manager.queued_jobs
        info.running_jobs = self._manager.running_jobs
        info.kernel_tier = pb.KERNEL_TIER_PLAIN if self._is_compiling() else pb.KERNEL_TIER_FULL
        for share in self._manager.shares(caller):
            info.callers.add(principal=share.principal, queued_jobs=share.waiting, running_jobs=share.running)
        # Whoever asks wants to know how a server is, also when its database is away.
        with suppress(ServiceError):
            for member in await self._manager.members():
                its = info.members.add(
                    name=member.name,
                    address=member.address,
                    version=member.version,
                    workers=member.workers,
                    max_memory_bytes=member.memory_bytes,
                    running_jobs=member.running,
                    running_bytes=member.running_bytes,
                )
                its.uptime.FromNanoseconds(round(member.seconds * 1e9))
                its.MergeFromString(member.nodes)
        return info

    async def list_backends(self, request: pb.ListBackendsRequest, caller: Caller) -> pb.ListBackendsResponse:
        """Return the backends."""
        return self._backends


def _heartbeat_interval(request: pb.RunJobRequest | pb.WatchJobRequest) -> float:
    """Return the interval that is asked for, in seconds."""
    if request.HasField("heartbeat_interval"):
        return _seconds(request.heartbeat_interval)
    return DEFAULT_HEARTBEAT


def _seconds(duration: duration_pb2.Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _limits(config: Config, scanner: Scanner) -> pb.Limits:
    limits = pb.Limits(
        max_memory_bytes=config.max_memory_bytes,
        max_queued_jobs=config.max_queued_jobs,
        max_programs=config.max_programs,
        max_shots=config.max_shots,
        max_program_bytes=config.max_program_bytes,
        max_instructions=config.max_instructions,
        max_message_bytes=config.max_message_bytes,
        max_inline_result_bytes=config.max_inline_result_bytes,
        max_rows=config.max_rows,
        max_metadata_bytes=config.max_metadata_bytes,
        max_parts=MOST_PARTS,
        max_depth=DEEPEST,
        fields=[pb.FieldLimit(field=name, most=most) for name, most in sorted(scanner.most.items())],
    )
    if config.result_retention is not None:
        limits.result_retention.FromNanoseconds(int(config.result_retention * 1e9))
    return limits
