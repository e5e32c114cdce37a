"""The contract's RPCs over `JobManager`: what crosses the wire, and nothing else.

Each method takes a parsed request and its caller and calls the manager; whatever fails is a `ServiceError`,
which the handlers map. Streams write bytes (see _encoding): an event is serialized once for all of its
readers.
"""

from __future__ import annotations

from collections.abc import Sequence

from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.config import Config
from basicaer.service.jobs import JobManager
from basicaer.service.rpc._encoding import read_result_response, run_job_response, watch_job_response
from basicaer.service.rpc._handlers import Binder, Stream, stream_handler, unary_handler
from basicaer.service.telemetry import Telemetry
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf import duration_pb2, timestamp_pb2

__all__ = ["JobService"]


class JobService:
    """The service `basicaer.v1.JobService`."""

    def __init__(
        self,
        manager: JobManager,
        config: Config,
        backends: Sequence[pb.BackendInfo],
        version: str,
        telemetry: Telemetry,
    ) -> None:
        self._manager = manager
        self._telemetry = telemetry
        self._backends = pb.ListBackendsResponse(backends=sorted(backends, key=lambda info: info.name))
        start_time = timestamp_pb2.Timestamp()
        start_time.GetCurrentTime()
        self._info = pb.GetServerInfoResponse(
            version=version, start_time=start_time, limits=_limits(config), workers=config.workers
        )
        self._max_message_bytes = config.max_message_bytes

    def handlers(self, callers: Callers) -> dict[str, Binder]:
        """Return what makes the gRPC handler of each RPC, by its name."""
        limit, shared = self._max_message_bytes, (callers, self._telemetry)
        return {
            "SubmitJob": unary_handler("SubmitJob", pb.SubmitJobRequest, limit, *shared, self.submit_job),
            "RunJob": stream_handler("RunJob", pb.RunJobRequest, limit, *shared, self.run_job),
            "WatchJob": stream_handler("WatchJob", pb.WatchJobRequest, limit, *shared, self.watch_job),
            "GetJob": unary_handler("GetJob", pb.GetJobRequest, limit, *shared, self.get_job),
            "ListJobs": unary_handler("ListJobs", pb.ListJobsRequest, limit, *shared, self.list_jobs),
            "CancelJob": unary_handler("CancelJob", pb.CancelJobRequest, limit, *shared, self.cancel_job),
            "DeleteJob": unary_handler("DeleteJob", pb.DeleteJobRequest, limit, *shared, self.delete_job),
            "ReadResult": stream_handler(
                "ReadResult", pb.ReadResultRequest, limit, *shared, self.read_result
            ),
            "GetServerInfo": unary_handler(
                "GetServerInfo", pb.GetServerInfoRequest, limit, *shared, self.get_server_info
            ),
            "ListBackends": unary_handler(
                "ListBackends", pb.ListBackendsRequest, limit, *shared, self.list_backends
            ),
        }

    async def submit_job(self, request: pb.SubmitJobRequest, caller: Caller) -> pb.SubmitJobResponse:
        """Accept a job, or check it only."""
        if request.validate_only:
            return pb.SubmitJobResponse(job=await self._manager.validate(request.spec))
        job, duplicate = await self._manager.submit(request.spec, request.request_id, caller=caller)
        return pb.SubmitJobResponse(job=job, duplicate=duplicate)

    async def run_job(self, request: pb.RunJobRequest, caller: Caller, stream: Stream) -> None:
        """Accept a job and stream what becomes of it, up to its result."""
        watch = await self._manager.run(
            request.spec,
            request.request_id,
            heartbeat_interval=_heartbeat_interval(request),
            caller=caller,
        )
        try:
            first = pb.RunJobResponse(job=watch.job, duplicate=watch.duplicate)
            await stream.write(first.SerializeToString())
            while (event := await watch.next()) is not None:
                await stream.write(run_job_response(event, watch.result if event.final else None))
        finally:
            watch.close()

    async def watch_job(self, request: pb.WatchJobRequest, caller: Caller, stream: Stream) -> None:
        """Stream a job's events. That the stream ends, for whatever reason, never touches the job."""
        after = request.after_sequence if request.HasField("after_sequence") else None
        watch = await self._manager.watch(
            request.job_id, after, heartbeat_interval=_heartbeat_interval(request), caller=caller
        )
        try:
            await stream.write(pb.WatchJobResponse(job=watch.job).SerializeToString())
            while (event := await watch.next()) is not None:
                await stream.write(watch_job_response(event))
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

    async def read_result(self, request: pb.ReadResultRequest, caller: Caller, stream: Stream) -> None:
        """Stream one part of a result."""
        reading = await self._manager.read_result(request, caller=caller)
        sent = self._telemetry.metrics.result_read_bytes
        try:
            await stream.write(pb.ReadResultResponse(header=reading.header).SerializeToString())
            while (chunk := await reading.next()) is not None:
                await stream.write(read_result_response(chunk.offset, chunk.data, chunk.crc32c))
                sent.inc(len(chunk.data))
        finally:
            reading.close()

    async def get_server_info(
        self, request: pb.GetServerInfoRequest, caller: Caller
    ) -> pb.GetServerInfoResponse:
        """Return the version, the limits and the load."""
        info = pb.GetServerInfoResponse()
        info.CopyFrom(self._info)
        info.queued_jobs = self._manager.queued_jobs
        info.running_jobs = self._manager.running_jobs
        return info

    async def list_backends(self, request: pb.ListBackendsRequest, caller: Caller) -> pb.ListBackendsResponse:
        """Return the backends."""
        return self._backends


def _heartbeat_interval(request: pb.RunJobRequest | pb.WatchJobRequest) -> float | None:
    return _seconds(request.heartbeat_interval) if request.HasField("heartbeat_interval") else None


def _seconds(duration: duration_pb2.Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _limits(config: Config) -> pb.Limits:
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
    )
    if config.result_retention is not None:
        limits.result_retention.FromNanoseconds(int(config.result_retention * 1e9))
    return limits
