"""Whole numbers as protobuf writes them (https://protobuf.dev/programming-guides/encoding/#varints)."""

from __future__ import annotations

__all__ = ["varint"]


def varint(value: int) -> bytes:
    """Return a number in groups of 7 bits, the least significant first; all but the last have bit 7 set."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
