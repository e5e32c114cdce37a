"""How the engine's functions are compiled: without the GIL, and kept on disk."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import config, njit
from numba.core import extending
from numba.core.types.misc import unliteral

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile `function` at its first call with new types of arguments, or load it from the disk's cache.

    Nothing is checked: indices must be right. Compiled code divides as hardware does. A call with constants
    among its arguments gets the common code, and not code of its own, as numba would make. With
    NUMBA_DISABLE_JIT=1 the function stays as it is, for debuggers and for what measures coverage.
    """
    if config.DISABLE_JIT:
        return function
    dispatcher = njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)(function)
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template([unliteral(arg) for arg in args], kws)
    return cast(_F, dispatcher)


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that writes LLVM code; compiled functions call it without its first argument."""
    return cast(Callable[..., Any], extending.intrinsic(function))
