"""Which handler each of the contract's RPCs has: how its request is read, and what answers it."""

from __future__ import annotations

from basicaer.service.access import Callers
from basicaer.service.doors.grpc._handlers import Binder, stream_handler, unary_handler
from basicaer.service.doors.service import JobService
from basicaer.v1 import job_service_pb2 as pb

__all__ = ["handlers"]


def handlers(service: JobService, callers: Callers) -> dict[str, Binder]:
    """Return what makes the gRPC handler of each RPC, by its name."""
    shared, read = (callers, service.telemetry), service.requests.reader
    read_job = service.requests.job_reader
    return {
        "SubmitJob": unary_handler("SubmitJob", read_job(pb.SubmitJobRequest), *shared, service.submit_job),
        "RunJob": stream_handler("RunJob", read_job(pb.RunJobRequest), *shared, service.run_job),
        "WatchJob": stream_handler("WatchJob", read(pb.WatchJobRequest), *shared, service.watch_job),
        "GetJob": unary_handler("GetJob", read(pb.GetJobRequest), *shared, service.get_job),
        "ListJobs": unary_handler("ListJobs", read(pb.ListJobsRequest), *shared, service.list_jobs),
        "CancelJob": unary_handler("CancelJob", read(pb.CancelJobRequest), *shared, service.cancel_job),
        "DeleteJob": unary_handler("DeleteJob", read(pb.DeleteJobRequest), *shared, service.delete_job),
        "ReadResult": stream_handler("ReadResult", read(pb.ReadResultRequest), *shared, service.read_result),
        "GetServerInfo": unary_handler(
            "GetServerInfo", read(pb.GetServerInfoRequest), *shared, service.get_server_info
        ),
        "ListBackends": unary_handler(
            "ListBackends", read(pb.ListBackendsRequest), *shared, service.list_backends
        ),
    }
