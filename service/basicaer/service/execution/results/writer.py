"""What the simulator gives, as the contract's `Result`: small ones as messages, others serialized by entries.

A message takes several times its bytes, and a header that each entry has takes them as often as there are
entries. So an entry becomes bytes as soon as the result is too large to be sent along with an event, a header
is serialized once for all entries of its program, and large counts never are a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.execution._interface import ResultPart
from basicaer.service.execution.circuits.reading import SAVED_FIELDS
from basicaer.service.execution.results.wire import MOST_FRAME_BYTES, frame, varints
from basicaer.v1 import result_pb2

__all__ = ["ENTRY_RESERVE", "MOST_RESULT_BYTES", "ResultFullError", "ResultWriter", "header_field"]

MOST_RESULT_BYTES = 2**31 - 2**20
"""The largest Result message: protobuf reads none of 2 GiB, and the jobs layer adds a few fields."""

ENTRY_RESERVE = 2_000
"""So many bytes are kept for each entry that is still to come, beside its header: enough to say why it has no
data."""

_Array = npt.NDArray[Any]

# What an array's bytes cost in the message besides themselves: two tags and two lengths.
_INLINE_OVERHEAD = 16
# Words of outcomes up to which counts are a message, which is faster to make then.
_FEW_WORDS = 1_024

_ENTRY = result_pb2.Result.PROGRAMS_FIELD_NUMBER
_HEADER = result_pb2.ProgramResult.HEADER_FIELD_NUMBER
_COUNTS = result_pb2.ProgramResult.COUNTS_FIELD_NUMBER
_OUTCOMES = result_pb2.Counts.OUTCOMES_FIELD_NUMBER
_TIMES = result_pb2.Counts.COUNTS_FIELD_NUMBER


class ResultFullError(Exception):
    """The message of the result has no room for an entry's data."""


def header_field(header: result_pb2.ProgramHeader) -> bytes:
    """Return a header as it stands in each entry of its program."""
    data = header.SerializeToString()
    return frame(_HEADER, len(data)) + data


