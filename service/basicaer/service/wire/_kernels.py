"""Walks protobuf's encoding in compiled code, without the GIL: what a request holds is known before it is
parsed.

A field is its key (number and wire type), then for strings, messages and packed numbers a length, then the
contents (https://protobuf.dev/programming-guides/encoding/). Each function here reads each byte at most a
few times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.statevector._plain import interpretable
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

__all__ = [
    "BAD_BYTES",
    "DEEPEST",
    "GROUP",
    "LONG_FIELD",
    "TOO_LONG",
    "TOO_MANY",
    "TOO_MANY_PARTS",
    "WELL",
    "decode",
    "find_fields",
    "find_occurrences",
    "scan",
]

# What `scan` finds.
WELL, BAD_BYTES, TOO_MANY, TOO_LONG, TOO_MANY_PARTS = range(5)
# Wire types.
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
# What a field's column of the table has; see `_tables`.
WIRE_TYPE, CHILD, SLOT, MOST, LONGEST, IS_CANONICAL = range(6)
# Field numbers that protobuf keeps for its implementations. No message may have them.
_FIRST_RESERVED, _LAST_RESERVED = 19_000, 19_999

DEEPEST = 100
"""How many messages may lie in one another, as protobuf's own parser has it."""
MOST_SLOTS = 16
"""The most repeated fields of one message."""
# Kinds of records of `find_fields`.
GROUP, LONG_FIELD = 0, 1

_Bytes = npt.NDArray[np.uint8]
_Integers = npt.NDArray[np.int64]


