"""How to reach a server: addresses, and the options of a channel for both clients."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence

import grpc
from basicaer.client._errors import BasicAerError

__all__ = [
    "DEFAULT_ADDRESS",
    "ChannelOptions",
    "channel_options",
    "is_local",
    "new_channel",
    "resolve_address",
]

DEFAULT_ADDRESS = "127.0.0.1:50051"
ADDRESS_VARIABLE = "BASICAER_SERVER"

# The forms of gRPC, which says itself what is wrong with them.
_SCHEMES = ("unix:", "unix-abstract:", "dns:", "ipv4:", "ipv6:", "vsock:", "xds:", "passthrough:")
# Without a port it is gRPC's default, 443.
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[\w.-]+)(?::(\d{1,9}))?")
_BARE_IPV6 = re.compile(r"(?=.*::|(?:.*:){7})[0-9A-Fa-f:.]+")

ChannelOptions = Sequence[tuple[str, int | str]]


def resolve_address(address: str | None) -> str:
    """Return the address to use: the given one, else that of BASICAER_SERVER, else 127.0.0.1:50051.

    Raises:
        BasicAerError: It isn't an address, such as an empty one or a web address.
    """
    chosen = address
    if chosen is None:
        chosen = os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS
    chosen = chosen.strip()
    fault = _address_fault(chosen)
    if fault:
        raise BasicAerError(
            f"Give the server as HOST:PORT, such as {DEFAULT_ADDRESS}, not as {chosen[:200]!r}{fault}."
        )
    return chosen


def _address_fault(address: str) -> str:
    """Return what is wrong with an address, in words that follow it; nothing when it can be one."""
    if address.startswith(_SCHEMES):
        return "" if address.rstrip("/").partition(":")[2] else ", which has nothing behind its scheme"
    scheme, mark, rest = address.partition("://")
    if mark:
        return f": leave out {scheme + mark!r}" if rest else ""
    match = _HOST_AND_PORT.fullmatch(address)
    if match is None:
        if _BARE_IPV6.fullmatch(address):
            return ": an IPv6 address stands in brackets, with a port behind them"
        if not address.partition(":")[0]:
            return ", which has no host" if address else ", which is empty"
        return ", which is no address"
    if match[2] is not None and not 0 < int(match[2]) < 65_536:
        return ": a port is a number from 1 to 65535"
    return ""


def channel_options(address: str, extra: ChannelOptions = ()) -> list[tuple[str, int | str]]:
    """Return the options of a channel to an address; `extra` ones come last, so that they win."""
    options: list[tuple[str, int | str]] = [
        ("grpc.primary_user_agent", "basicaer-python"),
        # States arrive in chunks, but programs and counts are messages of any size: the server sets the
        # limit.
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        # A peer that vanished without a word is noticed within 40 s; the server permits pings so often.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        # A restarted server is found again in seconds, not in minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 2_000),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # Each provider has its own connection: it neither shares nor inherits another one's backoff.
        ("grpc.use_local_subchannel_pool", 1),
        # The client's own retries know about request ids and cursors; gRPC's would hide failures from them.
        # And with gRPC's, a call that begins while its server stops may never end, whatever its deadline
        # (grpcio 1.76 to 1.85.3: about one in 200).
        ("grpc.enable_retries", 0),
    ]
    if is_local(address):
        options.append(("grpc.enable_http_proxy", 0))
    return [*options, *extra]


def new_channel(
    address: str, credentials: grpc.ChannelCredentials | None, extra: ChannelOptions = ()
) -> grpc.Channel:
    """Return a channel for threads to an address, unencrypted without credentials."""
    options = channel_options(address, extra)
    if credentials is None:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, credentials, options)


def is_local(address: str) -> bool:
    """Whether an address stays on this machine, where a proxy of the environment has no business."""
    if address.startswith("unix"):
        return True
    host = address.rsplit("/", 1)[-1].rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
