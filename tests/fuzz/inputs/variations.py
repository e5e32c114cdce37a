"""Every message that differs from a given one in one place, where it has an extreme: made from the
descriptors, so that a new field of the contract is among them by itself.

A place is a field of the message or of one inside of it, set or not. What is put there is what is at the
edges of a number's type, around the contract's limits, unusual in a text; too few and too many of what is
repeated; nothing, an empty message, or a deep nest where there is one; another member of a oneof; a number
that an enum hasn't.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz.inputs.descriptors import enum_numbers, fields_of, is_map, key_and_value, parts_of

__all__ = ["NOT_UTF8", "Place", "as_bytes", "company_of", "extremes", "kinds", "places", "set_extreme"]

# What the server is told to allow, and what the contract's comments say; each with its neighbours.
_LIMITS = (8, 32, 63, 64, 128, 256, 1_000, 2_000, 20_000, 3 << 20)
_NEAR = tuple(limit + step for limit in _LIMITS for step in (-1, 0, 1))
_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (32, True),
    FieldDescriptor.CPPTYPE_INT64: (64, True),
    FieldDescriptor.CPPTYPE_UINT32: (32, False),
    FieldDescriptor.CPPTYPE_UINT64: (64, False),
}
_LEAST, _NORMAL, _MOST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308
_INFINITY = float("inf")
_FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-17, _LEAST, -_LEAST, _NORMAL, _MOST, -_MOST),
    *(_INFINITY, -_INFINITY, float("nan"), 2.0**53, 1e19),
)
# Stands for bytes that are no text: protobuf's runtime doesn't let them in, a caller's own may well.
NOT_UTF8 = "\ufdd0\ufdd1"
_NO_TEXT = b"\xed\xa0\x80\xff\xc0\x80"
_TEXTS = (
    *("", "x", " ", "0", "-1", "9" * 5_000, "\0", "a\0b", "\t\r\n", "\x1b[31m\x1b]0;gotcha\x07", "\x7f\x08"),
    *("\x85\x9b2J\x9d", "\u202eevil\u2066", "\u2028\u2029", "\ufeff", "\uffff", "\U0001f600\U0010ffff"),
    *(
        "e" + "\u0301" * 70,
        "\u1100\u1161\u11a8",
        "ß" * 64,
        "%s%n{}{0}$(x)`x`;--",
        "../../../etc/passwd",
        NOT_UTF8,
    ),
)
# As long as limits are, and much longer.
_LENGTHS = (63, 64, 65, 127, 128, 129, 255, 256, 257, 20_000, 20_001, 100_000)
_BYTES = (b"", b"\0", b"\xff" * 8, b"\0" * 16, b"\x7f\xf0" * 8, b"\xff" * 2_000, bytes(range(256)))
# How often what is repeated is there, and how deep what may hold itself.
_COUNTS = (2, 8, 9, 32, 33, 64, 65, 1_000)
_MANY_NUMBERS = 20_000
_DEPTHS = (10, 45, 90, 99, 120)
# Nested more often than in any program, and less often than what Python can follow: what was put into itself
# twice is deeper than that, and there is nothing new inside of it.
_FOLLOWED = 40


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a message that is reached by `steps`: names, and indices of what is repeated."""

    steps: tuple[str | int, ...]
    field: FieldDescriptor

    def __str__(self) -> str:
        return ".".join(map(str, (*self.steps, self.field.name)))


def places(message: Message) -> Iterator[Place]:
    """Yields each field of a message, and of each message inside of it, `_FOLLOWED` levels deep.

    Of repeated ones that have the same fields set, of the first.
    """
    return _places(message, (), set(), _FOLLOWED)


def _places(message: Message, steps: tuple[str | int, ...], seen: set[Any], levels: int) -> Iterator[Place]:
    for field in fields_of(message):
        yield Place(steps, field)
        if field.message_type is None or not levels:
            continue
        for step, item in _inside(message, field):
            if field.is_repeated and not is_map(field):
                shape = (field.full_name, _shape(item))
                if shape in seen:
                    continue
                seen.add(shape)
            yield from _places(item, (*steps, field.name, *step), seen, levels - 1)


