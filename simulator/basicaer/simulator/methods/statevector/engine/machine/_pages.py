"""Memory for states, and for blocks of them."""

from typing import Any

import numpy as np
import numpy.typing as npt

_HUGE_PAGE = 1 << 21
_CACHE_LINE = 64
_TINY = 1 << 14


def zeros(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of zeros, of which no page is touched yet; unless it is tiny, it begins with a cache
    line.

    A vector that crosses the border of a line costs two accesses. numpy asks for huge pages for large arrays;
    beginning at the border of one, a state gets nothing else.
    """
    kind = np.dtype(dtype)
    size = count * kind.itemsize
    if size < _TINY:
        return np.zeros(count, kind)
    border = _HUGE_PAGE if size >= 2 * _HUGE_PAGE else _CACHE_LINE
    more = np.zeros(count + border // kind.itemsize, kind)
    skipped = -more.ctypes.data % border // kind.itemsize
    return more[skipped : skipped + count]


def few_pages(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """`zeros` that stay in use: in huge pages when they take a good part of one."""
    kind = np.dtype(dtype)
    good = count * kind.itemsize >= _HUGE_PAGE // 8
    return zeros(max(count, 2 * _HUGE_PAGE // kind.itemsize) if good else count, kind)[:count]
