"""The contract's arrays of complex numbers as numpy's."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from basicaer.service.parsing import ProgramFault
from basicaer.service.wire import NO_COLUMNS, Columns
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["complex_array"]


def complex_array(
    message: pb.ComplexArray, path: str, columns: Columns = NO_COLUMNS, *, most_axes: int = 2
) -> npt.NDArray[np.complex128]:
    """Return the array, of 1 to `most_axes` axes; a view of the message's bytes where they lie right.

    Raises:
        ProgramFault: Its shape and its number of elements differ, or both `values` and `data` are set.
    """
    values, data = columns.numbers(message, "values", np.float64), columns.data(message, "data")
    if len(values) and len(data):
        raise ProgramFault("give either `values` or `data`, not both", path=path)
    if len(data):
        if len(data) % 16:
            raise ProgramFault(f"`data` has {len(data)} bytes; a complex number has 16", path=path)
        array = np.frombuffer(data, dtype="<c16")
    else:
        if len(values) % 2:
            raise ProgramFault(
                "`values` holds real and imaginary parts by turns, so that its length is even", path=path
            )
        array = values.view(np.complex128)
    shape = tuple(message.shape)
    elements = math.prod(shape) if shape else 1
    if array.size == 0 or len(shape) > most_axes:
        raise ProgramFault(f"an array of 1 to {most_axes} axes is needed, and with numbers in it", path=path)
    if elements != array.size:
        sizes = " by ".join(map(str, shape)) or "empty"
        raise ProgramFault(f"the shape is {sizes}, but there are {array.size} numbers", path=path)
    return array.reshape(shape).astype(np.complex128, copy=False)