class ResultWriter:
    """Makes a result's entries, one after the other.

    Fill an entry by `add_counts` and `add_array`, then `check` it, and `end` it, or `drop` what it has and
    end it without.
    """

    def __init__(self, max_inline_bytes: int, reserved_bytes: int) -> None:
        """Arrays lie inside the message as long as it stays within `max_inline_bytes`. `reserved_bytes` is
        the sum over all entries of their headers and `ENTRY_RESERVE`.
        """
        self._max_inline = max_inline_bytes
        self._reserved = reserved_bytes
        # The bytes of all entries that were ended, with their frames and headers.
        self._size = 0
        # As long as the result is small: entries as messages, each after its header, and their arrays.
        self._small: list[tuple[bytes, result_pb2.ProgramResult]] = []
        self._arrays: list[tuple[result_pb2.Array, _Array]] = []
        # And once it isn't.
        self._large = False
        self._pieces: list[bytes] = []
        self._parts: list[ResultPart] = []
        # Of the present entry: counts that are too large for a message, its arrays' number so far.
        self._counts: list[bytes] = []
        self._begun = 0

    def add_counts(self, entry: result_pb2.ProgramResult, outcome: sim.RunResult) -> None:
        """Set an entry's counts from the distinct outcomes."""
        words = outcome.outcomes.shape[1]
        if outcome.outcomes.size <= _FEW_WORDS:
            counts = entry.counts
            counts.words_per_outcome = words
            counts.outcomes.extend(outcome.outcomes.reshape(-1).tolist())
            counts.counts.extend(outcome.counts.tolist())
            return
        width = result_pb2.Counts(words_per_outcome=words).SerializeToString()
        times = varints(outcome.counts)
        times_size = sum(map(len, times))
        fields = [
            width,
            frame(_OUTCOMES, 8 * outcome.outcomes.size),
            outcome.outcomes.astype("<u8", copy=False).tobytes(),
            frame(_TIMES, times_size),
            *times,
        ]
        self._counts = [frame(_COUNTS, sum(map(len, fields))), *fields]

    def add_array(
        self,
        entry: result_pb2.ProgramResult,
        number: int,
        name: str,
        array: _Array,
        save: sim.Save | None = None,
    ) -> None:
        """Describe an array in entry `number`, which `save` has kept. It must not be changed afterwards."""
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        description = entry.arrays.add(
            name=name,
            part=f"{number}/{name}",
            dtype=little.dtype.newbyteorder("<").str,
            shape=little.shape,
            size_bytes=little.nbytes,
            crc32c=google_crc32c.value(little),
            kind="" if save is None else SAVED_FIELDS[save.kind],
            per_shot=save is not None and save.per_shot,
            conditional=save is not None and save.conditional,
            as_dict=save is not None and save.as_dict,
            as_operator=save is not None and save.as_operator,
            bits_per_row=0 if save is None else len(save.detectors),
        )
        self._arrays.append((description, little))

    @property
    def is_full(self) -> bool:
        """Whether no entry with data has room any more."""
        return self._size + self._reserved + ENTRY_RESERVE > MOST_RESULT_BYTES

    def check(self, entry: result_pb2.ProgramResult, header: bytes) -> None:
        """Find out whether the message has room for an entry.

        Raises:
            ResultFullError: It hasn't.
        """
        rest = self._reserved - len(header) - ENTRY_RESERVE
        if self._size + self._bytes_of(entry, header) + rest > MOST_RESULT_BYTES:
            raise ResultFullError

    def drop(self, entry: result_pb2.ProgramResult) -> None:
        """Take the data of the present entry back."""
        entry.ClearField("counts")
        entry.ClearField("arrays")
        self._counts = []
        del self._arrays[self._begun :]

    def end(self, entry: result_pb2.ProgramResult, header: bytes) -> None:
        """Add the present entry. The message is kept, and not changed by others afterwards."""
        self._reserved -= len(header) + ENTRY_RESERVE
        self._size += self._bytes_of(entry, header)
        if self._large:
            self._write(entry, header, self._counts)
        elif self._counts or self._size > self._max_inline:
            # No array can lie inside from here on.
            self._large = True
            for small_header, small in self._small:
                self._write(small, small_header, ())
            self._small.clear()
            self._write(entry, header, self._counts)
        else:
            self._small.append((header, entry))
        if self._large:
            self._parts += [_part(description, array) for description, array in self._arrays]
            self._arrays.clear()
        self._counts = []
        self._begun = len(self._arrays)

    def finish(self, result: result_pb2.Result) -> tuple[Sequence[bytes], Sequence[ResultPart]]:
        """Return what follows `result`, which has no entries, to make up its message, and the parts beside
        it.
        """
        room = self._max_inline - result.ByteSize() - self._size
        for description, array in self._arrays:
            if array.nbytes + _INLINE_OVERHEAD <= room:
                description.data = array.tobytes()
                room -= array.nbytes + _INLINE_OVERHEAD
            else:
                self._parts.append(_part(description, array))
        for header, entry in self._small:
            self._write(entry, header, ())
        return self._pieces, tuple(self._parts)

    def _bytes_of(self, entry: result_pb2.ProgramResult, header: bytes) -> int:
        return MOST_FRAME_BYTES + len(header) + entry.ByteSize() + sum(map(len, self._counts))

    def _write(self, entry: result_pb2.ProgramResult, header: bytes, counts: Sequence[bytes]) -> None:
        """Add an entry's bytes. The header is the same object in all entries of its program."""
        data = entry.SerializeToString()
        size = len(header) + len(data) + sum(map(len, counts))
        self._pieces += (frame(_ENTRY, size), header, data, *counts)


def _part(description: result_pb2.Array, array: _Array) -> ResultPart:
    # numpy's bytes, as no memoryview can be cast from complex numbers.
    return ResultPart(description.part, array.reshape(-1).view(np.uint8).data)
