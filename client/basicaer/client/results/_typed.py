"""Values out of an outcome's bits, for many outcomes at once, as `ClassicalOutput` describes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import ProtocolError
from basicaer.v1 import circuit_pb2, result_pb2

__all__ = ["Form", "forms_of"]

_WORD = 64
_KINDS = {
    circuit_pb2.CLASSICAL_KIND_BIT: "bit",
    circuit_pb2.CLASSICAL_KIND_BOOL: "bool",
    circuit_pb2.CLASSICAL_KIND_UINT: "uint",
    circuit_pb2.CLASSICAL_KIND_INT: "int",
    circuit_pb2.CLASSICAL_KIND_FLOAT: "float",
    circuit_pb2.CLASSICAL_KIND_ANGLE: "angle",
    circuit_pb2.CLASSICAL_KIND_COMPLEX: "complex",
}
_FLOAT_WIDTHS = (16, 32, 64)
_MOST_AXES = 8
# Of the axes of an array beside one of length 0, which numpy multiplies too.
_MOST_ELEMENTS = 1 << 32

_Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Form:
    """How values lie in outcomes: `places` are the classical bits of the first element, those of the others
    follow. `width` is that of an element's type, of a complex one that of a part, and 0 for a single bit.
    """

    name: str
    kind: str
    width: int
    shape: tuple[int, ...]
    places: range | tuple[int, ...]

    @property
    def type(self) -> str:
        """The type as OpenQASM writes it."""
        scalar = self.kind
        if self.kind == "complex":
            scalar = f"complex[float[{self.width}]]"
        elif self.width:
            scalar = f"{self.kind}[{self.width}]"
        return f"array[{scalar}, {', '.join(map(str, self.shape))}]" if self.shape else scalar

    def values(self, words: _Words) -> npt.NDArray[Any]:
        """Return the values in outcomes, which are rows of words: an array of shape (outcomes, *shape).

        Its dtype is bool, uint64, int64, float64 (angles in radians) or complex128; that of integers of more
        than 64 bits is object.

        Raises:
            ProtocolError: The outcomes have too few words.
        """
        count = math.prod(self.shape)
        if isinstance(self.places, range):
            end = self.places.start + count * len(self.places)
        else:
            end = 1 + max(self.places)
        if end > words.shape[1] * _WORD:
            raise ProtocolError(f"The server sent outcomes without all words of {self.name!r}.")
        found = self._elements(words, count)
        return found.reshape(len(words), *self.shape)

    def _elements(self, words: _Words, count: int) -> npt.NDArray[Any]:
        if self.kind == "complex":
            made: npt.NDArray[Any] = np.empty((len(words), count), np.complex128)
            made.real = _floats(self._fields(words, count, 0, self.width), self.width)
            made.imag = _floats(self._fields(words, count, self.width, self.width), self.width)
            return made
        size = len(self.places)
        fields = self._fields(words, count, 0, size)
        match self.kind:
            case "bool":
                return fields.astype(np.bool_)
            case "float":
                return _floats(fields, size)
            case "angle":
                return np.ldexp(fields.astype(np.float64), -size) * math.tau
            case "int":
                return _signed(fields, size)
        return fields

    def _fields(self, words: _Words, count: int, offset: int, size: int) -> npt.NDArray[Any]:
        """Return `size` bits of each element as integers, those from `offset` on: one column an element."""
        if not size:
            return np.zeros((len(words), count), np.uint64)
        if not isinstance(self.places, range):
            single = [_field(words, np.array([place]), 1) for place in self.places]
            return _joined(single, 1)
        starts = self.places.start + offset + len(self.places) * np.arange(count, dtype=np.int64)
        pieces = [_field(words, starts + done, min(_WORD, size - done)) for done in range(0, size, _WORD)]
        return _joined(pieces, _WORD)


def forms_of(header: result_pb2.ProgramHeader) -> list[Form]:
    """Return what a program's outcomes hold: its outputs, or where it tells of none each classical register.

    Raises:
        ProtocolError: An output isn't in an outcome, or is of a type that this client doesn't know.
    """
    if header.outputs:
        return [_form(each, header.num_clbits) for each in header.outputs]
    forms = []
    following = 0
    for register in header.classical_registers:
        bits = tuple(register.bits) or tuple(range(following, following + register.size))
        following = bits[-1] + 1 if bits else following
        if bits and max(bits) >= header.num_clbits:
            raise ProtocolError(f"The server sent a register {register.name!r} that isn't in its outcomes.")
        is_whole = bits == tuple(range(following - len(bits), following))
        places = range(following - len(bits), following) if is_whole else bits
        forms.append(Form(register.name, "bit", len(bits), (), places))
    return forms


def _form(output: circuit_pb2.ClassicalOutput, num_clbits: int) -> Form:
    kind, width = _KINDS.get(output.type.kind, ""), output.type.width
    if not kind or (kind in ("float", "complex") and (width or _WORD) not in _FLOAT_WIDTHS):
        raise ProtocolError(f"The server sent an output {output.name!r} that this client can't read.")
    if kind == "bool":
        width = 0
    elif kind != "bit":
        width = width or _WORD
    size = (width or 1) * (1 + (kind == "complex"))
    axes = math.prod(axis for axis in output.shape if axis)
    if (
        output.clbit + size * math.prod(output.shape) > num_clbits
        or len(output.shape) > _MOST_AXES
        or axes > _MOST_ELEMENTS
    ):
        raise ProtocolError(f"The server sent an output {output.name!r} that isn't in its outcomes.")
    return Form(output.name, kind, width, tuple(output.shape), range(output.clbit, output.clbit + size))


def _field(words: _Words, starts: npt.NDArray[np.int64], size: int) -> _Words:
    """Return up to 64 bits from each of `starts` on."""
    places, shifts = np.divmod(starts, _WORD)
    shifts = shifts.astype(np.uint64)
    found = words[:, places] >> shifts
    is_split = shifts + np.uint64(size) > _WORD
    if is_split.any():
        found[:, is_split] |= words[:, places[is_split] + 1] << (np.uint64(_WORD) - shifts[is_split])
    return found & np.uint64((1 << size) - 1)


def _joined(pieces: Sequence[_Words], size: int) -> npt.NDArray[Any]:
    """Return integers of pieces of `size` bits each, the least significant first."""
    if size * len(pieces) <= _WORD:
        total = pieces[0].copy()
        for number, piece in enumerate(pieces[1:], 1):
            total |= piece << np.uint64(size * number)
        return total
    wide: npt.NDArray[Any] = pieces[0].astype(object)
    for number, piece in enumerate(pieces[1:], 1):
        wide = wide | (piece.astype(object) << size * number)
    return wide


def _floats(fields: npt.NDArray[Any], width: int) -> npt.NDArray[np.float64]:
    little = fields.astype(f"<u{width // 8}")
    with np.errstate(invalid="ignore"):
        return little.view(f"<f{width // 8}").astype(np.float64)


def _signed(fields: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    if fields.dtype == object:
        return np.where(fields >> (size - 1), fields - (1 << size), fields)
    unused = np.int64(_WORD - size)
    return fields.view(np.int64) << unused >> unused
