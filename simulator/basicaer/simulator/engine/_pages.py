"""Memory for large states."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

_HUGE_PAGE = 1 << 21


def zeros(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array of zeros, in huge pages where the system grants them; no page is touched yet."""
    kind = np.dtype(dtype)
    if count * kind.itemsize < 2 * _HUGE_PAGE:
        return np.zeros(count, kind)
    memory = mmap.mmap(-1, count * kind.itemsize + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    address = np.frombuffer(memory, np.uint8, 1).ctypes.data
    return np.frombuffer(memory, kind, count, offset=-address % _HUGE_PAGE)
