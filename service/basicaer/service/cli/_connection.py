"""A command's connection to a server: the client for jobs, the contract's messages for lists and facts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from basicaer.client import BasicAerJob, BasicAerProvider
    from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

__all__ = ["DEFAULT_SERVER", "Connection", "connect", "server_option"]

DEFAULT_SERVER = "127.0.0.1:50051"
# A person waits so long for an answer (seconds); whether the server is there at all is known much sooner.
_TIMEOUT = 30.0
_FIRST_TIMEOUT = 5.0
# A server may be away for so long while a job is followed (seconds): time for a restart.
_MAX_OUTAGE = 600.0

_R = TypeVar("_R")
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Connection:
    """A server that has answered once."""

    def __init__(
        self,
        provider: BasicAerProvider,
        stub: job_service_pb2_grpc.JobServiceStub,
        info: job_service_pb2.GetServerInfoResponse,
    ) -> None:
        self.address = provider.address
        self.provider = provider
        self.info = info
        self._stub = stub

    def call(self, method: str, request: Any) -> Any:
        """Make a call by its name, for the whole response.

        Raises:
            BasicAerError: As the client raises it.
        """
        return _call(getattr(self._stub, method), request, _TIMEOUT)

    def job(self, job_id: str) -> BasicAerJob:
        """Return an existing job."""
        return self.provider.retrieve_job(job_id)


def _call(method: Callable[..., _R], request: Any, timeout: float) -> _R:
    import grpc

    # The client's own mapping, which it has no reason to export.
    from basicaer.client._wire_errors import error_from_rpc

    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise error_from_rpc(error) from None


@contextlib.contextmanager
def connect(address: str, *, max_outage: float = _MAX_OUTAGE) -> Iterator[Connection]:
    """Connect to HOST:PORT. Following a job endures that the server is away for `max_outage` seconds.

    The client's own calls wait for a server that is away, which suits a program; a person who mistyped an
    address wants to know at once. So the first call is made without that patience.

    Raises:
        TransportError: Nobody answers there.
    """
    import grpc
    from basicaer.client import BasicAerProvider, ServerUnavailableError
    from basicaer.client._channel import channel_options
    from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

    with (
        grpc.insecure_channel(address, channel_options(address)) as channel,
        BasicAerProvider(address, max_outage=max_outage) as provider,
    ):
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        try:
            info = _call(stub.GetServerInfo, job_service_pb2.GetServerInfoRequest(), _FIRST_TIMEOUT)
        except ServerUnavailableError as error:
            raise ServerUnavailableError(
                f"no server answers at {address} (start one with 'basicaer serve', or name another one with "
                f"--server): {error.message}"
            ) from error
        yield Connection(provider, stub, info)


def server_option(command: _Command) -> _Command:
    """Add --server to a command that needs a running server."""
    return click.option(
        "--server",
        metavar="HOST:PORT",
        default=DEFAULT_SERVER,
        show_default=True,
        envvar="BASICAER_SERVER",
        show_envvar=True,
        help="The server to ask.",
    )(command)
