"""How the engine's functions are compiled: without the GIL, and kept on disk."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from basicaer.simulator.methods.statevector.engine.machine._kept import kept
from basicaer.simulator.methods.statevector.engine.machine._linking import linked
from numba import config, njit
from numba.core import extending

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile `function` at its first call with new types of arguments, or load it from the disk's cache.

    Nothing is checked: indices must be right. Compiled code divides as hardware does. With
    NUMBA_DISABLE_JIT=1 the function stays as it is, for debuggers and for what measures coverage.
    """
    if config.DISABLE_JIT:
        return function
    return cast(_F, kept(linked(njit(nogil=True, error_model="numpy", boundscheck=False)(function))))


def intrinsic(
    meaning: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have a function write LLVM code; compiled functions call it without its first argument. `meaning` does
    the same in Python, for functions that aren't compiled yet.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        made = extending.intrinsic(function)
        made.meaning = meaning
        return cast(Callable[..., Any], made)

    return decorate
