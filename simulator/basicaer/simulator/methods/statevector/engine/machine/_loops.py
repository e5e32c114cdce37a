"""Loops for what numpy says with a slice or a word.

numba compiles `a[x:y] = b` and `np.argsort` with all that numpy means by them: shapes that don't match and
the text of that error, any axis, any kind. That takes longer to compile than the planner's own functions.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.statevector.engine._arrays import Ints
from basicaer.simulator.methods.statevector.engine.machine._borrowed import inlined

Numbers = TypeVar("Numbers", bound=npt.NDArray[Any])


@inlined
def copy(target: Numbers, at: int, source: Numbers, start: int, count: int) -> None:
    """Write source[start : start + count] to target[at : at + count]."""
    for x in range(count):
        target[at + x] = source[start + x]


@inlined
def copy_rows(target: Ints, source: Ints, count: int) -> None:
    """Write the first `count` rows of `source` to those of `target`."""
    for x in range(count):
        for y in range(source.shape[1]):
            target[x, y] = source[x, y]


@inlined
def filled(count: int, value: int) -> Ints:
    """Return `count` times the same int64."""
    made = np.empty(count, np.int64)
    for x in range(count):
        made[x] = value
    return made


@inlined
def counted(count: int) -> Ints:
    """Return 0, 1, ..., count - 1 as int64."""
    made = np.empty(count, np.int64)
    for x in range(count):
        made[x] = x
    return made


@inlined
def ordered(keys: Ints) -> Ints:
    """Return where the least of a few keys, no two of which are equal, is, where the next, and so on."""
    order = np.empty(len(keys), np.int64)
    for x in range(len(keys)):
        y = x
        while y > 0 and keys[order[y - 1]] > keys[x]:
            order[y] = order[y - 1]
            y -= 1
        order[y] = x
    return order
