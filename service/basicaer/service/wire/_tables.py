"""What the scanner has to know of the requests' messages, as arrays that are made from their descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.service.wire._kernels import (
    CHILD,
    IS_CANONICAL,
    LONGEST,
    MOST,
    MOST_SLOTS,
    SLOT,
    WIRE_TYPE,
)
from basicaer.service.wire._limits import DEFAULT_LONGEST, TEXTS
from basicaer.service.wire._limits import LONGEST as LONGEST_TEXTS
from google.protobuf.descriptor import FieldDescriptor

__all__ = ["Tables", "is_list", "make_tables", "messages_of"]

_UNBOUNDED = 2**62
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_WIRE_TYPES = {
    FieldDescriptor.TYPE_DOUBLE: _FIXED64,
    FieldDescriptor.TYPE_FIXED64: _FIXED64,
    FieldDescriptor.TYPE_SFIXED64: _FIXED64,
    FieldDescriptor.TYPE_FLOAT: _FIXED32,
    FieldDescriptor.TYPE_FIXED32: _FIXED32,
    FieldDescriptor.TYPE_SFIXED32: _FIXED32,
    FieldDescriptor.TYPE_STRING: _LENGTH,
    FieldDescriptor.TYPE_BYTES: _LENGTH,
    FieldDescriptor.TYPE_MESSAGE: _LENGTH,
}
_TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


class Tables(NamedTuple):
    """`types` are the messages, by name; `numbers[type, number]` is a field's row in `fields`, or -1.

    `rows` are the fields themselves, in the order of their rows.
    """

    types: Mapping[str, int]
    rows: Sequence[Any]
    numbers: npt.NDArray[np.int16]
    fields: npt.NDArray[np.int64]


def is_list(field: Any) -> bool:
    """Whether a field is a list or a map."""
    return bool(field.is_repeated)


def messages_of(roots: Sequence[Any]) -> list[Any]:
    """Return the messages that these can hold, themselves included, each once."""
    found: dict[str, Any] = {}
    waiting: list[Any] = list(roots)
    while waiting:
        message = waiting.pop()
        if message.full_name not in found:
            found[message.full_name] = message
            waiting += [field.message_type for field in message.fields if field.message_type is not None]
    return list(found.values())


def make_tables(roots: Sequence[Any], most: Mapping[str, int], *, longest_text: int) -> Tables:
    """Return the tables of the messages that `roots` can hold. `most` has the elements of each list.

    `longest_text` is that of a program's text, in bytes.
    """
    messages = messages_of(roots)
    types = {message.full_name: number for number, message in enumerate(messages)}
    rows = [field for message in messages for field in message.fields]
    numbers = np.full((len(messages), 1 + max(field.number for field in rows)), -1, dtype=np.int16)
    fields = np.full((len(rows), 6), -1, dtype=np.int64)
    slots = dict.fromkeys(types, 0)
    for row, field in enumerate(rows):
        parent = field.containing_type
        numbers[types[parent.full_name], field.number] = row
        wire_type = _WIRE_TYPES.get(field.type, _VARINT)
        fields[row, WIRE_TYPE] = wire_type
        if field.message_type is not None:
            fields[row, CHILD] = types[field.message_type.full_name]
        if is_list(field):
            fields[row, SLOT] = slots[parent.full_name]
            slots[parent.full_name] += 1
            fields[row, MOST] = most[field.full_name]
        if field.type in _TEXTS:
            longest = LONGEST_TEXTS.get(field.full_name, DEFAULT_LONGEST)
            fields[row, LONGEST] = _UNBOUNDED if longest is None else longest
            if field.full_name in TEXTS:
                fields[row, LONGEST] = longest_text
        fields[row, IS_CANONICAL] = _has_order_of_its_own(field)
    if max(slots.values()) > MOST_SLOTS:
        raise AssertionError("a message has more lists than the scanner counts")
    return Tables(types, rows, numbers, fields)


def _has_order_of_its_own(field: Any) -> bool:
    """Whether the same value has several encodings, as that of a map has: in any order of its entries."""
    message = field.message_type
    if message is None:
        return False
    return bool(message.GetOptions().map_entry) or message.full_name == "google.protobuf.Struct"
