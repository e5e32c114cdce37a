"""The gRPC edge: handlers over `JobManager`, errors as statuses, health, reflection."""

from basicaer.service.rpc._server import SERVICE_NAME, GrpcServer
from basicaer.service.rpc._service import JobService

__all__ = ["SERVICE_NAME", "GrpcServer", "JobService"]
