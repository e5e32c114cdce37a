"""The arrays of a result: their types and shapes, as the contract describes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from basicaer.client._errors import ProtocolError
from basicaer.v1 import result_pb2

__all__ = ["array_form"]

_DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in ("<c16", "<c8", "<f8", "<u8", "|u1")}
# numpy counts bytes in 63 bits, for an empty array too along its other axes; and has at least so many axes.
_MOST_BYTES = 1 << 62
_MOST_AXES = 32


def array_form(array: result_pb2.Array, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return an array's dtype and shape. Without either it is bytes along one axis; `name` is for the error.

    Raises:
        ProtocolError: They don't make up its size, or are none that this client can read.
    """
    dtype = _DTYPES.get(array.dtype or "|u1")
    if dtype is None:
        raise ProtocolError(f"The server sent an array of {array.dtype}, which this client can't read.")
    shape = tuple(array.shape) or (array.size_bytes // dtype.itemsize,)
    axes = math.prod(length for length in shape if length) * dtype.itemsize
    if math.prod(shape) * dtype.itemsize != array.size_bytes or axes > _MOST_BYTES or len(shape) > _MOST_AXES:
        raise ProtocolError(f"The size of {name} doesn't fit its shape.")
    return dtype, shape
