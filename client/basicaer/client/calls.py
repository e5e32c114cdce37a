"""What a program needs that makes calls of the contract itself, as `basicaer` does, by this client's rules.

A channel has the client's settings and lets nobody in who mustn't be, errors are the client's, and what comes
back is read as the client reads it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import grpc
from basicaer.client._structures import struct_to_dict
from basicaer.client._times import time_from_message
from basicaer.client._wire_errors import error_from_rpc
from basicaer.client.transport._access import channel_credentials
from basicaer.client.transport._channel import new_channel, resolve_address
from basicaer.client.transport._ends import close_channel

__all__ = [
    "channel_credentials",
    "error_from_rpc",
    "open_channel",
    "resolve_address",
    "struct_to_dict",
    "time_from_message",
]


@contextlib.contextmanager
def open_channel(address: str, credentials: grpc.ChannelCredentials | None) -> Iterator[grpc.Channel]:
    """Open a channel to an address, unencrypted without credentials, and close it at the end."""
    channel = new_channel(address, credentials)
    try:
        yield channel
    finally:
        close_channel(channel)
