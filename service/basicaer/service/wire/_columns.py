"""Long lists of numbers beside the message that they belong to: read from the wire into arrays, never into
objects.

protobuf would keep the interpreter's lock for as long as it parses them, and again while it makes Python's
numbers of them. The message that such a list is missing from has a note instead: an unknown field with the
list's place in `Columns`, under a number that no message may use.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.service.wire._varint import varint
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

__all__ = ["NO_COLUMNS", "Columns"]

_Array = npt.NDArray[Any]

# The first of protobuf's reserved numbers, as a varint's field.
_NOTE = 19_000
_KEY = bytes([0xC0, 0xA3, 0x09])
# So many numbers become objects at once: about a millisecond.
_STEP = 65_536


class Columns:
    """The long lists of one request."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        # For each message with long lists, the pieces of each of them, in order.
        self._kept: list[dict[str, list[_Array]]] = []

    def __bool__(self) -> bool:
        return bool(self._kept)

    def keep(self, message: Message, name: str, array: _Array) -> None:
        """Add a piece to a list of a message's; what the message itself has of it comes before."""
        kept = self._of(message)
        if kept is None:
            message.MergeFromString(_KEY + varint(len(self._kept)))
            kept = {}
            self._kept.append(kept)
        pieces = kept.setdefault(name, [])
        before = getattr(message, name)
        if isinstance(before, bytes):
            # The last one counts.
            pieces.clear()
        elif before:
            pieces.append(_numbers(before, array.dtype))
        message.ClearField(name)
        pieces.append(array)

    def numbers(self, message: Message, name: str, dtype: npt.DTypeLike) -> _Array:
        """Return the list `name` of a message, as an array of its own."""
        values = getattr(message, name)
        if self._kept:
            pieces = (self._of(message) or {}).get(name)
            if pieces is not None:
                pieces = [*pieces, _numbers(values, dtype)] if values else pieces
                return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return _numbers(values, dtype)

    def data(self, message: Message, name: str) -> bytes | _Array:
        """Return the bytes `name` of a message: an array of uint8 where they are many."""
        value: bytes = getattr(message, name)
        if self._kept and not value:
            pieces = (self._of(message) or {}).get(name)
            if pieces is not None:
                return pieces[0]
        return value

    def length(self, message: Message, name: str) -> int:
        """How many elements the list `name` of a message has."""
        count = len(getattr(message, name))
        if self._kept:
            count += sum(map(len, (self._of(message) or {}).get(name, ())))
        return count

    def _of(self, message: Message) -> dict[str, list[_Array]] | None:
        fields: Any = UnknownFieldSet(message)
        for field in fields:
            if field.field_number == _NOTE:
                return self._kept[int(field.data)]
        return None


def _numbers(values: Any, dtype: npt.DTypeLike) -> _Array:
    # A slice of a repeated field is a list, which numpy reads several times faster than the field itself.
    if len(values) <= _STEP:
        return np.array(values[:], dtype=dtype)
    array = np.empty(len(values), dtype=dtype)
    for start in range(0, len(values), _STEP):
        array[start : start + _STEP] = values[start : start + _STEP]
    return array


NO_COLUMNS = Columns()
"""Those of a message that was parsed as a whole."""
