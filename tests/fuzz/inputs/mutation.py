"""Small damage to inputs: to bytes as a bad line does it, to text as a hasty author, to messages as a program
that has the contract and means harm.

All of it draws from a `random.Random`, so that hypothesis (which shrinks what its `randoms()` drew), atheris
(which gives a seed to each mutation) and a replay do the same.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz.inputs.descriptors import enum_numbers, fields_of, is_map, key_and_value

__all__ = ["mutate_bytes", "mutate_message", "mutate_program", "mutate_text"]

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_NUMBERS = ("0", "1", "2", "7", "63", "64", "100000", "4294967296", "18446744073709551616", "1e308", "1e-320")
_CHARACTERS = ("\0", "\t", "\n", "\r", "\x0b", "\x1c", "\u2028", "é", "\U0001f600", '"', "'", "\\", "\ufeff")
_FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-9, 3.141592653589793, 1e308, 5e-324),
    *(float("inf"), float("-inf"), float("nan")),
)
# Of each kind of integer: how many bits, and whether it has a sign.
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (32, True),
    FieldDescriptor.CPPTYPE_INT64: (64, True),
    FieldDescriptor.CPPTYPE_UINT32: (32, False),
    FieldDescriptor.CPPTYPE_UINT64: (64, False),
}
# A field that grows without end makes an input slow, and finds nothing.
_LONGEST = 64


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """Returns the bytes with some of them changed, lost, repeated or added."""
    found = bytearray(data)
    for _ in range(random.randrange(1, 5)):
        start = random.randrange(len(found) + 1)
        end = min(len(found), start + random.randrange(1, 9))
        match random.randrange(6):
            case 0 if start < len(found):
                found[start] ^= 1 << random.randrange(8)
            case 1:
                del found[start:end]
            case 2:
                found[start:start] = found[start:end]
            case 3:
                found[start:end] = random.choice((b"\0", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\xff\x0f"))
            case 4:
                del found[start:]
            case _:
                found[start:start] = struct.pack("<I", random.getrandbits(32))[: random.randrange(1, 5)]
    return bytes(found)


def mutate_text(text: str, random: Random, words: Sequence[str]) -> str:
    """Returns the text with some of its words, numbers and signs changed, lost, repeated or added."""
    tokens = _TOKEN.findall(text)
    for _ in range(random.randrange(1, 5)):
        start = random.randrange(len(tokens) + 1)
        end = min(len(tokens), start + random.randrange(1, 12))
        match random.randrange(7):
            case 0:
                del tokens[start:end]
            case 1:
                tokens[start:start] = tokens[start:end]
            case 2 if tokens:
                # Another of the text's own words, which may well be declared.
                tokens[min(start, len(tokens) - 1)] = random.choice(tokens)
            case 3:
                tokens.insert(start, random.choice(words))
            case 4 if start < len(tokens):
                tokens[start] = random.choice(words)
            case 5 if start < len(tokens):
                tokens[start] = random.choice(_NUMBERS)
            case _:
                tokens.insert(start, random.choice((*_CHARACTERS, *_NUMBERS)))
    return "".join(tokens)


def mutate_message(message: Message, random: Random, words: Sequence[str]) -> None:
    """Changes a message in place, somewhere in its depth, to one that still can be parsed."""
    fields = fields_of(message)
    if not fields:
        return
    field = _weighed(message, random) if random.randrange(6) else random.choice(fields)
    if is_map(field):
        _mutate_map(message, field, random, words)
    elif field.is_repeated:
        _mutate_repeated(getattr(message, field.name), field, random, words)
    elif field.message_type is not None:
        if random.randrange(24):
            nested = getattr(message, field.name)
            nested.SetInParent()
            mutate_message(nested, random, words)
        else:
            message.ClearField(field.name)
    elif random.randrange(8):
        setattr(message, field.name, _value(field, random, words, getattr(message, field.name)))
    else:
        message.ClearField(field.name)


def _weighed(message: Message, random: Random) -> FieldDescriptor:
    """Returns a field, the more likely the more there is in it: a job is its circuit more than its labels."""
    there = message.ListFields()
    weights = [_weight(value) for _, value in there]
    if not there:
        return random.choice(fields_of(message))
    place = random.randrange(sum(weights))
    for (field, _), weight in zip(there, weights, strict=True):
        if place < weight:
            return field
        place -= weight
    raise AssertionError("the weights add up")


def _weight(value: Any) -> int:
    if isinstance(value, Message):
        return 1 + value.ByteSize()
    if isinstance(value, str | bytes | int | float):
        return 2
    # Of a map, the keys; of what is repeated, all.
    return 1 + sum(_weight(item) for item in value)


def _mutate_map(message: Message, field: FieldDescriptor, random: Random, words: Sequence[str]) -> None:
    entries = getattr(message, field.name)
    keys, values = key_and_value(field)
    key = random.choice(sorted(entries)) if entries and random.randrange(2) else None
    if key is not None and not random.randrange(3):
        del entries[key]
        return
    if key is None:
        key = _value(keys, random, words, "")
    if values.message_type is not None:
        mutate_message(entries[key], random, words)
    else:
        entries[key] = _value(values, random, words, "")


def _mutate_repeated(items: Any, field: FieldDescriptor, random: Random, words: Sequence[str]) -> None:
    place = random.randrange(len(items)) if items else 0
    match random.randrange(40) if items else 39:
        case 0:
            del items[place]
        case 1:
            del items[place:]
        case 2 | 3 | 4 if len(items) < _LONGEST:
            items.append(items[place])
        case 38 | 39 if len(items) < _LONGEST:
            if field.message_type is not None:
                mutate_message(items.add(), random, words)
            else:
                items.append(_value(field, random, words, _EMPTY.get(field.cpp_type, 0)))
        case _ if field.message_type is not None:
            mutate_message(items[place], random, words)
        case _:
            items[place] = _value(field, random, words, items[place])


_EMPTY: dict[int, Any] = {FieldDescriptor.CPPTYPE_STRING: ""}


def _value(field: FieldDescriptor, random: Random, words: Sequence[str], old: Any) -> Any:
    """Returns a value for a field without parts: one of those at which things change, or one near the old."""
    kind = field.cpp_type
    if kind in _INTEGERS:
        return _integer(*_INTEGERS[kind], random, old)
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return random.choice((*enum_numbers(field), 99, -1))
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return random.choice((*_FLOATS, random.uniform(-10.0, 10.0), float(random.randrange(8))))
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return not old
    if field.type == FieldDescriptor.TYPE_BYTES:
        return mutate_bytes(old if isinstance(old, bytes) else b"", random)
    if random.randrange(3):
        return random.choice(words)
    return mutate_text(str(old), random, words) if random.randrange(4) else "x" * random.randrange(300)


def _integer(bits: int, signed: bool, random: Random, old: Any) -> int:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    near = int(old) if isinstance(old, int) else 0
    value = random.choice(
        (0, 1, 2, 3, least, most, most - 1, most // 2, 63, 64, 65, 1 << 31, near + 1, near - 1, -near)
    )
    return min(max(value, least), most)


def mutate_program(words: Sequence[str]) -> Callable[[bytes, Random], bytes]:
    """Return what changes a program's text: mostly as text with these words, at times as bytes."""

    def mutate(data: bytes, random: Random) -> bytes:
        if not random.randrange(8):
            return mutate_bytes(data, random)
        return mutate_text(data.decode(errors="replace"), random, words).encode(errors="replace")

    return mutate