@compiled
def _varint(data: Any, at: int, end: int) -> tuple[np.uint64, int]:
    """Return the number at `at` and where the next thing begins: -1 when there is none, or it has more than
    ten bytes.
    """
    value = np.uint64(0)
    shift = np.uint64(0)
    for place in range(at, min(at + 10, end)):
        byte = data[place]
        value |= np.uint64(byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += np.uint64(7)
    return value, -1


@compiled
def _after(data: Any, at: int, end: int, wire_type: Any) -> Any:
    """Where a field ends whose contents begin at `at`; -1 when the bytes are none."""
    if wire_type == _VARINT:
        _, after = _varint(data, at, end)
        return after
    if wire_type == _LENGTH:
        length, after = _varint(data, at, end)
        if after < 0 or length > np.uint64(end - after):
            return -1
        return after + np.int64(length)
    after = at + (8 if wire_type == _FIXED64 else 4)
    return after if wire_type in (_FIXED64, _FIXED32) and after <= end else -1


@compiled
def _elements(data: Any, start: int, end: int, wire_type: Any) -> Any:
    """How many packed numbers there are; -1 when the last one isn't whole."""
    if wire_type == _VARINT:
        count = 0
        for place in range(start, end):
            count += data[place] < 0x80
        return -1 if end > start and data[end - 1] >= 0x80 else count
    size = 8 if wire_type == _FIXED64 else 4
    return -1 if (end - start) % size else (end - start) // size


@compiled
def scan(
    data: Any, numbers: Any, fields: Any, root: int, most_parts: int, found: Any, trail: Any, spans: Any
) -> None:
    """Count what a message of type `root` holds, and stop at the first limit that is exceeded.

    `numbers[type, number]` is a field's row in `fields`, or -1. `found` gets the status, the field's row,
    its count, the parts, and how many spans there are; `trail` for each message on the way to the place the
    field's row and which element it is; `spans` the places of canonical fields that don't lie in one
    another, as far as there is room: where each begins, holds and ends, and whether it is an entry of a map.
    Parts are messages, strings in lists, numbers in lists that aren't packed, and unknown fields.
    """
    ends = np.empty(DEEPEST + 1, np.int64)
    types = np.empty(DEEPEST + 1, np.int64)
    counts = np.empty((DEEPEST + 1, MOST_SLOTS), np.int64)
    counts[0, :] = 0
    depth = 0
    ends[0] = len(data)
    types[0] = root
    parts = 0
    covered = 0
    known_numbers = np.uint64(numbers.shape[1])
    at = 0
    found[:] = 0
    while True:
        while at == ends[depth]:
            if depth == 0:
                found[3] = parts
                found[5] = 0
                return
            depth -= 1
        end = ends[depth]
        began = at
        key, at = _varint(data, at, end)
        number, wire_type = key >> np.uint64(3), np.int64(key & np.uint64(7))
        found[5] = depth
        if at < 0 or number == 0 or key >> np.uint64(32) != 0:
            found[0] = BAD_BYTES
            return
        if np.uint64(_FIRST_RESERVED) <= number <= np.uint64(_LAST_RESERVED):
            found[0] = BAD_BYTES
            return
        after = _after(data, at, end, wire_type)
        if after < 0:
            found[0] = BAD_BYTES
            return
        row = np.int64(-1)
        if number < known_numbers:
            row = np.int64(numbers[types[depth], np.int64(number)])
        count = 1
        start = at
        if row >= 0 and wire_type == _LENGTH:
            _, start = _varint(data, at, end)
        if row >= 0 and wire_type != fields[row, WIRE_TYPE]:
            # Numbers in a list may be packed; anything else is a field that isn't known.
            if wire_type == _LENGTH and fields[row, SLOT] >= 0 and fields[row, WIRE_TYPE] != _LENGTH:
                count = _elements(data, start, after, fields[row, WIRE_TYPE])
                if count < 0:
                    found[0] = BAD_BYTES
                    return
            else:
                row = np.int64(-1)
        if row < 0:
            parts += 1
        else:
            slot = fields[row, SLOT]
            element = 0
            if slot >= 0:
                # A list of numbers that isn't packed.
                parts += wire_type != _LENGTH
                element = counts[depth, slot]
                counts[depth, slot] = count = element + count
                if count > fields[row, MOST]:
                    found[0], found[1], found[2] = TOO_MANY, row, count
                    return
            if fields[row, LONGEST] >= 0:
                parts += slot >= 0
                if after - start > fields[row, LONGEST]:
                    found[0], found[1], found[2] = TOO_LONG, row, after - start
                    trail[depth, 0], trail[depth, 1] = row, element
                    return
            if fields[row, IS_CANONICAL] and began >= covered and found[4] < len(spans):
                spans[found[4], 0], spans[found[4], 1], spans[found[4], 2] = began, start, after
                spans[found[4], 3] = slot >= 0
                found[4] += 1
                covered = after
            child = fields[row, CHILD]
            if child >= 0:
                parts += 1
                trail[depth, 0], trail[depth, 1] = row, element
                depth += 1
                if depth > DEEPEST:
                    found[0] = BAD_BYTES
                    return
                types[depth] = child
                ends[depth] = after
                counts[depth, :] = 0
                after = start
        if parts > most_parts:
            found[0], found[2] = TOO_MANY_PARTS, parts
            return
        at = after


@compiled
def find_fields(data: Any, start: int, end: int, long: int, records: Any) -> int:
    """Parts the fields of one message into groups of at least `long` bytes and fields of at least as many.

    The message has been scanned. A record has its kind, then where it begins and ends; for a field also its
    number, its wire type, and where its contents begin. Returns how many records there are, at most 2 (end -
    start) / long + 2.
    """
    count = 0
    group = at = start
    while at < end:
        began = at
        key, at = _varint(data, at, end)
        wire_type = np.int64(key & np.uint64(7))
        contents = at
        after = _after(data, at, end, wire_type)
        if wire_type == _LENGTH:
            _, contents = _varint(data, at, end)
        if after - began >= long:
            if began > group:
                records[count, 0], records[count, 1], records[count, 2] = GROUP, group, began
                count += 1
            records[count, 0], records[count, 1], records[count, 2] = LONG_FIELD, began, after
            records[count, 3], records[count, 4] = np.int64(key >> np.uint64(3)), wire_type
            records[count, 5] = contents
            count += 1
            group = after
        elif after - group >= long:
            records[count, 0], records[count, 1], records[count, 2] = GROUP, group, after
            count += 1
            group = after
        at = after
    if end > group:
        records[count, 0], records[count, 1], records[count, 2] = GROUP, group, end
        count += 1
    return count


@compiled
def find_occurrences(data: Any, number: int, places: Any) -> int:
    """Where the strings or messages of a field lie in a message that has been scanned.

    `places` gets where each begins, where its contents begin, and where it ends. Returns how many there are.
    """
    count = 0
    at = 0
    end = len(data)
    while at < end:
        began = at
        key, at = _varint(data, at, end)
        wire_type = np.int64(key & np.uint64(7))
        contents = at
        after = _after(data, at, end, wire_type)
        if np.int64(key >> np.uint64(3)) == number and wire_type == _LENGTH:
            _, contents = _varint(data, at, end)
            places[count, 0], places[count, 1], places[count, 2] = began, contents, after
            count += 1
        at = after
    return count


@compiled
def decode(data: Any, start: int, end: int, column: Any) -> int:
    """Read packed varints as 32 bits each, as protobuf does, and return how many there are."""
    count = 0
    value = np.uint64(0)
    shift = np.uint64(0)
    for place in range(start, end):
        byte = data[place]
        if shift < np.uint64(64):
            value |= np.uint64(byte & 0x7F) << shift
        shift += np.uint64(7)
        if byte < 0x80:
            column[count] = np.uint32(value & np.uint64(0xFFFFFFFF))
            count += 1
            value = np.uint64(0)
            shift = np.uint64(0)
    return count


# Seconds for a byte, as most messages have a field for some four of them.
_BYTE = 10e-6


def _of_all(data: Any, *others: Any) -> float:
    return _BYTE * len(data)


def _of_part(data: Any, start: int, end: int, *others: Any) -> float:
    return _BYTE * (end - start)


for _kernel, _estimate in (
    *((scan, _of_all), (find_occurrences, _of_all)),
    *((find_fields, _of_part), (decode, _of_part)),
):
    interpretable(_kernel, _estimate)
