"""Messages in protobuf's JSON form, the long ones on a thread, so that the loop goes on."""

from __future__ import annotations

import asyncio

from google.protobuf import json_format
from google.protobuf.message import Message

__all__ = ["JSON", "document", "document_of"]

JSON = "application/json"
# What the loop itself writes: that takes a millisecond or two.
_AT_ONCE = 4 * 1024


def document(message: Message) -> bytes:
    """Return a message as JSON, in one line."""
    return json_format.MessageToJson(message, indent=None).encode()


async def document_of(message: Message) -> bytes:
    """Return a message as JSON, however long it is."""
    if message.ByteSize() <= _AT_ONCE:
        return document(message)
    return await asyncio.to_thread(document, message)
