"""Requests from their bytes: scanned first, then parsed, the long ones piece by piece.

protobuf holds the interpreter's lock while it parses, half a microsecond for an empty message. So a long
request is merged from pieces of a few milliseconds each, between which other threads have their turn, and
lists of numbers go around protobuf (see `_columns`). What comes out is what protobuf would have made of the
whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from basicaer.service.wire._columns import Columns
from basicaer.service.wire._kernels import GROUP, LONG_FIELD, decode, find_fields, find_occurrences
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

__all__ = ["read_around", "read_in_pieces"]

_MessageT = TypeVar("_MessageT", bound=Message)
_Bytes = npt.NDArray[np.uint8]

# Of a piece: 8,000 empty messages.
_PIECE = 16 * 1024
# Lists of numbers from this size on go around protobuf.
_LONG_COLUMN = 64 * 1024
_LENGTH = 2
_DTYPES: dict[int, np.dtype[Any]] = {
    FieldDescriptor.TYPE_UINT32: np.dtype(np.uint32),
    FieldDescriptor.TYPE_DOUBLE: np.dtype(np.float64),
    FieldDescriptor.TYPE_FIXED64: np.dtype(np.uint64),
    FieldDescriptor.TYPE_BYTES: np.dtype(np.uint8),
}
# Fields that are read with `Columns` wherever they are read.
_COLUMNS = frozenset(
    {
        *(
            f"basicaer.v1.Block.{name}"
            for name in (
                "operations",
                "qubits",
                "clbits",
                "parameters",
                "term_parameters",
                "term_variables",
                "term_factors",
            )
        ),
        "basicaer.v1.ComplexArray.values",
        "basicaer.v1.ComplexArray.data",
        "basicaer.v1.Inputs.values",
        "basicaer.v1.Inputs.integers",
        "basicaer.v1.BasisStates.numbers",
        "basicaer.v1.Estimation.rows",
        "basicaer.v1.Estimation.indices",
    }
)


def read_in_pieces(
    kind: type[_MessageT], data: bytes | memoryview, pause: Callable[[], None] = lambda: None
) -> tuple[_MessageT, Columns]:
    """Return the message of bytes that were scanned, and its long lists. `pause` is called between pieces.

    Raises:
        DecodeError: They are none: a text isn't UTF-8.
    """
    message, columns = kind(), Columns()
    _Reader(data, columns, pause).read(message, 0, len(data))
    return message, columns


def read_around(
    kind: type[_MessageT], data: bytes, number: int, parts: int, pause: Callable[[], None] = lambda: None
) -> _MessageT:
    """Return the same message, of so many parts at most, without its field `number`, which is a message.

    Raises:
        DecodeError: As `read_in_pieces`.
    """
    message = kind()
    places = np.empty((parts, 3), dtype=np.int64)
    places = places[: find_occurrences(np.frombuffer(data, dtype=np.uint8), number, places)]
    ends = np.concatenate(([0], places[:, 2]))
    begins = np.append(places[:, 0], len(data))
    between = ends < begins
    reader = _Reader(data, Columns(), pause)
    for start, end in zip(ends[between].tolist(), begins[between].tolist(), strict=True):
        pause()
        reader.read(message, start, end)
    return message


class _Reader:
    def __init__(self, data: bytes | memoryview, columns: Columns, pause: Callable[[], None]) -> None:
        self._view = memoryview(data)
        self._bytes: _Bytes = np.frombuffer(data, dtype=np.uint8)
        self._columns = columns
        self._pause = pause

    def read(self, message: Any, start: int, end: int) -> None:
        """Merge the fields of a message, which lie from `start` to `end`."""
        records = np.empty((2 * ((end - start) // _PIECE) + 2, 6), dtype=np.int64)
        count = find_fields(self._bytes, start, end, _PIECE, records)
        fields: Any = message.DESCRIPTOR.fields_by_number
        for kind, begins, ends, number, wire_type, contents in records[:count].tolist():
            self._pause()
            field = fields.get(number) if kind == LONG_FIELD else None
            if (
                kind == GROUP
                or field is None
                or wire_type != _LENGTH
                or not self._parted(message, field, contents, ends)
            ):
                message.MergeFromString(self._view[begins:ends])

    def _parted(self, message: Any, field: Any, start: int, end: int) -> bool:
        """Read a long field in another way than all at once, if there is one."""
        name = field.name
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry:
                return False
            if field.is_repeated:
                child = getattr(message, name).add()
            else:
                child = getattr(message, name)
                child.SetInParent()
            self.read(child, start, end)
            return True
        if field.full_name not in _COLUMNS or end - start < _LONG_COLUMN:
            return False
        dtype: np.dtype[Any] = _DTYPES[field.type]
        if dtype == np.uint32:
            # A number has at least a byte.
            column = np.empty(end - start, dtype=np.uint32)
            column = column[: decode(self._bytes, start, end, column)].copy()
        else:
            column = self._bytes[start:end].copy().view(dtype)
        self._columns.keep(message, name, column)
        return True