def _inside(message: Message, field: FieldDescriptor) -> Iterator[tuple[tuple[str | int, ...], Message]]:
    """Yields the messages that a field holds, each with the steps that lead to it from the field."""
    value = getattr(message, field.name)
    if is_map(field):
        if key_and_value(field)[1].message_type is not None:
            yield from (((key,), value[key]) for key in value)
    elif field.is_repeated:
        yield from (((index,), item) for index, item in enumerate(value))
    elif message.HasField(field.name):
        yield (), value


def _shape(message: Message, levels: int = _FOLLOWED) -> Any:
    """Returns which fields are set, through all singular messages, so many levels deep."""
    return tuple(
        (field.name, _shape(value, levels - 1) if levels and isinstance(value, Message) else None)
        for field, value in message.ListFields()
    )


def extremes(message: Message, place: Place) -> int:
    """Returns how many extremes there are for a place of a message."""
    return len(_changes(_at(message, place.steps), place.field))


def kinds(message: Message, place: Place) -> list[str]:
    """Returns what each extreme of a place does, as a word: `set`, `clear`, `nest`, `repeat` …"""
    return [kind for kind, _ in _changes(_at(message, place.steps), place.field)]


def company_of(message: Message, place: Place) -> Any:
    """Returns which fields are set beside that of a place, and inside of it."""
    return _shape(_at(message, place.steps))


def set_extreme(message: Message, place: Place, number: int) -> None:
    """Sets the place to one of its extremes, in place."""
    there, field = _at(message, place.steps), place.field
    kind, value = _changes(there, field)[number]
    _CHANGES[kind](there, field, value)


def as_bytes(message: Message) -> bytes:
    """Returns a message as it goes onto the wire, with bytes that are no text where it has `NOT_UTF8`."""
    return message.SerializeToString(deterministic=True).replace(NOT_UTF8.encode(), _NO_TEXT)


