"""Descriptors, typed: the stubs give what is asked for as perhaps None, and a message's fields in two types,
one of which protobuf makes an instance of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

__all__ = ["enum_numbers", "fields_of", "is_map", "key_and_value", "parts_of"]


def fields_of(message: Message) -> Sequence[FieldDescriptor]:
    """Returns all fields that a message may have."""
    return cast("Sequence[FieldDescriptor]", message.DESCRIPTOR.fields)


def parts_of(field: FieldDescriptor) -> Descriptor:
    """Returns the type of the messages in a field that holds some."""
    assert field.message_type is not None
    return field.message_type


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map, whose entries are messages only on the wire."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def key_and_value(field: FieldDescriptor) -> tuple[FieldDescriptor, FieldDescriptor]:
    """Returns what a map's entries are made of."""
    entry = parts_of(field)
    return entry.fields_by_name["key"], entry.fields_by_name["value"]


def enum_numbers(field: FieldDescriptor) -> list[int]:
    """Returns the numbers that an enum's field may have by the contract."""
    assert field.enum_type is not None
    return [value.number for value in field.enum_type.values]
