"""What the simulator gives, as the contract's `ProgramResult` and the arrays beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from basicaer import simulator as sim
from basicaer.service.execution._interface import ResultPart
from basicaer.v1 import result_pb2

__all__ = ["LargeArrays", "add_counts"]

_Array = npt.NDArray[Any]

# What an array's bytes cost in the message besides themselves: two tags and two lengths.
_INLINE_OVERHEAD = 16


def add_counts(result: result_pb2.ProgramResult, outcome: sim.RunResult) -> None:
    """Sets the counts from the distinct outcomes."""
    counts = result.counts
    counts.words_per_outcome = outcome.outcomes.shape[1]
    counts.outcomes.extend(outcome.outcomes.reshape(-1).tolist())
    counts.counts.extend(outcome.counts.tolist())


class LargeArrays:
    """The arrays of a job's programs, until it is known which of them fit in the message."""

    __slots__ = ("_arrays",)

    def __init__(self) -> None:
        self._arrays: list[tuple[result_pb2.Array, _Array]] = []

    def add(self, result: result_pb2.ProgramResult, index: int, name: str, array: _Array) -> None:
        """Describes an array in the result of program `index`. The array must not be changed afterwards."""
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        description = result.arrays.add(
            name=name,
            part=f"{index}/{name}",
            dtype=little.dtype.newbyteorder("<").str,
            shape=little.shape,
            size_bytes=little.nbytes,
            crc32c=google_crc32c.value(little),
        )
        self._arrays.append((description, little))

    def place(self, result: result_pb2.Result, max_inline_bytes: int) -> Sequence[ResultPart]:
        """Puts arrays into the message as long as that stays small, and returns the others."""
        if not self._arrays:
            return ()
        room = max_inline_bytes - result.ByteSize()
        parts: list[ResultPart] = []
        for description, array in self._arrays:
            if array.nbytes + _INLINE_OVERHEAD <= room:
                description.data = array.tobytes()
                room -= array.nbytes + _INLINE_OVERHEAD
            else:
                # numpy's bytes, as no memoryview can be cast from complex numbers.
                parts.append(ResultPart(description.part, array.reshape(-1).view(np.uint8).data))
        return parts