def _at(message: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        container = not isinstance(message, Message)
        message = message[step] if container else getattr(message, str(step))
    return message


def _changes(there: Any, field: FieldDescriptor) -> list[tuple[str, Any]]:
    """Returns what may be done to a field: a function of `_CHANGES`, and what it is given."""
    if is_map(field):
        keys, values = key_and_value(field)
        found = [("key", value) for value in _scalars(keys)]
        if values.message_type is None:
            found += [("entry", value) for value in _scalars(values)]
        return [*found, ("clear", None), *(("entries", count) for count in _COUNTS)]
    if not field.is_repeated:
        if field.message_type is None:
            return [*(("set", value) for value in _scalars(field)), ("clear", None)]
        nest = _way(field.message_type, there.DESCRIPTOR)
        return [("clear", None), ("empty", None), *(("nest", depth) for depth in _DEPTHS if nest is not None)]
    found = [("clear", None), ("repeat", 0), *(("repeat", count) for count in _COUNTS), ("drop", None)]
    if field.message_type is not None:
        return [*found, ("append", None)]
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        found.append(("repeat", _MANY_NUMBERS))
    return [
        *found,
        *(("first", value) for value in _scalars(field)),
        *(("last", value) for value in _scalars(field)[:12]),
    ]


def _scalars(field: FieldDescriptor) -> tuple[Any, ...]:
    kind = field.cpp_type
    if kind in _BITS:
        bits, signed = _BITS[kind]
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        edges = (0, 1, -1, low, low + 1, high - 1, high, 2, 2**31 - 1, 2**31, 2**53, *_NEAR)
        return tuple(dict.fromkeys(edge for edge in edges if low <= edge <= high))
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        known = enum_numbers(field)
        return (*known, max(known) + 1, -1, 2**31 - 1, -(2**31))
    if kind == FieldDescriptor.CPPTYPE_DOUBLE:
        return _FLOATS
    if kind == FieldDescriptor.CPPTYPE_FLOAT:
        return tuple(
            struct.unpack("<f", struct.pack("<f", value))[0] for value in _FLOATS if abs(value) != _MOST
        )
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return (False, True)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _BYTES
    return (*_TEXTS, *("x" * length for length in _LENGTHS))


def _way(start: Descriptor, goal: Descriptor) -> list[FieldDescriptor] | None:
    """Returns through which fields a message of type `start` holds one of type `goal`; None when it can't."""
    ways: dict[str, list[FieldDescriptor]] = {start.full_name: []}
    waiting = [start]
    while waiting:
        kind = waiting.pop(0)
        if kind.full_name == goal.full_name:
            return ways[kind.full_name]
        for field in kind.fields:
            if (
                field.message_type is not None
                and not is_map(field)
                and field.message_type.full_name not in ways
            ):
                ways[field.message_type.full_name] = [*ways[kind.full_name], field]
                waiting.append(field.message_type)
    return None


def _set(there: Any, field: FieldDescriptor, value: Any) -> None:
    setattr(there, field.name, value)


def _clear(there: Any, field: FieldDescriptor, _: Any) -> None:
    there.ClearField(field.name)


def _empty(there: Any, field: FieldDescriptor, _: Any) -> None:
    there.ClearField(field.name)
    getattr(there, field.name).SetInParent()


def _nest(there: Any, field: FieldDescriptor, depth: int) -> None:
    """Puts the message into itself, so many times."""
    way = _way(parts_of(field), there.DESCRIPTOR)
    assert way is not None
    kind = type(there)
    for _ in range(depth):
        outer = kind()
        inner: Any = outer
        for step in (field, *way):
            inner = getattr(inner, step.name).add() if step.is_repeated else getattr(inner, step.name)
        inner.CopyFrom(there)
        there.CopyFrom(outer)


def _repeat(there: Any, field: FieldDescriptor, count: int) -> None:
    """Makes as many of the elements that are there, or empty ones; 0 stands for all of them once more."""
    items = getattr(there, field.name)
    found = list(items) or [_nothing(there, field)]
    wanted = [found[index % len(found)] for index in range(count or 2 * len(found))]
    if field.message_type is not None:
        copies = [_copy(item) for item in wanted]
        there.ClearField(field.name)
        for copied in copies:
            # `extend` goes through bytes, and what is deeper than a hundred messages can't be read from them.
            getattr(there, field.name).add().CopyFrom(copied)
    else:
        items[:] = wanted


def _copy(message: Message) -> Message:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def _nothing(there: Any, field: FieldDescriptor) -> Any:
    items = getattr(type(there)(), field.name)
    if field.message_type is not None:
        return items.add()
    return {FieldDescriptor.CPPTYPE_STRING: b"" if field.type == FieldDescriptor.TYPE_BYTES else ""}.get(
        field.cpp_type, 0
    )


def _drop(there: Any, field: FieldDescriptor, _: Any) -> None:
    del getattr(there, field.name)[:1]


def _append(there: Any, field: FieldDescriptor, _: Any) -> None:
    getattr(there, field.name).add()


def _first(there: Any, field: FieldDescriptor, value: Any) -> None:
    getattr(there, field.name)[:1] = [value]


def _last(there: Any, field: FieldDescriptor, value: Any) -> None:
    getattr(there, field.name)[-1:] = [value]


def _key(there: Any, field: FieldDescriptor, key: Any) -> None:
    _put(there, field, key, None)


def _entry(there: Any, field: FieldDescriptor, value: Any) -> None:
    _put(there, field, "key", value)


def _entries(there: Any, field: FieldDescriptor, count: int) -> None:
    for number in range(count):
        _put(there, field, f"key {number}", None)


def _put(there: Any, field: FieldDescriptor, key: Any, value: Any) -> None:
    entries = getattr(there, field.name)
    _, values = key_and_value(field)
    if values.message_type is not None:
        entries[key].SetInParent()
    else:
        entries[key] = next(iter(_scalars(values))) if value is None else value


_CHANGES = {
    "append": _append,
    "clear": _clear,
    "drop": _drop,
    "empty": _empty,
    "entries": _entries,
    "entry": _entry,
    "first": _first,
    "key": _key,
    "last": _last,
    "nest": _nest,
    "repeat": _repeat,
    "set": _set,
}
