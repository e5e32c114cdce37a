"""The gRPC server around the service: its port and options, health, reflection, and its end."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from basicaer.service.access import Callers
from basicaer.service.callers import ANYONE
from basicaer.service.config import Config
from basicaer.service.descriptors import MOST_PROBES, connections
from basicaer.service.doors.call import unexpected
from basicaer.service.doors.grpc._handlers import Binder, Handler, refusal
from basicaer.service.errors import ServiceError
from basicaer.service.telemetry import Telemetry
from basicaer.v1 import job_service_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

__all__ = ["HEALTH_NAMES", "SERVICE_NAME", "GrpcServer", "bind_port", "health_options", "server_options"]

SERVICE_NAME: str = job_service_pb2.DESCRIPTOR.services_by_name["JobService"].full_name
HEALTH_NAMES = ("", SERVICE_NAME)
"""What probes may ask about."""
# gRPC keeps its settings in 32 bits.
_MOST = 2**31 - 1
# How long a new connection may take until it speaks HTTP/2, TLS included (milliseconds).
_HANDSHAKE_MS = 20_000
REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"


def server_options(config: Config) -> list[tuple[str, int]]:
    """Return gRPC's settings for a server."""
    options = [
        # Two servers must not share a port silently, each with half of the calls.
        ("grpc.so_reuseport", 0),
        # Calls beyond the first limit are CANCELLED at random, beyond the second always: a burst of 10,000
        # watchers must not be cut down by the defaults of 1,000 and 3,000. Waiting calls are bounded by
        # memory alone.
        ("grpc.server.max_pending_requests", 1_000_000),
        ("grpc.server.max_pending_requests_hard_limit", 2_000_000),
        ("grpc.max_concurrent_streams", min(config.max_concurrent_streams, _MOST)),
        # Clients ping every 30 s so that proxies keep idle watches open; gRPC's default of 5 minutes would
        # cut them off.
        ("grpc.http2.min_ping_interval_without_data_ms", _milliseconds(config.min_ping_interval)),
        ("grpc.keepalive_permit_without_calls", 1),
        # And the server finds out that a client's machine is gone.
        ("grpc.keepalive_time_ms", _milliseconds(config.keepalive_time)),
        ("grpc.keepalive_timeout_ms", _milliseconds(config.keepalive_timeout)),
        # The handlers refuse what exceeds the limit with a typed error. gRPC, which can't, stops only what
        # would cost memory to no purpose.
        ("grpc.max_receive_message_length", min(2 * config.max_message_bytes, _MOST)),
        ("grpc.max_send_message_length", -1),
        # A socket that says nothing takes a descriptor.
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
    ]
    if config.max_connection_age is not None:
        options += [
            ("grpc.max_connection_age_ms", _milliseconds(config.max_connection_age)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(config.max_connection_age_grace)),
        ]
    return options


def _milliseconds(seconds: float) -> int:
    return min(max(round(seconds * 1000), 1), _MOST)


def _bounded(most: int | None) -> list[tuple[str, int]]:
    """Return gRPC's setting that closes connections beyond so many as soon as they come."""
    return [] if most is None else [("grpc.max_allowed_incoming_connections", min(most, _MOST))]


def health_options(config: Config) -> list[tuple[str, int]]:
    """Return the settings of a gRPC server that answers health alone."""
    return server_options(config) + _bounded(MOST_PROBES)


class _Gate(grpc.GenericRpcHandler):
    """Finds the handler of a call, and turns callers away before anything of their request is read."""

    def __init__(self, handlers: Mapping[str, Binder], callers: Callers, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._binders = {f"/{SERVICE_NAME}/{name}": bind for name, bind in handlers.items()}
        self._callers = callers
        self._open = (
            {path: bind(ANYONE) for path, bind in self._binders.items()} if callers.open_to_all else {}
        )

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        path = handler_call_details.method
        if path in self._open:
            return self._open[path]
        bind = self._binders.get(path)
        if bind is None:
            return None
        try:
            return bind(self._callers.bearer(handler_call_details.invocation_metadata))
        except ServiceError as error:
            refused = error
        except Exception as error:
            # gRPC would answer UNKNOWN; and whoever it was, nobody is let in by a defect.
            refused = unexpected(path.rpartition("/")[2], error)
        return refusal(path.rpartition("/")[2], self._callers, self._telemetry, refused)


class GrpcServer:
    """A listening server. Health says NOT_SERVING until `set_serving`."""

    def __init__(
        self, handlers: Mapping[str, Binder], callers: Callers, telemetry: Telemetry, config: Config
    ) -> None:
        # No interceptors: see _handlers. No compression: amplitudes don't shrink, and it costs 3 to 28 times
        # the time.
        options = server_options(config)
        doors = 1 if config.http_listen == "none" else 2
        self._server = grpc.aio.server(
            options=options + _bounded(connections(config.validation_workers, config.workers, doors)),
            compression=grpc.Compression.NoCompression,
        )
        # What answers on `health_listen`, if anything does.
        self._probed = grpc.aio.server(options=health_options(config)) if config.health_listen else None
        self._health = health.aio.HealthServicer()
        self._server.add_generic_rpc_handlers((_Gate(handlers, callers, telemetry),))
        # Whoever may connect may ask for the health: a probe has no token.
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._probed is not None:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._probed)
        if config.reflection:
            self._add_reflection()

    def _add_reflection(self) -> None:
        names = (
            SERVICE_NAME,
            health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
            reflection.SERVICE_NAME,
        )
        reflection.enable_server_reflection(names, self._server)
        # Version 1 differs from v1alpha in its name alone, and newer tools ask for it only.
        servicer = reflection.aio.ReflectionServicer(service_names=names)
        method = grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(REFLECTION_V1, {"ServerReflectionInfo": method}),)
        )

    def bind(self, listen: str, credentials: grpc.ServerCredentials | None) -> str:
        """Take the address `listen` (HOST:PORT; port 0 is any free one), for TLS when there are credentials;
        return the HOST:PORT it got.

        Raises:
            OSError: It can't be taken, for instance because another server has it.
        """
        return bind_port(self._server, listen, credentials)

    def bind_health(self, listen: str) -> str:
        """Take the address at which health alone is answered, as `bind` does; `health_listen` must be set."""
        assert self._probed is not None
        return bind_port(self._probed, listen, None)

    async def start(self) -> None:
        """Begin to answer."""
        await self.set_serving(False)
        await self._server.start()
        if self._probed is not None:
            await self._probed.start()

    async def set_serving(self, serving: bool) -> None:
        """Tell probes whether calls are welcome."""
        kind = health_pb2.HealthCheckResponse.ServingStatus
        status = kind.SERVING if serving else kind.NOT_SERVING
        for name in HEALTH_NAMES:
            await self._health.set(name, status)

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, give those in flight `grace` seconds (None: none), cancel the rest."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
        if self._probed is not None:
            # Last, so that a probe sees the whole end.
            await self._probed.stop(None)


def bind_port(server: grpc.aio.Server, listen: str, credentials: grpc.ServerCredentials | None) -> str:
    """Take an address, as `GrpcServer.bind` does.

    Raises:
        OSError: It can't be taken.
    """
    try:
        port = (
            server.add_insecure_port(listen)
            if credentials is None
            else server.add_secure_port(listen, credentials)
        )
    except RuntimeError:
        raise OSError(
            f"can't listen on {listen}: is it this machine's, and is no other server on it?"
        ) from None
    return f"{listen.rpartition(':')[0]}:{port}"
