"""A command's connection to a server: the client for jobs, the contract's messages for lists and facts."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    import grpc
    from basicaer.client import BasicAerError, BasicAerJob, BasicAerProvider, ServerUnavailableError
    from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

__all__ = [
    "CLIENT_VARIABLES",
    "DEFAULT_SERVER",
    "Connection",
    "Server",
    "connect",
    "health_of",
    "named_server_option",
    "optional_server_option",
    "server_option",
]

DEFAULT_SERVER = "127.0.0.1:50051"
# A person waits so long for an answer (seconds); whether the server is there at all is known much sooner.
_TIMEOUT = 30.0
_FIRST_TIMEOUT = 5.0
# A server may be away for so long while a job is followed (seconds): time for a restart.
_MAX_OUTAGE = 600.0

_R = TypeVar("_R")
_Command = TypeVar("_Command", bound=Callable[..., Any])


# The environment of commands that ask a server, and what of it is never shown. (As the client has it, whose
# import takes longer than most commands.)
CLIENT_VARIABLES = {
    "BASICAER_SERVER": False,
    "BASICAER_TOKEN": True,
    "BASICAER_TOKEN_FILE": False,
    "BASICAER_TLS": False,
    "BASICAER_CA_FILE": False,
    "BASICAER_CERT_FILE": False,
    "BASICAER_KEY_FILE": False,
}


@dataclass(frozen=True, slots=True)
class Server:
    """Which server a command asks, and the files with what lets it in. What is None comes from the
    environment.
    """

    address: str
    token_file: str | None = None
    tls: bool | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    # Whether it is this command's own, which asks for nothing, whatever the environment holds for others.
    private: bool = False


class Connection:
    """A server that has answered once."""

    def __init__(
        self,
        provider: BasicAerProvider,
        stub: job_service_pb2_grpc.JobServiceStub,
        info: job_service_pb2.GetServerInfoResponse,
        channel: grpc.Channel,
    ) -> None:
        self._channel = channel
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

    def health(self, service: str) -> str:
        """Return a service's health, such as "SERVING"; "" stands for the whole server.

        Raises:
            BasicAerError: As the client raises it.
        """
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        request = health_pb2.HealthCheckRequest(service=service)
        answer = _call(health_pb2_grpc.HealthStub(self._channel).Check, request, _FIRST_TIMEOUT)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    def job(self, job_id: str) -> BasicAerJob:
        """Return an existing job."""
        return self.provider.retrieve_job(job_id)


def _call(method: Callable[..., _R], request: Any, timeout: float) -> _R:
    import grpc
    from basicaer.client.calls import error_from_rpc

    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise error_from_rpc(error) from None


def _credentials(server: Server) -> grpc.ChannelCredentials | None:
    import grpc
    from basicaer.client import BasicAerError, ServerUnavailableError
    from basicaer.client.calls import channel_credentials, resolve_address

    if server.private:
        return grpc.local_channel_credentials()
    try:
        resolve_address(server.address)
    except BasicAerError as error:
        # What is wrong with one that gRPC would only fail to reach.
        raise ServerUnavailableError(str(error)) from error
    return channel_credentials(
        server.address,
        token_file=server.token_file,
        tls=server.tls,
        ca_file=server.ca_file,
        cert_file=server.cert_file,
        key_file=server.key_file,
    )


@contextlib.contextmanager
def connect(server: Server, *, max_outage: float = _MAX_OUTAGE) -> Iterator[Connection]:
    """Connect to a server. Following a job endures that it is away for `max_outage` seconds.

    The client's own calls wait for a server that is away, which suits a program; a person who mistyped an
    address wants to know at once. So the first call is made without that patience.

    Raises:
        BasicAerError: Nobody answers there, or this command isn't let in.
    """
    from basicaer.client import BasicAerProvider, ServerUnavailableError
    from basicaer.client.calls import open_channel
    from basicaer.v1 import job_service_pb2, job_service_pb2_grpc

    address, credentials = server.address, _credentials(server)
    with (
        open_channel(server.address, credentials) as channel,
        BasicAerProvider(address, max_outage=max_outage, token="", credentials=credentials) as provider,
    ):
        stub = job_service_pb2_grpc.JobServiceStub(channel)
        try:
            info = _call(stub.GetServerInfo, job_service_pb2.GetServerInfoRequest(), _FIRST_TIMEOUT)
        except ServerUnavailableError as error:
            raise _no_server(address, error) from error
        yield Connection(provider, stub, info, channel)


def health_of(server: Server) -> str:
    """Return what a server says of its health: SERVING or NOT_SERVING.

    Raises:
        BasicAerError: Nobody answers there, or no server of this kind does.
    """
    from basicaer.client import ServerUnavailableError
    from basicaer.client.calls import open_channel
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with open_channel(server.address, _credentials(server)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = _call(stub.Check, health_pb2.HealthCheckRequest(), _FIRST_TIMEOUT)
        except ServerUnavailableError as error:
            raise _no_server(server.address, error) from error
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def _no_server(address: str, error: BasicAerError) -> ServerUnavailableError:
    from basicaer.client import ServerUnavailableError

    return ServerUnavailableError(
        f"no server answers at {address} (start one with 'basicaer serve', or name another one with "
        f"--server; one with TLS wants --tls or --ca-file): {error.message}"
    )


def _access_option(flag: str, text: str, **kind: Any) -> Callable[[Any], Any]:
    """Return an option whose variable the client reads, after the rules of programs."""
    variable = f"BASICAER_{flag[2:].replace('-', '_').upper()}"
    return click.option(flag, help=f"{text}  [env var: {variable}]", **kind)


_ACCESS_OPTIONS = (
    _access_option(
        "--token-file",
        "Who calls: a file with the token. The variable BASICAER_TOKEN holds the token itself.",
        metavar="FILE",
    ),
    _access_option(
        "--tls",
        "Encrypt the connection; the server's certificate is of an authority that this system knows.",
        is_flag=True,
        default=None,
    ),
    _access_option(
        "--ca-file",
        "Encrypt the connection; the server's certificate is of this authority (PEM).",
        metavar="FILE",
    ),
    _access_option(
        "--cert-file", "Who calls: a client certificate (PEM), for a server with mutual TLS.", metavar="FILE"
    ),
    _access_option("--key-file", "The key of --cert-file (PEM).", metavar="FILE"),
)


def server_option(command: _Command) -> _Command:
    """Add --server, and what lets a command in, to a command, which gets a `server: Server`."""
    return _with_server(command, DEFAULT_SERVER, "The server to ask.")


def optional_server_option(command: _Command) -> _Command:
    """As `server_option`, for a command that gets None when no server is named."""
    text = "The server to run it on.  [default: a private one, which ends with the command]"
    return _with_server(command, None, text)


def named_server_option(text: str) -> Callable[[_Command], _Command]:
    """As `server_option`, for a command that does without when no server is named."""
    return lambda command: _with_server(command, None, text)


def _with_server(command: _Command, default: str | None, text: str) -> _Command:
    @functools.wraps(command)
    def with_server(
        *arguments: Any,
        server: str | None,
        token_file: str | None,
        tls: bool | None,
        ca_file: str | None,
        cert_file: str | None,
        key_file: str | None,
        **others: Any,
    ) -> Any:
        chosen = None if server is None else Server(server, token_file, tls, ca_file, cert_file, key_file)
        return command(*arguments, server=chosen, **others)

    decorated: Any = with_server
    for access_option in reversed(_ACCESS_OPTIONS):
        decorated = access_option(decorated)
    option = click.option(
        "--server",
        metavar="HOST:PORT",
        default=default,
        show_default=default is not None,
        envvar="BASICAER_SERVER",
        show_envvar=True,
        help=text,
    )
    return cast("_Command", option(decorated))
