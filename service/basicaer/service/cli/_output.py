"""What commands print for machines, JSON, and the options that ask for more or less of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click
from basicaer.service.cli._say import json_text, say

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from google.protobuf.message import Message

__all__ = ["json_option", "plain", "print_json", "top_option"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Add --json to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(command)


def top_option(command: _Command) -> _Command:
    """Add --top to a command that shows results."""
    return click.option(
        "--top",
        type=click.IntRange(min=0),
        default=16,
        show_default=True,
        help="How many outcomes or amplitudes are shown, the most frequent first.",
    )(command)


def print_json(document: Any) -> None:
    """Print a document in one line."""
    say(json_text(document))


def plain(message: Message) -> dict[str, Any]:
    """Return a message as JSON's types: the proto's field names, enums without their prefix, numbers as
    numbers.

    (protobuf's own JSON writes 64-bit numbers as text and enums with their prefix.) Unset fields are left
    out.
    """
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        nested = field.message_type
        if nested is not None and nested.GetOptions().map_entry:
            found[field.name] = dict(value)
        elif nested is not None:
            convert = _well_known if nested.full_name.startswith("google.protobuf.") else plain
            found[field.name] = [convert(item) for item in value] if field.is_repeated else convert(value)
        elif field.enum_type is not None:
            convert = partial(_enum_name, field.enum_type)
            found[field.name] = [convert(item) for item in value] if field.is_repeated else convert(value)
        else:
            found[field.name] = list(value) if field.is_repeated else value
    return found


def _enum_name(kind: EnumDescriptor, number: int) -> str | int:
    """Return a value's name without the prefix; the number of one that isn't known."""
    names = kind.values_by_number
    prefix = names[0].name.removesuffix("UNSPECIFIED")
    return names[number].name.removeprefix(prefix) if number in names else number


def _well_known(message: Message) -> Any:
    """Return a message of protobuf's own as JSON has it, whatever a server puts into it."""
    from basicaer.client.calls import struct_to_dict
    from google.protobuf import json_format
    from google.protobuf.struct_pb2 import Struct

    if isinstance(message, Struct):
        return struct_to_dict(message)
    try:
        return json_format.MessageToDict(message)
    except (json_format.Error, ValueError, OverflowError):
        # Such as a time before the year 1.
        return {field.name: value for field, value in message.ListFields()}
