"""Memory for states."""

from typing import Any

import numpy as np
import numpy.typing as npt

_HUGE_PAGE = 1 << 21


def zeros(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array of zeros, of which no page is touched yet.

    numpy asks for huge pages for large arrays; beginning at the border of one, a state gets nothing else,
    and its vectors lie within cache lines.
    """
    kind = np.dtype(dtype)
    if count * kind.itemsize < 2 * _HUGE_PAGE:
        return np.zeros(count, kind)
    more = np.zeros(count + _HUGE_PAGE // kind.itemsize, kind)
    skipped = -more.ctypes.data % _HUGE_PAGE // kind.itemsize
    return more[skipped : skipped + count]
