"""protobuf's encoding by hand, for messages that its own runtime would never write."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

__all__ = ["element", "field", "nested", "varint"]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {
    FieldDescriptor.TYPE_DOUBLE: (_FIXED64, bytes(8)),
    FieldDescriptor.TYPE_FIXED64: (_FIXED64, bytes(8)),
    FieldDescriptor.TYPE_FLOAT: (_FIXED32, bytes(4)),
    FieldDescriptor.TYPE_FIXED32: (_FIXED32, bytes(4)),
}
_LENGTHS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE)


def varint(value: int) -> bytes:
    """Returns a number in groups of 7 bits."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def field(number: int, contents: bytes) -> bytes:
    """Returns a field that has a length."""
    return varint(number << 3 | _LENGTH) + varint(len(contents)) + contents


def element(descriptor: Any) -> bytes:
    """Returns the shortest element of a list, by itself: never packed."""
    if descriptor.type in _LENGTHS:
        return field(descriptor.number, b"")
    wire_type, value = _FIXED.get(descriptor.type, (_VARINT, b"\0"))
    return varint(descriptor.number << 3 | wire_type) + value


def nested(path: list[Any], contents: bytes) -> bytes:
    """Returns a message that has `contents` at the end of a path of fields."""
    for descriptor in reversed(path):
        contents = field(descriptor.number, contents)
    return contents
