"""The door by gRPC: handlers over the service, errors as statuses, health, reflection.

`main` makes its server; nothing else uses it.
"""

from basicaer.service.doors.grpc._methods import handlers
from basicaer.service.doors.grpc._probes import ProbeServer
from basicaer.service.doors.grpc._server import SERVICE_NAME, GrpcServer

__all__ = ["SERVICE_NAME", "GrpcServer", "ProbeServer", "handlers"]
