"""protobuf's wire format, for what would take several times its bytes as a message: counts of a million
outcomes, and headers that thousands of entries share.

A field is its key (number and kind), then for bytes and messages the length, then the contents; a message is
its fields one after another (https://protobuf.dev/programming-guides/encoding/). So pieces that were made one
by one are a message when they lie one behind the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.service.wire import varint

__all__ = ["MOST_FRAME_BYTES", "frame", "varints"]

MOST_FRAME_BYTES = 16
"""A key and a length take no more."""

_LENGTH_DELIMITED = 2
# Numbers that are encoded at a time, so that what that takes stays small.
_BLOCK = 1 << 16


def frame(number: int, size: int) -> bytes:
    """Return what stands before the `size` bytes of field `number`."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(size)


def varints(numbers: npt.NDArray[Any]) -> Sequence[bytes]:
    """Numbers from 0 on, in groups of 7 bits as repeated fields hold them: pieces that follow each other."""
    return [_block(numbers[start : start + _BLOCK]) for start in range(0, len(numbers), _BLOCK)]


def _block(numbers: npt.NDArray[Any]) -> bytes:
    most = int(numbers.max())
    if most < 0x80:
        return numbers.astype(np.uint8).tobytes()
    values = numbers.astype(np.uint64)
    sizes = np.ones(len(values), dtype=np.int64)
    for group in range(1, -(-most.bit_length() // 7)):
        sizes += values >= np.uint64(1 << 7 * group)
    begins = np.cumsum(sizes) - sizes
    encoded = np.empty(int(sizes.sum()), dtype=np.uint8)
    for group in range(int(sizes.max())):
        longer = sizes > group
        bits = values[longer] >> np.uint64(7 * group) & np.uint64(0x7F)
        more = (sizes[longer] > group + 1).astype(np.uint64) << np.uint64(7)
        encoded[begins[longer] + group] = (bits | more).astype(np.uint8)
    return encoded.tobytes()
