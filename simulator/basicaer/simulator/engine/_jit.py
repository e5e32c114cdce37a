"""How the engine's functions are compiled: without the GIL, and kept on disk."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
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
    save_one_at_a_time(dispatcher._cache)
    return cast(_F, dispatcher)


def save_one_at_a_time(cache: Any) -> None:
    """Lets no two processes save code of the same folder at once.

    numba chooses the name of a file, and enters it in the function's index, in two steps: of two processes
    that save the same function for different types one could get the name, and the other the index.
    """
    save = cache.save_overload

    def save_alone(signature: Any, code: Any) -> None:
        with _lock(Path(cache.cache_path)):
            save(signature, code)

    cache.save_overload = save_alone


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        # A folder that can't be written to holds no code either; numba then says so, or goes elsewhere.
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / ".lock").open("ab"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that writes LLVM code; compiled functions call it without its first argument."""
    return cast(Callable[..., Any], extending.intrinsic(function))
