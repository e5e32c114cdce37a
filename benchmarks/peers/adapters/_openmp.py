"""The number of threads of a library's own OpenMP runtime, which wheels bundle under a name of their own."""

from __future__ import annotations

import ctypes
from pathlib import Path


def set_threads(library: str, threads: int) -> None:
    """Set the threads of the loaded OpenMP runtime whose path contains `library`.

    It holds for parallel regions that this thread starts from now on. Raises `LookupError` if none is loaded.
    """
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split(maxsplit=5)[-1]
        if "libgomp" in path and library in path:
            ctypes.CDLL(path).omp_set_num_threads(threads)
            return
    raise LookupError(f"{library} has loaded no OpenMP runtime")
