"""How to reach a server: addresses, and the options of a channel for both clients."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence

from basicaer.client._errors import BasicAerError

__all__ = ["DEFAULT_ADDRESS", "ChannelOptions", "channel_options", "is_local", "resolve_address"]

DEFAULT_ADDRESS = "127.0.0.1:50051"
ADDRESS_VARIABLE = "BASICAER_SERVER"

ChannelOptions = Sequence[tuple[str, int | str]]


def resolve_address(address: str | None) -> str:
    """Returns the address to use: the given one, else that of BASICAER_SERVER, else 127.0.0.1:50051.

    Raises: BasicAerError when it looks like a web address.
    """
    chosen = address or os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS
    if chosen.startswith(("http://", "https://")):
        raise BasicAerError(f"Give the server as HOST:PORT, such as {DEFAULT_ADDRESS}, not as {chosen}.")
    return chosen


def channel_options(address: str, extra: ChannelOptions = ()) -> list[tuple[str, int | str]]:
    """Returns the options of a channel to an address; `extra` ones come last, so that they win."""
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
        ("grpc.enable_retries", 0),
    ]
    if is_local(address):
        options.append(("grpc.enable_http_proxy", 0))
    return [*options, *extra]


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
